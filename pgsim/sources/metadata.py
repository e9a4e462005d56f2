"""The metadata of a recording, from a document's tags: title, artist, year, genres."""

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from pgsim.sources.text import Repairs

# Tag names without blanks and underscores; the first one with a value counts.
DATES = (
    *("originaldate", "originalyear", "originalreleasedate", "originalreleaseyear", "tdor", "tory"),
    *("date", "year", "recordingdate", "tdrc", "tyer"),
    *("releasedate", "releaseyear", "tdrl"),
)
# Picard's older name for the recording's id in Vorbis files is trackid.
_RECORDING_IDS = ("musicbrainzrecordingid", "musicbrainztrackid")
_ARTIST_IDS = "musicbrainzartistid"
_TAGS = {"title", "artist", "album", "genre", *DATES, *_RECORDING_IDS, _ARTIST_IDS}

# The oldest recordings are those of the phonautograph.
_FIRST_YEAR = 1860
# The year in a date is four digits by themselves, as in 1998-02-23, 23rd of February 1998 and
# 1998.02, or the first four of YYYYMMDD.
_YEAR = re.compile(r"(?<![0-9])([0-9]{4})(?:(?:0[0-9]|1[0-2])(?:[0-2][0-9]|3[01]))?(?![0-9])")
# Two digits are a year in Dec-69, 31-Dec-69, 12/31/69, 31.12.69 and 69-12-31, where it cannot be
# anything else: in 02-03-04 it can.
_MONTH = (
    r"(?:jan|feb|f[eé]v|m[aä]r|apr|avr|ma[iy]|jui?n|jui?l|aug|ao[uû]|sep|o[ck]t|nov|de[czk]|d[eé]c)"
)
_SHORT_YEAR = re.compile(
    rf"(?:[0-9]{{1,2}}[-. /])?{_MONTH}[a-zäéû]*\.?[-,. /]*['’]?(?P<month>[0-9]{{2}})"
    r"|[0-9]{1,2}([/.])[0-9]{1,2}\2(?P<last>[0-9]{2})"
    r"|[0-9]{1,2}-[0-9]{1,2}-(?P<end>3[2-9]|[4-9][0-9])"
    r"|(?P<start>3[2-9]|[4-9][0-9])([-/.])[0-9]{1,2}\6[0-9]{1,2}"
    r"|['’](?P<alone>[0-9]{2})",
    re.IGNORECASE,
)
_UUID = re.compile(
    r"(?<![0-9a-z-])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-z-])"
)
# Texts that are no genre, and the numbers of ID3's list of genres.
_NO_GENRE = re.compile(
    r"|\(?[0-9]+\)?|\[[0-9, ]*\]|null|none|unknown|<unknown>|unknown genre|undefined"
    r"|other|misc|n/?a|-+|\?+"
)
# The bounds of a recording's length, in seconds; PostgreSQL's real may not hold others.
SHORTEST_LENGTH, LONGEST_LENGTH = 0.001, 1e7


