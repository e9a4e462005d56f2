"""What examples find in a collection whose vectors are made in other ways."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgsim.features.fusion import Moments, fuse
from pgsim.features.profile import Profile, Rows
from pgsim.tuning.examples import Examples
from pgsim.tuning.lda import Method, learn
from pgsim.tuning.measure import Found, Gain, gain


@dataclass(frozen=True, slots=True)
class Way:
    """How a set is made."""

    transform: str
    method: Method | None
    weight: float


@dataclass(frozen=True, slots=True)
class State:
    """How each set is made, by name and way, and the method of the map over all sets."""

    ways: tuple[tuple[str, Way], ...]
    across: Method | None = None

    @classmethod
    def of(cls, profile: Profile) -> "State":
        """Return the sets of a profile as they are, without maps."""
        return cls(
            tuple((each.name, Way(each.transform, None, each.weight)) for each in profile.sets)
        )

    def way(self, name: str) -> Way:
        """Return the way of the set of that name."""
        return dict(self.ways)[name]

    def changed(self, names: Iterable[str], **parts: Any) -> "State":
        """Return the state with the ways of these sets changed in these parts."""
        changed = {name: replace(self.way(name), **parts) for name in names}
        return replace(self, ways=tuple((dict(self.ways) | changed).items()))


class Trial:
    """Examples, and what is found in them by vectors made in other ways."""

    def __init__(self, examples: Examples, profile: Profile, seed: int) -> None:
        self._examples, self._profile, self._seed = examples, profile, seed
        self._scores: dict[tuple[str, str], NDArray[np.float64]] = {}
        self._found: dict[State, tuple[Found, Found]] = {}

    def gain(self, before: State, after: State, halves: tuple[bool, ...] = (False, True)) -> Gain:
        """Return the gain by similarity over the queries of these halves."""
        old, new = self._both(before), self._both(after)
        return gain(
            np.concatenate([old[half].by_similarity for half in halves]),
            np.concatenate([new[half].by_similarity for half in halves]),
            np.concatenate([self._examples.drawn(half) for half in halves]),
            self._seed,
        )

    def summary(self, state: State) -> dict[str, float]:
        """Return the precisions and the hubs, over both halves."""
        both = self._both(state)
        of = {
            name: float(np.concatenate([getattr(each, name) for each in both]).mean())
            for name in ("by_similarity", "by_distance")
        }
        hubs = {
            name: float(np.mean([getattr(each, name) for each in both]))
            for name in ("skewness", "in_none")
        }
        return of | hubs

    def tuned(self, state: State) -> Profile:
        """Return the profile with the sets in these ways, and maps learned on all."""
        sets = []
        for each in self._profile.sets:
            way = state.way(each.name)
            found = self._map(each.name, way, None)
            own = replace(each, transform=way.transform, weight=way.weight, map=_rows(found))
            sets.append(own)
        return replace(self._profile, sets=tuple(sets), map=_rows(self._map_across(state, None)))

    def _both(self, state: State) -> tuple[Found, Found]:
        """Return what each half finds where maps are learned on the other."""
        if state not in self._found:
            self._found[state] = (self._of_half(state, False), self._of_half(state, True))
        return self._found[state]

    def _of_half(self, state: State, half: bool) -> Found:
        rows = self._examples.measured(half)
        vectors = np.nan_to_num(self._vectors(state, not half, rows))
        matrix = self._map_across(state, not half)
        return self._examples.find(vectors if matrix is None else vectors @ matrix, half)

    def _vectors(
        self, state: State, half: bool | None, rows: slice | NDArray[np.intp] = slice(None)
    ) -> NDArray[np.float64]:
        """Return vectors (rows, dimensions) by maps of one half, or of all; NaN where missing."""
        parts = []
        for name, way in state.ways:
            scores, matrix = self._standard(name, way.transform)[rows], self._map(name, way, half)
            parts.append((scores if matrix is None else scores @ matrix) * np.sqrt(way.weight))
        return np.hstack(parts)

    def _map(self, name: str, way: Way, half: bool | None) -> NDArray[np.float64] | None:
        """Return the map of a set that is learned on one half, or on all; None for none."""
        return self._learned(self._standard(name, way.transform), way.method, half)

    def _map_across(self, state: State, half: bool | None) -> NDArray[np.float64] | None:
        """Return the map over all sets that is learned on one half, or on all; None for none."""
        if state.across is None:
            return None
        vectors = self._vectors(state, half)
        vectors[:, np.isnan(vectors).all(axis=0)] = 0  # a set that no recording has
        return self._learned(vectors, state.across, half)

    def _learned(
        self, vectors: NDArray[np.float64], method: Method | None, half: bool | None
    ) -> NDArray[np.float64] | None:
        """Return the map of (n, d) vectors after which their expected squared distance is 1."""
        scatter = self._examples.scatter(vectors, half) if method else None
        found = learn(scatter, method) if scatter and method else None
        if found is None:
            return None
        spread = np.sqrt(2 * np.nanvar(vectors @ found, axis=0).sum())
        return found / spread if spread > 0 else None

    def _standard(self, name: str, transform: str) -> NDArray[np.float64]:
        """Return the standardised values (n, length) of a set; NaN where it is missing."""
        if (name, transform) not in self._scores:
            own = replace(self._profile.set(name), position=0, weight=1, map=None)
            alone = replace(self._profile, sets=(replace(own, transform=transform),), map=None)
            values = self._examples.values[:, self._profile.set(name).slice]
            moments = Moments(alone)
            moments.add(values)
            scores = fuse(values, alone, moments.fit()).astype(np.float64)
            scores[np.isnan(values).any(axis=1)] = np.nan
            self._scores[name, transform] = scores
        return self._scores[name, transform]


def _rows(matrix: NDArray[np.float64] | None) -> Rows | None:
    return None if matrix is None else tuple(map(tuple, matrix.tolist()))
