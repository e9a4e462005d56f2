"""Read the matrix in one snapshot, a block of lists at a time, with MBIDs for ids."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgsim.postgres.adapters import register_arrays
from pgsim.postgres.connection import Connection
from pgsim.postgres.copying import copy_out
from pgsim.postgres.rows import one_row
from pgsim.progress import Advance, still
from pgsim.store.collection import read_collection
from pgsim.store.lists import copy_lists
from pgsim.store.mbids import texts_of
from pgsim.store.snapshot import snapshot
from pgsim.store.vectors import read_vectors_of

BLOCK = 5000  # lists in memory at once


@dataclass(frozen=True, slots=True)
class ListBlock:
    """The lists of some recordings, as row numbers: recordings in the order of their ids, from 0.

    `rows` is (n,) int32; `neighbours` (n, k) int32 and `distances` (n, k) float32, nearest first.
    The neighbour is -1 where a list ends, and where a recording is gone: its rank stays empty.
    """

    rows: NDArray[np.int32]
    neighbours: NDArray[np.int32]
    distances: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TextList:
    """One recording's list as text: MBIDs, and distances as PostgreSQL writes them."""

    mbid: str
    ranks: list[int]
    similar: list[str]
    distances: list[str]


class Matrix:
    """The matrix to export. `mbids` (n, 16) uint8 and `texts` (n,) bytes are by row number.

    It keeps 60 bytes of each recording in memory; lists and metadata pass through. `lists` and
    `pairs` count those that have passed; `pending` recordings have changed since the lists were
    made.
    """

    def __init__(self, conn: Connection, table: str, advance: Advance) -> None:
        register_arrays(conn)
        self.conn = conn
        self.lists = self.pairs = self.vectors_written = 0
        self.table, self._advance = f"pgsim.{table}", advance
        self.length: int
        self.pending: int
        self.length, self.pending = one_row(
            conn,
            "SELECT list_length, (SELECT count(DISTINCT id) FROM pgsim.stale)"
            " FROM pgsim.collection",
        )
        recordings = copy_out(
            conn,
            "SELECT id, mbid FROM pgsim.recording ORDER BY id",
            [("id", ">i4"), ("mbid", "u1", 16)],
        )
        self.ids: NDArray[np.int32] = recordings["id"].astype(np.int32)
        self.mbids: NDArray[np.uint8] = np.ascontiguousarray(recordings["mbid"])
        self.texts = texts_of(self.mbids)
        # By id; the last entry, index -1, is -1 too.
        self._row_of = np.full(int(self.ids.max(initial=0)) + 2, -1, np.int32)
        self._row_of[self.ids] = np.arange(len(self.ids), dtype=np.int32)

    def blocks(self) -> Iterator[ListBlock]:
        """Yield all lists, as row numbers."""
        for ids in self._parts():
            found, neighbours, distances = copy_lists(
                self.conn,
                f"SELECT id, neighbours, distances FROM {self.table}"
                " WHERE id = ANY(%s) ORDER BY id",
                self.length,
                [ids.tolist()],
            )
            block = ListBlock(self._rows(found), self._rows(neighbours), distances)
            self._count(len(found), int((block.neighbours >= 0).sum()))
            yield block

    def texts_of_lists(self) -> Iterator[TextList]:
        """Yield all lists, as text."""
        for ids in self._parts():
            cursor = self.conn.cursor(binary=True).execute(
                "SELECT id, neighbours, array_to_string(distances, ',')"
                f" FROM {self.table} WHERE id = ANY(%s) ORDER BY id".encode(),
                (ids.tolist(),),
            )
            lists = pairs = 0
            for id_, neighbours, distances in cursor:
                rows = self._rows(neighbours)
                living = np.flatnonzero(rows >= 0)
                apart = distances.split(",")
                lists, pairs = lists + 1, pairs + len(living)
                yield TextList(
                    bytes(self.texts[self._row_of[id_]]).decode(),
                    (living + 1).tolist(),
                    [text.decode() for text in self.texts[rows[living]].tolist()],
                    [apart[rank] for rank in living.tolist()],
                )
            self._count(lists, pairs)

    def recordings(self, columns: Sequence[str]) -> Iterator[list[tuple[Any, ...]]]:
        """Yield these columns of every recording, by row number, a block of rows at a time."""
        with self.conn.cursor("recordings") as cursor:
            cursor.execute(f"SELECT {', '.join(columns)} FROM pgsim.recording ORDER BY id".encode())
            while rows := cursor.fetchmany(BLOCK):
                yield rows

    def vectors(self) -> Iterator[tuple[NDArray[np.int32], NDArray[np.float32]]]:
        """Yield the row numbers (n,) and vectors (n, dimensions) of recordings that have one."""
        for ids in self._parts():
            found = read_vectors_of(self.conn, ids)
            self.vectors_written += len(found.ids)
            yield self._rows(found.ids), found.vectors
            self._advance(len(found.ids))

    def _parts(self) -> Iterator[NDArray[np.int32]]:
        for start in range(0, len(self.ids), BLOCK):
            yield self.ids[start : start + BLOCK]

    def _rows(self, ids: NDArray[np.int32]) -> NDArray[np.int32]:
        """The row numbers of ids, -1 for those that are gone."""
        rows: NDArray[np.int32] = self._row_of[np.minimum(ids, len(self._row_of) - 1)]
        return rows

    def _count(self, lists: int, pairs: int) -> None:
        self.lists += lists
        self.pairs += pairs
        self._advance(lists)


@contextmanager
def open_matrix(conn: Connection, advance: Advance = still) -> Iterator[Matrix]:
    """The matrix in a snapshot of its own; PgsimError where pgsim is not installed.

    `conn` is in autocommit mode; `advance` receives the number of lists read.
    """
    read_collection(conn)
    with snapshot(conn) as table:
        yield Matrix(conn, table, advance)
