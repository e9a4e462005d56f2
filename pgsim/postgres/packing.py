"""Columns of values as fields of PostgreSQL's binary COPY, in a fraction of a driver's time.

A field is its length, then its data; a NULL is the length -1 alone.
"""

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import numpy as np
import orjson
from numpy.typing import NDArray

from pgsim.postgres.wire import ARRAY_HEADER

NULL = b"\xff\xff\xff\xff"
_TEXT, _UUID = 25, 2950  # pg_type oids, fixed for ever
_length = struct.Struct(">i").pack
_JSONB = b"\1"  # the version of its form


def packed_rows(kinds: Mapping[str, str], columns: Mapping[str, Any]) -> bytes:
    """Return rows for `COPY … FROM STDIN (FORMAT binary)`, without its header and trailer.

    `kinds` has the columns in the order of the fields, each with its type.
    """
    fields = [_PACK[kind](columns[name]) for name, kind in kinds.items()]
    begin = [struct.pack(">h", len(fields))] * (len(fields[0]) if fields else 0)
    parts: list[bytes] = []
    for row in zip(begin, *fields, strict=True):
        parts += row
    return b"".join(parts)


def field_of(data: bytes) -> bytes:
    """Return data as a field."""
    return _length(len(data)) + data


def _bytes(values: Iterable[bytes]) -> list[bytes]:
    return [field_of(each) for each in values]


def _texts(values: Iterable[str | None]) -> list[bytes]:
    encoded = (None if each is None else each.encode() for each in values)
    return [NULL if each is None else _length(len(each)) + each for each in encoded]


def _json(values: Iterable[Any]) -> list[bytes]:
    return [field_of(_JSONB + orjson.dumps(each)) for each in values]


def _numbers(values: Sequence[float | None], kind: str) -> list[bytes]:
    row = np.dtype([("size", ">i4"), ("value", kind)])
    rows = np.empty(len(values), row)
    rows["size"] = row["value"].itemsize
    given = np.array([0 if each is None else each for each in values], np.float64)
    if row["value"].kind == "i":  # what does not fit stays too large for any check of the table's
        limits = np.iinfo(row["value"])
        given = np.clip(given, limits.min, limits.max)
    with np.errstate(over="ignore"):
        rows["value"] = given
    fields: list[bytes] = rows.view(f"V{row.itemsize}").tolist()
    if None in values:
        return [NULL if each is None else field for each, field in zip(values, fields, strict=True)]
    return fields


def _vectors(values: NDArray[np.float32]) -> list[bytes]:
    """Pack (n, dimensions) vectors; one of which a number is NaN is NULL."""
    dimensions = values.shape[1]
    row = np.dtype(
        [("size", ">i4"), ("dimensions", ">i2"), ("unused", ">i2"), ("values", ">f4", dimensions)]
    )
    rows = np.empty(len(values), row)
    rows["size"], rows["dimensions"], rows["unused"] = row.itemsize - 4, dimensions, 0
    rows["values"] = values
    fields: list[bytes] = rows.view(f"V{row.itemsize}").tolist()
    for place in np.flatnonzero(np.isnan(values).any(axis=1)):
        fields[place] = NULL
    return fields


@lru_cache(maxsize=4096)
def _array(items: tuple[bytes, ...], oid: int) -> bytes:
    """Return the field of an array; few arrays are there only once."""
    if not items:
        return field_of(ARRAY_HEADER.pack(0, 0, oid, 0, 0)[:12])
    return field_of(ARRAY_HEADER.pack(1, 0, oid, len(items), 1) + b"".join(map(field_of, items)))


def _text_arrays(values: Iterable[Sequence[str] | None]) -> list[bytes]:
    return [
        NULL if each is None else _array(tuple(map(str.encode, each)), _TEXT) for each in values
    ]


def _uuid_arrays(values: Iterable[Sequence[UUID] | None]) -> list[bytes]:
    return [
        NULL if each is None else _array(tuple(item.bytes for item in each), _UUID)
        for each in values
    ]


_PACK: dict[str, Callable[[Any], list[bytes]]] = {
    "uuid": _bytes,
    "uuid[]": _uuid_arrays,
    "text": _texts,
    "text[]": _text_arrays,
    "int2": lambda values: _numbers(values, ">i2"),
    "int4": lambda values: _numbers(values, ">i4"),
    "float4": lambda values: _numbers(values, ">f4"),
    "jsonb": _json,
    "vector": _vectors,
}
