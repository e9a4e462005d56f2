"""The layout of arrays and of rows of COPY in PostgreSQL's binary format.

It is apart from the modules that use a connection: worker processes pack rows by it, and import no
psycopg, which would slow the start of each. tests/unit/test_floors.py checks that.
"""

import struct

import numpy as np

REAL = 700  # pg_type oid, fixed for ever
ARRAY_HEADER = struct.Struct(">iiIii")  # dimensions, has NULLs, element oid, length, lower bound
COPY_HEADER, COPY_TRAILER = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"


def items(kind: str) -> np.dtype[np.void]:
    """The layout of an array's item of a four-byte type: its size, then its value."""
    return np.dtype([("size", ">i4"), ("value", kind)])
