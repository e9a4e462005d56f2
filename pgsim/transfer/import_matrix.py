"""Import an exported matrix into a database that has its recordings.

Every list is checked: it is kept where its distances are those of the vectors here, and where it is
whole. So the matrix is afterwards as good as the exported one. Recordings that the file lacks, or
whose vector was another one, are pending, and refresh makes their lists.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from pgsim.errors import PgsimError
from pgsim.matrix.engines.keys import distances
from pgsim.matrix.rebuild import (
    MOST,
    Rebuild,
    begin,
    coordinating,
    give_up_foreign,
    list_length,
    switch,
    unfinished,
)
from pgsim.postgres.connection import Connection
from pgsim.progress import Advance, Say, silent, still
from pgsim.store.collection import read_collection
from pgsim.store.lists import REACH, write_lists
from pgsim.store.vectors import Vectors, read_vectors
from pgsim.transfer.pairs import Pairs, PairsError, read_pairs

ENGINE = "import"  # in pgsim.rebuild
NAMED = 5  # unknown MBIDs in a report
# How far a distance may be from that of the vectors here: shares of itself, and of the vector's
# length, since vectors that were fused elsewhere differ in their last bits.
_OF_ITSELF, _OF_VECTOR = 1e-4, 1e-6


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The account of the lists of a file: lists = stored + unknown + short + different.

    `unknown` lists are of recordings that are not here, or have no vector here. `short` lists lack
    members, which are unknown or gone. `different` lists have other distances than the vectors
    here. `unknown_mbids` counts the MBIDs, members included, that are not here with a vector;
    `named` are some of them. `pending` recordings are not in the file as they are here; recordings
    - stored have no list now. `list_length` is the number of neighbours in a list.
    """

    lists: int
    stored: int
    unknown: int
    short: int
    different: int
    unknown_mbids: int
    named: list[str]
    pending: int
    recordings: int
    list_length: int
    seconds: float


def import_matrix(
    conn: Connection,
    path: Path,
    *,
    say: Say = silent,
    advance: Advance = still,
) -> ImportReport:
    """Replace the matrix by an exported one, CSV or Parquet.

    Readers see the old matrix until the new one is whole; a failed or killed import changes
    nothing. The vectors and a part of the file are in memory. `conn` is in autocommit mode; `say`
    receives each step, `advance` the number of pairs read. PairsError where the file cannot be
    read, is not a matrix, or has none of the recordings here; PgsimError where a rebuild is under
    way.
    """
    started = time.monotonic()
    read_collection(conn)
    pairs = read_pairs(path)
    with coordinating(conn), _begun(conn, say) as begun:
        say("reading the vectors")
        lists = _Lists(read_vectors(conn))
        with conn.transaction():
            for each in _whole_lists(pairs, path):
                advance(len(each.rank))
                write_lists(conn, f"pgsim.{begun.target}", *lists.take(each, path))
            before = list_length(conn)
            length = _length(lists, before, path)
            if length != before:
                say(f"a list has {length} neighbours from now on, and had {before} before")
            cut = conn.execute(
                f"DELETE FROM pgsim.{begun.target} WHERE cardinality(neighbours) < %s".encode(),
                (min(length, len(lists.all.ids) - 1),),
            )
            stored = lists.read - lists.strange - lists.different - cut.rowcount
            if not stored:
                raise PairsError(
                    f"{path}: none of its {lists.read:,} lists is one of this collection"
                    f" ({lists.strange:,} of unknown recordings, {cut.rowcount:,} short,"
                    f" {lists.different:,} of other vectors than are here): the matrix stays as it"
                    " was"
                )
            pending = lists.all.ids[~lists.is_known]
            conn.execute(
                "INSERT INTO pgsim.stale (id) SELECT unnest(%s::integer[])", (pending.tolist(),)
            )
            conn.execute(
                "UPDATE pgsim.rebuild SET list_length = %s, description = %s WHERE id = %s",
                (length, str(path), begun.id),
            )
            conn.execute(
                "UPDATE pgsim.rebuild_part SET done_at = now() WHERE rebuild = %s", (begun.id,)
            )
        switch(conn, begun, say)
    return ImportReport(
        lists.read,
        stored,
        lists.strange,
        cut.rowcount,
        lists.different,
        len(lists.unknown),
        [_text(mbid) for mbid in sorted(lists.unknown)[:NAMED]],
        len(pending),
        len(lists.all.ids),
        length,
        round(time.monotonic() - started, 1),
    )


