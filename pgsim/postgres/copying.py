"""Read and write rows of one shape by binary COPY, as numpy arrays."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from pgsim.postgres.connection import Connection
from pgsim.postgres.wire import COPY_HEADER, COPY_TRAILER, items

Field = tuple[str, DTypeLike] | tuple[str, DTypeLike, int]


def copy_out(
    conn: Connection, query: str, fields: Sequence[Field], parameters: Sequence[Any] = ()
) -> NDArray[np.void]:
    """The rows of a query as a structured array; fields are big-endian, as COPY sends them.

    No value may be NULL, and those of a field must be of one size.
    """
    shape: list[Any] = [("fields", ">i2")]
    for name, *kind in fields:
        shape += [(f"{name} size", ">i4"), (name, *kind)]
    row = np.dtype(shape)
    data = bytearray()
    with conn.cursor().copy(
        f"COPY ({query}) TO STDOUT (FORMAT binary)".encode(), parameters
    ) as copy:
        for block in copy:
            data += block
    count = (len(data) - len(COPY_HEADER) - len(COPY_TRAILER)) // row.itemsize
    return np.frombuffer(data, row, count, len(COPY_HEADER))


def copy_in(conn: Connection, table: str, columns: dict[str, NDArray[Any]]) -> None:
    """Write rows into `table (name, …)`, a column from each array (n,) of four-byte numbers."""
    shape: list[Any] = [("fields", ">i2")]
    for name, values in columns.items():
        shape += [(f"{name} size", ">i4"), (name, values.dtype.newbyteorder(">"))]
    rows = np.empty(len(next(iter(columns.values()))), np.dtype(shape))
    rows["fields"] = len(columns)
    for name, values in columns.items():
        rows[f"{name} size"] = 4
        rows[name] = values
    with conn.cursor().copy(f"COPY {table} FROM STDIN (FORMAT binary)".encode()) as copy:
        copy.write(COPY_HEADER + rows.tobytes() + COPY_TRAILER)


def array_of(kind: str, length: int) -> np.dtype[np.void]:
    """The layout of an array without NULLs: its values are `array["items"]["value"]`."""
    header = [(name, ">i4") for name in ("dimensions", "nulls", "oid", "length", "bound")]
    if not length:
        return np.dtype(header[:3])
    return np.dtype([*header, ("items", items(kind), length)])
