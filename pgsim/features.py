"""From a document to numbers: the twelve metrics, and the forms in which values are read."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pgsim.submission import Rejected

if TYPE_CHECKING:
    from pgsim.profile import FeatureSet, Profile

# Key names go by sharps; today's extractor can also name flats.
_FIFTHS = ("C", "G", "D", "A", "E", "B", "F#", "C#", "G#", "D#", "A#", "F")
_FLATS = {"Db": "C#", "Eb": "D#", "Gb": "F#", "Ab": "G#", "Bb": "A#"}
_FIFTH = {key: place / 12 for place, key in enumerate(_FIFTHS)} | {
    flat: _FIFTHS.index(sharp) / 12 for flat, sharp in _FLATS.items()
}
# A minor key lies where its relative major does, three fifths on.
_SCALE = {"major": 0.0, "minor": -3 / 12}

# Classifiers of a high-level document and their labels.
CLASSIFIERS = {
    "danceability": ("danceable", "not_danceable"),
    "gender": ("female", "male"),
    "genre_dortmund": tuple(
        "alternative blues electronic folkcountry funksoulrnb jazz pop raphiphop rock".split()
    ),
    "genre_electronic": ("ambient", "dnb", "house", "techno", "trance"),
    "genre_rosamerica": ("cla", "dan", "hip", "jaz", "pop", "rhy", "roc", "spe"),
    "genre_tzanetakis": tuple("blu cla cou dis hip jaz met pop reg roc".split()),
    "ismir04_rhythm": tuple(
        "ChaChaCha Jive Quickstep Rumba-American Rumba-International Rumba-Misc Samba Tango"
        " VienneseWaltz Waltz".split()
    ),
    **{
        f"mood_{mood}": (mood, f"not_{mood}")
        for mood in ("acoustic", "aggressive", "electronic", "happy", "party", "relaxed", "sad")
    },
    "moods_mirex": tuple(f"Cluster{number}" for number in range(1, 6)),
    "timbre": ("bright", "dark"),
    "tonal_atonal": ("atonal", "tonal"),
    "voice_instrumental": ("instrumental", "voice"),
}
# Only the genre classifiers become features as a whole; a document whose labels are others would
# put its numbers in the wrong places.
LABELS = {
    f"highlevel.{model}.all": CLASSIFIERS[model]
    for model in ("genre_dortmund", "genre_rosamerica", "genre_tzanetakis")
}

# What a 4-byte float, as PostgreSQL and pgvector store it, can hold.
_LARGEST = float(np.finfo(np.float32).max)
# Classifiers write probabilities such as 1.00000012: float32 noise, not an error.
_PROBABILITY_SLACK = 1e-6

Numbers = Sequence[float]


@dataclass(frozen=True, slots=True)
class Form:
    """How the values found at a set's paths become its numbers; None: no value, the set is missing.

    `read` takes the values, in the order of the paths, and the paths, which a reason names.
    `paths` and `length` are how many the form needs and gives; None: the profile says.
    """

    name: str
    read: Callable[[Sequence[Any], tuple[str, ...]], Numbers | None]
    paths: int | None = None
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Metric:
    """One of the twelve ways in which recordings can be compared.

    `of` is the feature set whose slice it measures, its own where they share a name; its i-th
    dimension counts `decay`**i, after the transform.
    """

    name: str
    paths: tuple[str, ...]
    form: str
    length: int
    of: str
    decay: float = 1.0


def _numbers(values: Sequence[Any], paths: tuple[str, ...]) -> Numbers:
    """Numbers as they are; lists, and lists of lists, laid out flat."""
    flat = values
    while any(type(value) is list for value in flat):
        flat = [inner for value in flat for inner in (value if type(value) is list else (value,))]
    _require_numbers(flat, paths)
    return flat


def _probabilities(values: Sequence[Any], paths: tuple[str, ...]) -> Numbers:
    """Probabilities: one a path, or those of an object, in the order of its sorted labels."""
    flat: list[Any] = []
    for value, path in zip(values, paths, strict=True):
        if type(value) is not dict:
            flat.append(value)
            continue
        labels = LABELS.get(path)
        if labels is None:
            labels = tuple(sorted(value))
        elif value.keys() != set(labels):
            odd = sorted(value.keys() ^ set(labels))
            raise Rejected(
                f"{path}: labels are not the classifier's own; missing or odd: {_shown(odd)}"
            )
        flat += [value[label] for label in labels]
    _require_numbers(flat, paths)
    if not flat or (min(flat) >= 0 and max(flat) <= 1):
        return flat
    for p in flat:
        if not -_PROBABILITY_SLACK <= p <= 1 + _PROBABILITY_SLACK:
            raise Rejected(f"{_named(paths)}: {_shown(p)} is no probability from 0 to 1")
    return [0.0 if p < 0 else 1.0 if p > 1 else p for p in flat]


def _circle_of_fifths(values: Sequence[Any], paths: tuple[str, ...]) -> Numbers | None:
    """[cos, sin] of a key on the circle of fifths; a minor key lies at its relative major."""
    for value in values:
        if type(value) is not str:
            raise Rejected(f"{_named(paths)}: {_shown(value)} is no key or scale; a text is needed")
    key, scale = values
    if key not in _FIFTH or scale not in _SCALE:
        return None
    return _on_circle(_FIFTH[key] + _SCALE[scale])


def _octaves(values: Sequence[Any], paths: tuple[str, ...]) -> Numbers | None:
    """[cos, sin] of a rate's place in its octave: 70 and 140 are the same; 0 is no rate."""
    _require_numbers(values, paths)
    rate = values[0]
    if rate < 0:
        raise Rejected(f"{_named(paths)}: {_shown(rate)} is negative; a rate is 0 or more")
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


