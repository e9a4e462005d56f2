"""What a cell is, judged by its text alone: a number, a UUID, a date, nothing, or a text."""

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
_KINDS = (
    ("uuid", re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")),
    ("date", re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.,+Z-]*)?")),
    ("time", re.compile(r"(?:[0-9]+:)?[0-9]{1,3}:[0-9]{2}(?:[.,][0-9]+)?")),
    ("truth", re.compile("true|false", re.IGNORECASE)),
)
# A column is of a kind if so many of its cells are.
_MOST = 0.9


def kind_of(cell: str) -> str:
    """Return what a cell is: number, uuid, date, time, truth or text; empty if it is nothing."""
    text = cell.strip()
    if _NUMBER.fullmatch(text):
        return "number"
    if text.lower() in _MARKS:
        return ""
    return next((kind for kind, form in _KINDS if form.fullmatch(text)), "text")


def kind_of_column(cells: Iterable[str]) -> str:
    """Return what most cells of a column are, text if they differ; empty if all are nothing."""
    counts = Counter(map(kind_of, cells))
    del counts[""]
    kind, count = max(counts.items(), key=lambda each: each[1], default=("", 0))
    return kind if count >= _MOST * counts.total() else "text"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a row looks like: how many cells it has, and the kinds of those that are no texts."""

    width: int
    kinds: Mapping[int, str] = field(default_factory=dict)

    def fits(self, cells: Sequence[str]) -> bool:
        """Return whether these cells may be a row of their own."""
        return len(cells) == self.width and all(
            kind_of(cells[place]) in ("", kind) for place, kind in self.kinds.items()
        )
