"""Rows of NumPy files: of an archive, whose arrays are the columns, or of one array."""

import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from pgsim.sources.streams.files import SourceError, seekable

Arrays = Mapping[str, NDArray[Any]]

# What NumPy raises for files whose header or archive is not as its format says: a shape that no
# memory holds, a header that is no Python literal, or one that is nested too deeply.
_NOT_NUMPY = (
    ArithmeticError,
    BadZipFile,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    RecursionError,
    SyntaxError,
    TokenError,
    TypeError,
    ValueError,
    zlib.error,
)


def archive(stream: IO[bytes]) -> tuple[Arrays, tuple[str, ...]]:
    """Return the arrays of an archive that are its table, and notes on those that are left out.

    SourceError if it cannot be read, or if it is not clear which arrays are the table.
    """
    try:
        with np.load(seekable(stream), allow_pickle=False) as found:
            arrays = {key: found[key] for key in found.files}
    except _NOT_NUMPY as error:
        raise SourceError(_unreadable(error)) from None
    return _table(arrays)


def array(stream: IO[bytes], name: str) -> Arrays:
    """Return one array by the name of its file, or the fields of a structured one by their names.

    SourceError if it cannot be read, or is no table.
    """
    found = load_array(stream)
    if not found.ndim:
        raise SourceError("a single value is not a table")
    fields = found.dtype.names
    column = Path(name).name.partition(".")[0]
    return {key: found[key] for key in fields} if fields else {column: found}


def load_array(stream: IO[bytes]) -> NDArray[Any]:
    """Return the array in a file; SourceError if it cannot be read."""
    try:
        found: NDArray[Any] = np.load(seekable(stream), allow_pickle=False)
    except _NOT_NUMPY as error:
        raise SourceError(_unreadable(error)) from None
    return found


def rows_of(arrays: Arrays) -> Iterator[dict[str, Any]]:
    """Yield row i of every array together; an array of one dimension has a scalar for each row."""
    rows = {key: _plain(each) for key, each in arrays.items()}
    for number in range(max(map(len, rows.values()), default=0)):
        yield {key: each[number] for key, each in rows.items()}


def _table(arrays: Arrays) -> tuple[Arrays, tuple[str, ...]]:
    """Return the arrays of the table's length, and notes on the others.

    The table's length is that of most arrays, or of the only matrix. The others are left out where
    they say something of the columns or of the whole: one value for each column of a matrix, or
    fewer values than half of the rows. Anything else could be what rows lack.
    """
    lengths = {key: len(each) for key, each in arrays.items() if each.ndim}
    single = [key for key, each in arrays.items() if not each.ndim]
    if len(set(lengths.values())) > 1:
        length = _length(arrays, lengths)
        if length is None:
            found = ", ".join(f"{key} {length}" for key, length in lengths.items())
            raise SourceError(
                f"the arrays of a table have the same length; these differ: {found};"
                " save those of one table in a file of their own"
            )
    else:
        length = max(lengths.values(), default=0)
    table = {key: arrays[key] for key in lengths if lengths[key] == length}
    left_out = [f"{key} ({lengths[key]})" for key in lengths if lengths[key] != length]
    if not single and not left_out:
        return table, ()
    left_out += [f"{key} (a single value)" for key in single]
    return table, (f"left out, since the table has {length} rows: {', '.join(left_out)}",)


def _length(arrays: Arrays, lengths: Mapping[str, int]) -> int | None:
    """Return the number of the table's rows, or None if that is not clear."""
    counts = Counter(lengths.values())
    matrices = {lengths[key] for key in lengths if arrays[key].ndim > 1}
    [(length, count), (_, next_count), *_] = counts.most_common()
    if count == next_count:
        tied = [each for each in counts if counts[each] == count and each in matrices]
        if len(tied) != 1:
            return None
        length = tied[0]
    table = [arrays[key] for key in lengths if lengths[key] == length]
    if not any(each.ndim > 1 or _is_id(each) for each in table):
        return None
    widths = {each.shape[1] for each in table if each.ndim > 1}
    for key, other in lengths.items():
        is_short = arrays[key].ndim == 1 and other <= length / 2
        if other != length and not is_short and other not in widths:
            return None
    return length


def _is_id(each: NDArray[Any]) -> bool:
    return each.dtype.kind in "iuUS" and len(np.unique(each)) == len(each)


def _plain(each: NDArray[Any]) -> NDArray[Any] | list[Any]:
    """Return an array whose rows orjson can write, (n,) or (n, values), or a list of texts."""
    if each.dtype.kind == "b":
        each = each.astype(np.uint8)
    if each.dtype.kind not in "iuf":
        return list(each.tolist())
    if each.dtype.itemsize > 8:
        each = each.astype(np.float64)
    flat = each.reshape(len(each), -1) if each.ndim > 1 else each
    return np.ascontiguousarray(flat, each.dtype.newbyteorder("="))


def _unreadable(error: Exception) -> str:
    reason = " ".join(str(error).split())
    if "Object arrays" in reason:
        return "an array of Python objects, which could run code: save texts with dtype str"
    return f"not NumPy's format: {reason}"
