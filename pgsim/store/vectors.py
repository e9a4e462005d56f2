"""All vectors of a collection, read from PostgreSQL at millions in seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgsim.postgres.connection import Connection
from pgsim.postgres.copying import copy_out
from pgsim.postgres.rows import one_value
from pgsim.threads import in_parts


@dataclass(frozen=True, slots=True)
class Vectors:
    """Recordings with a vector, in the order of their ids.

    `ids` is (n,) int32; `mbids` (n, 2) uint64, the two halves of each MBID; `vectors` (n,
    dimensions) float32.
    """

    ids: NDArray[np.int32]
    mbids: NDArray[np.uint64]
    vectors: NDArray[np.float32]

    def order(self) -> NDArray[np.int32]:
        """The rank (n,) of each recording by MBID, which decides ties."""
        by_mbid = np.argsort(self.mbids[:, 0])
        first = self.mbids[by_mbid, 0]
        if (first[1:] == first[:-1]).any():
            by_mbid = np.lexsort((self.mbids[:, 1], self.mbids[:, 0]))
        rank = np.empty(len(self.ids), np.int32)
        rank[by_mbid] = np.arange(len(rank))
        return rank

    def row_of(self) -> NDArray[np.int32]:
        """Row numbers by id, -1 for an id without a row; the last entry, index -1, is -1 too."""
        result = np.full(int(self.ids.max(initial=0)) + 2, -1, np.int32)
        result[self.ids] = np.arange(len(self.ids), dtype=np.int32)
        return result


def read_vectors(conn: Connection) -> Vectors:
    """All recordings that have a vector, as one statement sees them."""
    return _copy_vectors(conn, "", [])


def read_vectors_of(conn: Connection, ids: NDArray[np.int32]) -> Vectors:
    """Those of some recordings that have a vector."""
    return _copy_vectors(conn, "AND id = ANY(%s)", [ids.tolist()])


def _copy_vectors(conn: Connection, condition: str, parameters: Sequence[Any]) -> Vectors:
    dimensions = int(one_value(conn, "SELECT sum(length) FROM pgsim.feature_set"))
    rows = copy_out(
        conn,
        f"SELECT id, mbid, vector FROM pgsim.recording WHERE vector IS NOT NULL {condition}"
        " ORDER BY id",
        [
            ("id", ">i4"),
            ("mbid", ">u8", 2),
            ("vector", [("dimensions", ">i2"), ("unused", ">i2"), ("values", ">f4", dimensions)]),
        ],
        parameters,
    )
    vectors = np.empty((len(rows), dimensions), np.float32)

    def convert(part: slice) -> None:
        vectors[part] = rows["vector"]["values"][part]

    in_parts(convert, len(rows))
    return Vectors(rows["id"].astype(np.int32), rows["mbid"].astype(np.uint64), vectors)
