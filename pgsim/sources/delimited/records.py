"""Records of delimited text: every line is in one record, in a fault, blank, or a comment."""

import csv
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from pgsim.sources.delimited.kinds import Shape
from pgsim.sources.streams.files import LONGEST

# A quoted cell may run over so many lines.
MOST_LINES = 1000
# What stands in lines that hold nothing; ^Z ends the files of some old programs.
BLANKS = " \t\r\x1a\ufeff"


# A quote after a backslash that has none before it, or two, or four.
_ESCAPED = re.compile(r"""((?<!\\)(?:\\\\)*)\\(["'])""")
_UNCLOSED = "a quote that is not closed: close it, or double it and quote the whole cell"
_RETURN = "a carriage return within a cell: quote the cell, or take it out"
_UNDOUBLED = "text after a quote that closes a cell: double the quotes within quoted cells"


class Record(NamedTuple):
    """A record: the number of its first line, its cells or why it has none, and its lines."""

    line: int
    cells: list[str]
    fault: str = ""
    lines: int = 1


@dataclass(frozen=True, slots=True)
class Form:
    """The rules by which lines become cells.

    The separator " " is any run of blanks. `is_padded` says that a blank follows each separator,
    and belongs to no cell; `is_escaped`, that a backslash stands before a quote within quotes.
    Lines that begin with `comment` are comments, except those that might be rows.
    """

    separator: str = ","
    quote: str = '"'
    comment: str = ""
    is_padded: bool = False
    is_escaped: bool = False

    def splitter(self) -> Callable[[str], list[str]]:
        """Return what splits a line without quotes."""
        separator = self.separator
        if separator == " ":
            return str.split
        if self.is_padded:
            return lambda line: [cell.lstrip(" ") for cell in line.split(separator)]
        return lambda line: line.split(separator)

    def reader(self) -> Callable[[Iterable[str]], Iterator[list[str]]]:
        """Return what reads lines with quotes; csv.Error from it if one is not closed well."""
        csv.field_size_limit(LONGEST)
        read = partial(
            csv.reader,
            delimiter=self.separator,
            quotechar=self.quote or None,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            skipinitialspace=self.is_padded or self.separator == " ",
            strict=True,
        )
        if self.separator == " ":
            return lambda lines: read(line.strip().replace("\t", " ") for line in lines)
        if self.is_escaped:
            double = rf"\1{self.quote * 2}"
            return lambda lines: read(
                _ESCAPED.sub(
                    lambda found: found.expand(double) if found[2] == self.quote else found[0], line
                )
                for line in lines
            )
        return read

    def cells_alone(self, line: str) -> list[str] | None:
        """Return the cells of a line; None if it is no record of its own."""
        try:
            return next(self.reader()([line]), [])
        except csv.Error:
            return None


class Lines:
    """The lines of parts of a file, one after the other or as many as are at hand.

    Lines that were taken may be put back.
    """

    def __init__(self, parts: Iterable[list[str]]) -> None:
        self._parts = iter(parts)
        self._at_hand: deque[str] = deque()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        while not self._at_hand:
            self._at_hand.extend(next(self._parts))
        return self._at_hand.popleft()

    @property
    def are_at_hand(self) -> bool:
        """Return whether there is a line before the next part."""
        return bool(self._at_hand)

    def take(self) -> list[str]:
        """Return the lines at hand, or those of the next part; none at the end of the file."""
        while not self._at_hand:
            part = next(self._parts, None)
            if part is None:
                return []
            self._at_hand.extend(part)
        taken = list(self._at_hand)
        self._at_hand.clear()
        return taken

    def put_back(self, lines: list[str]) -> None:
        """Let these lines be the next ones."""
        self._at_hand.extendleft(reversed(lines))


def records(
    lines: Iterable[str], form: Form, shape: Shape | None, number: int = 0
) -> Iterator[Record]:
    """Yield the records in lines, of which `number` went before.

    A quoted cell may run over lines, if the record closes properly and has the width of the shape,
    and if no line of it could be a row. Otherwise its first line alone is a fault. Without a shape
    it only has to close.
    """
    source = lines if isinstance(lines, Lines) else Lines([list(lines)])
    split, read = form.splitter(), form.reader()
    quote = form.quote or "\n"  # no line has a line feed
    comment = form.comment
    for line in source:
        number += 1
        if comment and line.startswith(comment):
            if fault := _comment_fault(line, form, shape):
                yield Record(number, [], fault)
        elif quote in line:
            try:
                yield Record(number, next(read([line])))
            except csv.Error as error:
                fault = _fault(error)
                found = _several(line, source, form, shape) if fault == _UNCLOSED else None
                if found:
                    yield Record(number, *found)
                    number += found[2] - 1
                else:
                    yield Record(number, [], fault)
        else:
            line = line.rstrip("\r")
            cells = split(line)
            if len(cells) > 1 or line.strip(BLANKS):
                yield Record(number, cells)


def _fault(error: csv.Error) -> str:
    """Return what Python's csv found in a line, with the cure."""
    if "unexpected end" in str(error):
        return _UNCLOSED
    return _UNDOUBLED if "expected after" in str(error) else _RETURN


def _several(
    line: str, source: Lines, form: Form, shape: Shape | None
) -> tuple[list[str], str, int] | None:
    """Return the record that begins with a line and ends in a later one; None if it does not."""
    taken: list[str] = []

    def feed() -> Iterator[str]:
        yield f"{line}\n"
        length = len(line)
        for more in source:
            taken.append(more)
            length += len(more)
            is_too_long = len(taken) >= MOST_LINES or length > LONGEST
            if is_too_long or (shape and _is_row(more, form, shape)):
                return
            yield f"{more}\n"

    try:
        cells = next(form.reader()(feed()))
    except csv.Error:
        cells = []
    if not cells or (shape and len(cells) != shape.width):
        source.put_back(taken)
        return None
    return cells, "", 1 + len(taken)


def _is_row(line: str, form: Form, shape: Shape) -> bool:
    """Return whether a line may be a row of its own: it closes no quote that it did not open."""
    cells = form.cells_alone(line) if line.count(form.quote) % 2 == 0 else None
    return cells is not None and shape.fits(cells)


def _comment_fault(line: str, form: Form, shape: Shape | None) -> str:
    """Return why a line that begins like a comment is none; empty if it is one."""
    cells = form.cells_alone(line)
    # The mark may be the beginning of a text, such as a title.
    if not cells or not shape or shape.width < 2 or not shape.without_first().fits(cells):
        return ""
    return (
        f"begins with {form.comment!r} as comments do, but has {len(cells)} cells as rows do:"
        " quote the first cell if this is a row"
    )
