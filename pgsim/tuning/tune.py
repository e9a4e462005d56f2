"""Tune a collection: change what its vectors are made of, where that finds more.

Each change is learned on one half of the artists (or other classes) and measured on the other, and
the other way round. What gains is learned once more on all, and written.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgsim.errors import UsageError
from pgsim.features.fusion import Moments, fuse
from pgsim.features.profile import LEAST_WEIGHT, FeatureSet, Profile
from pgsim.loading.recordings import refit
from pgsim.postgres.connection import Connection
from pgsim.progress import Advance, Say, silent, still
from pgsim.store.collection import read_collection
from pgsim.tuning.examples import Examples, read_examples, read_rated, read_triplets
from pgsim.tuning.lda import METHODS, Method, learn
from pgsim.tuning.measure import Found, Gain, gain

LEAST_GROUPS = 20  # artists, or other groups, of fewer than these nothing sure can be learned
_LEAST_LENGTH = 3  # dimensions of a set that a map is learned for: a circle stays a circle
_FACTORS = (2.0, 0.5)  # of a set's weight


@dataclass(frozen=True, slots=True)
class Step:
    """A change that was tried: the precision before and after it, on artists it did not learn from.

    The gain lies between `low` and `high`, at 95 %. `kept` is whether the change was.
    """

    sets: str
    change: str
    before: float
    after: float
    low: float
    high: float
    kept: bool


@dataclass(frozen=True, slots=True)
class TuneReport:
    """What was learned from `groups` groups, of `classes` classes, and `recordings` recordings.

    `changed` is whether the tuned sets differ from those of the collection, `written` whether they
    were written. `before` and `after` are the precision by similarity and by distance, the skewness
    of the occurrences in others' lists, and the share in nobody's list; `low` and `high` bound the
    gain by similarity. `reason` says why nothing was kept.
    """

    labels: str
    classes: int
    groups: int
    recordings: int
    steps: list[Step]
    before: dict[str, float]
    after: dict[str, float]
    low: float
    high: float
    changed: bool
    written: bool
    reason: str | None
    sets: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Way:
    """How a set is made."""

    transform: str
    method: Method | None
    weight: float


_State = dict[str, _Way]


class _Trial:
    """Examples, and what is found in them by sets made in other ways."""

    def __init__(self, examples: Examples, profile: Profile, seed: int) -> None:
        self._examples, self._profile, self._seed = examples, profile, seed
        self._scores: dict[tuple[str, str], NDArray[np.float64]] = {}
        self._found: dict[tuple[tuple[str, _Way], ...], tuple[Found, Found]] = {}

    def scores(self, name: str, transform: str) -> NDArray[np.float64]:
        """Return the standardised values (n, length) of a set; NaN where it is missing."""
        if (name, transform) not in self._scores:
            each = replace(self._profile.set(name), position=0, weight=1, map=None)
            each = replace(each, transform=transform)
            alone = replace(self._profile, sets=(each,))
            values = self._examples.values[:, self._profile.set(name).slice]
            moments = Moments(alone)
            moments.add(values)
            scores = fuse(values, alone, moments.fit()).astype(np.float64)
            scores[np.isnan(values).any(axis=1)] = np.nan
            self._scores[name, transform] = scores
        return self._scores[name, transform]

    def map(self, name: str, way: _Way, half: bool | None) -> NDArray[np.float64] | None:
        """Return the map of a set that is learned on one half, or on all; None for none."""
        if way.method is None:
            return None
        scatter = self._examples.scatter(self.scores(name, way.transform), half)
        found = learn(scatter, way.method) if scatter else None
        if found is None:
            return None
        mapped = self.scores(name, way.transform) @ found
        spread = np.sqrt(2 * np.nanvar(mapped, axis=0).sum())
        return found / spread if spread > 0 else None

    def found(self, state: _State) -> tuple[Found, Found]:
        """Return what each half finds where maps are learned on the other."""
        key = tuple(state.items())
        if key not in self._found:
            self._found[key] = (self._of_half(state, False), self._of_half(state, True))
        return self._found[key]

    def _of_half(self, state: _State, half: bool) -> Found:
        rows = self._examples.measured(half)
        parts = []
        for name, way in state.items():
            scores = np.nan_to_num(self.scores(name, way.transform)[rows])
            matrix = self.map(name, way, not half)
            mapped = scores if matrix is None else scores @ matrix
            parts.append(mapped * np.sqrt(way.weight))
        return self._examples.find(np.hstack(parts), half)

    def gain(self, before: _State, after: _State, halves: tuple[bool, ...] = (False, True)) -> Gain:
        """Return the gain by similarity over the queries of these halves."""
        old, new = self.found(before), self.found(after)
        return gain(
            np.concatenate([old[half].by_similarity for half in halves]),
            np.concatenate([new[half].by_similarity for half in halves]),
            np.concatenate([self._examples.drawn(half) for half in halves]),
            self._seed,
        )

    def summary(self, state: _State) -> dict[str, float]:
        """Return the precisions and the hubs, over both halves."""
        both = self.found(state)
        of = {
            name: float(np.concatenate([getattr(each, name) for each in both]).mean())
            for name in ("by_similarity", "by_distance")
        }
        hubs = {
            name: float(np.mean([getattr(each, name) for each in both]))
            for name in ("skewness", "in_none")
        }
        return of | hubs


def tune(
    conn: Connection,
    *,
    labels: str = "artist",
    triplets: Path | None = None,
    ratings: bool = False,
    dry_run: bool = False,
    seed: int = 0,
    say: Say = silent,
    advance: Advance = still,
) -> TuneReport:
    """Learn what finds more of what belongs together, and refit the collection by it.

    Nothing is written where nothing gains, and with `dry_run`. The same database and seed give the
    same result.
    """
    collection = read_collection(conn)
    profile = collection.profile
    say("reading what belongs together")
    what, examples = _read(conn, profile, labels, triplets, ratings, seed)
    halves = [len(np.unique(examples.drawn(half))) for half in (False, True)]
    if examples.groups < LEAST_GROUPS or not min(halves, default=0):
        return TuneReport(
            *(what, examples.kinds, examples.groups, len(examples.values), [], {}, {}, 0.0, 0.0),
            changed=False,
            written=False,
            reason=f"only {examples.groups} groups have anything to find: {_lacking(what)};"
            f" at least {LEAST_GROUPS} are needed",
            sets=[],
        )
    trial = _Trial(examples, profile, seed)
    there = [
        each
        for each in profile.sets
        if collection.fit is None or each.name in collection.fit.fitted
    ]
    start = {each.name: _Way(each.transform, None, each.weight) for each in profile.sets}
    steps, state = [], start
    for step, after in _steps(trial, there, start):
        state = after
        steps.append(step)
        verb = "kept" if step.kept else "not kept"
        say(f"{step.sets}: {step.change}: {step.before:.4f} to {step.after:.4f}, {verb}")
    total = trial.gain(start, state)
    is_better = state != start and total.low > 0
    tuned = _tuned(trial, profile, state if is_better else start)
    # A collection that was tuned before is compared by what it is made of.
    changed = tuned != profile and is_better
    written = changed and not dry_run
    if written:
        refit(conn, advance, say, profile=tuned)
    return TuneReport(
        *(what, examples.kinds, examples.groups, len(examples.values), steps),
        trial.summary(start),
        trial.summary(state if is_better else start),
        *(total.low, total.high) if is_better else (0.0, 0.0),
        changed=changed,
        written=written,
        reason=_reason(is_better, changed),
        sets=[
            {
                "name": each.name,
                "transform": each.transform,
                "weight": each.weight,
                "has_map": each.map is not None,
            }
            for each in tuned.sets
        ],
    )


def _read(
    conn: Connection, profile: Profile, labels: str, triplets: Path | None, ratings: bool, seed: int
) -> tuple[str, Examples]:
    """Return what says what belongs together, by its name, and the examples of it."""
    if ratings and triplets:
        raise UsageError("`triplets` or `ratings`, not both: each says what belongs together")
    if ratings:
        return "ratings", read_rated(conn, profile, seed)
    if triplets:
        return "triplets", read_triplets(conn, profile, triplets, seed)
    return labels, read_examples(conn, profile, labels, seed)


def _reason(is_better: bool, changed: bool) -> str | None:
    if changed:
        return None
    return (
        "the collection is tuned like this already"
        if is_better
        else "no change gains on recordings that it was not learned from"
    )


def _lacking(what: str) -> str:
    return {
        "artist": "artists with recordings of two albums, or of unknown ones",
        "genre": "artists whose genre another artist has too",
        "mbid": "MBIDs with two submissions that differ",
        "ratings": "seeds, to each of which a person likes one answer and dislikes another",
    }.get(what, "recordings a, each of which is nearer to one than to another")


def _steps(trial: _Trial, sets: list[FeatureSet], state: _State) -> Iterator[tuple[Step, _State]]:
    """Yield each change that is tried, and the state after it."""
    scored = [each.name for each in sets if each.transform == "zscore"]
    wide = [each.name for each in sets if each.length >= _LEAST_LENGTH]

    def attempt(names: list[str], change: str, **ways: Any) -> tuple[Step, _State]:
        after = state | {name: replace(state[name], **ways) for name in names}
        found = trial.gain(state, after)
        is_kept = found.low > 0
        text = names[0] if len(names) == 1 else ", ".join(names)
        step = Step(text, change, found.before, found.after, found.low, found.high, is_kept)
        return step, after if is_kept else state

    def most(state: _State, names: list[str], ways: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the way that finds most."""

        def after(way: dict[str, Any]) -> float:
            changed = state | {name: replace(state[name], **way) for name in names}
            return trial.gain(state, changed).after

        return max(ways, key=after)

    # First all sets at once, where a gain is surest; then each by itself, or all but each.
    for names, change, ways in (
        (scored, "normal scores", [{"transform": "rank"}]),
        (wide, "map", [{"method": method} for method in METHODS]),
    ):
        if not names:
            continue

        step, state = attempt(names, change, **most(state, names, ways))
        yield step, state
        if len(names) > 1:
            for name in names:
                if not step.kept:
                    alone, state = attempt([name], change, **most(state, [name], ways))
                else:
                    none = {"transform": "zscore"} if names is scored else {"method": None}
                    alone, state = attempt([name], f"no {change}", **none)
                yield alone, state
    yield from _weights(trial, [each.name for each in sets], state)


