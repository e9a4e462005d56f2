"""Tables in CSV, Parquet or NumPy files, read by the profile's `[columns]`.

A row is a submission of the source `table:<profile>`. Rows with the same id belong to one
recording, even if they come from several files: features from one, titles from another.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from math import isfinite
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import orjson
from numpy.typing import NDArray

from pgsim.errors import Rejected, UsageError
from pgsim.features.forms import Numbers
from pgsim.features.profile import FeatureSet, Profile, units_a_second
from pgsim.features.reading import read_values
from pgsim.sources.cells import seconds_of, text_of, texts_of, value_of
from pgsim.sources.metadata import genre_labels, length_of, year_of
from pgsim.sources.row_blocks import RowBlock, row_blocks
from pgsim.sources.streams import files
from pgsim.sources.streams.files import Member
from pgsim.sources.submission import LARGEST_NUMBER, Submission, own_mbid
from pgsim.sources.table_rows import TABLE_READERS
from pgsim.sources.text import Repairs

name = "table"

_DIGITS = re.compile(r"([0-9]+)")
_MOST_POPULAR = 3e38  # what a real of PostgreSQL holds
# An MBID in a cell may stand in a URL or a URN.
_UUID = re.compile(
    r"(?<![0-9a-f])[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}(?![0-9a-f])",
    re.IGNORECASE,
)

Row = Mapping[str, Any]


def accepts(path: Path) -> bool:
    """Return whether a file is a table, judging by its name."""
    return files.is_known(path, TABLE_READERS)


def members(path: Path) -> Iterator[Member]:
    """Yield the rows of a table."""
    return files.members(path, TABLE_READERS)


def blocks(path: Path, most: int) -> Iterator[Member | RowBlock]:
    """Yield the same rows, those of a text in blocks of at most so many."""
    text = partial(row_blocks, most=most)
    return files.found_in(path, {**TABLE_READERS, "csv": text, "tsv": text})


def submission(member: Member, profile: Profile) -> Submission:
    """Return the submission in one row; Rejected says why there is none.

    UsageError if the profile names no columns, since it cannot read any table then.
    """
    if not profile.columns:
        raise UsageError(
            f"profile '{profile.name}' has no [columns], which say how to read a table;"
            " to have a profile proposed: pgsim describe FILE"
        )
    if member.fault:
        raise Rejected(member.fault)
    row: Row = orjson.loads(member.data)
    repairs = Repairs()
    source = f"{name}:{profile.name}"
    cells = cells_of(profile)
    mbid, metadata = cells.identity(row, source, repairs)
    metadata |= cells.metadata(row, profile, repairs)
    features = _features(row, profile, cells.nothing)
    if not (metadata.keys() - {"source_id"}) and np.isnan(features).all():
        raise Rejected(f"nothing in it for profile '{profile.name}'; its columns: {_shown(row)}")
    number = cells.number(row) if "number" in cells.columns else 0
    document = member.name.rpartition(":")[0].rpartition("/")[2]
    return Submission(mbid, source, number, document, features, metadata, repairs.count)


def matching(columns: Collection[str], path: str) -> list[str]:
    """Return the columns that a set's path names: its own, or those that match its `*`.

    Matching columns are in natural order: x2 before x10.
    """
    if "*" not in path or path in columns:
        return [path] if path in columns else []
    pattern = re.compile(".*".join(map(re.escape, path.split("*"))), re.DOTALL)
    return sorted(filter(pattern.fullmatch, columns), key=_natural)


def mbid_in(text: str) -> UUID | None:
    """Return the one UUID in a text, such as a URL of MusicBrainz; None if there is none."""
    found = _UUID.findall(text)
    return UUID(found[0]) if len(found) == 1 else None


def _natural(column: str) -> list[tuple[int, str]]:
    """Return a sort key that puts x2 before x10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in _DIGITS.split(column)]


