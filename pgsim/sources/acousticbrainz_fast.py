"""The fast reader of AcousticBrainz documents: it reads only what a profile and the tables need.

Nearly all documents have one of a few shapes. msgspec decodes those straight into structures that
are made for the profile, and passes over everything else. That takes half the time of parsing the
whole document and looking up the values in it. A document of another shape is left to
`acousticbrainz.submission`, which parses it whole; a test holds the two readers equal, and
`submission(..., fast=False)` never uses this one.

Expressions that fetch the values are compiled by `eval`, which takes a third of the time of
`operator.attrgetter`. That is safe because no text from outside reaches `eval`. An expression
consists of the names of our own classifiers and schemes (constants of `features.metrics`), and of
attributes named `field_0`, `field_1` and so on (`_field`): a path or label of a profile is only
looked up to get such a number, and the documents themselves are data that the compiled functions
receive.
"""

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import UNSET, Meta, Struct, UnsetType, defstruct
from msgspec.structs import astuple
from numpy.typing import NDArray

from pgsim.errors import Rejected
from pgsim.features.metrics import CLASSIFIERS, GENRE_LABELS
from pgsim.features.profile import FeatureSet, Profile
from pgsim.features.reading import read_values
from pgsim.sources.metadata import build_metadata
from pgsim.sources.provenance import extractor_of
from pgsim.sources.submission import LARGEST_NUMBER
from pgsim.sources.text import Repairs

LOW_LEVEL = ("lowlevel", "rhythm", "tonal")
_MODELS = {model.removeprefix("genre_"): model for model in CLASSIFIERS}
# In the order of jsonb keys, which saves PostgreSQL the sorting.
_SCHEMES = sorted(_MODELS, key=lambda scheme: (len(scheme), scheme))
_PROBABILITY = Annotated[float, Meta(ge=0, le=1)]
_CHANCES = {
    f"highlevel.{model}.all.{label}": [(model, label)]
    for model, labels in CLASSIFIERS.items()
    for label in labels
} | {
    path: [(path.split(".")[1], label) for label in labels] for path, labels in GENRE_LABELS.items()
}
_ENVELOPE = ("source_id", "url", "extra")


class Content(Struct, gc=False):
    """The content of a document: its kind, what is stored of it, and its MBID and number if any."""

    source: str
    kind: str
    features: NDArray[np.float32]
    metadata: dict[str, Any]
    repairs: int
    mbid: Any
    number: Any


class _Version(Struct, frozen=True, gc=False):
    extractor: Any = None
    lowlevel: "_Version | None" = None


class _Length(Struct, frozen=True, gc=False):
    length: Any = None


class _Metadata(Struct, frozen=True, gc=False):  # in the order of documents
    audio_properties: _Length = _Length()
    tags: dict[str, list[str] | str] = {}
    version: _Version | None = None


class _Document(Struct, frozen=True, gc=False):
    metadata: _Metadata = _Metadata()
    extractor: Any = UNSET
    mbid: str | UnsetType = UNSET
    number: Annotated[int, Meta(ge=0, le=LARGEST_NUMBER)] | None = None
    source_id: str | None = None
    url: str | None = None
    extra: dict[str, str] | None = None  # no numbers: some exceed 64 bits


@dataclass(frozen=True, slots=True)
class _Reader:
    """The functions that read documents for a profile.

    From the results of classifiers, `get_genres` makes the label and its probability by scheme, and
    `get_features` a value for each dimension, NaN if it is not a classifier's; `pack` makes float32
    of these. `others` has the other sets, each with the function that fetches its values.
    `get_parts` fetches the parts of the document that these lie in, the low levels first.
    """

    decode: Callable[[bytes | memoryview], Any]
    get_genres: Callable[[Any], dict[str, Any]]
    get_features: "_Getter"
    pack: Callable[..., bytes]
    has_chances: bool
    get_parts: "_Getter"
    others: tuple[tuple[FeatureSet, "_Getter"], ...]
    nothing: NDArray[np.float32]


def read_wanted(
    data: bytes | memoryview, profile: Profile, is_utf8: bool = False
) -> Content | None:
    """Return the content of a document, or None if it has to be parsed whole or is faulty."""
    reader = _reader(profile)
    if reader is None:
        return None
    try:
        if not is_utf8:
            str(data, "utf-8")  # the decoder does not check a text that it passes over
        return _content(reader.decode(data), reader, profile)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Rejected):
        return None


def _content(document: Any, reader: _Reader, profile: Profile) -> Content | None:
    version, results = document.metadata.version, document.highlevel
    named = version and (version.lowlevel or version).extractor
    if document.extractor is not UNSET or (version and extractor_of(named) != profile.extractor):
        return None
    features, genres = reader.nothing, {}
    is_high, is_low, is_found = results is not None, False, False
    if is_high:
        features = np.frombuffer(reader.pack(*reader.get_features(results)), np.float32)
        genres = reader.get_genres(results)
        is_found = reader.has_chances
    parts = reader.get_parts(document)
    if parts.count(None) < len(parts):
        levels = [part for part in parts[: len(LOW_LEVEL)] if part is not None]
        # A level without any wanted value can be an empty object, which counts as no level.
        if levels and all(value is None for level in levels for value in astuple(level)):
            return None
        is_low = bool(levels)
        features = features.copy()
        is_found |= _fill(features, document, reader)
    if not is_found:
        return None
    repairs = Repairs()
    beside = document.source_id, document.url, document.extra
    metadata = build_metadata(
        document.metadata.tags,
        document.metadata.audio_properties.length,
        genres,
        dict(zip(_ENVELOPE, beside, strict=True)) if any(beside) else {},
        repairs,
    )
    kind = "document" if is_high == is_low else "highlevel" if is_high else "lowlevel"
    mbid = metadata.get("recording_mbid") if document.mbid is UNSET else document.mbid
    return Content("acousticbrainz", kind, features, metadata, repairs.count, mbid, document.number)


