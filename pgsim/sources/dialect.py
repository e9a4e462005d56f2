"""The dialect of a table of text, asked of the file: how its bytes become rows of named cells.

Everything is judged by the first part of the file, so that the same file is always read alike.
"""

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import IO, NamedTuple

from pgsim.sources.delimited.arff import arff_in
from pgsim.sources.delimited.encoding import encoding_of, lines_of, newline_of
from pgsim.sources.delimited.header import Header, few, header_of, is_grouped, named, names_id
from pgsim.sources.delimited.kinds import Shape, shape_of
from pgsim.sources.delimited.numerals import Numerals, numerals_of
from pgsim.sources.delimited.records import Form, Record, records
from pgsim.sources.delimited.separators import COMMENTS, first_shape, form_of
from pgsim.sources.streams import files
from pgsim.sources.streams.files import LONGEST, SourceError

SAMPLE = 2**20  # bytes; more where these have few lines
_FEWEST_LINES = 20
# Of the sample, so many cells are judged, in three records or more.
_CELLS = 20_000
_FEWEST_RECORDS = 5
_SEPARATED = {";": "semicolons", "|": "pipes", " ": "blanks"}
_ENCODINGS = {
    "cp1252": "Windows-1252 (Western European)",
    "latin-1": "ISO 8859-1 (Western European)",
}
_SEP_LINE = re.compile(r'"?sep=(\\t|[,;|\t])"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dialect:
    """The way in which a file of text is a table.

    `separator` " " is any run of blanks; `quote` is empty where quotes are characters like others.
    `header` counts the rows that name the columns, and `start` all lines before the first row;
    `head` is a single row of names as it stands. `comment` begins lines that are no rows.
    `numerals` has the columns, counted from 0, whose numbers computers write otherwise.
    `kinds` has the kinds of the columns by which a row is known. Rows end with `trailing` more
    cells, always empty. Where `is_grouped`, an empty first cell means the one above it. `notes`
    says what a person has to know.
    """

    encoding: str = "utf-8"
    separator: str = ","
    quote: str = '"'
    header: int = 1
    comment: str = ""
    notes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    start: int = 0
    newline: str = "\n"
    is_padded: bool = False
    is_escaped: bool = False
    trailing: int = 0
    numerals: tuple[tuple[int, Numerals], ...] = ()
    kinds: tuple[tuple[int, str], ...] = ()
    is_grouped: bool = False

    @property
    def form(self) -> Form:
        """Return how lines become cells."""
        return Form(self.separator, self.quote, self.comment, self.is_padded, self.is_escaped)

    @property
    def shape(self) -> Shape:
        """Return what a row looks like."""
        return Shape(len(self.columns) + self.trailing, dict(self.kinds))


class Sample(NamedTuple):
    """The first bytes of a file, and whether they are all."""

    data: bytes
    is_whole: bool


def dialect_of(path: Path) -> Dialect:
    """Return the dialect of a file, compressed or not; SourceError if it is no table of text."""
    with files.opened(path) as stream:
        return dialect_in(sample_of(stream))


def sample_of(stream: IO[bytes]) -> Sample:
    """Return the first part of a stream: a number of lines, however long they are."""
    parts: list[bytes] = []
    size = lines = 0
    while size < SAMPLE or (lines < _FEWEST_LINES and size <= LONGEST):
        part = stream.read(SAMPLE)
        if not part:
            return Sample(b"".join(parts), is_whole=True)
        parts.append(part)
        size += len(part)
        lines += max(part.count(b"\n"), part.count(b"\r"))
    return Sample(b"".join(parts), is_whole=False)


def dialect_in(sample: Sample) -> Dialect:
    """Return the dialect of a file that begins so; SourceError if it is no table of text."""
    encoding = encoding_of(sample.data)
    newline, lines = _lines(sample, encoding)
    arff = arff_in(lines)
    above = _Above(arff.lines, comment=arff.form.comment) if arff else _above(lines)
    lines = lines[above.lines :]
    form = arff.form if arff else form_of(lines, above.separator, above.comment, sample.is_whole)
    found = _first_records(lines, form, first_shape(lines, form))
    if found and found[0].fault:
        raise SourceError(f"line {above.lines + found[0].line}, the header: {found[0].fault}")
    good = [each for each in found if not each.fault]
    if arff:
        header = Header(1, 0, *named(arff.columns))
    else:
        header = header_of(
            [each.cells for each in good], above.names(form), may_lack=form.separator in " \t"
        )
    if not header.columns:
        raise SourceError("no header: the first line has to name the columns")
    names, values = good[: header.skipped], good[header.skipped :]
    width = len(header.columns) + header.trailing
    rows = [each.cells for each in values if len(each.cells) == width]
    numerals = numerals_of([*zip(*rows, strict=True)], form.separator == ",")
    dialect = Dialect(
        encoding,
        form.separator,
        form.quote,
        header.rows,
        form.comment,
        columns=header.columns,
        head=tuple(names[0].cells[: len(header.columns)]) if header.rows == len(names) == 1 else (),
        start=above.lines + (names[-1].line + names[-1].lines - 1 if names else 0),
        newline=newline,
        is_padded=form.is_padded,
        trailing=header.trailing,
        numerals=tuple(
            (place, each)
            for place, each in numerals.items()
            if place < len(header.columns) and not names_id(header.columns[place])
        ),
        kinds=tuple(shape_of(rows, width).kinds.items()),
        is_escaped=form.is_escaped,
        is_grouped=is_grouped(header.columns, rows),
    )
    below = lines[dialect.start - above.lines :]
    notes = (*_form_notes(dialect), *header.notes, *_row_notes(dialect, above, below))
    return replace(dialect, notes=notes)


def _lines(sample: Sample, encoding: str) -> tuple[str, list[str]]:
    """Return what ends the lines, and the lines of the sample that are whole."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    text = decoder.decode(sample.data, final=sample.is_whole)
    newline = newline_of(text)
    lines = [*chain.from_iterable(lines_of(iter([text]), newline))]
    if not sample.is_whole and not text.endswith(newline):
        lines.pop()
        if not lines:
            raise SourceError(f"a line longer than {LONGEST >> 20} MiB: this is no table")
    return newline, [line.rstrip("\r") for line in lines]


@dataclass(frozen=True, slots=True)
class _Above:
    """The lines above the table: their number, and the separator or comments in them."""

    lines: int = 0
    separator: str = ""
    comment: str = ""
    last_comment: str = ""
    comments: int = 0

    def names(self, form: Form) -> list[str] | None:
        """Return the cells of the last comment, which may name the columns."""
        if not self.comment:
            return None
        cells = form.cells_alone(self.last_comment)
        # The name of a column of numbers; between blanks, it begins a comment.
        if cells and form.separator != " " and cells[0].strip() == self.comment:
            return cells
        text = self.last_comment.lstrip(f"{self.comment} \t")
        return form.cells_alone(text) if text else None


def _above(lines: Sequence[str]) -> _Above:
    said = _SEP_LINE.fullmatch(lines[0].strip("\ufeff ")) if lines else None
    separator = said[1].replace("\\t", "\t") if said else ""
    start = 1 if said else 0
    first = next((line for line in lines[start:] if line.strip()), "")
    comment = next((each for each in COMMENTS if first.startswith(each)), "")
    if not comment or all(_is_above(line, comment) for line in lines[start:]):
        return _Above(start, separator)
    count = next(
        (place for place, line in enumerate(lines[start:]) if not _is_above(line, comment)),
        len(lines) - start,
    )
    comments = [line for line in lines[start : start + count] if line.strip()]
    return _Above(start + count, separator, comment, comments[-1], len(comments))


def _is_above(line: str, comment: str) -> bool:
    return line.startswith(comment) or not line.strip()


def _first_records(lines: Sequence[str], form: Form, shape: Shape) -> list[Record]:
    most = max(_FEWEST_RECORDS, _CELLS // max(shape.width, 1))
    return list(islice(records(lines, form, shape), most))


def _form_notes(dialect: Dialect) -> Iterator[str]:
    if dialect.encoding in _ENCODINGS:
        yield (
            f"not UTF-8: read as {_ENCODINGS[dialect.encoding]}; if letters look wrong,"
            " convert the file to UTF-8"
        )
    elif dialect.encoding.startswith("utf-") and "8" not in dialect.encoding:
        yield f"read as {dialect.encoding.upper()}"
    if dialect.separator in _SEPARATED:
        yield f"cells are separated by {_SEPARATED[dialect.separator]}"
    if not dialect.quote:
        yield "a quote is a character like any other, since cells begin with one and do not close"
    if dialect.quote == "'":
        yield "texts are within single quotes"
    if dialect.is_escaped:
        yield "within quotes, a backslash stands before a quote"
    yield from _number_notes(dialect)
    if dialect.is_grouped:
        yield "an empty first cell means the one above it, since the first rows of groups have one"
    if dialect.trailing:
        yield "every row ends with separators that nothing follows; they are left out"


def _number_notes(dialect: Dialect) -> Iterator[str]:
    numerals = dict(dialect.numerals)
    if any(each.decimal == "," for each in numerals.values()):
        yield "numbers have decimal commas, which are read as points"
    groups = [place for place, each in numerals.items() if each.group and each.decimal != ","]
    units = [place for place, each in numerals.items() if each.unit]
    if groups:
        named = [dialect.columns[place] for place in groups]
        yield f"thousands are in groups, as in 1,351.07: {few(named)}"
    if units:
        named = [f"{dialect.columns[place]} in {numerals[place].unit}" for place in units]
        yield f"numbers have units, which are left out: {few(named)}"


def _row_notes(dialect: Dialect, above: _Above, lines: Sequence[str]) -> Iterator[str]:
    """Yield what there is to say of the rows in the sample."""
    shape = dialect.shape
    found = list(records(lines, dialect.form, shape))
    widths = (shape.width, len(dialect.columns))
    faults = [each for each in found if each.fault or len(each.cells) not in widths]
    several = sum(each.lines > 1 for each in found)
    if dialect.comment:
        read = {line for each in found for line in range(each.line, each.line + each.lines)}
        comments = above.comments + sum(
            line.startswith(dialect.comment) and number not in read
            for number, line in enumerate(lines, 1)
        )
        if comments:
            yield f"lines that begin with {dialect.comment} are comments: {comments} so far"
    if several:
        yield f"rows that run over lines in quoted cells: {several} of the first {len(found)}"
    if faults:
        reason = faults[0].fault or f"{len(faults[0].cells)} cells, not {len(dialect.columns)}"
        yield (
            f"lines that will be rejected: {len(faults)} of the first {len(found)};"
            f" line {dialect.start + faults[0].line}: {reason}"
        )