@dataclass(frozen=True, slots=True)
class Cells:
    """Reads a row's cells by a profile's [columns]."""

    columns: Mapping[str, str]
    id: tuple[str, ...]
    nothing: frozenset[str]
    units_a_second: float
    separators: Mapping[str, str]

    def identity(self, row: Row, source: str, repairs: Repairs) -> tuple[UUID, dict[str, Any]]:
        """Return the MBID, the row's own or one made of the source's id, and the id."""
        if text := self.text(row, "mbid", repairs):
            if mbid := mbid_in(text):
                return mbid, {}
            raise Rejected(f"{self.columns['mbid']} {text!r:.60} is not a UUID")
        texts = [repairs.text(text_of(row.get(column), self.nothing)) for column in self.id]
        if any(texts):
            # Texts of several columns stay apart, whatever they hold.
            own = " | ".join(text.replace("|", "||") for text in texts) if texts[1:] else texts[0]
            return own_mbid(source, own), {"source_id": own}
        wanted = [*filter(None, [self.columns.get("mbid")]), *self.id]
        named = " nor ".join(f"'{column}'" for column in wanted)
        raise Rejected(f"no id: nothing in column {named}; its columns: {_shown(row)}")

    def metadata(self, row: Row, profile: Profile, repairs: Repairs) -> dict[str, Any]:
        """Return a row's metadata; a key is left out if there is nothing for it."""
        found: dict[str, Any] = {}
        for key in self.columns:
            value = READ[key](self, row, repairs) if key in READ else None
            if value:
                found[key] = value
        date = found.pop("date", None)
        if date and "year" not in found:
            found["year"] = date
        if labels := found.pop("genre", None):
            found["labels"] = {profile.genre_scheme: labels}
        return found

    def number(self, row: Row) -> int:
        """Return the number of a row's submission; 0 if the table has none."""
        cell = self._cell(row, "number")
        value = value_of(cell, self.nothing)
        if value is None:
            return 0
        is_number = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if not is_number or not 0 <= value <= LARGEST_NUMBER:
            raise Rejected(f"number {cell!r:.60} is not an integer from 0 to {LARGEST_NUMBER}")
        return int(value)

    def text(self, row: Row, key: str, repairs: Repairs) -> str:
        """Return the text of a column; empty if the table has none."""
        return repairs.text(text_of(self._cell(row, key), self.nothing))

    def texts(self, row: Row, key: str, repairs: Repairs) -> list[str]:
        """Return the texts of a cell, a list or texts between separators, each once."""
        texts = texts_of(self._cell(row, key), self.nothing)
        if separators := self.separators.get(key):
            pattern = f"[{re.escape(separators)}]"
            texts = [part.strip() for text in texts for part in re.split(pattern, text)]
        return [*dict.fromkeys(filter(None, map(repairs.text, texts)))]

    def length(self, row: Row) -> float | None:
        """Return the length in seconds; None if it cannot be that of a recording."""
        return length_of(seconds_of(self._cell(row, "length"), self.units_a_second, self.nothing))

    def popularity(self, row: Row) -> float | None:
        """Return how popular the recording is, in the unit of the table; None if unknown."""
        value = value_of(self._cell(row, "popularity"), self.nothing)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return float(value) if is_number and 0 <= value <= _MOST_POPULAR else None

    def _cell(self, row: Row, key: str) -> Any:
        column = self.columns.get(key)
        return row.get(column) if column is not None else None


def _artist_mbids(cells: Cells, row: Row, repairs: Repairs) -> list[str]:
    return [
        str(mbid)
        for text in cells.texts(row, "artist_mbids", repairs)
        for each in re.split(r"[,;|/\s]+", text)
        if (mbid := mbid_in(each))
    ]


def _labels(cells: Cells, row: Row, repairs: Repairs) -> list[str]:
    return [label for text in cells.texts(row, "genre", repairs) for label in genre_labels(text)]