def extract_metadata(document: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Return a document's metadata, and how many of its texts were repaired.

    A key is left out if the document has no value for it. The keys are `title`, `artist`, `album`
    (text), `artist_mbids` (list of UUIDs as text), `year` (int), `length` (seconds), `genres`
    ({scheme: [label, probability]} of every classifier), `tags` (list of free-text genres, lower
    case), `recording_mbid` (text), and from an envelope `source_id`, `url` (text) and `extra`
    (object). A document is never rejected for its metadata.
    """
    repairs = Repairs()
    block = _object(document.get("metadata"))
    tags = {name: _strings(value) for name, value in _object(block.get("tags")).items()}
    length = _object(block.get("audio_properties")).get("length")
    genres = _genres(_object(document.get("highlevel")), repairs)
    metadata = build_metadata(tags, length, genres, document, repairs)
    return metadata, repairs.count


def build_metadata(
    tags: Mapping[str, Sequence[str]],
    length: Any,
    genres: dict[str, Any],
    envelope: dict[str, Any],
    repairs: Repairs,
) -> dict[str, Any]:
    """Return the metadata that `extract_metadata` returns, from the parts of a document.

    Each value of `tags` is a text or a list of texts. `genres` are taken as they are. `envelope`
    has the keys beside the document's own, if there are any.
    """
    known = {
        tag: value if type(value := tags[name]) is not str else (value,)
        for tag, name in _wanted_tags(tuple(tags))
    }
    get = known.get
    # In the order of jsonb keys, which saves PostgreSQL the sorting.
    found: dict[str, Any] = {
        "tags": _genre_tags(get("genre", ()), repairs),
        "year": _first_year(known),
        "album": _first_text(get("album", ()), repairs),
        "title": _first_text(get("title", ()), repairs),
        "artist": ", ".join(filter(None, map(repairs.text, get("artist", ())))),
        "genres": genres,
        "length": length_of(length),
        "artist_mbids": _uuids(get(_ARTIST_IDS, ())),
        "recording_mbid": _first_uuid(known, _RECORDING_IDS),
    }
    if envelope:
        found |= {
            "source_id": _first_text(_strings(envelope.get("source_id")), repairs),
            "url": _first_text(_strings(envelope.get("url")), repairs),
            "extra": repairs.value(_object(envelope.get("extra"))),
        }
    if all(found.values()):
        return found
    return {key: value for key, value in found.items() if value}


@lru_cache(maxsize=4096)
def year_of(date: str) -> int | None:
    """Return the year in a date of any format; None unless it is from 1860 to next year.

    Of two digits, such as Dec-69, it is the last such year up to next year.
    """
    last = datetime.date.today().year + 1
    if (short := _SHORT_YEAR.fullmatch(date.strip())) is not None:
        [digits] = filter(None, short.groupdict().values())
        return last - (last - int(digits)) % 100
    years = (int(found[1]) for found in _YEAR.finditer(date))
    return next((year for year in years if _FIRST_YEAR <= year <= last), None)


def has_short_year(date: str) -> bool:
    """Return whether the year in a date has two digits."""
    return _SHORT_YEAR.fullmatch(date.strip()) is not None


def length_of(value: Any) -> float | None:
    """Return a length in seconds; None if it cannot be that of a recording."""
    is_number = type(value) in (int, float)
    return float(value) if is_number and SHORTEST_LENGTH <= value <= LONGEST_LENGTH else None


@lru_cache(maxsize=4096)
def genre_labels(text: str) -> tuple[str, ...]:
    """Return the genres in a free text, lower case, separated by `;`; none for `unknown`."""
    genres = _unique(each.strip() for each in text.lower().split(";"))
    return tuple(genre for genre in genres if not _NO_GENRE.fullmatch(genre))


@lru_cache(maxsize=4096)
def _wanted_tags(names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the tags that are used, each as (our name, the document's name).

    Our name is the same for `musicbrainz artist id` (MP3) and `musicbrainz_artistid` (Vorbis).
    Documents have few different lists of names, so that the cache answers nearly always.
    """
    ours = ((name.lower().replace(" ", "").replace("_", ""), name) for name in names)
    return [(tag, name) for tag, name in ours if tag in _TAGS]


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _strings(value: Any) -> Sequence[str]:
    """Return a tag's values; a tag is a list of texts, rarely a text or a number."""
    values = value if type(value) is list else (value,)
    return [str(each) for each in values if type(each) is str or type(each) is int]


def _first_text(values: Sequence[str], repairs: Repairs) -> str | None:
    return next(filter(None, map(repairs.text, values)), None)


def _uuids(values: Sequence[str]) -> list[str]:
    """Return the well-formed ids, separated by anything; malformed ones are ignored."""
    if len(values) == 1 and _UUID.fullmatch(values[0]):
        return [*values]
    return _unique(_UUID.findall("\n".join(values).lower()))


def _first_uuid(tags: Mapping[str, Sequence[str]], names: Iterable[str]) -> str | None:
    for name in names:
        if (values := tags.get(name)) and (ids := _uuids(values)):
            return ids[0]
    return None


def _first_year(tags: Mapping[str, Sequence[str]]) -> int | None:
    for name in DATES:
        if name in tags:
            for date in tags[name]:
                if year := year_of(date):
                    return year
    return None


def _genres(models: dict[str, Any], repairs: Repairs) -> dict[str, list[str | float]]:
    """Return every classifier's label and probability, by scheme: the name without `genre_`."""
    genres: dict[str, list[str | float]] = {}
    for model, result in models.items():
        if type(result) is not dict or "value" not in result or "probability" not in result:
            continue
        label: Any = result["value"]
        probability: Any = result["probability"]
        kind = type(probability)
        if type(label) is not str or (kind is not float and kind is not int):
            continue
        # Classifiers write probabilities such as 1.00000012: float32 noise.
        if 0 <= probability <= 1.000001:
            scheme, label, count = _scheme_and_label(model, label)
            repairs.count += count
            genres[scheme] = [label, float(probability) if probability < 1 else 1.0]
    return genres


@lru_cache(maxsize=4096)
def _scheme_and_label(model: str, label: str) -> tuple[str, str, int]:
    """Return a scheme and a label as they are stored, and how many were repaired."""
    repairs = Repairs()
    return repairs.text(model.removeprefix("genre_")), repairs.text(label), repairs.count


def _genre_tags(values: Sequence[str], repairs: Repairs) -> list[str]:
    if len(values) == 1:
        return [*genre_labels(repairs.text(values[0]))]
    return _unique(genre for text in map(repairs.text, values) for genre in genre_labels(text))


def _unique(values: Iterable[str]) -> list[str]:
    return [*dict.fromkeys(values)]