def _weights(trial: _Trial, names: list[str], state: _State) -> Iterator[tuple[Step, _State]]:
    """Yield changes of weights: each is chosen on one half, and kept where the other gains too."""
    while len(names) > 1:
        tried = [(name, factor) for name in names for factor in _FACTORS]
        states = [_weighted(state, name, factor) for name, factor in tried]
        gains = [trial.gain(state, each, (False,)) for each in states]
        best = max(range(len(tried)), key=lambda place: gains[place].after)
        if not gains[best].low > 0:
            return
        name, _ = tried[best]
        found = trial.gain(state, states[best], (True,))
        is_kept = found.low > 0
        change = f"weight {state[name].weight:.3f} to {states[best][name].weight:.3f}"
        state = states[best] if is_kept else state
        yield (
            Step(name, change, found.before, found.after, found.low, found.high, is_kept),
            state,
        )
        if not is_kept:
            return


def _weighted(state: _State, name: str, factor: float) -> _State:
    """Return the state with a set's weight times a factor; all weights sum to 1 again."""
    weights = {each: way.weight * (factor if each == name else 1) for each, way in state.items()}
    total = sum(weights.values())
    weights = {each: max(weight / total, LEAST_WEIGHT) for each, weight in weights.items()}
    total = sum(weights.values())
    return {
        each: replace(way, weight=max(weights[each] / total, LEAST_WEIGHT))
        for each, way in state.items()
    }


def _tuned(trial: _Trial, profile: Profile, state: _State) -> Profile:
    """Return the profile with the sets in these ways, and maps learned on all."""
    sets = []
    for each in profile.sets:
        way = state[each.name]
        matrix = trial.map(each.name, way, None)
        rows = None if matrix is None else tuple(map(tuple, matrix.tolist()))
        sets.append(replace(each, transform=way.transform, weight=way.weight, map=rows))
    return replace(profile, sets=tuple(sets))
