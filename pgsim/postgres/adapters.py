"""psycopg adapters between numpy arrays and PostgreSQL's real[] and integer[]."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.adapt import Buffer, Dumper, Loader
from psycopg.pq import Format

from pgsim.postgres.wire import ARRAY_HEADER, REAL, items

REAL_ARRAY, INTEGER_ARRAY = 1021, 1007  # pg_type oids, fixed for ever
_REALS, _INTEGERS = items(">f4"), items(">i4")


class RealArrayDumper(Dumper):
    """Dumps (n,) float32 as real[]."""

    format = Format.BINARY
    oid = REAL_ARRAY

    def dump(self, obj: NDArray[np.float32]) -> Buffer:
        packed = np.empty(len(obj), _REALS)
        packed["size"] = 4
        packed["value"] = obj
        return ARRAY_HEADER.pack(1, 0, REAL, len(obj), 1) + packed.tobytes()


class RealArrayLoader(Loader):
    """Loads real[] without NULLs as (n,) float32."""

    format = Format.BINARY

    def load(self, data: Buffer) -> NDArray[np.float32]:
        return np.frombuffer(data, _REALS, offset=_start(data))["value"].astype(np.float32)


class IntegerArrayLoader(Loader):
    """Loads integer[] without NULLs as (n,) int32."""

    format = Format.BINARY

    def load(self, data: Buffer) -> NDArray[np.int32]:
        return np.frombuffer(data, _INTEGERS, offset=_start(data))["value"].astype(np.int32)


def reals_of(values: Sequence[bytes]) -> NDArray[np.float32]:
    """Return real[] without NULLs, all of one length, as (values, length) float32."""
    start = _start(values[0])
    row = np.dtype([("header", f"V{start}"), ("items", _REALS, (len(values[0]) - start) // 8)])
    return np.frombuffer(b"".join(values), row)["items"]["value"].astype(np.float32)


def _start(data: Buffer) -> int:
    """The offset of the items: an empty array has a shorter header, and no items."""
    return min(ARRAY_HEADER.size, len(data))


def register_arrays(conn: psycopg.Connection[Any]) -> None:
    """Use numpy for arrays on this connection, in binary results and typed COPY.

    The dumper is registered for the type alone: elsewhere pgvector takes an ndarray for a vector.
    """
    conn.adapters.register_dumper(None, RealArrayDumper)
    conn.adapters.register_loader(REAL_ARRAY, RealArrayLoader)
    conn.adapters.register_loader(INTEGER_ARRAY, IntegerArrayLoader)
