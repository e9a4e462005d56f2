"""Rows as a plain-text table that fits a width."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.cells import cell_len, set_cell_size

from pgsim.printable import one_line

_GAP = "   "
INDENT = 4  # columns in front of a text below a row


def text_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    width: int,
    below: Sequence[str] | None = None,
) -> str:
    """Return a table of at most `width` columns: numbers to the right, long texts cut.

    A row is one line, and a second one where `below` has a text for each row. Numbers are never
    cut; with many of them the table can be wider.
    """
    values = [list(row) for row in rows]
    cells = [[cell(value) for value in row] for row in values]
    natural = [
        max(cell_len(text) for text in column) for column in zip(columns, *cells, strict=True)
    ]
    numeric = [are_numbers([row[index] for row in values]) for index in range(len(columns))]
    widths = _fitted(natural, numeric, width - len(_GAP) * len(columns))

    def line(texts: Sequence[str]) -> str:
        fitted = zip(texts, widths, numeric, strict=True)
        return f" {_GAP.join(_placed(*each) for each in fitted)}".rstrip()

    rule = "─" * (sum(widths) + len(_GAP) * (len(widths) - 1))
    lines = [[line(row)] for row in cells]
    for row, text in zip(lines, below or [], strict=below is not None):
        row.append(_placed(" " * INDENT + one_line(text), width, right=False).rstrip())
    return "\n".join([line(columns), f" {rule}", *(text for row in lines for text in row)])


def cell(value: Any) -> str:
    """Return a value as it stands in a table: four digits of a float, nothing for None."""
    if value is None:
        return ""
    return f"{value:.4f}" if isinstance(value, float) else one_line(str(value))


def are_numbers(values: Iterable[Any]) -> bool:
    """Return whether a column holds numbers: by their type, since a title may be 1979."""
    known = [value for value in values if value is not None]
    return bool(known) and all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in known
    )


def _placed(text: str, width: int, right: bool) -> str:
    """Return the text in exactly `width` columns, cut with an ellipsis where it is longer."""
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…"
    return " " * (width - length) + text if right else text + " " * (width - length)


def _fitted(natural: Sequence[int], numeric: Sequence[bool], room: int) -> list[int]:
    """Return each column's width: short texts keep theirs, longer ones share what is left."""
    left = room - sum(size for size, fixed in zip(natural, numeric, strict=True) if fixed)
    texts = sorted(size for size, fixed in zip(natural, numeric, strict=True) if not fixed)
    share = 0
    for position, size in enumerate(texts):
        share = max(1, left // (len(texts) - position))
        if size > share:
            break
        share, left = size, left - size
    return [
        size if fixed else min(size, share) for size, fixed in zip(natural, numeric, strict=True)
    ]
