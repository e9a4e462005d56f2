"""The separator of a file's cells, and their quotes, detected from its lines.

The separator is the one by which most lines have the same number of cells. Quotes are quotes if
they close as such; else they are characters like others.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from pgsim.sources.delimited.kinds import Shape, kind_of, shape_of, usual_width
from pgsim.sources.delimited.records import Form, Record, records

SEPARATORS = ",;\t|"
COMMENTS = ("#", "%", "//")
# By so many lines and characters of them the separator is judged, but by no fewer than five lines.
_LINES = 500
_LENGTH = 2**18
_FEWEST = 5
_NEEDS_QUOTES = re.compile(r"[\s,;'\"%{}\\]")
_CLEAN_ROWS = 50  # whose cells are looked into


@dataclass(slots=True)
class _Quotes:
    """The numbers of records that need their quotes, do not need them, or do not close them."""

    needed: int = 0
    plain: int = 0
    unclosed: int = 0

    @property
    def is_quoting(self) -> bool:
        """Return whether quotes are quotes: a title such as "Heroes" says little."""
        return self.unclosed == 0 or self.needed >= self.unclosed or self.plain > 20 * self.unclosed


def form_of(lines: Sequence[str], separator: str, comment: str, is_whole: bool) -> Form:
    """Return how these lines become cells; `separator` is known where it is not empty.

    `is_whole` says that the file has no more lines.
    """
    first = lines[:_LINES]
    forms = [_form(first, each, comment) for each in separator or SEPARATORS]
    best = max(forms, key=lambda form: _consistency(lines, form))
    if not (separator or _consistency(lines, best)):
        best = Form(" " if _is_blank_separated(first) else ",", comment=comment)
    best = _quoting(lines, best, is_whole)
    return best if comment else replace(best, comment=_comment_between(lines, best))


def first_shape(lines: Sequence[str], form: Form) -> Shape:
    """Return what rows look like by these lines, before it is known which of them are names.

    Where quotes are closed well throughout, records end where quotes say; otherwise no line that
    has the width of most may be in another's record. Rows of one line tell most.
    """
    found = _found(lines, form)
    width = usual_width([each.cells for each in found if not each.fault])
    alone = [each.cells for each in found[1:] if each.lines == 1]
    shape = shape_of(alone, width)
    return shape if shape.kinds else shape_of([each.cells for each in found[1:]], width)


def _found(lines: Sequence[str], form: Form) -> list[Record]:
    """Return the records that begin in the first lines."""
    longest = max(map(len, lines[:_FEWEST]), default=0)
    last = min(_LINES, max(_FEWEST, _LENGTH // (longest + 1)))

    def begun(shape: Shape | None) -> list[Record]:
        return list(takewhile(lambda each: each.line <= last, records(lines, form, shape)))

    found = begun(None)
    if any(each.fault for each in found):
        first = next((each for each in found if not each.fault), None)
        found = begun(Shape(len(first.cells) if first else 0))
    return found


def _form(lines: Iterable[str], separator: str, comment: str) -> Form:
    outside = "\n".join(line.partition('"')[0] for line in lines)
    padded = outside.count(f"{separator} ")
    is_padded = separator not in " \t" and padded > 0.95 * outside.count(separator)
    return Form(separator, comment=comment, is_padded=is_padded)


def _consistency(lines: Sequence[str], form: Form) -> float:
    """Return the share of records with the same number of cells, times that of clean cells.

    A cell is clean if no other separator is in it, except in a number. It is 0 if most
    records have one cell.
    """
    found = _found(lines, form)
    width = usual_width([each.cells for each in found if not each.fault])
    if width < 2 or not found:
        return 0.0
    alike = [each.cells for each in found if len(each.cells) == width]
    others = set(SEPARATORS) - {form.separator}
    cells = [cell for row in alike[:_CLEAN_ROWS] for cell in row]
    clean = sum(others.isdisjoint(cell) or kind_of(cell) == "number" for cell in cells)
    return len(alike) / len(found) * clean / max(len(cells), 1)


def _is_blank_separated(lines: Iterable[str]) -> bool:
    """Return whether all lines have as many words, two or more, and most of them are numbers."""
    found = [Form(" ").cells_alone(line) for line in lines if line.strip()]
    rows = [row for row in found if row]
    cells = [cell for row in rows[1:] for cell in row]
    numbers = sum(kind_of(cell) == "number" for cell in cells)
    widths = {len(row) for row in rows[1:]}
    is_even = len(rows) == len(found) > 2 and len(widths) == 1 and min(widths) > 1
    return is_even and min(widths) - len(rows[0]) in (0, 1) and numbers > len(cells) / 2


def _quoting(lines: Sequence[str], form: Form, is_whole: bool) -> Form:
    """Return the form with quotes, with quotes after backslashes, or without quotes."""
    if _is_single_quoted(lines, form.separator):
        is_escaped = any("\\'" in line for line in lines)
        return replace(form, quote="'", is_escaped=is_escaped)
    if not any('"' in line for line in lines):
        return form
    counted = _quotes(lines, form, is_whole)
    if counted.unclosed and any('\\"' in line for line in lines):
        escaped = replace(form, is_escaped=True)
        other = _quotes(lines, escaped, is_whole)
        if other.unclosed < counted.unclosed:
            form, counted = escaped, other
    return form if counted.is_quoting else replace(form, quote="", is_escaped=False)


def _is_single_quoted(lines: Sequence[str], separator: str) -> bool:
    """Return whether cells are within single quotes, as WEKA and openSMILE write them.

    A column has all its texts so, or those that have blanks and the like. Of 'Heroes' among other
    titles the quotes belong to the title.
    """
    between = r"\s" if separator == " " else re.escape(separator)
    quoted = rf"'(?:[^'\\]|\\.|'')*'(?={between}|$)"
    cell = re.compile(rf" *({quoted}|[^{between}]*)(?:{between}|$)")
    rows = [cell.findall(line.rstrip()) for line in lines[1:_LINES] if line.strip()]
    if not any(each[:1] == "'" for row in rows for each in row):
        return False
    width = usual_width(rows)
    is_there = False
    for column in zip(*(row for row in rows if len(row) == width), strict=True):
        texts = [each for each in column if each and kind_of(each) == "text"]
        within = [each for each in texts if re.fullmatch(quoted, each)]
        bare = [each for each in texts if not re.fullmatch(quoted, each)]
        if any(each[0] in "'\"" for each in bare):
            return False
        if within and bare:
            if any(map(_NEEDS_QUOTES.search, bare)):
                return False
            if not all(_NEEDS_QUOTES.search(each[1:-1]) for each in within):
                return False
        is_there |= len(within) > 1 or (bool(within) and len(rows) < _FEWEST)
    return is_there


def _quotes(lines: Sequence[str], form: Form, is_whole: bool) -> _Quotes:
    found = _Quotes()
    shape = first_shape(lines, form)
    waiting = 0
    for each in records(lines, form, shape):
        text = "\n".join(lines[each.line - 1 : each.line - 1 + each.lines])
        if '"' not in text:
            found.unclosed, waiting = found.unclosed + waiting, 0
        elif each.fault:
            waiting += 1
        elif len(each.cells) == shape.width:
            found.unclosed, waiting = found.unclosed + waiting, 0
            is_needed = each.lines > 1 or any(form.separator in cell for cell in each.cells)
            found.needed += is_needed or ('""' in text and any('"' in cell for cell in each.cells))
            found.plain += re.search(rf'(?:^|{re.escape(form.separator)}) *"', text) is not None
    # A record at the end may be closed in lines that are not here.
    found.unclosed += waiting if is_whole else 0
    return found


def _comment_between(lines: Sequence[str], form: Form) -> str:
    """Return what begins lines between rows that are no rows; empty if there are none."""
    shape = first_shape(lines, form)
    found = [each for each in records(lines, form, shape) if each.lines == 1][1:]
    for comment in COMMENTS:
        marked = [each for each in found if lines[each.line - 1].startswith(comment)]
        if marked and all(len(each.cells) != shape.width for each in marked):
            return comment
    return ""
