"""Records of delimited text in blocks: texts that worker processes cut into cells."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from pgsim.sources.delimited.kinds import Shape
from pgsim.sources.delimited.records import BLANKS, Form, Lines, Record, records

# What Unicode has between records, and between the cells of a record.
RECORD, CELL = "\x1e", "\x1f"


class RecordBlock(NamedTuple):
    """Records that follow one another in a file.

    `lines` has the number of each one's first line. `text` has their cells, CELL between them, and
    RECORD between records. `apart` has, by place, the cells of those that hold such a character,
    and the faults of those that have no cells; they are empty in the text.
    """

    lines: Sequence[int]
    text: str
    apart: dict[int, list[str] | str]

    def cells(self) -> Iterator[list[str] | str]:
        """Yield the cells of each record, or its fault."""
        for place, record in enumerate(self.text.split(RECORD)):
            yield self.apart[place] if place in self.apart else record.split(CELL)


def record_blocks(
    source: Lines, form: Form, shape: Shape | None, number: int, most: int
) -> Iterator[RecordBlock]:
    """Yield the same records as `records`, at most so many together.

    Of lines without quotes and comments, each is a record by itself, or blank.
    """
    separator, quote, comment = form.separator, form.quote or "\n", form.comment
    is_plain = separator != " " and not form.is_padded
    while lines := source.take():
        if is_plain and not any(
            quote in line or (comment and line.startswith(comment)) for line in lines
        ):
            numbers: Sequence[int] = range(number + 1, number + 1 + len(lines))
            number += len(lines)
            if not all(separator in line for line in lines):
                kept = [separator in line or bool(line.strip(BLANKS)) for line in lines]
                numbers = [each for each, is_kept in zip(numbers, kept, strict=True) if is_kept]
                lines = [line for line, is_kept in zip(lines, kept, strict=True) if is_kept]
            for start in range(0, len(lines), most):
                end = start + most
                yield _plain_block(numbers[start:end], lines[start:end], separator)
            continue
        source.put_back(lines)
        found = records(source, form, shape, number)
        while source.are_at_hand:
            some = []
            for record in islice(found, most):
                some.append(record)
                number = record.line + record.lines - 1
                if not source.are_at_hand:
                    break
            else:
                if len(some) < most:  # the last lines of the file are blank, or comments
                    if some:
                        yield _joined(some)
                    return
            yield _joined(some)


def _plain_block(numbers: Sequence[int], lines: list[str], separator: str) -> RecordBlock:
    """Return lines as records; carriage returns at their ends are left out."""
    if any("\r" in line for line in lines):
        lines = [line.rstrip("\r") for line in lines]
    text = RECORD.join(lines)
    if text.count(RECORD) >= len(lines) or CELL in text:
        return _joined(
            [
                Record(*each)
                for each in zip(numbers, (line.split(separator) for line in lines), strict=True)
            ]
        )
    return RecordBlock(numbers, text.replace(separator, CELL), {})


def _joined(found: Sequence[Record]) -> RecordBlock:
    texts: list[str] = []
    apart: dict[int, list[str] | str] = {}
    for place, record in enumerate(found):
        text = CELL.join(record.cells)
        if record.fault:
            apart[place] = record.fault
        elif not text or RECORD in text or text.count(CELL) >= len(record.cells):
            apart[place] = record.cells
        texts.append("" if place in apart else text)
    return RecordBlock([each.line for each in found], RECORD.join(texts), apart)
