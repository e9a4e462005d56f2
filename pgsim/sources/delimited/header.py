"""The header of a table of texts: how many rows it has, and the names that they give."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pgsim.sources.delimited.kinds import kind_of, kind_of_column, number_in, usual_width

Cells = Sequence[str]

MOST_ROWS = 3
# Rows that are enough to say of what kind the columns below a header are.
_ENOUGH = 3
_FEW = 8
# Names that a column has, and no recording: what is below them decides nothing then.
_WORDS = {
    *("id", "mbid", "uuid", "index", "title", "name", "track", "song", "artist", "artists"),
    *("album", "release", "genre", "genres", "label", "year", "date", "file", "filename", "path"),
    *("tempo", "bpm", "duration", "length", "energy", "loudness", "clip", "feature", "features"),
}
_OF_IDS = {"id", "mbid", "uuid", "file", "filename", "path", "track", "song", "title", "name"}
_ORANGE_KINDS = {"discrete", "continuous", "string", "time", "d", "c", "s", "t"}
_ORANGE_USES = {"meta", "class", "ignore", "weight", "m", "i"}
_NAME = re.compile(r"[^\W\d][\w .-]*")
# So many numbers that rise from left to right are names, if those of other rows do not.
_RISING = 6


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a table.

    `rows` counts the rows with names, and `skipped` all records before the first row of values.
    `columns` has a name for each column; rows end with `trailing` cells more, all of them empty.
    """

    rows: int
    skipped: int
    columns: tuple[str, ...]
    notes: tuple[str, ...] = ()
    trailing: int = 0


def header_of(
    rows: Sequence[Cells], commented: Cells | None = None, may_lack: bool = False
) -> Header:
    """Return the header of a table that begins with these records.

    `commented` has the cells of the last comment above them, which may name the columns; `may_lack`
    says that the first column may lack a name.
    """
    if not rows:
        columns, notes = named(commented or [])
        return Header(1, 0, columns, notes)
    width = usual_width(rows)
    preamble = _preamble(rows, width)
    first, trailing, notes = _fitted(rows[preamble:], width, may_lack)
    if preamble:
        notes += (f"the first {preamble} lines are no rows of the table below, and are left out",)
    wide = width - trailing
    body = [row[:wide] for row in rows[preamble + 1 :] if len(row) == width]
    if len(first) != wide:
        columns, more = named(first)
        return Header(1, preamble + 1, columns, (*notes, *more))
    evidence = _evidence(first, body)
    if commented and len(commented) == wide > 1 and not evidence.contrary:
        columns, more = named(commented)
        return Header(1, 0, columns, (*notes, "a comment names the columns", *more), trailing)
    if evidence.is_data:
        columns = tuple(f"column_{place}" for place in range(1, wide + 1))
        note = f"the first line looks like data: columns are named column_1 to column_{wide}"
        return Header(0, preamble, columns, (*notes, note), trailing)
    names, count, skipped = _names([first, *body], wide)
    if count > 1:
        notes += (f"the names of the columns are joined from {count} rows by '.'",)
    columns, more = named(names)
    return Header(count, preamble + skipped, columns, (*notes, *more), trailing)


