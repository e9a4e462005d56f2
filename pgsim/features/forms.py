"""The forms of a feature set: how the values in a document become its numbers."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pgsim.errors import Rejected
from pgsim.features.metrics import GENRE_LABELS

# Keys are named by sharps; Essentia's extractor can also name flats.
FIFTHS = ("C", "G", "D", "A", "E", "B", "F#", "C#", "G#", "D#", "A#", "F")
_FLATS = {"Db": "C#", "Eb": "D#", "Gb": "F#", "Ab": "G#", "Bb": "A#"}
_FIFTH = {key: place / 12 for place, key in enumerate(FIFTHS)} | {
    flat: FIFTHS.index(sharp) / 12 for flat, sharp in _FLATS.items()
}
# A minor key lies where its relative major does, three fifths on.
_SCALE = {"major": 0.0, "minor": -3 / 12}

# The largest 4-byte float, which is what PostgreSQL and pgvector store.
_LARGEST = float(np.finfo(np.float32).max)
# Classifiers write probabilities such as 1.00000012: float32 noise, not an error.
_PROBABILITY_SLACK = 1e-6

Numbers = Sequence[float]


@dataclass(frozen=True, slots=True)
class Form:
    """A form: the way in which the values at a set's paths become its numbers.

    `read` takes the values, in the order of the paths, and the paths, which it names in a
    rejection. It returns None if the values have no meaning: the set is missing then. `paths` and
    `length` are how many paths the form needs, and how many numbers it gives; None if the profile
    decides.
    """

    name: str
    read: Callable[[Sequence[Any], tuple[str, ...]], Numbers | None]
    paths: int | None = None
    length: int | None = None


def _numbers(values: Sequence[Any], paths: tuple[str, ...]) -> Numbers:
    """Return numbers as they are; lists, and lists of lists, are flattened."""
    flat = values
    while any(type(value) is list for value in flat):
        flat = [inner for value in flat for inner in (value if type(value) is list else (value,))]
    _require_numbers(flat, paths)
    return flat


def _probabilities(values: Sequence[Any], paths: tuple[str, ...]) -> Numbers:
    """Return probabilities: one for each path, or those of an object, by its sorted labels."""
    flat: list[Any] = []
    for value, path in zip(values, paths, strict=True):
        if type(value) is not dict:
            flat.append(value)
            continue
        labels = GENRE_LABELS.get(path)
        if labels is None:
            labels = tuple(sorted(value))
        elif value.keys() != set(labels):
            odd = sorted(value.keys() ^ set(labels))
            raise Rejected(
                f"{path}: not the labels of this classifier; missing or unknown: {shown(odd)}"
            )
        flat += [value[label] for label in labels]
    _require_numbers(flat, paths)
    if not flat or (min(flat) >= 0 and max(flat) <= 1):
        return flat
    for p in flat:
        if not -_PROBABILITY_SLACK <= p <= 1 + _PROBABILITY_SLACK:
            raise Rejected(f"{named(paths)}: {shown(p)} is not a probability from 0 to 1")
    return [0.0 if p < 0 else 1.0 if p > 1 else p for p in flat]


def _circle_of_fifths(values: Sequence[Any], paths: tuple[str, ...]) -> Numbers | None:
    """Return [cos, sin] of a key on the circle of fifths, a minor key at its relative major."""
    for value in values:
        if type(value) is not str:
            raise Rejected(f"{named(paths)}: {shown(value)} is not the text of a key or scale")
    key, scale = values
    if key not in _FIFTH or scale not in _SCALE:
        return None
    return _on_circle(_FIFTH[key] + _SCALE[scale])


def _octaves(values: Sequence[Any], paths: tuple[str, ...]) -> Numbers | None:
    """Return [cos, sin] of a rate's place in its octave: 70 and 140 are the same; None for 0."""
    _require_numbers(values, paths)
    rate = values[0]
    if rate < 0:
        raise Rejected(f"{named(paths)}: {shown(rate)} is negative; a rate is 0 or more")
    return _on_circle(math.log2(rate)) if rate else None


def _on_circle(turns: float) -> Numbers:
    return math.cos(math.tau * turns), math.sin(math.tau * turns)


FORMS = {
    form.name: form
    for form in (
        Form("numbers", _numbers),
        Form("probabilities", _probabilities),
        Form("circle_of_fifths", _circle_of_fifths, paths=2, length=2),
        Form("octaves", _octaves, paths=1, length=2),
    )
}


def _require_numbers(values: Sequence[Any], paths: tuple[str, ...]) -> None:
    # The usual case, in C, since every number of a load is checked. A NaN makes the sum NaN, and
    # the comparison false.
    if {*map(type, values)} == {float} and -_LARGEST < sum(map(abs, values)) < _LARGEST:
        return
    for value in values:
        # Not isinstance: a JSON true is an int to Python.
        if type(value) is not float and type(value) is not int:
            raise Rejected(f"{named(paths)}: {shown(value)} is not a number")
        if not -_LARGEST <= value <= _LARGEST:
            is_finite = type(value) is int or math.isfinite(value)
            cause = "is too large for a 4-byte float" if is_finite else "is not a finite number"
            raise Rejected(f"{named(paths)}: {shown(value)} {cause}")


def named(paths: tuple[str, ...]) -> str:
    """Return the paths in one short text."""
    return paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"


def shown(value: Any) -> str:
    """Return a value in one short line."""
    if isinstance(value, dict):
        return f"an object of {len(value)} keys"
    if isinstance(value, list) and not all(isinstance(each, str) for each in value):
        return f"a list of {len(value)}"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
