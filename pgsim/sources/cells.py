"""The value of one cell of a table: a number, numbers, texts, a length in seconds, or nothing."""

import ast
import math
import re
from collections.abc import Container, Iterable, Sequence, Set
from contextlib import suppress
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

# Marks of nothing, in lower case. The first ones are so in every column; the others can be titles
# and names, and say nothing only where a number is wanted.
_NEVER_TEXT = {"", "\\n", "<na>", "#n/a", "#na", "#n/a n/a", "<null>", "(null)", "[null]"}
_NO_NUMBER = _NEVER_TEXT | {
    *("nan", "-nan", "na", "n/a", "n.a.", "null", "none", "nil", "nat", "missing", "unknown"),
    *("?", "??", "-", "--", "---", ".", "*"),
}

# A text is a list of numbers if it stands in brackets, or if it has at least so many: `12,5` is
# more likely one number with a decimal comma.
_LEAST_NUMBERS = 3
_LONGEST_MARK = 8
_BRACKETED = re.compile(
    r"(?:(?:np\.|numpy\.)?(?:array|tensor)\()?\s*([\[(].*?[\])])\s*(?:,\s*dtype=[\w.]+\s*\))?\)?",
    re.DOTALL,
)
# As pandas prints intervals: one end belongs to it, and the other does not.
_INTERVAL = re.compile(r"(?:\(([^,\[\]()]+),([^,\[\]()]+)\]|\[([^,\[\]()]+),([^,\[\]()]+)\))")
_BETWEEN_NUMBERS = re.compile(r"[\s,;|\[\]()]+")

_QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
# A list, tuple or set of texts as Python and NumPy print them: NumPy leaves the commas out.
_TEXTS = re.compile(
    rf"[\[({{]\s*(?:(?:{_QUOTED})(?:[\s,]+(?:{_QUOTED}))*\s*,?\s*)?[\])}}]", re.DOTALL
)
_QUOTED_WHOLE = re.compile(_QUOTED, re.DOTALL)
_BYTES = ("b'", 'b"')  # as Python prints texts that were read as bytes
_LONGEST_LIST = 2**16  # characters of a list of texts, or of objects

# In an object in a cell, such as {"id": 21, "name": "Hip-Hop"}, the keys that can name it.
_NAME_KEY = re.compile(r"(?:.*_)?(?:name|title|label|value)", re.IGNORECASE)

_CLOCK = re.compile(r"(?:(\d+)\s*days?,?\s*)?(?:(\d+):)?(\d+):(\d\d(?:\.\d+)?)")
_SPELLED = re.compile(
    r"(?:pt)?(?:(\d+)\s*h(?:ours?)?)?\s*(?:(\d+)\s*m(?:in(?:ute)?s?)?)?"
    r"\s*(?:(\d+(?:\.\d+)?)\s*s(?:ec(?:ond)?s?)?|(?<=[nm ])(\d\d?))?",
    re.IGNORECASE,
)
_MILLISECONDS = re.compile(r"(\d+(?:\.\d+)?)\s*(?:ms|msec|milliseconds)", re.IGNORECASE)


def value_of(cell: Any, nothing: Container[str] = ()) -> Any:
    """Return a cell as a number or a list of numbers if it is one; None if it says nothing.

    Of an interval, such as (0.1, 0.2], it is the middle; lists of lists become one list.
    Another text is returned as it is. `nothing` has more marks of nothing, in lower case.
    """
    if type(cell) is not str:
        is_mark = nothing and not isinstance(cell, list) and _lower(cell) in nothing
        if type(cell) is list and cell and type(cell[0]) is list:
            return _flat(cell)
        return None if is_mark or cell != cell else cell
    text = cell.strip()
    if nothing and text.lower() in nothing:
        return None
    try:
        number = float(text)
    except ValueError:
        return None if text.lower() in _NO_NUMBER else _numbers(text)
    # To Python, 3_4 is 34.
    return text if "_" in text else None if number != number else number


def text_of(cell: Any, nothing: Container[str] = ()) -> str:
    """Return a cell as one text, trimmed; empty if it says nothing."""
    if type(cell) is str:
        text = cell.strip()
    elif cell is None or cell != cell:
        return ""
    else:
        # A whole number in a column of floats, which pandas makes of a column with empty cells.
        is_whole = isinstance(cell, float) and cell.is_integer()
        text = str(int(cell) if is_whole else cell).strip()
    if text[:2] in _BYTES and _QUOTED_WHOLE.fullmatch(text[1:]):
        text = _unquoted(text)
    return "" if _is_mark(text, nothing) else text


def _is_mark(text: str, nothing: Container[str]) -> bool:
    """Return whether a text says nothing."""
    is_mark = len(text) <= _LONGEST_MARK and text.lower() in _NEVER_TEXT
    return is_mark or (bool(nothing) and text.lower() in nothing)


def plain_texts(
    column: Sequence[str], nothing: Set[str] = frozenset()
) -> tuple[list[str], list[int]]:
    """Return what `text_of` says of cells of text, and the places of those that it has to read."""
    texts = [*map(str.strip, column)]
    joined = "\n".join(texts)
    unread: list[int] = []
    if any(begin in joined for begin in _BYTES):
        unread = [place for place, text in enumerate(texts) if text.startswith(_BYTES)]
    if not {*map(str.lower, texts)}.isdisjoint((_NEVER_TEXT | nothing) - {""}):
        texts = ["" if _is_mark(text, nothing) else text for text in texts]
    return texts, unread


