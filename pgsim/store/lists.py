"""Lists of neighbours, written to PostgreSQL and read from it as arrays."""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgsim.postgres.adapters import register_arrays
from pgsim.postgres.connection import Connection
from pgsim.postgres.copying import array_of, copy_out
from pgsim.postgres.wire import COPY_HEADER, COPY_TRAILER, items

REACH = 50  # nearest distances whose mean is a recording's reach: reach_length() of SQL

_INTEGER, _REAL = 23, 700  # pg_type oids
_INFINITY = "real 'Infinity'"


def read_lists(
    conn: Connection, ids: NDArray[np.int32], length: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    """The stored lists of these ids: their ids (n,), neighbours and distances (n, length).

    Neighbours are ids, nearest first; shorter lists end in -1 at distance inf.
    """
    return copy_lists(
        conn,
        "SELECT id, neighbours, distances FROM pgsim.similarity WHERE id = ANY(%s) ORDER BY id",
        length,
        [ids.tolist()],
    )


def copy_lists(
    conn: Connection, query: str, length: int, parameters: Sequence[Any] = ()
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    """The lists of a query for id, neighbours and distances, shaped as by read_lists()."""

    def filled(column: str, nothing: str) -> str:
        return (
            f"CASE cardinality({column}) WHEN {length} THEN {column} ELSE"
            f" ({column} || array_fill({nothing}, ARRAY[{length}]))[1:{length}] END"
        )

    rows = copy_out(
        conn,
        f"SELECT id, {filled('neighbours', '-1')}, {filled('distances', _INFINITY)}"
        f" FROM ({query}) AS l",
        [
            ("id", ">i4"),
            ("neighbours", array_of(">i4", length)),
            ("distances", array_of(">f4", length)),
        ],
        parameters,
    )
    return (
        rows["id"].astype(np.int32),
        rows["neighbours"]["items"]["value"].astype(np.int32),
        rows["distances"]["items"]["value"].astype(np.float32),
    )


def read_radii(conn: Connection, length: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Every list's id (n,) and its last member's distance; inf for one shorter than `length`."""
    register_arrays(conn)
    # As two arrays: a million rows would take longer to receive than to read.
    with conn.cursor(binary=True) as cursor:
        [row] = cursor.execute(
            "SELECT coalesce(array_agg(id), '{}'),"
            " coalesce(array_agg(coalesce(distances[%s], 'Infinity')), '{}') FROM pgsim.similarity",
            (length,),
        )
    return row[0], row[1]


def read_reaches(conn: Connection) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Every list's id (n,) and its reach; NaN for an empty one."""
    rows = copy_out(
        conn,
        "SELECT id, coalesce(reach, 'NaN') FROM pgsim.similarity",
        [("id", ">i4"), ("reach", ">f4")],
    )
    return rows["id"].astype(np.int32), rows["reach"].astype(np.float32)


def write_lists(
    conn: Connection,
    table: str,
    ids: NDArray[np.int32],
    neighbours: NDArray[np.int32],
    distances: NDArray[np.float32],
) -> None:
    """COPY lists into a table shaped as pgsim.similarity.

    `ids` is (n,), `neighbours` (ids) and `distances` are (n, k), nearest first; -1 where a list is
    shorter.
    """
    lengths = (neighbours >= 0).sum(axis=1)
    statement = f"COPY {table} (id, neighbours, distances, reach) FROM STDIN (FORMAT binary)"
    with conn.cursor().copy(statement.encode()) as copy:
        copy.write(COPY_HEADER)
        # Rows of one length have one shape; in all but small collections there is one length.
        for length in np.unique(lengths):
            own = lengths == length
            copy.write(_pack(ids[own], neighbours[own, :length], distances[own, :length]))
        copy.write(COPY_TRAILER)


def _pack(
    ids: NDArray[np.int32], neighbours: NDArray[np.int32], distances: NDArray[np.float32]
) -> bytes:
    """COPY's binary rows of lists of one length; every field has its size before it."""
    length = neighbours.shape[1]
    if not length:
        # An empty array has no dimension, and its reach is NULL.
        empty = struct.pack(">iiii", 12, 0, 0, _INTEGER) + struct.pack(">iiii", 12, 0, 0, _REAL)
        return b"".join(struct.pack(">hii", 4, 4, id_) + empty + b"\xff" * 4 for id_ in ids)
    array: Sequence[tuple[str, str]] = [
        (name, ">i4") for name in ("size", "dimensions", "nulls", "oid", "length", "bound")
    ]
    kind = np.dtype(
        [
            ("fields", ">i2"),
            ("id_size", ">i4"),
            ("id", ">i4"),
            ("neighbours", [*array, ("items", items(">i4"), length)]),
            ("distances", [*array, ("items", items(">f4"), length)]),
            ("reach_size", ">i4"),
            ("reach", ">f4"),
        ]
    )
    rows = np.zeros(len(ids), kind)
    rows["fields"] = 4
    rows["id_size"] = rows["reach_size"] = 4
    rows["id"] = ids
    rows["reach"] = distances[:, :REACH].mean(axis=1, dtype=np.float64)
    for name, oid, values in (
        ("neighbours", _INTEGER, neighbours),
        ("distances", _REAL, distances),
    ):
        field = rows[name]
        field["size"] = 20 + 8 * length
        field["dimensions"] = field["bound"] = 1
        field["oid"] = oid
        field["length"] = length
        field["items"]["size"] = 4
        field["items"]["value"] = values
    return rows.tobytes()