def _model(model: str, label: str = "") -> str:
    return f"highlevel.{model}.all.{label}" if label else f"highlevel.{model}.all"


_MFCC, _GFCC = ("lowlevel.mfcc.mean",), ("lowlevel.gfcc.mean",)
_MOODS = tuple(
    _model(f"mood_{mood}", mood) for mood in ("happy", "sad", "aggressive", "relaxed", "party")
)
_INSTRUMENTS = (
    _model("mood_acoustic", "acoustic"),
    _model("mood_electronic", "electronic"),
    _model("voice_instrumental", "instrumental"),
)

METRICS = {
    metric.name: metric
    for metric in (
        Metric("mfccs", _MFCC, "numbers", 13, "mfccs"),
        Metric("mfccsw", _MFCC, "numbers", 13, "mfccs", decay=0.95),
        Metric("gfccs", _GFCC, "numbers", 13, "gfccs"),
        Metric("gfccsw", _GFCC, "numbers", 13, "gfccs", decay=0.95),
        Metric("key", ("tonal.key_key", "tonal.key_scale"), "circle_of_fifths", 2, "key"),
        Metric("bpm", ("rhythm.bpm",), "octaves", 2, "bpm"),
        Metric("onsetrate", ("rhythm.onset_rate",), "octaves", 2, "onsetrate"),
        Metric("moods", _MOODS, "probabilities", 5, "moods"),
        Metric("instruments", _INSTRUMENTS, "probabilities", 3, "instruments"),
        Metric("dortmund", (_model("genre_dortmund"),), "probabilities", 9, "dortmund"),
        Metric("rosamerica", (_model("genre_rosamerica"),), "probabilities", 8, "rosamerica"),
        Metric("tzanetakis", (_model("genre_tzanetakis"),), "probabilities", 10, "tzanetakis"),
    )
}


def extract(document: dict[str, Any], profile: "Profile") -> NDArray[np.float32]:
    """The (dimensions,) float32 features of one document, before any transform.

    A set is NaN where one of its paths is absent or null, or its value means nothing: a BPM or
    onset rate of 0, an unknown key, a 0 where the transform is a logarithm. Raises Rejected for a
    value of the wrong type, length or range.
    """
    features = np.full(profile.dimensions, np.nan, np.float32)
    for each in profile.sets:
        numbers = _read(document, each)
        if numbers is not None:
            features[each.slice] = numbers
    return features


def _read(document: dict[str, Any], each: "FeatureSet") -> Numbers | None:
    values = []
    for path in each.paths:
        value = _value_at(document, path.split("."))
        if value is None:
            return None
        values.append(value)
    return read_values(values, each.paths, each)


def read_values(
    values: Sequence[Any], paths: tuple[str, ...], each: "FeatureSet"
) -> Numbers | None:
    """A set's numbers from the values found at paths, one each; None where they mean nothing.

    Raises Rejected for a value of the wrong type, length or range.
    """
    numbers = FORMS[each.form].read(values, paths)
    if numbers is None:
        return None
    if len(numbers) != each.length:
        raise Rejected(f"{_named(paths)}: {len(numbers)} numbers; {each.length} are needed")
    return numbers if _has_meaning(numbers, each) else None


def _value_at(document: dict[str, Any], keys: list[str]) -> Any:
    """The value at a path; None where it is absent."""
    value: Any = document
    for key in keys:
        if type(value) is not dict:
            raise Rejected(f"{'.'.join(keys[: keys.index(key)])}: {_shown(value)} is no object")
        value = value.get(key)
        if value is None:
            return None
    return value


def _has_meaning(numbers: Numbers, each: "FeatureSet") -> bool:
    """Whether the set's transform is defined there; Rejected where no true value could lie."""
    if each.transform in ("log", "hellinger") and min(numbers) < 0:
        raise Rejected(
            f"{_named(each.paths)}: {_shown(min(numbers))} is negative;"
            f" the transform '{each.transform}' needs 0 or more"
        )
    if each.transform == "log":
        # Compared as it will be stored: a smaller value would become 0.
        return all(np.float32(number) > 0 for number in numbers)
    return each.transform != "unit" or any(np.float32(number) != 0 for number in numbers)


def _require_numbers(values: Sequence[Any], paths: tuple[str, ...]) -> None:
    # As nearly always: in C, since it is asked of every number that is loaded. A NaN is in no sum.
    if {*map(type, values)} == {float} and -_LARGEST < sum(map(abs, values)) < _LARGEST:
        return
    for value in values:
        # Not isinstance: a JSON true is an int to Python.
        if type(value) is not float and type(value) is not int:
            raise Rejected(f"{_named(paths)}: {_shown(value)} is no number")
        if not -_LARGEST <= value <= _LARGEST:
            is_finite = type(value) is int or math.isfinite(value)
            cause = "is too large for a 4-byte float" if is_finite else "is no finite number"
            raise Rejected(f"{_named(paths)}: {_shown(value)} {cause}")


def _named(paths: tuple[str, ...]) -> str:
    return paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"


def _shown(value: Any) -> str:
    """A value in one short line."""
    if isinstance(value, dict):
        return f"an object of {len(value)} keys"
    if isinstance(value, list) and not all(isinstance(each, str) for each in value):
        return f"a list of {len(value)}"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
