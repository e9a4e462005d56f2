"""A proposed profile for a table: which column may be what, for a person to edit."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import orjson
from numpy.typing import NDArray

from pgsim.errors import PgsimError, UsageError
from pgsim.features.profile import COLUMN_KEYS, MOST_DIMENSIONS
from pgsim.sources import tables
from pgsim.sources.streams.files import kinds
from pgsim.sources.table_rows import TABLE_READERS

ROWS = 1000  # the first rows of the table, which the profile is made from
# A list of at least so many numbers is taken for an embedding, a shorter one for measurements.
_EMBEDDING = 64

# The names of columns that are recognised, as lower-case letters and digits; the first one counts.
_NAMES = {
    "title": ("title", "tracktitle", "songtitle", "trackname", "songname", "name", "track", "song"),
    "artist": ("artist", "artistname", "trackartist", "artists", "performer"),
    "album": ("album", "albumtitle", "albumname", "release", "releasename"),
    "year": ("year", "releaseyear", "originalyear"),
    "date": ("originaldate", "date", "releasedate"),
    "genre": ("genre", "genres", "genreterm", "genretop", "style", "tags"),
    "length": ("length", "duration", "lengthseconds", "durationseconds"),
    "url": ("url", "link"),
}
_IDS = ("id", "recordingid", "trackid", "songid", "clipid", "videoid", "trackuri", "uri")


@dataclass(frozen=True, slots=True)
class _Set:
    """A proposed feature set: its path, and the (n, length) numbers found there."""

    name: str
    path: str | list[str]
    about: str
    values: NDArray[np.float64]
    is_list: bool = False
    weight: float = 1.0


def propose_profile(path: Path) -> str:
    """Return a profile for a table, as TOML with comments; always the same for the same file.

    It is made from the first 1,000 rows. UsageError if `path` is not a table; PgsimError if no
    column of it has numbers, or no row can be read.
    """
    if path.is_dir() or not tables.accepts(path):
        raise UsageError(f"cannot describe {path}: not a file named {kinds(TABLE_READERS)}")
    members = list(islice(tables.members(path), ROWS))
    rows: list[dict[str, Any]] = [orjson.loads(each.data) for each in members if not each.fault]
    if not rows:
        raise PgsimError(f"no row of {path} can be read: {members[0].fault}")
    named = _named_columns(rows)
    measures = [
        column
        for column in list(rows[0])[1:]
        if column not in named.values() and not _plain(column).endswith("id")
    ]
    sets = list(_sets(rows, measures))
    if not sets:
        raise PgsimError(f"no column of {path} has numbers by which recordings can be compared")
    return _written(path, rows, named, sets)


def _named_columns(rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Return the columns with a recording's metadata, by the keys of [columns]."""
    columns = list(rows[0])[1:]
    found: dict[str, str] = {}
    by_name = {_plain(column): column for column in reversed(columns)}
    for column in columns:
        if all(_is_uuid(row[column]) for row in rows):
            found["mbid"] = column
            break
    ids = [by_name[each] for each in _IDS if each in by_name]
    unique = [column for column in columns if _is_unique(rows, column)]
    if "mbid" not in found:
        found["id"] = next((each for each in (*ids, *unique) if each in unique), "row")
    for key, names in _NAMES.items():
        known = [by_name[each] for each in names if each in by_name]
        if known and known[0] not in found.values():
            found[key] = known[0]
    return {key: found[key] for key in COLUMN_KEYS if key in found}


def _sets(rows: Sequence[dict[str, Any]], columns: Iterable[str]) -> Iterator[_Set]:
    """Yield a set for each column of lists, each group of numbered columns, and all others."""
    numbers: dict[str, NDArray[np.float64]] = {}
    names: set[str] = set()
    for column in columns:
        values = _numbers([row[column] for row in rows])
        if values is None:
            continue
        if values.shape[1] == 1 and not isinstance(_first(rows, column), list):
            numbers[column] = values
            continue
        about = f"{values.shape[1]} numbers in each cell"
        yield _Set(_set_name(column, names), column, about, values, is_list=True)
    groups: dict[tuple[str, str], list[str]] = {}
    for column in numbers:
        stem = re.fullmatch(r"(.*?)[0-9]+([^0-9]*)", column, re.DOTALL)
        groups.setdefault((stem[1], stem[2]) if stem else (column, ""), []).append(column)
    singles = [group[0] for group in groups.values() if len(group) == 1]
    for (before, after), group in groups.items():
        if len(group) == 1:
            continue
        path = f"{before}*{after}"
        members = tables.matching(list(rows[0]), path)
        is_exact = sorted(members) == sorted(group)
        about = f"{len(group)} columns, {_shown(group[0])} to {_shown(group[-1])}"
        values = np.hstack([numbers[column] for column in group])
        name = _set_name(f"{before}{after}", names)
        yield _Set(name, path if is_exact else group, about, values)
    if singles:
        values = np.hstack([numbers[column] for column in singles])
        weight = 0.1 if len(singles) < len(numbers) or names else 1.0
        about = f"{len(singles)} single columns: give the more important ones sets of their own"
        yield _Set(_set_name("others", names), singles, about, values, weight=weight)