def require_no_rebuild(conn: Connection) -> None:
    """PgsimError where a rebuild has begun, whose table an import would need."""
    begun = unfinished(conn)
    if begun and begun.engine != ENGINE:
        raise PgsimError(
            "a rebuild is unfinished: end it with pgsim rebuild, or give it up with"
            " pgsim rebuild --restart, and import after that"
        )


@contextmanager
def _begun(conn: Connection, say: Say) -> Iterator[Rebuild]:
    """A rebuild of one part, whose lists come from a file; given up where that fails."""
    # A killed import cannot go on.
    give_up = "DELETE FROM pgsim.rebuild WHERE finished_at IS NULL AND engine = %s"
    conn.execute(give_up.encode(), (ENGINE,))
    give_up_foreign(conn, say)
    require_no_rebuild(conn)
    try:
        yield begin(conn, MOST, ENGINE, 1, 2**31 - 1, say)
    finally:
        if not conn.broken:
            conn.execute(give_up.encode(), (ENGINE,))


class _Lists:
    """The lists of a file, looked up and compared with the vectors here.

    `is_known` (n,) says which recordings are in the file as they are here.
    """

    def __init__(self, recordings: Vectors) -> None:
        self.all = recordings
        self.read = self.strange = self.different = self.longest = 0
        self.unknown: set[bytes] = set()
        self.is_known = np.zeros(len(recordings.ids), bool)
        mbids = np.frombuffer(recordings.mbids.astype(">u8").tobytes(), "S16")
        self._order = np.argsort(mbids)
        self._sorted = mbids[self._order]
        self._was_read = np.zeros(len(mbids), bool)
        self._sizes = np.linalg.norm(recordings.vectors, axis=1)

    def take(
        self, pairs: Pairs, path: Path
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
        """The lists of some pairs whose distances are right, as write_lists() takes them."""
        starts = np.flatnonzero(_begins(pairs.mbid))
        group = np.cumsum(_begins(pairs.mbid)) - 1
        order = np.lexsort((pairs.rank, group))
        rank, distance = pairs.rank[order], pairs.distance[order]
        self._require_lists(pairs, group, rank, distance, path)
        owner = self._rows(pairs.mbid[starts])
        member = self._rows(pairs.similar)[order]
        mine = owner[owner >= 0]
        if self._was_read[mine].any() or len(np.unique(mine)) < len(mine):
            raise PairsError(f"{path}: rows of a recording are apart; sort them by mbid and rank")
        self._was_read[mine] = True

        is_here = (owner[group] >= 0) & (member >= 0)
        left, right = owner[group][is_here], member[is_here]
        true = distances(self.all.vectors, left, right)
        near = np.abs(true - distance[is_here])
        is_right = near <= _OF_ITSELF * true + _OF_VECTOR * self._sizes[left]
        of = group[is_here]
        living = np.bincount(of, minlength=len(starts))
        right_ones = np.bincount(of[is_right], minlength=len(starts))
        self.is_known[owner[(owner >= 0) & (right_ones > 0)]] = True
        is_kept = (owner >= 0) & (right_ones == living)
        self.read += len(starts)
        self.strange += int((owner < 0).sum())
        self.different += int(((owner >= 0) & ~is_kept).sum())
        self.longest = max(self.longest, int(rank.max(initial=0)))

        width = int(living.max(initial=0))
        neighbours = np.full((len(starts), width), -1, np.int32)
        apart = np.full((len(starts), width), np.inf, np.float32)
        place = np.arange(len(of)) - np.searchsorted(of, of)
        neighbours[of, place] = self.all.ids[right]
        apart[of, place] = distance[is_here]
        return self.all.ids[owner[is_kept]], neighbours[is_kept], apart[is_kept]

    def _rows(self, mbids: NDArray[np.bytes_]) -> NDArray[np.intp]:
        """The row numbers; -1 for MBIDs that are not here with a vector, which are counted."""
        places = np.searchsorted(self._sorted, mbids)
        places[places == len(self._sorted)] = 0
        is_here = self._sorted[places] == mbids if len(self._sorted) else np.zeros(len(mbids), bool)
        self.unknown.update(np.unique(mbids[~is_here]).tolist())
        rows = np.full(len(mbids), -1, np.intp)
        rows[is_here] = self._order[places[is_here]]
        return rows

    def _require_lists(
        self,
        pairs: Pairs,
        group: NDArray[np.intp],
        rank: NDArray[np.int32],
        distance: NDArray[np.float32],
        path: Path,
    ) -> None:
        """PairsError where pairs make no lists; rank and distance are sorted by group and rank."""
        follows = group[1:] == group[:-1]
        wrongs = {
            "a rank below 1": rank < 1,
            "a distance that is no number from 0": ~(np.isfinite(distance) & (distance >= 0)),
            "itself for a neighbour": pairs.mbid == pairs.similar,
            "two neighbours of one rank": follows & (rank[1:] == rank[:-1]),
            "distances that fall": follows & (distance[1:] < distance[:-1]),
        }
        twice = np.lexsort((pairs.similar, group))
        same = pairs.similar[twice]
        wrongs["a neighbour twice"] = follows & (same[1:] == same[:-1])
        for what, where in wrongs.items():
            if where.any():
                mbid = pairs.mbid[np.searchsorted(group, group[np.argmax(where)])]
                raise PairsError(f"{path}: the list of {_text(mbid)} has {what}")


def _whole_lists(chunks: Iterable[Pairs], path: Path) -> Iterator[Pairs]:
    """Yield the pairs in chunks that end where a list ends."""
    rest = Pairs(*(np.empty(0, kind) for kind in ("S16", np.int32, "S16", np.float32)))
    for chunk in chunks:
        pairs = _joined(rest, chunk)
        last = int(np.flatnonzero(_begins(pairs.mbid))[-1]) if len(pairs.mbid) else 0
        if len(pairs.mbid) - last > MOST:
            raise PairsError(
                f"{path}: the list of {_text(pairs.mbid[last])} has more than {MOST} neighbours"
            )
        rest = _part(pairs, slice(last, None))
        if last:
            yield _part(pairs, slice(last))
    if len(rest.mbid):
        yield rest


def _begins(mbids: NDArray[np.bytes_]) -> NDArray[np.bool_]:
    """Return whether a list begins at a row."""
    return np.concatenate([np.ones(min(1, len(mbids)), bool), mbids[1:] != mbids[:-1]])


def _joined(one: Pairs, other: Pairs) -> Pairs:
    return Pairs(
        np.concatenate([one.mbid, other.mbid]),
        np.concatenate([one.rank, other.rank]),
        np.concatenate([one.similar, other.similar]),
        np.concatenate([one.distance, other.distance]),
    )


def _part(pairs: Pairs, rows: slice) -> Pairs:
    return Pairs(pairs.mbid[rows], pairs.rank[rows], pairs.similar[rows], pairs.distance[rows])


def _length(lists: _Lists, before: int, path: Path) -> int:
    """The number of neighbours in a list: that of the longest, where there are enough others."""
    if lists.longest > MOST:
        raise PairsError(f"{path}: ranks go up to {lists.longest}, but at most to {MOST} here")
    if lists.longest >= len(lists.all.ids) - 1:
        return max(before, lists.longest)
    if lists.longest < REACH:
        raise PairsError(
            f"{path}: lists have at most {lists.longest} neighbours; a reach needs {REACH}:"
            f" export it again after pgsim rebuild -k {REACH} there, or run pgsim rebuild here"
        )
    return lists.longest


def _text(mbid: bytes) -> str:
    return str(UUID(bytes=mbid.ljust(16, b"\0")))  # numpy drops zeros at the end
