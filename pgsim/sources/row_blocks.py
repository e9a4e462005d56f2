"""Blocks of rows of a table of text, as they travel to worker processes."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import IO

import orjson
from msgspec import Struct
from msgspec.structs import replace

from pgsim.sources.delimited.blocks import CELL, RECORD, RecordBlock, record_blocks
from pgsim.sources.delimited.encoding import decoded, lines_of
from pgsim.sources.delimited.records import Lines
from pgsim.sources.dialect import Dialect, dialect_in, sample_of
from pgsim.sources.streams.files import Member

_BLOCK = 2**18  # bytes of text to decode at once
_SURROGATE = re.compile("[\ud800-\udfff]")


class RowBlock(Struct):
    """Rows that follow one another in a table of text.

    `name` is the file's, `start` the number of the first row, from 0, and `lines` has the line that
    each begins in. `data` and `apart` have the cells as a RecordBlock has them. A row that cannot
    be read is a document too. `at` is as in Member.
    """

    name: str
    dialect: Dialect
    start: int
    lines: Sequence[int]
    apart: dict[int, list[str] | str]
    data: bytes | memoryview
    at: int = 0

    @property
    def count(self) -> int:
        """Return the number of rows."""
        return len(self.lines)

    @property
    def names(self) -> list[str]:
        """Return where each row stands in the file."""
        return [f"{self.name}:{line}" for line in self.lines]

    def without_first(self, count: int) -> "RowBlock":
        """Return the block without its first `count` rows."""
        *_, rest = bytes(self.data).split(RECORD.encode(), count)
        apart = {place - count: each for place, each in self.apart.items() if place >= count}
        return replace(
            self, start=self.start + count, lines=self.lines[count:], apart=apart, data=rest
        )

    def members(self) -> Iterator[Member]:
        """Yield the rows one by one, each the JSON object {column: cell} with its number."""
        dialect = self.dialect
        columns = ("row", *dialect.columns)
        text = self._text()
        rows = RecordBlock(self.lines, text, self.apart).cells()
        for number, line, cells in zip(range(self.start, 2**63), self.lines, rows, strict=False):
            where = f"{self.name}:{line}"
            fault = cells if isinstance(cells, str) else _finish(cells, dialect)
            if fault:
                yield Member(where, b"", fault)
                continue
            try:
                data = orjson.dumps(dict(zip(columns, (number, *cells), strict=True)))
            except orjson.JSONEncodeError:
                data, fault = b"", _wrong_bytes(dialect.encoding)
            yield Member(where, data, fault)

    def columns(self) -> tuple[Mapping[str, slice], list[str], set[int]]:
        """Return the cells of all rows: where each column's lie, the cells, and which rows are odd.

        An odd row is one that cannot be read, or that has to be finished by itself; in its place
        are the cells of another row.
        """
        dialect = self.dialect
        width, trailing = len(dialect.columns), dialect.trailing
        text = self._text()
        records = text.split(RECORD)
        commas = width + trailing - 1
        odd = {place for place, each in enumerate(records) if each.count(CELL) != commas}
        odd |= self.apart.keys()
        if trailing:
            end = CELL * trailing
            odd |= {place for place, each in enumerate(records) if not each.endswith(end)}
        if dialect.head:
            head = dialect.head[0] + CELL
            odd |= {at for at, each in enumerate(records) if f"{each}{CELL}".startswith(head)}
        if _SURROGATE.search(text):
            odd |= {place for place, each in enumerate(records) if _SURROGATE.search(each)}
        plain = next((place for place in range(len(records)) if place not in odd), None)
        if plain is None:
            return {}, [], odd
        for place in odd:
            records[place] = records[plain]
        cells = CELL.join(records).split(CELL)
        full = width + trailing
        for column, numerals in dialect.numerals:
            places = slice(column, None, full)
            cells[places] = map(numerals.written, cells[places])
        cells += map(str, range(self.start, self.start + len(records)))
        where = {"row": slice(full * len(records), None)}
        where |= {
            name: slice(place, full * len(records), full)
            for place, name in enumerate(dialect.columns)
        }
        return where, cells, odd

    def _text(self) -> str:
        return str(self.data, "utf-8", "surrogatepass")


def row_blocks(stream: IO[bytes], name: str, most: int = 1000) -> Iterator[RowBlock]:
    """Yield the rows of a table of text, read by the dialect of its first part."""
    sample = sample_of(stream)
    dialect = dialect_in(sample)
    blocks = chain([sample.data], iter(partial(stream.read, _BLOCK), b""))
    lines = Lines(lines_of(decoded(blocks, dialect.encoding), dialect.newline))
    for _ in range(dialect.start):
        next(lines, None)
    start = 0
    above = ""
    for each in record_blocks(lines, dialect.form, dialect.shape, dialect.start, most):
        if dialect.is_grouped:
            each, above = _filled(each, dialect, above)
        data = each.text.encode("utf-8", "surrogatepass")
        yield RowBlock(name, dialect, start, each.lines, each.apart, data)
        start += len(each.lines)


def _filled(block: RecordBlock, dialect: Dialect, above: str) -> tuple[RecordBlock, str]:
    """Return records with the first cell of their group in each, and that of the last group."""
    width = len(dialect.columns)
    found = [*block.cells()]
    texts, apart = block.text.split(RECORD), dict(block.apart)
    for place, cells in enumerate(found):
        is_row = not isinstance(cells, str) and len(cells) in (width, width + dialect.trailing)
        if not is_row or tuple(cells[:width]) == dialect.head:
            continue
        if cells[0].strip():
            above = cells[0]
            continue
        filled = [above, *cells[1:]]
        text = CELL.join(filled)
        is_apart = RECORD in text or text.count(CELL) >= len(filled)
        texts[place] = "" if is_apart else text
        if is_apart:
            apart[place] = filled
        else:
            apart.pop(place, None)
    return RecordBlock(block.lines, RECORD.join(texts), apart), above


def _finish(cells: list[str], dialect: Dialect) -> str:
    """Make a record's cells those of a row; return why they are no row, empty if they are one."""
    width, trailing = len(dialect.columns), dialect.trailing
    if trailing and len(cells) == width + trailing and not any(map(str.strip, cells[width:])):
        del cells[width:]
    is_head = bool(dialect.head) and cells[0] == dialect.head[0]
    if (len(cells) != width or is_head) and (fault := _fault(cells, dialect)):
        return fault
    for place, numerals in dialect.numerals:
        if place < width:
            cells[place] = numerals.written(cells[place])
    return ""


def _fault(cells: list[str], dialect: Dialect) -> str:
    """Return why the cells are no row; empty if they are one."""
    width = len(dialect.columns)
    if len(cells) == width:
        return "the header once more" if tuple(cells) == dialect.head else ""
    separator = {"\t": "tab", " ": "blank"}.get(dialect.separator, dialect.separator)
    found = f"{len(cells)} cells; the header has {width}"
    if len(cells) < width:
        return f"{found}: complete the line, or quote a cell that has a line break in it"
    if not dialect.quote:
        return f"{found}: a cell has a {separator} in it, and the file has no quotes"
    return f"{found}: quote a cell that has a '{separator}' in it"


def _wrong_bytes(encoding: str) -> str:
    name = encoding.upper().removesuffix("-SIG")
    return f"not {name}: save the file as UTF-8, or mend the letters of this row"