def _written(
    path: Path, rows: Sequence[dict[str, Any]], named: dict[str, str], sets: Sequence[_Set]
) -> str:
    used = {*named.values(), "row"}
    for each in sets:
        paths = each.path if isinstance(each.path, list) else [each.path]
        used.update(column for each_path in paths for column in _among(rows, each_path))
    unused = [column for column in rows[0] if column not in used]
    lines = [
        f"# Proposed from {len(rows)} rows of {path.name}. Check it, save it, and then run:",
        "#   pgsim init --profile THIS_FILE.toml",
        f"#   pgsim load {path.name}",
        f"name = {_toml(_set_name(path.name.partition('.')[0], set()))}",
        'extractor = "unknown"  # what measured the features; a database has those of one only',
        'genre_scheme = "tag"',
        "",
        f"# Which column has what; the known keys are {', '.join(COLUMN_KEYS)}.",
        "[columns]",
        *(f"{key} = {_toml(column)}" for key, column in named.items()),
    ]
    if unused:
        lines.append(f"# Not used: {', '.join(_toml(column) for column in unused)}")
    dimensions = 0
    for each in sets:
        text = _set_lines(each)
        if dimensions + each.values.shape[1] > MOST_DIMENSIONS:
            text = [
                f"# Left out: an indexed vector has at most {MOST_DIMENSIONS} dimensions.",
                *(f"# {line}" for line in text),
            ]
        else:
            dimensions += each.values.shape[1]
        lines += ["", *text]
    if not dimensions:
        raise PgsimError(
            f"every set of numbers in {path} has more than {MOST_DIMENSIONS} dimensions, the most"
            " that an indexed vector can have: reduce them first, by PCA for instance"
        )
    return "\n".join(lines) + "\n"


def _set_lines(each: _Set) -> list[str]:
    form, transform, aggregate = _treatment(each)
    low, high = np.nanmin(each.values), np.nanmax(each.values)
    return [
        f"# {each.about}; from {low:.4g} to {high:.4g}",
        "[[set]]",
        f"name = {_toml(each.name)}",
        f"path = {_toml(each.path)}",
        *([f'form = "{form}"'] if form else []),
        f"length = {each.values.shape[1]}",
        f'transform = "{transform}"',
        f'aggregate = "{aggregate}"',
        f"weight = {each.weight:g}",
    ]


def _treatment(each: _Set) -> tuple[str, str, str]:
    """Return form, transform and aggregate, judging by the numbers."""
    whole = each.values[~np.isnan(each.values).any(axis=1)]
    is_share = each.values.shape[1] > 1 and len(whole) > 0 and whole.min() >= 0
    if is_share and np.allclose(whole.sum(axis=1), 1, atol=1e-3):
        return "probabilities", "hellinger", "mean"
    if each.is_list and each.values.shape[1] >= _EMBEDDING:
        return "", "unit", "mean"
    return "", "zscore", "median"


def _numbers(cells: Sequence[Any]) -> NDArray[np.float64] | None:
    """Return (n, length) numbers, NaN for empty cells; None if cells have texts or two lengths."""
    values = [tables.value_of(cell) for cell in cells]
    lists = [value if isinstance(value, list) else [value] for value in values if value is not None]
    if not lists or len({len(value) for value in lists}) > 1 or not lists[0]:
        return None
    if any(type(each) not in (int, float, type(None)) for value in lists for each in value):
        return None
    result = np.full((len(cells), len(lists[0])), np.nan)
    result[[value is not None for value in values]] = np.array(lists, dtype=np.float64)
    return None if np.isnan(result).all() else result


def _first(rows: Sequence[dict[str, Any]], column: str) -> Any:
    return next((row[column] for row in rows if row[column] is not None), None)


def _is_unique(rows: Sequence[dict[str, Any]], column: str) -> bool:
    """Return whether a column could be an id: texts or whole numbers, no two the same."""
    cells = [row[column] for row in rows]
    could_be = all(isinstance(cell, str | int) and str(cell).strip() for cell in cells)
    return could_be and len(set(cells)) == len(cells) and not _are_fractions(cells)


def _are_fractions(cells: Sequence[Any]) -> bool:
    return any(isinstance(tables.value_of(cell), float) and "." in str(cell) for cell in cells)


def _is_uuid(cell: Any) -> bool:
    try:
        return isinstance(cell, str) and str(UUID(cell)) == cell.lower()
    except ValueError:
        return False


def _among(rows: Sequence[dict[str, Any]], path: str) -> list[str]:
    return tables.matching(list(rows[0]), path)


def _plain(column: str) -> str:
    return re.sub("[^a-z0-9]", "", column.lower())


def _set_name(column: str, names: set[str]) -> str:
    """Return a name for a set like the column's, different from all `names`, and add it to them."""
    name = re.sub("[^a-z0-9]+", "_", column.lower()).strip("_")[:50]
    name = name if name[:1].isalpha() else f"set_{name}".rstrip("_")
    number = 2
    base = name
    while name in names:
        name, number = f"{base}_{number}", number + 1
    names.add(name)
    return name


def _shown(column: str) -> str:
    """Return a column's name on one line, for a comment."""
    return json.dumps(column, ensure_ascii=False)[1:-1]


def _toml(value: str | list[str]) -> str:
    """Return a text, or a list of texts, in TOML, which has all of JSON's escapes."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
