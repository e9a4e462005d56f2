"""Rows of tables in CSV, Parquet and NumPy files, as JSON documents.

A row is the object {column: value}, with its number in the file, from 0, as `row`. The cells of a
CSV stay texts. A missing value, NaN included, is null; a row of an array is a list.
"""

import csv
import io
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import chain
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any
from zipfile import BadZipFile

import numpy as np
import orjson
from numpy.typing import NDArray

from pgsim.errors import UsageError
from pgsim.sources.streams.files import LONGEST, Member, Readers, SourceError

BATCH = 1000  # rows of a Parquet file in memory at once
_DELIMITERS = ",;\t"
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


def _csv(stream: IO[bytes], name: str) -> Iterator[Member]:
    """Yield rows; the delimiter is the most frequent of comma, semicolon and tab in the header."""
    csv.field_size_limit(LONGEST)
    # A byte that is not UTF-8 costs its row, not the file.
    text = (line.decode(errors="surrogateescape") for line in _lines(stream))
    header = next(text, "").removeprefix("\ufeff")
    lines = csv.reader(chain([header], text), delimiter=max(_DELIMITERS, key=header.count))
    try:
        columns = next(lines, [])
        _require_columns(columns)
        for number, cells in enumerate(filter(None, lines)):
            where = f"{name}:{lines.line_num}"
            if len(cells) != len(columns):
                fault = f"{len(cells)} cells; the header has {len(columns)}"
                yield Member(where, b"", fault)
            else:
                yield _member(where, number, zip(columns, cells, strict=True))
    except csv.Error as error:
        raise SourceError(f"not CSV, line {lines.line_num}: {error}") from None


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of a stream; SourceError for one that would fill memory."""
    while line := stream.readline(LONGEST + 1):
        if len(line) > LONGEST:
            raise SourceError(f"a line longer than {LONGEST >> 20} MiB: this is no table")
        yield line


def _parquet(stream: IO[bytes], name: str) -> Iterator[Member]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError:
        raise UsageError("pyarrow is not installed; pip install 'pgsim[parquet]'") from None
    try:
        file = pyarrow.parquet.ParquetFile(_seekable(stream))
        _require_columns(file.schema_arrow.names)
        number = 0
        for batch in file.iter_batches(batch_size=BATCH):
            for row in batch.to_pylist():
                yield _member(f"{name}:{number}", number, row.items())
                number += 1
    except pyarrow.ArrowException as error:
        raise SourceError(f"not Parquet: {_line(error)}") from None


def _npz(stream: IO[bytes], name: str) -> Iterator[Member]:
    """Yield row i of every array together; an array of one dimension has a scalar for each row."""
    try:
        with np.load(_seekable(stream), allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except _NOT_NUMPY as error:
        raise SourceError(_unreadable(error)) from None
    yield from _arrays({key: array for key, array in arrays.items() if array.ndim}, name)


def _npy(stream: IO[bytes], name: str) -> Iterator[Member]:
    """Yield the rows of one array, named as its file, or with a column for each of its fields."""
    try:
        array = np.load(_seekable(stream), allow_pickle=False)
    except _NOT_NUMPY as error:
        raise SourceError(_unreadable(error)) from None
    if not array.ndim:
        raise SourceError("a single value is not a table")
    fields = array.dtype.names
    column = Path(name).name.partition(".")[0]
    yield from _arrays({key: array[key] for key in fields} if fields else {column: array}, name)


def _arrays(arrays: dict[str, NDArray[Any]], name: str) -> Iterator[Member]:
    lengths = {key: len(array) for key, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{key} {length}" for key, length in lengths.items())
        raise SourceError(f"the arrays of a table have the same length; these differ: {found}")
    rows = {key: _plain(array) for key, array in arrays.items()}
    for number in range(max(lengths.values(), default=0)):
        yield _member(f"{name}:{number}", number, ((key, rows[key][number]) for key in rows))


def _plain(array: NDArray[Any]) -> NDArray[Any] | list[Any]:
    """Return an array whose rows orjson can write, (n,) or (n, values), or a list of texts."""
    if array.dtype.kind == "b":
        array = array.astype(np.uint8)
    if array.dtype.kind not in "iuf":
        return list(array.tolist())
    if array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    flat = array.reshape(len(array), -1) if array.ndim > 1 else array
    return np.ascontiguousarray(flat, array.dtype.newbyteorder("="))


def _member(where: str, number: int, cells: Iterable[tuple[str, Any]]) -> Member:
    row = {"row": number} | dict(cells)
    for column, value in row.items():
        if _has_infinity(value):
            return Member(where, b"", f"{column}: infinity is not a number")
    try:
        return Member(
            where,
            orjson.dumps(
                row, default=_written, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
            ),
        )
    except orjson.JSONEncodeError as error:
        is_text = "surrogate" in str(error) or "UTF-8" in str(error)
        return Member(where, b"", "not UTF-8" if is_text else f"cannot be read: {error}")


def _has_infinity(value: Any) -> bool:
    """Return whether a value has an infinity, which JSON would make null: a missing value."""
    if isinstance(value, list) and value and isinstance(value[0], float):
        value = np.array(value, dtype=np.float64)
    is_number = isinstance(value, float | np.floating) or (
        isinstance(value, np.ndarray) and value.dtype.kind == "f"
    )
    return is_number and bool(np.isinf(value).any())


def _written(value: Any) -> Any:
    """Return a text or number for a value unknown to orjson; an MBID of bytes in hexadecimal."""
    if isinstance(value, bytes):
        return value.hex()
    return float(value) if isinstance(value, Decimal) else str(value)


def _require_columns(columns: list[str]) -> None:
    if not any(columns):
        raise SourceError("no header: the first line has to name the columns")
    for column, count in Counter(columns).items():
        if count > 1:
            raise SourceError(f"two columns are named '{column}': rename one")


def _seekable(stream: IO[bytes]) -> IO[bytes]:
    return stream if stream.seekable() else io.BytesIO(stream.read())


def _unreadable(error: Exception) -> str:
    reason = _line(error)
    if "Object arrays" in reason:
        return "an array of Python objects, which could run code: save texts with dtype str"
    return f"not NumPy's format: {reason}"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


TABLE_READERS: Readers = {"csv": _csv, "tsv": _csv, "parquet": _parquet, "npz": _npz, "npy": _npy}