def named(names: Cells) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return a name for every column, no two the same, and notes on those that were changed.

    Blanks around names are left out. A column without a name is called unnamed_ and its place from
    1; of columns of one name the second ends in _2.
    """
    given = [name.strip().strip("\ufeff") for name in names]
    full = [name or f"unnamed_{place}" for place, name in enumerate(given, 1)]
    taken = set(full)
    seen: Counter[str] = Counter()
    result: list[str] = []
    twice: list[str] = []
    for name in full:
        seen[name] += 1
        unique = name
        if seen[name] > 1:
            while (unique := f"{name}_{seen[name]}") in taken:
                seen[name] += 1
            taken.add(unique)
            twice.append(f"'{name}'")
        result.append(unique)
    notes = []
    if places := [name for name, is_given in zip(result, given, strict=True) if not is_given]:
        notes.append(f"without a name: {few(places)}")
    if twice:
        notes.append(f"there twice or more: {few(list(dict.fromkeys(twice)))}; called …_2, …_3")
    return tuple(result), tuple(notes)


def is_grouped(columns: Cells, rows: Sequence[Cells]) -> bool:
    """Return whether the first column has an id in the first row of each group alone.

    Sonic Annotator writes a file's name so. The id is one by its column's name, or names a file.
    """
    first = [row[0].strip() for row in rows]
    there = list(filter(None, first))
    if len(columns) < 2 or not first or not first[0] or len(there) * 2 > len(first):
        return False
    are_files = all(re.fullmatch(r".*[^/\\]\.[A-Za-z][A-Za-z0-9]{1,3}", each) for each in there)
    are_ids = are_files or (
        len(there) > 1 and names_id(columns[0]) and not any(map(names_id, columns[1:]))
    )
    others = [cell for row in rows for cell in row[1:]]
    are_full = sum(bool(cell.strip()) for cell in others) > len(others) / 2
    return are_ids and are_full and len(set(there)) == len(there)


def names_id(name: str) -> bool:
    """Return whether a column of this name has ids or titles, which are texts as they stand."""
    return (
        name.strip().lower() in _OF_IDS or re.search(r"(?:^|[^a-z])id$", name.lower()) is not None
    )


def few(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _preamble(rows: Sequence[Cells], width: int) -> int:
    """Return how many lines of a text of one cell stand above a table of three columns or more."""
    count = 0
    while count < min(5, len(rows) - 2) and len(rows[count]) == 1 and width > 2:
        count += 1
    return count if count and abs(len(rows[count]) - width) <= 1 else 0


def _fitted(
    rows: Sequence[Cells], width: int, may_lack: bool
) -> tuple[list[str], int, tuple[str, ...]]:
    """Return the first row with a cell for each column, how many empty cells end rows, and notes.

    If rows have more cells than the first one, and these are mostly empty, they count as trailing.
    If all have one more that is not, the first column may lack a name, as R writes tables.
    """
    first = list(rows[0])
    values = [row for row in rows[1:] if len(row) == width]
    trailing = 0
    while trailing < width - 1 and values and all(not row[-1 - trailing].strip() for row in values):
        trailing += 1
    lacks = width - len(first)
    if lacks > 0:
        empty = sum(not any(map(str.strip, row[len(first) :])) for row in values)
        if values and empty >= 0.9 * len(values):
            return first, lacks, ()
    may_lack = may_lack or _are_row_names([row[0] for row in values])
    if may_lack and lacks == 1 and len(values) > 1 and len(values) >= 0.9 * (len(rows) - 1):
        note = "the first line has one name less than rows have cells: the first column has none"
        return ["", *first], 0, (note,)
    if lacks < 0 and not any(cell.strip() for cell in first[width:]):
        first = first[:width]
    empty = 0
    while empty < trailing and len(first) == width and not first[-1 - empty].strip():
        empty += 1
    return first[: len(first) - empty], empty, ()


def _are_row_names(cells: Sequence[str]) -> bool:
    """Return whether cells count from 1, as the names that R gives to rows."""
    return len(cells) > 2 and list(cells) == [str(place) for place in range(1, len(cells) + 1)]


@dataclass(slots=True)
class _Evidence:
    """The numbers of cells of a first row that are like those below, unlike, or repeated below."""

    agreeing: int = 0
    contrary: int = 0
    repeated: int = 0
    is_uuid: bool = False
    is_numbering: bool = False

    @property
    def is_data(self) -> bool:
        """Return whether the first row has values, and no names."""
        if self.is_uuid or self.is_numbering:
            return self.is_uuid
        return self.agreeing > 10 * self.contrary or (self.repeated > 1 and not self.contrary)


def _evidence(first: Cells, values: Sequence[Cells]) -> _Evidence:
    """Return what says that the first row has values, or names."""
    found = _Evidence()
    numbers: list[tuple[int, float]] = []
    below = [row for row in values if list(row) != list(first)]
    columns = zip(*below, strict=True) if below else [()] * len(first)
    for place, (cell, column) in enumerate(zip(first, columns, strict=True)):
        text = cell.strip()
        kind, wanted = kind_of(text), kind_of_column(column)
        if kind == "uuid" and (wanted == "uuid" or not below):
            found.is_uuid = True
        elif wanted in ("text", ""):
            found.contrary += _is_word(text)
            found.repeated += bool(kind) and text in map(str.strip, column)
        elif kind == wanted == "number":
            numbers.append((place, number_in(text)))
            # 90 above 90.25 and 0.5 may be a name; 90 above 91 and 0.5 need not be one.
            is_other = text.isdecimal() and all(set(each) & {".", ","} for each in column)
            found.agreeing += not is_other
        elif kind == wanted:
            found.agreeing += 1
        elif kind:
            found.contrary += 1
    found.is_numbering = _is_numbering(numbers, below)
    return found


def _is_numbering(found: Sequence[tuple[int, float]], values: Sequence[Cells]) -> bool:
    """Return whether numbers in a first row are names, as of an embedding's columns.

    They are if they rise evenly, or many of them rise, while those of other rows do not.
    """
    numbers = [number for _, number in found]
    is_even = len(numbers) > 2 and _rises(numbers, is_even=True)
    if not is_even and not (len(numbers) >= _RISING and _rises(numbers)):
        return False
    alike = 0
    for row in values:
        try:
            cells = [number_in(row[place]) for place, _ in found]
        except ValueError:
            continue
        alike += _rises(cells, is_even=is_even)
    return alike <= len(values) / 10


def _rises(numbers: Sequence[float], is_even: bool = False) -> bool:
    steps = {after - before for before, after in pairwise(numbers)}
    return min(steps) > 0 and (not is_even or len(steps) == 1)


def _names(rows: Sequence[Cells], width: int) -> tuple[list[str], int, int]:
    """Return the names of the columns, how many rows have them, and how many to skip.

    Programs that write headers of several rows put the name of the rows' ids into a row of its own.
    """
    if len(rows) > MOST_ROWS and _is_oranges(rows):
        return _joined(rows[:1]), 1, MOST_ROWS
    for count in range(1, min(MOST_ROWS, len(rows) - 2) + 1):
        if _has_id_alone(rows, count, width):
            names = _joined(rows[:count])
            return [rows[count][0], *names[1:]], count, count + 1
    count = 1
    while count < min(MOST_ROWS, len(rows) - _ENOUGH) and _names_more(rows, count, width):
        count += 1
    return _joined(rows[:count]), count, count


def _is_oranges(rows: Sequence[Cells]) -> bool:
    """Return whether the rows below the names say of what kinds columns are, as Orange has them."""
    kinds, uses = ({cell.strip().lower() for cell in row} for row in rows[1:MOST_ROWS])
    return kinds <= _ORANGE_KINDS and bool(uses & _ORANGE_USES) and uses <= _ORANGE_USES | {""}


def _has_id_alone(rows: Sequence[Cells], count: int, width: int) -> bool:
    """Return whether the row after `count` rows of names has the name of the id and no more."""
    row, values = rows[count], rows[count + 1 :]
    if width < 3 or any(map(str.strip, row[1:])):
        return False
    ids = kind_of_column(each[0] for each in values)
    is_name = _is_word(row[0]) or (
        count > 1 and ids not in ("", "text") and _NAME.fullmatch(row[0].strip()) is not None
    )
    if not is_name or not any(map(str.strip, values[0][1:])):
        return False
    kinds = _kinds(values, width)
    return all(
        _contrary(each, kinds) or not _is_distinct(rows[:number])
        for number, each in enumerate(rows[1:count], 1)
    )


def _is_word(cell: str) -> bool:
    text = cell.strip().lower()
    return text in _WORDS or re.search(r"(?:^|[^a-z])id$", text) is not None


def _names_more(rows: Sequence[Cells], count: int, width: int) -> bool:
    """Return whether the row after `count` rows of names has names too.

    It has texts above numbers, in all columns if few rows below say what these are.
    """
    row, values = rows[count], rows[count + 1 :]
    kinds = _kinds(values, width)
    typed = [place for place in kinds if place and (row[place].strip() or len(values) < _FEW)]
    contrary = sum(kind_of(row[place]) == "text" for place in typed)
    if len(kinds) > 1 and typed and contrary >= 0.9 * len(typed):
        return True
    is_other = 0 in kinds and kind_of(row[0]) not in ("", kinds[0])
    return is_other and not _is_distinct(rows[:count]) and _is_distinct(rows[: count + 1])


def _kinds(values: Sequence[Cells], width: int) -> dict[int, str]:
    """Return the kinds of the columns that have no texts."""
    kinds = (kind_of_column(row[place] for row in values) for place in range(width))
    return {place: kind for place, kind in enumerate(kinds) if kind not in ("", "text")}


def _contrary(row: Cells, kinds: dict[int, str]) -> int:
    """Return how many cells of a row are texts where the column has none."""
    return sum(kind_of(row[place]) == "text" for place in kinds)


def _is_distinct(rows: Sequence[Cells]) -> bool:
    names = _joined(rows)[1:]
    return len(set(names)) == len(names)


def _joined(rows: Sequence[Cells]) -> list[str]:
    """Return the names in several rows; an empty cell above stands for the one to its left."""
    *upper, last = [[cell.strip() for cell in row] for row in rows]
    names = [".".join(filter(None, parts)) for parts in zip(*upper, last, strict=True)]
    if not upper or len(set(names[1:])) == len(names[1:]):
        return names
    for row in upper:
        for place in range(2, len(row)):
            row[place] = row[place] or row[place - 1]
    return [".".join(filter(None, parts)) for parts in zip(*upper, last, strict=True)]
