"""WEKA's ARFF: a header that names the columns, before lines as in a CSV with single quotes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pgsim.sources.delimited.records import Form
from pgsim.sources.streams.files import SourceError

_ATTRIBUTE = re.compile(
    r"""@attribute\s+('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\S+)\s+(\S.*)""", re.IGNORECASE
)
_ESCAPE = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Arff:
    """The header of such a file: the names of the columns, how lines become cells, its lines."""

    columns: tuple[str, ...]
    form: Form
    lines: int


def arff_in(lines: Sequence[str]) -> Arff | None:
    """Return the header in the first lines; None if there is none.

    SourceError if it has no end, or if what follows is no table.
    """
    names: list[str] = []
    for number, line in enumerate(lines):
        text = line.strip()
        if not text or text.startswith("%"):
            continue
        if not text.startswith("@"):
            return None
        if found := _ATTRIBUTE.fullmatch(text):
            name = found[1]
            names.append(_ESCAPE.sub(r"\1", name[1:-1]) if name[0] in "'\"" else name)
        elif text.lower().startswith("@data"):
            body = [each for each in lines[number + 1 :] if each.strip()]
            if any(each.lstrip().startswith("{") for each in body[:2]):
                raise SourceError(
                    "sparse ARFF: write each value, by WEKA's filter SparseToNonSparse for instance"
                )
            quote = '"' if any(re.search(r'(?:^|,)\s*"', each) for each in body) else "'"
            form = Form(",", quote, "%", is_padded=True, is_escaped=True)
            return Arff(tuple(names), form, number + 1)
    if names:
        raise SourceError("ARFF without a line @data: the file is cut off, or no table")
    return None
