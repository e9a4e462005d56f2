"""What a load asks of a document, read in one go: nearly all documents are of a few shapes.

What is not wanted is passed over, and what is wanted lands where it is fetched at once: that takes
half the time of reading the whole and looking for it there.
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
from pgsim.features.metrics import CLASSIFIERS, LABELS
from pgsim.features.profile import FeatureSet, Profile
from pgsim.features.reading import read_values
from pgsim.sources.metadata import describe
from pgsim.sources.provenance import extractor_of
from pgsim.sources.submission import LARGEST_NUMBER
from pgsim.sources.text import Repairs

LOW_LEVEL = ("lowlevel", "rhythm", "tonal")
_MODELS = {model.removeprefix("genre_"): model for model in CLASSIFIERS}
# In the order of jsonb, which need not sort them then.
_SCHEMES = sorted(_MODELS, key=lambda scheme: (len(scheme), scheme))
_PROBABILITY = Annotated[float, Meta(ge=0, le=1)]
_CHANCES = {
    f"highlevel.{model}.all.{label}": [(model, label)]
    for model, labels in CLASSIFIERS.items()
    for label in labels
} | {path: [(path.split(".")[1], label) for label in labels] for path, labels in LABELS.items()}
_ENVELOPE = ("source_id", "url", "extra")


class Content(Struct, gc=False):
    """What a document says: its kind, what is stored of it, and whose it says that it is."""

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
    number: Annotated[int, Meta(ge=0, le=LARGEST_NUMBER)] = 0
    source_id: str | None = None
    url: str | None = None
    extra: dict[str, str] | None = None  # numbers beyond 64 bits have to be told from others


@dataclass(frozen=True, slots=True)
class _Reader:
    """How documents are read for a profile.

    `get_genres` makes of classifiers' results the label and its probability by scheme,
    `get_features` a value for each dimension, NaN where it is none of theirs, and `pack` float32 of
    these. `others` are the other sets, each with what fetches its values. `get_parts` fetches what
    these lie in, the low levels first.
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
    """What a document says; None where the whole has to tell, or what is wrong with it."""
    reader = _reader(profile)
    if reader is None:
        return None
    try:
        if not is_utf8:
            str(data, "utf-8")  # a text that is passed over is not asked
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
        # A level in which nothing is wanted can have been empty, which is as good as none.
        if levels and all(value is None for level in levels for value in astuple(level)):
            return None
        is_low = bool(levels)
        features = features.copy()
        is_found |= _fill(features, document, reader)
    if not is_found:
        return None
    repairs = Repairs()
    beside = document.source_id, document.url, document.extra
    metadata = describe(
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
    """Write the sets that are not classifiers'; whether there are any."""
    is_found = False
    for each, get_values in reader.others:
        try:
            values = get_values(document)
        except AttributeError:  # of None: what they would lie in is not there
            continue
        numbers = None if None in values else read_values(values, each.paths, each)
        if numbers is not None:
            features[each.slice] = numbers
            is_found = True
    return is_found


@lru_cache(maxsize=16)
def _reader(profile: Profile) -> _Reader | None:
    """None for a profile whose paths these structures do not tell apart."""
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
    """The classifier and the label of each dimension; none unless the set is of these alone."""
    found = [chance for path in each.paths for chance in _CHANCES.get(path, [])]
    is_whole = len(found) == each.length and all(path in _CHANCES for path in each.paths)
    is_plain = each.form == "probabilities" and each.transform not in ("log", "unit")
    return found if is_whole and is_plain else []


def _result(model: str, chances: list[tuple[str, str]]) -> Any:
    """What one classifier says: no label that is none of its own, and of all those wanted."""
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


# Keys within keys; a leaf, of which all is wanted, is None.
_Tree = dict[str, Any]


def _grow(tree: _Tree, keys: list[str]) -> bool:
    """Add a path to a tree; False where it, or a part of it, is asked for otherwise."""
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
    """Where a path leads in the structure of a tree."""
    names = []
    for key in path.split("."):
        names.append(_field(tree, key))
        tree = tree[key]
    return ".".join(names)


def _field(keys: Iterable[str], key: str) -> str:
    """A key's field: keys need not be names as Python has them."""
    return f"field_{list(keys).index(key)}"


# What fetches attributes of one thing, as a tuple however many they are.
_Getter = Callable[[Any], tuple[Any, ...]]


def _getter(names: Iterable[str]) -> _Getter:
    return _compiled(f"({''.join(f'each.{name},' for name in names)})")


def _compiled(expression: str) -> Callable[[Any], Any]:
    """What an expression of ours is for `each`: a third of the time that an attrgetter takes."""
    function: Callable[[Any], Any] = eval(f"lambda each, nan=float('nan'): {expression}")  # noqa: S307
    return function
