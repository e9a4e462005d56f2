"""Tables in CSV, Parquet or NumPy files, read by the profile's `[columns]`.

A row is a submission of the source `table:<profile>`. Rows with the same id belong to one
recording, even if they come from several files: features from one, titles from another.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import orjson
from numpy.typing import NDArray

from pgsim.errors import Rejected, UsageError
from pgsim.features.profile import Profile
from pgsim.features.reading import read_values
from pgsim.sources.metadata import genre_labels, length_of, year_of
from pgsim.sources.streams import files
from pgsim.sources.streams.files import Member
from pgsim.sources.submission import LARGEST_NUMBER, Submission, own_mbid
from pgsim.sources.table_rows import TABLE_READERS
from pgsim.sources.text import Repairs

name = "table"

# Texts of a cell that has no number.
_NOTHING = {"", "nan", "na", "n/a", "null", "none"}
_DIGITS = re.compile(r"([0-9]+)")

Row = Mapping[str, Any]


def accepts(path: Path) -> bool:
    """Return whether a file is a table, judging by its name."""
    return files.is_known(path, TABLE_READERS)


def members(path: Path) -> Iterator[Member]:
    """Yield the rows of a table."""
    return files.members(path, TABLE_READERS)


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
    mbid, metadata = _identity(row, profile, source, repairs)
    metadata |= _metadata(row, profile, repairs)
    features = _features(row, profile)
    if not (metadata.keys() - {"source_id"}) and np.isnan(features).all():
        raise Rejected(f"nothing in it for profile '{profile.name}'; its columns: {_shown(row)}")
    number = _number(_cell(row, profile, "number"))
    document = Path(member.name.rpartition(":")[0]).name
    return Submission(mbid, source, number, document, features, metadata, repairs.count)


def matching(columns: Sequence[str], path: str) -> list[str]:
    """Return the columns that a set's path names: its own, or those that match its `*`.

    Matching columns are in natural order: x2 before x10.
    """
    return list(_matching(tuple(columns), path))


@lru_cache(maxsize=1024)
def _matching(columns: tuple[str, ...], path: str) -> tuple[str, ...]:
    if path in columns or "*" not in path:
        return (path,) if path in columns else ()
    pattern = re.compile(".*".join(map(re.escape, path.split("*"))), re.DOTALL)
    return tuple(sorted(filter(pattern.fullmatch, columns), key=_natural))


def _natural(column: str) -> list[tuple[int, str]]:
    """Return a sort key that puts x2 before x10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in _DIGITS.split(column)]


def _features(row: Row, profile: Profile) -> NDArray[np.float32]:
    """Return the (dimensions,) features of a row; a set with an empty cell is NaN."""
    columns = tuple(row)
    features: list[float] = []
    for each in profile.sets:
        found = [_matching(columns, path) for path in each.paths]
        if any(found) and not all(found):
            lacking = each.paths[found.index(())]
            raise Rejected(f"set '{each.name}': no column '{lacking}'; there are: {_shown(row)}")
        values: list[Any] = []
        paths: list[str] = []
        for column in (column for matched in found for column in matched):
            value = value_of(row[column])
            values += value if isinstance(value, list) else [value]
            paths += [column] * (len(values) - len(paths))
        is_there = bool(values) and None not in values
        numbers = read_values(values, tuple(paths), each) if is_there else None
        features += numbers if numbers is not None else (float("nan"),) * each.length
    return np.array(features, dtype=np.float32)


def value_of(cell: Any) -> Any:
    """Return a cell as a number if it is one, or as it is; None if it is empty."""
    if not isinstance(cell, str):
        return cell
    text = cell.strip()
    if text.lower() in _NOTHING:
        return None
    try:
        return float(text)
    except ValueError:
        return text


def _cell(row: Row, profile: Profile, key: str) -> Any:
    """Return the cell in the column that the profile names for `key`; None if it is blank."""
    column = dict(profile.columns).get(key)
    cell = row.get(column) if column is not None else None
    # Texts such as None and NA count: they can be titles.
    return None if isinstance(cell, str) and not cell.strip() else cell


def _text(row: Row, profile: Profile, key: str, repairs: Repairs) -> str:
    cell = _cell(row, profile, key)
    # A whole number in a column of floats, which pandas makes of a column with empty cells.
    is_whole = isinstance(cell, float) and cell.is_integer()
    return repairs.text(str(int(cell) if is_whole else cell)) if cell is not None else ""


def _identity(
    row: Row, profile: Profile, source: str, repairs: Repairs
) -> tuple[UUID, dict[str, Any]]:
    """Return the MBID, the row's own or one made of the source's id, and metadata with the id."""
    columns = dict(profile.columns)
    for key in ("mbid", "id"):
        text = _text(row, profile, key, repairs)
        if text and key == "mbid":
            try:
                return UUID(text), {}
            except ValueError:
                raise Rejected(f"{columns[key]} {text!r:.60} is not a UUID") from None
        if text:
            return own_mbid(source, text), {"source_id": text}
    wanted = " nor ".join(f"'{columns[key]}'" for key in ("mbid", "id") if key in columns)
    raise Rejected(f"no id: nothing in column {wanted}; its columns: {_shown(row)}")


def _metadata(row: Row, profile: Profile, repairs: Repairs) -> dict[str, Any]:
    texts = {
        key: _text(row, profile, key, repairs)
        for key in ("title", "artist", "album", "url", "year", "date", "length")
    }
    genres = _cell(row, profile, "genre")
    labels = [
        label
        for genre in (genres if isinstance(genres, list) else [genres])
        if genre is not None
        for label in genre_labels(repairs.text(str(genre)))
    ]
    found = {
        **{key: texts[key] for key in ("title", "artist", "album", "url")},
        "year": year_of(texts["year"]) or year_of(texts["date"]),
        "length": length_of(value_of(texts["length"])),
        "labels": {profile.genre_scheme: labels} if labels else {},
    }
    return {key: value for key, value in found.items() if value}


def _number(cell: Any) -> int:
    value = value_of(cell)
    if value is None:
        return 0
    if (
        not isinstance(value, int | float)
        or value != int(value)
        or not 0 <= value <= LARGEST_NUMBER
    ):
        raise Rejected(f"number {cell!r:.60} is not an integer from 0 to {LARGEST_NUMBER}")
    return int(value)


def _shown(row: Row) -> str:
    shown = ", ".join(repr(column) for column in list(row)[1:7])
    return shown[:120] + (", …" if len(row) > 7 else "")
