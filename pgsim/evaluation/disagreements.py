"""Submissions that disagree with the others of their MBID in length, tempo or key.

The key of an analysis is the least sure: of 94 genuine submissions of one recording, whose tuning
lies between two keys, a quarter are a semitone or more off, and nothing else is odd in most of
them. So a key counts only beside a small difference in length or tempo.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgsim.features.forms import FIFTHS
from pgsim.features.profile import FeatureSet, Profile
from pgsim.store.submissions import Submissions

# Those 94 are up to 13.6 s (7 %) and 3 % of tempo from their middle, and all one recording.
LENGTH, LENGTH_SECONDS = 0.10, 10.0
TEMPO = 0.1  # octaves: 7 %; octaves aside, which beat trackers take one for the other
KEY = 2  # steps of the circle of fifths
# What else makes a key count.
KEY_LENGTH, KEY_TEMPO = 0.05, 0.04

_KEYS = [f"{FIFTHS[n]} major or {FIFTHS[(n + 3) % 12]} minor" for n in range(12)]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A submission, by its place among those of its MBID, that disagrees in `kind`.

    `value` is how far it is off: a share of the length, octaves, or steps of the circle of fifths.
    """

    kind: str
    mbid: bytes
    place: int
    value: float
    reason: str


def tempo_set(profile: Profile) -> FeatureSet | None:
    """The set of the tempo in octaves, None where the profile has none."""
    return next(
        (
            each
            for each in profile.sets
            if each.form == "octaves" and any("bpm" in p or "tempo" in p for p in each.paths)
        ),
        None,
    )


def key_set(profile: Profile) -> FeatureSet | None:
    """The set of the key on the circle of fifths, None where the profile has none."""
    return next((each for each in profile.sets if each.form == "circle_of_fifths"), None)


def disagreements(part: Submissions, profile: Profile) -> Iterator[Disagreement]:
    """Yield the submissions that disagree, of each MBID that has more than one."""
    counts = np.diff(part.starts, append=len(part.features))
    run = np.repeat(np.arange(len(counts)), counts)
    lengths = part.lengths.astype(np.float64)
    usual = _usual(lengths, part.starts, counts)
    off = np.abs(lengths - usual)
    longer = off / np.maximum(usual, 1e-9)
    tempo, key = tempo_set(profile), key_set(profile)
    nothing = np.full(len(run), np.nan)
    octaves = _off(part.features[:, tempo.slice], part.starts, counts)[0] if tempo else nothing
    fifths, own, others = (
        _off(part.features[:, key.slice], part.starts, counts) if key else (nothing,) * 3
    )
    fifths, octaves = 12 * np.abs(fifths), np.abs(octaves)
    # Comparisons with NaN are false: what is not known does not disagree.
    is_odd = (longer > KEY_LENGTH) | (octaves > np.log2(1 + KEY_TEMPO))

    def found(kind: str, rows: NDArray[np.intp]) -> Iterator[Disagreement]:
        for row in rows:
            if kind == "length":
                value = float(longer[row])
                reason = f"{lengths[row]:.1f} s, the others {usual[row]:.1f} s"
            elif kind == "tempo":
                value = float(octaves[row])
                reason = f"{100 * (2 ** octaves[row] - 1):.0f} % off the others, octaves aside"
            else:
                value = float(fifths[row])
                reason = f"{_named(own[row])}, the others {_named(others[row])}"
            place = int(row - part.starts[run[row]])
            yield Disagreement(kind, part.mbids[row].astype(">u8").tobytes(), place, value, reason)

    yield from found("length", np.flatnonzero((longer > LENGTH) & (off > LENGTH_SECONDS)))
    yield from found("tempo", np.flatnonzero(octaves > TEMPO))
    yield from found("key", np.flatnonzero((fifths > KEY - 0.5) & is_odd))


def _usual(
    values: NDArray[np.float64], starts: NDArray[np.intp], counts: NDArray[np.intp]
) -> NDArray[np.float64]:
    """For each submission the median of its MBID's; of two, the other's. NaN where unknown."""
    result = np.full(len(values), np.nan)
    for count in np.unique(counts[counts > 1]):
        rows = starts[counts == count][:, None] + np.arange(count)
        own = values[rows]
        if count == 2:
            result[rows] = own[:, ::-1]
            continue
        known = ~np.isnan(own).all(axis=1)
        result[rows[known]] = np.nanmedian(own[known], axis=1)[:, None]
    return result


def _off(
    directions: NDArray[np.float32], starts: NDArray[np.intp], counts: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """How many turns each [cos, sin] (n, 2) is off what is usual in its MBID; its own, and that.

    Usual is the median of the turns from the mean direction. NaN where unknown, or alone.
    """
    own = directions.astype(np.float64)
    mean = np.repeat(np.add.reduceat(np.nan_to_num(own), starts), counts, axis=0)
    turns, middle = (np.arctan2(each[:, 1], each[:, 0]) / (2 * np.pi) for each in (own, mean))
    usual = middle + _usual(_within_half(turns - middle), starts, counts)
    return _within_half(turns - usual), turns, usual


def _within_half(turns: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same turns from -0.5 to 0.5."""
    return (turns + 0.5) % 1 - 0.5


def _named(turns: float) -> str:
    return _KEYS[round(12 * turns) % 12]
