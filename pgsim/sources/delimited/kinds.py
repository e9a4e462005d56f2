"""The kind of a cell, judged by its text alone: a number, a UUID, a date, nothing, or a text."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

# What programs write where there is no value.
_MARKS = {
    *("", "-", "--", "?", ".", "\\n", "na", "n/a", "#n/a", "<na>", "nan", "-nan", "nat", "null"),
    *("(null)", "none", "nil", "inf", "-inf", "+inf", "infinity", "-infinity", "missing"),
}
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?")
# A number in groups of thousands, such as 1.351,07 or 1'351.
_GROUPED = re.compile(
    r"[+-]?[1-9][0-9]{0,2}(?:([.,'’ \u00a0\u2009\u202f])[0-9]{3})(?:\1[0-9]{3})*(?:[.,][0-9]*)?"
)
_GROUP = re.compile(r"[.,'’ \u00a0\u2009\u202f](?=[0-9]{3}(?![0-9]))")
_KINDS = (
    ("uuid", re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")),
    ("date", re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.,+Z-]*)?")),
    ("time", re.compile(r"(?:[0-9]+:)?[0-9]{1,3}:[0-9]{2}(?:[.,][0-9]+)?")),
    ("truth", re.compile("true|false", re.IGNORECASE)),
)
# A column is of a kind if so many of its cells are.
_MOST = 0.9
# So many rows say of what kinds their cells are.
_ENOUGH = 5
_LETTERS = re.compile(r"[^\W\d_]+")
_DIGITS = re.compile("[0-9]+")
_WORDS = {"a", "a a", "a 9"}  # patterns of any title


def kind_of(cell: str) -> str:
    """Return what a cell is: number, uuid, date, time, truth or text; empty if it is nothing."""
    text = cell.strip()
    if _NUMBER.fullmatch(text) or _GROUPED.fullmatch(text):
        return "number"
    if text.lower() in _MARKS:
        return ""
    return next((kind for kind, form in _KINDS if form.fullmatch(text)), "text")


def number_in(cell: str) -> float:
    """Return a number of that kind, such as 1.351,07 or 1,351.07; ValueError if it is none."""
    text = cell.strip()
    if not _NUMBER.fullmatch(text):
        text = _GROUP.sub("", text)
    return float(text.replace(",", "."))


def kind_of_column(cells: Iterable[str]) -> str:
    """Return what most cells of a column are, text if they differ; empty if all are nothing."""
    counts = Counter(map(kind_of, cells))
    del counts[""]
    kind, count = max(counts.items(), key=lambda each: each[1], default=("", 0))
    return kind if count >= _MOST * counts.total() else "text"


def pattern_of(cell: str) -> str:
    """Return a text with a for letters and 9 for digits: a9 for id0017."""
    return _DIGITS.sub("9", _LETTERS.sub("a", cell.strip()))


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of a row: its number of cells, and the kinds of some, by their places.

    A kind is one of `kind_of`, or for texts that are all alike, such as ids, their pattern.
    """

    width: int
    kinds: Mapping[int, str] = field(default_factory=dict)

    def without_first(self) -> "Shape":
        """Return this shape with any first cell."""
        return Shape(self.width, {place: kind for place, kind in self.kinds.items() if place})

    def fits(self, cells: Sequence[str]) -> bool:
        """Return whether these cells may be a row of their own.

        No cell may be of another kind; the first one of a kind, or more than half, must be there.
        """
        if len(cells) != self.width:
            return False
        found = [cells[place] for place in self.kinds]
        are_there = [bool(kind_of(cell)) for cell in found]
        if not any(are_there[:1]) and 2 * sum(are_there) <= len(found):
            return not found
        return all(
            not is_there or kind in (kind_of(cell), pattern_of(cell))
            for cell, is_there, kind in zip(found, are_there, self.kinds.values(), strict=True)
        )


def usual_width(rows: Sequence[Sequence[str]]) -> int:
    """Return how many cells rows have, if not all have as many: as most, or else as the first.

    Where most have one, they are hardly rows, if the first one and others have more.
    """
    counts = Counter(map(len, rows))
    named = len(rows[0]) if rows else 0
    width = max(counts, key=lambda each: (counts[each], each == named), default=0)
    return named if width == 1 and counts[named] > 1 else width


def shape_of(rows: Sequence[Sequence[str]], width: int) -> Shape:
    """Return what rows of that width look like; without kinds if there are few of them."""
    rows = [row for row in rows if len(row) == width]
    kinds: dict[int, str] = {}
    for place in range(width if len(rows) >= _ENOUGH else 0):
        cells = [row[place] for row in rows]
        kind = kind_of_column(cells)
        if kind == "text":
            pattern, count = Counter(map(pattern_of, cells)).most_common(1)[0]
            kind = pattern if count >= _MOST * len(cells) and pattern not in _WORDS else ""
        if kind:
            kinds[place] = kind
    return Shape(width, kinds)
