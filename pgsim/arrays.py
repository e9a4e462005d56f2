"""numpy arrays in and out of PostgreSQL's real[], in COPY's and psycopg's binary form."""

import struct
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.adapt import Buffer, Dumper, Loader
from psycopg.pq import Format

REAL, REAL_ARRAY = 700, 1021  # pg_type oids, fixed for ever
_HEADER = struct.Struct(">iiIii")  # dimensions, has NULLs, element oid, length, lower bound
_ITEM = np.dtype([("size", ">i4"), ("value", ">f4")])


class RealArrayDumper(Dumper):
    """(n,) float32 to real[]."""

    format = Format.BINARY
    oid = REAL_ARRAY

    def dump(self, obj: NDArray[np.float32]) -> Buffer:
        items = np.empty(len(obj), _ITEM)
        items["size"] = 4
        items["value"] = obj
        return _HEADER.pack(1, 0, REAL, len(obj), 1) + items.tobytes()


class RealArrayLoader(Loader):
    """real[] without NULLs to (n,) float32."""

    format = Format.BINARY

    def load(self, data: Buffer) -> NDArray[np.float32]:
        items = np.frombuffer(data, _ITEM, offset=_HEADER.size if len(data) > 12 else len(data))
        return items["value"].astype(np.float32)


def register_arrays(conn: psycopg.Connection[Any]) -> None:
    """Use numpy for real[] on this connection, in binary results and typed COPY.

    The dumper is registered for the type alone: elsewhere pgvector takes an ndarray for a vector.
    """
    conn.adapters.register_dumper(None, RealArrayDumper)
    conn.adapters.register_loader(REAL_ARRAY, RealArrayLoader)