# What reads the metadata in the column of each key.
READ: dict[str, Callable[[Cells, Row, Repairs], Any]] = {
    "title": lambda cells, row, repairs: cells.text(row, "title", repairs),
    "artist": lambda cells, row, repairs: ", ".join(cells.texts(row, "artist", repairs)),
    "artist_mbids": _artist_mbids,
    "album": lambda cells, row, repairs: cells.text(row, "album", repairs),
    "year": lambda cells, row, repairs: year_of(cells.text(row, "year", repairs)),
    "date": lambda cells, row, repairs: year_of(cells.text(row, "date", repairs)),
    "genre": _labels,
    "length": lambda cells, row, _: cells.length(row),
    "popularity": lambda cells, row, _: cells.popularity(row),
    "url": lambda cells, row, repairs: cells.text(row, "url", repairs),
}


@lru_cache(maxsize=16)
def cells_of(profile: Profile) -> Cells:
    """Return what reads the cells of a profile's tables."""
    columns: dict[str, Any] = dict(profile.columns)
    if "artist_mbid" in columns:  # by its name in the metadata
        columns["artist_mbids"] = columns.pop("artist_mbid")
    own_id, nothing = (
        (each,) if isinstance(each, str) else tuple(each)
        for each in (columns.pop("id", ()), columns.pop("nothing", ()))
    )
    return Cells(
        columns,
        own_id,
        frozenset(each.lower() for each in nothing),
        units_a_second(columns.pop("length_unit", "seconds")),
        {
            key: columns[option]
            for key in ("artist", "genre")
            if (option := f"{key}_separators") in columns
        },
    )


@lru_cache(maxsize=16)
def columns_of_sets(
    profile: Profile, columns: tuple[str, ...]
) -> list[tuple[FeatureSet, tuple[str, ...]]]:
    """Return each set with its columns; Rejected if some of its paths name none."""
    known = dict.fromkeys(columns)  # a list of thousands would be searched for thousands
    sets = []
    for each in profile.sets:
        found = [matching(known, path) for path in each.paths]
        if any(found) and not all(found):
            lacking = each.paths[found.index([])]
            raise Rejected(
                f"set '{each.name}': no column '{lacking}'; there are: {_named(columns)}"
            )
        sets.append((each, tuple(column for matched in found for column in matched)))
    return sets


def _features(row: Row, profile: Profile, nothing: frozenset[str]) -> NDArray[np.float32]:
    """Return the (dimensions,) features of a row; a set with an empty cell is NaN."""
    features: list[float] = []
    for each, columns in columns_of_sets(profile, tuple(row)):
        features += set_of([row[column] for column in columns], columns, each, nothing)
    return np.array(features, dtype=np.float32)


def set_of(
    cells: list[Any], columns: tuple[str, ...], each: FeatureSet, nothing: frozenset[str]
) -> Numbers:
    """Return the numbers of a set, read from its cells in these columns; NaN if one is empty."""
    values = None if nothing else _numbers(cells)
    if values is None:
        columns, values = _values(cells, columns, nothing)
    is_there = bool(values) and None not in values
    numbers = read_values(values, columns, each) if is_there else None
    return numbers if numbers is not None else (float("nan"),) * each.length


def _values(
    cells: list[Any], columns: tuple[str, ...], nothing: frozenset[str]
) -> tuple[tuple[str, ...], list[Any]]:
    """Return the values in cells, and for each the column that it stands in."""
    values: list[Any] = []
    places: list[str] = []
    for cell, column in zip(cells, columns, strict=True):
        value = value_of(cell, nothing)
        values += value if isinstance(value, list) else [value]
        places += [column] * (len(values) - len(places))
    return tuple(places), values


def _numbers(cells: list[Any]) -> list[Any] | None:
    """Return what `value_of` says of cells that are finite numbers, faster; None for others."""
    try:
        if {*map(type, cells)} != {str} or "_" in "".join(cells):
            return None
        values = [*map(float, cells)]
    except ValueError:
        return None
    return values if isfinite(sum(values)) else None


def _shown(row: Row) -> str:
    return _named(tuple(row))


def _named(columns: tuple[str, ...]) -> str:
    shown = ", ".join(repr(column) for column in columns[1:7])
    return shown[:120] + (", …" if len(columns) > 7 else "")