def plain_numbers(
    column: Sequence[str], nothing: Container[str] = ()
) -> tuple[NDArray[np.float64], list[int]]:
    """Return what `value_of` says of cells of text, NaN for None, and the places of no numbers."""
    if nothing:
        column = ["nan" if cell.strip().lower() in nothing else cell for cell in column]
    if "_" not in "".join(column):
        with suppress(ValueError):
            return np.array([*map(float, column)], np.float64), []
        column = ["nan" if cell.strip().lower() in _NO_NUMBER else cell for cell in column]
        with suppress(ValueError):
            return np.array([*map(float, column)], np.float64), []
    values = [value_of(cell, nothing) for cell in column]
    odd = [
        place for place, each in enumerate(values) if not (each is None or isinstance(each, float))
    ]
    numbers = [each if isinstance(each, float) else math.nan for each in values]
    return np.array(numbers, np.float64), odd


def may_be_list(cell: str) -> bool:
    """Return whether a cell can hold a list of texts or of objects, judging by how it begins."""
    return cell.lstrip().startswith(("[", "(", "{"))


def texts_of(cell: Any, nothing: Container[str] = ()) -> list[str]:
    """Return the texts of a cell that may hold a list: Python's, JSON's, NumPy's or Parquet's.

    Of an object, such as {"id": 21, "name": "Hip-Hop"}, it is the name.
    """
    if isinstance(cell, str):
        found = _list_in(cell.strip())
        if found is None:
            text = text_of(cell, nothing)
            return [text] if text else []
        cells: Iterable[Any] = found
    else:
        cells = cell if isinstance(cell, list) else [cell]
    texts = (text_of(_name(each), nothing) for each in cells)
    return [text for text in texts if text]


def is_list(cell: Any) -> bool:
    """Return whether a cell holds a list of texts or of objects."""
    return isinstance(cell, list) or (isinstance(cell, str) and _list_in(cell.strip()) is not None)


def seconds_of(cell: Any, units_a_second: float = 1.0, nothing: Container[str] = ()) -> Any:
    """Return a length in seconds: of a number, of `3:45`, `1:02:03`, `PT3M45S`, `225 s`.

    None if it says nothing; another text is returned as it is. `units_a_second` is the unit of a
    bare number: 1,000 for milliseconds, 44,100 for samples of a CD.
    """
    value = value_of(cell, nothing)
    if not isinstance(value, str):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return value / units_a_second if is_number else None if value is None else value
    if found := _CLOCK.fullmatch(value):
        days, hours, minutes, seconds = (float(each or 0) for each in found.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if found := _MILLISECONDS.fullmatch(value):
        return float(found[1]) / 1000
    found = _SPELLED.fullmatch(value)
    if found and any(found.groups()):
        hours, minutes, seconds, rest = (float(each or 0) for each in found.groups())
        return (hours * 60 + minutes) * 60 + seconds + rest
    return value


def _unquoted(text: str) -> str:
    """Return what Python printed as bytes, or the text if those are not UTF-8."""
    try:
        return str(ast.literal_eval(text).decode()).strip()
    except (ValueError, SyntaxError):
        return text


def is_interval(cell: Any) -> bool:
    """Return whether a cell is an interval between two numbers, as pandas prints them."""
    return isinstance(cell, str) and isinstance(_middle(cell.strip()), float)


def _middle(text: str) -> float | None:
    """Return the middle of an interval; None if it is none, or without end."""
    found = _INTERVAL.fullmatch(text)
    try:
        ends = [float(each) for each in found.groups() if each] if found else []
    except ValueError:
        return None
    middle = sum(ends) / 2
    return middle if len(ends) == 2 and math.isfinite(middle) else None


def _flat(cell: list[Any]) -> list[Any]:
    """Return the values of lists within a list, in their order."""
    found: list[Any] = []
    for each in cell:
        found += _flat(each) if type(each) is list else [each]
    return found


def _numbers(text: str) -> list[float] | float | str:
    """Return the list of numbers in a text, or the middle of an interval, or else the text."""
    if _INTERVAL.fullmatch(text):
        middle = _middle(text)
        return text if middle is None else middle
    found = _BRACKETED.fullmatch(text)
    parts = [part for part in _BETWEEN_NUMBERS.split(found[1] if found else text) if part]
    if (len(parts) < _LEAST_NUMBERS and not found) or "_" in text:
        return text
    try:
        return [float(part) for part in parts]
    except ValueError:
        return text


def _list_in(text: str) -> list[Any] | None:
    """Return the texts or objects of a list in a text; None if it is none."""
    if not text or text[0] not in "[({" or text[-1] not in "])}" or len(text) > _LONGEST_LIST:
        return None
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = _python_list(text)
    if isinstance(found, dict):
        found = [found]
    if not isinstance(found, list) or not all(isinstance(each, str | dict) for each in found):
        return None
    return found


def _python_list(text: str) -> Any:
    try:
        if _TEXTS.fullmatch(text):  # read text by text: Python would join NumPy's into one
            return [ast.literal_eval(each) for each in re.findall(_QUOTED, text, re.DOTALL)]
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return list(found) if isinstance(found, tuple | set | frozenset) else found


def _name(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    named = (each for key, each in value.items() if _NAME_KEY.fullmatch(str(key)))
    return next(named, None)


def _lower(cell: Any) -> str:
    return text_of(cell).lower()
