"""Rows of tables in CSV, Parquet and NumPy files, as JSON documents.

A row is the object {column: value}, with its number in the file, from 0, as `row`. The cells of a
CSV stay texts as they stand, but numbers in groups, with decimal commas or with units are written
plainly. A missing value, NaN included, is null; a row of an array is a list.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from math import inf
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import numpy as np
import orjson

from pgsim.sources import arrays, parquet
from pgsim.sources.dialect import dialect_of
from pgsim.sources.row_blocks import row_blocks
from pgsim.sources.streams.files import Member, Readers, kind_of, opened

_AS_JSON = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS


def notes_of(path: Path) -> tuple[str, ...]:
    """Return what a person has to know of how a table is read; SourceError if it cannot be."""
    kind = kind_of(path)
    if TABLE_READERS[kind] is _csv:
        return dialect_of(path).notes
    with opened(path) as stream:
        if kind == "npz":
            return arrays.archive(stream)[1]
        return parquet.notes(stream) if kind == "parquet" else ()


def _csv(stream: IO[bytes], name: str) -> Iterator[Member]:
    """Yield rows, read by the dialect of the first part."""
    for block in row_blocks(stream, name):
        yield from block.members()


def _parquet(stream: IO[bytes], name: str) -> Iterator[Member]:
    return _members(name, parquet.rows(stream))


def _npz(stream: IO[bytes], name: str) -> Iterator[Member]:
    return _members(name, arrays.rows_of(arrays.archive(stream)[0]))


def _npy(stream: IO[bytes], name: str) -> Iterator[Member]:
    return _members(name, arrays.rows_of(arrays.array(stream, name)))


def _members(name: str, rows: Iterable[Mapping[str, Any]]) -> Iterator[Member]:
    for number, cells in enumerate(rows):
        where = f"{name}:{number}"
        for column, value in cells.items():
            if _has_infinity(value):
                yield Member(where, b"", f"{column}: infinity is not a number")
                break
        else:
            yield _member(where, {"row": number} | dict(cells))


def _member(where: str, row: Mapping[str, Any]) -> Member:
    try:
        return Member(where, orjson.dumps(row, default=_written, option=_AS_JSON))
    except orjson.JSONEncodeError as error:
        is_text = "surrogate" in str(error) or "UTF-8" in str(error)
        return Member(where, b"", "not UTF-8" if is_text else f"cannot be read: {error}")


def _has_infinity(value: Any) -> bool:
    """Return whether a value has an infinity, which JSON would make null: a missing value."""
    if isinstance(value, float | np.floating):
        return math.isinf(value)
    if isinstance(value, list):
        is_nested = bool(value) and isinstance(value[0], list | dict)
        return any(map(_has_infinity, value)) if is_nested else inf in value or -inf in value
    if isinstance(value, np.ndarray):
        return value.dtype.kind == "f" and bool(np.isinf(value).any())
    return isinstance(value, dict) and any(map(_has_infinity, value.values()))


def _written(value: Any) -> Any:
    """Return a text or number for a value unknown to orjson.

    Sixteen bytes are a UUID, others are written in hexadecimal; a span of time is in seconds.
    """
    if isinstance(value, bytes):
        return str(UUID(bytes=value)) if len(value) == 16 else value.hex()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return float(value) if isinstance(value, Decimal) else str(value)


TABLE_READERS: Readers = {
    **{"csv": _csv, "tsv": _csv, "arff": _csv},
    **{"parquet": _parquet, "npz": _npz, "npy": _npy},
}