def _fill(features: NDArray[np.float32], document: Any, reader: _Reader) -> bool:
    """Write the sets that are not a classifier's into `features`; return whether there are any."""
    is_found = False
    for each, get_values in reader.others:
        try:
            values = get_values(document)
        except AttributeError:  # of None: the part that they would lie in is missing
            continue
        numbers = None if None in values else read_values(values, each.paths, each)
        if numbers is not None:
            features[each.slice] = numbers
            is_found = True
    return is_found


@lru_cache(maxsize=16)
def _reader(profile: Profile) -> _Reader | None:
    """Return the reader for a profile; None if one of its paths leads into another."""
    tree: _Tree = {level: {} for level in LOW_LEVEL}
    chances: list[tuple[str, str]] = []
    values = ["nan"] * profile.dimensions
    others: list[FeatureSet] = []
    for each in profile.sets:
        found = _chances(each)
        if found:
            chances += found
            values[each.slice] = (
                f"each.{model}.all.{_field(CLASSIFIERS[model], label)}" for model, label in found
            )
        elif all(_grow(tree, path.split(".")) for path in each.paths):
            others.append(each)
        else:
            return None
    results = [(model, _result(model, chances)) for model in CLASSIFIERS]
    genres = (
        f"{scheme!r}: (each.{_MODELS[scheme]}.value, each.{_MODELS[scheme]}.probability),"
        for scheme in _SCHEMES
    )
    highlevel: Any = defstruct("HighLevel", results, forbid_unknown_fields=True, gc=False)
    document = defstruct(
        "Document",
        [("highlevel", highlevel | None, None), *_fields(tree)],
        bases=(_Document,),
        frozen=True,
        rename=_names(tree),
        gc=False,
    )
    return _Reader(
        msgspec.json.Decoder(document).decode,
        _compiled(f"{{{''.join(genres)}}}"),
        _compiled(f"({','.join(values)},)"),
        struct.Struct(f"{len(values)}f").pack,
        bool(chances),
        _getter(_names(tree)),
        tuple((each, _getter(_attribute(tree, path) for path in each.paths)) for each in others),
        np.full(profile.dimensions, np.nan, np.float32),
    )


def _chances(each: FeatureSet) -> list[tuple[str, str]]:
    """Return the classifier and label of each dimension; nothing if the set has other values."""
    found = [chance for path in each.paths for chance in _CHANCES.get(path, [])]
    is_whole = len(found) == each.length and all(path in _CHANCES for path in each.paths)
    is_plain = each.form == "probabilities" and each.transform not in ("log", "unit")
    return found if is_whole and is_plain else []


def _result(model: str, chances: list[tuple[str, str]]) -> Any:
    """Return the structure of one classifier's result, with a field for each wanted label."""
    labels = CLASSIFIERS[model]
    wanted = [label for label in labels if (model, label) in chances]
    names = {_field(labels, label): label for label in wanted}
    every = defstruct(
        "All",
        [(name, _PROBABILITY) for name in names],
        rename=names,
        forbid_unknown_fields=len(wanted) == len(labels),
        gc=False,
    )
    return defstruct(
        "Result",
        [
            *([("all", every)] if wanted else []),
            ("probability", _PROBABILITY),
            ("value", Literal[labels]),
        ],
        gc=False,
    )


# Keys within keys; None for a leaf, whose value is wanted as it is.
_Tree = dict[str, Any]


def _grow(tree: _Tree, keys: list[str]) -> bool:
    """Add a path to a tree; return False if the path, or a part of it, is used already."""
    *outer, last = keys
    if keys[0] in ("highlevel", *_Document.__struct_fields__):
        return False
    for key in outer:
        tree = tree.setdefault(key, {})
        if tree is None:
            return False
    return tree.setdefault(last) is None


def _fields(tree: _Tree) -> list[tuple[str, Any, None]]:
    return [
        (_field(tree, key), Any if keys is None else _part(keys) | None, None)
        for key, keys in tree.items()
    ]


def _part(tree: _Tree) -> Any:
    return defstruct("Part", _fields(tree), rename=_names(tree), gc=False)


def _names(tree: _Tree) -> dict[str, str]:
    return {_field(tree, key): key for key in tree}


def _attribute(tree: _Tree, path: str) -> str:
    """Return the attribute of the structure of a tree to which a path leads."""
    names = []
    for key in path.split("."):
        names.append(_field(tree, key))
        tree = tree[key]
    return ".".join(names)


def _field(keys: Iterable[str], key: str) -> str:
    """Return the name of a key's field: a key can be any text, this name is made of its number."""
    return f"field_{list(keys).index(key)}"


# A function that fetches attributes of an object, always as a tuple.
_Getter = Callable[[Any], tuple[Any, ...]]


def _getter(names: Iterable[str]) -> _Getter:
    return _compiled(f"({''.join(f'each.{name},' for name in names)})")


def _compiled(expression: str) -> Callable[[Any], Any]:
    """Return a function of `each` that an expression of ours computes; see the module's docstring.

    No text of a document or a profile may be a part of `expression`.
    """
    function: Callable[[Any], Any] = eval(f"lambda each, nan=float('nan'): {expression}")  # noqa: S307
    return function
