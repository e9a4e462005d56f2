"""One column of a table, as the first rows show it."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from pgsim.sources.cells import is_list, text_of, value_of
from pgsim.sources.tables import mbid_in

# A column is one of numbers, with marks of nothing between them, if so many of its cells are.
_LEAST_NUMBERS = 0.8
_MOST_MARKS = 3
# How the names of files of sound end.
FILE = re.compile(
    r".+\.(?:wav|mp3|flac|ogg|oga|opus|m4a|mp4|aac|aiff?|aifc|au|wma|wv|ape|mpc|mid|midi)",
    re.IGNORECASE,
)
_ROUNDED = re.compile(r"[0-9][.,][0-9]+E\+[0-9]{2,}")

T = TypeVar("T")


class Once(Generic[T]):
    """A property that is computed once; Python 3.11's own takes most of the time for its lock."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __get__(self, column: Any, _owner: type) -> T:
        value = self._compute(column)
        column.__dict__[self._compute.__name__] = value
        return value


@dataclass(frozen=True)
class Column:
    """A column: its name, and its cells in the first rows."""

    name: str
    cells: Sequence[Any]

    @Once
    def texts(self) -> list[str]:
        """Return each cell as a text, empty where it says nothing."""
        return [text_of(cell) for cell in self.cells]

    @Once
    def filled(self) -> list[str]:
        """Return the cells that say something."""
        return [text for text in self.texts if text]

    @Once
    def distinct(self) -> int:
        """Return how many different texts there are."""
        return len(set(self.filled))

    @property
    def is_full(self) -> bool:
        """Return whether every cell says something."""
        return len(self.filled) == len(self.cells)

    @property
    def is_rounded(self) -> bool:
        """Return whether cells are whole numbers as a spreadsheet rounds them: 1.23457E+11."""
        return any(map(_ROUNDED.fullmatch, self.filled))

    @property
    def is_unique(self) -> bool:
        """Return whether every cell says something, and no two the same."""
        return self.is_full and self.distinct == len(self.cells)

    @Once
    def is_of_files(self) -> bool:
        """Return whether nearly all cells are names of files of sound."""
        filled = self.filled
        return sum(FILE.fullmatch(text) is not None for text in filled) > 0.9 * len(filled)

    @Once
    def is_of_mbids(self) -> bool:
        """Return whether at least half of the cells say something, and all that do are UUIDs."""
        is_enough = len(self.filled) * 2 >= len(self.cells) > 0
        return is_enough and all(map(mbid_in, self.filled))

    @Once
    def has_lists(self) -> bool:
        """Return whether cells hold lists."""
        return any(map(is_list, self.cells))

    @property
    def is_of_words(self) -> bool:
        """Return whether cells are texts, and neither numbers nor lists."""
        is_list = any(isinstance(cell, list | dict) for cell in self.cells)
        return self.numbers is None and not is_list and not self.has_lists

    @Once
    def _values(self) -> list[Any]:
        return [value_of(cell) for cell in self.cells]

    @Once
    def odd_texts(self) -> Counter[str]:
        """Return the cells that are texts where a number was wanted, and how often they are."""
        return Counter(value.lower() for value in self._values if isinstance(value, str))

    @Once
    def marks(self) -> tuple[str, ...]:
        """Return the few texts among many numbers, which are marks of nothing."""
        odd = self.odd_texts
        if not odd:
            return ()
        values = [value for value in self._values if value is not None]
        are_few = 0 < len(odd) <= _MOST_MARKS and odd.total() <= len(values) * (1 - _LEAST_NUMBERS)
        return tuple(odd) if are_few and min(odd.values()) > 1 else ()

    @Once
    def numbers(self) -> NDArray[np.float64] | None:
        """Return (n, length) numbers, NaN where a cell says nothing or is infinite.

        None if the cells are texts or truth values, or lists of more than one length.
        """
        if all(type(value) is float for value in self._values):  # as in most tables: much faster
            result = np.array(self._values)[:, None]
            result[np.isinf(result)] = np.nan
            return None if np.isnan(result).all() else result
        lists = [
            value if isinstance(value, list) else None if value is None else [value]
            for value in (
                None if isinstance(each, str) and each.lower() in self.marks else each
                for each in self._values
            )
        ]
        there = [each for each in lists if each]
        if not there or len({len(each) for each in there}) > 1:
            return None
        if any(type(each) not in (int, float, type(None)) for value in there for each in value):
            return None
        result = np.full((len(lists), len(there[0])), np.nan)
        result[[bool(each) for each in lists]] = np.array(there, dtype=np.float64)
        result[np.isinf(result)] = np.nan
        return None if np.isnan(result).all() else result

    @Once
    def infinities(self) -> int:
        """Return how many cells are an infinite number."""
        return sum(isinstance(value, float) and np.isinf(value) for value in self._values)

    @Once
    def distinct_numbers(self) -> set[float]:
        """Return the different numbers of cells that are single ones."""
        return {value for value in self._values if isinstance(value, int | float)}

    @Once
    def lengths(self) -> list[int]:
        """Return the different numbers of values in cells that are lists of numbers."""
        return sorted({len(value) for value in self._values if isinstance(value, list) and value})

    @property
    def is_of_lists(self) -> bool:
        """Return whether cells are lists of numbers."""
        return bool(self.lengths)

    @property
    def single(self) -> NDArray[np.float64] | None:
        """Return (n,) numbers, one a cell; None if cells are not single numbers."""
        numbers = self.numbers
        return None if numbers is None or self.is_of_lists else numbers[:, 0]

    @Once
    def are_whole(self) -> bool:
        """Return whether all its numbers are whole."""
        return self.single is not None and all(
            type(value) is int or value.is_integer() for value in self.distinct_numbers
        )

    @property
    def is_of_truths(self) -> bool:
        """Return whether all its numbers are 0 or 1."""
        return self.single is not None and set(self.filled) <= {"0", "1", "0.0", "1.0"}

    @Once
    def counts_rows(self) -> bool:
        """Return whether each number is the one before and 1, from 0 or 1."""
        single = self.single
        return (
            single is not None
            and len(single) > 2
            and single[0] in (0, 1)
            and bool(np.all(np.diff(single) == 1))
        )

    @Once
    def is_constant(self) -> bool:
        """Return whether all its numbers are the same."""
        numbers = self.numbers
        if numbers is None or len(numbers) < 2:
            return False
        if not self.is_of_lists:
            return len(self.distinct_numbers) == 1 and len(self.filled) > 1
        there = numbers[~np.isnan(numbers).any(axis=1)]
        return len(there) > 1 and bool((there == there[0]).all())


def columns_of(rows: Sequence[dict[str, Any]]) -> Iterator[Column]:
    """Yield the columns of rows, without the rows' own number."""
    for name in list(rows[0])[1:]:
        yield Column(name, [row[name] for row in rows])
