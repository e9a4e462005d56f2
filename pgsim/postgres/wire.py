"""How arrays and rows of COPY lie in PostgreSQL's binary form."""

import struct

import numpy as np

REAL = 700  # pg_type oid, fixed for ever
ARRAY_HEADER = struct.Struct(">iiIii")  # dimensions, has NULLs, element oid, length, lower bound
COPY_HEADER, COPY_TRAILER = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"


def items(kind: str) -> np.dtype[np.void]:
    """How an array's items of a four-byte type lie one after the other, each with its size."""
    return np.dtype([("size", ">i4"), ("value", kind)])
