"""Recordings from stored submissions: fitting the feature sets, and fusing vectors."""

import gc
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import orjson
from numpy.typing import NDArray

from pgsim.errors import PgsimError
from pgsim.features.filling import filled, lacking, most_donors
from pgsim.features.fusion import Fit, Moments, aggregate, fuse
from pgsim.features.profile import Profile
from pgsim.loading.recording import recording_columns
from pgsim.postgres.adapters import reals_of
from pgsim.postgres.connection import Connection
from pgsim.postgres.packing import packed_rows
from pgsim.postgres.rows import one_row
from pgsim.postgres.wire import COPY_HEADER, COPY_TRAILER
from pgsim.progress import Advance, Say, silent, still
from pgsim.store import locks
from pgsim.store.collection import Collection, read_collection, write_fit, write_sets
from pgsim.store.donors import keep_donors, read_donors
from pgsim.store.index import build_index, build_metric_index, drop_indexes, may_index
from pgsim.store.recording import RECORDING_COLUMNS
from pgsim.store.table_locks import lock_tables

AT_ONCE = 5000  # recordings in memory at once
_Row = tuple[bytes, bytes, bytes | None]  # MBID, features and documents of a submission

_FROM = ["d.vector" if name == "vector" else f"r.{name}" for name in RECORDING_COLUMNS]
# The vector of a donor has no fixed length: a session's table outlives a change of the profile.
_INCOMING = f"""
    CREATE TEMP TABLE IF NOT EXISTS pg_temp.incoming_recording ON COMMIT DELETE ROWS
    AS SELECT {", ".join(_FROM)}, r.named
    FROM pgsim.recording AS r CROSS JOIN pgsim.donor AS d WITH NO DATA
"""


@dataclass(frozen=True, slots=True)
class FuseReport:
    """The numbers of recordings that were inserted, changed, and left unchanged."""

    inserted: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class Gathered:
    """Some recordings, each with all its submissions, in the order of MBID, source and number.

    `features` is (submissions, dimensions), `starts` (recordings,) where each recording's begin,
    and `documents` has the metadata of each recording's submissions, by document kind.
    """

    mbids: list[bytes]
    features: NDArray[np.float32]
    starts: NDArray[np.intp]
    documents: list[list[dict[str, Any]]]


@contextmanager
def alone(conn: Connection, say: Say = silent) -> Iterator[None]:
    """Open a transaction in which no other load or fuse writes.

    Recordings are made of all committed submissions, so these must not change meanwhile. `say`
    receives a line that names the other load where this one waits for it.
    """
    with locks.held(conn, locks.LOAD, say=say), conn.transaction():
        yield


def refit(
    conn: Connection,
    advance: Advance = still,
    say: Say = silent,
    *,
    profile: Profile | None = None,
) -> FuseReport:
    """Fit the feature sets on all stored submissions, and fuse every recording again.

    With `profile` the sets get its transforms, weights and maps first.

    One transaction. The HNSW indexes are dropped before and built after it, since it costs more to
    change every vector under them; a role that may not do so leaves them. `advance` receives how
    many more recordings are done, `say` for whom it waits. PgsimError if there are fused vectors,
    but not the submissions that they were fused from.
    """
    with alone(conn, say):
        if profile is not None:
            write_sets(conn, profile)
        collection = read_collection(conn)
        profile = collection.profile
        moments = Moments(profile)
        for each in gathered(conn, None, "NULL"):
            moments.add(aggregate(each.features, each.starts, profile))
        if moments.recordings == 0 and collection.fit is not None and collection.fit.fitted:
            raise PgsimError(
                "there are no submissions to fit on (pgsim dump --matrix leaves them out): load the"
                " documents again"
            )
        fit = moments.fit()
        write_fit(conn, profile, fit)
        owns_index = may_index(conn)
        if owns_index:
            lock_tables(conn, ["recording"], say)
        metrics = drop_indexes(conn) if owns_index else []
        collection = read_collection(conn)
        donors = _donors(conn, profile, fit) if moments.lack_some(fit) else None
        report = fuse_recordings(conn, collection, None, advance, donors)
        keep_donors(conn, most_donors(profile))
        if owns_index:
            build_index(conn)
        else:
            conn.execute("SELECT pgsim.sample_pairs()")
        for metric in metrics:
            if collection.fit and metric in collection.fit.fitted and not profile.map:
                build_metric_index(conn, metric)
    return report


def fuse_recordings(
    conn: Connection,
    collection: Collection,
    mbids: Sequence[UUID] | None,
    advance: Advance = still,
    donors: NDArray[np.float32] | None = None,
) -> FuseReport:
    """Insert or change the recordings of these MBIDs (None: all) from their submissions.

    Runs inside `alone`, on a collection that has a fit. `donors` (n, dimensions) are what missing
    sets are filled from; by default those of the last fit, read where a recording lacks a set.
    """
    fit = collection.fit
    assert fit is not None
    conn.execute(_INCOMING.encode())
    done = inserted = changed = 0
    names = ", ".join(RECORDING_COLUMNS)
    statement = f"COPY pg_temp.incoming_recording ({names}) FROM STDIN (FORMAT binary)"
    for count, rows in _packed(conn, gathered(conn, mbids), collection.profile, fit, donors):
        conn.execute("TRUNCATE pg_temp.incoming_recording")
        with conn.cursor().copy(statement.encode()) as copy:
            copy.write(COPY_HEADER + rows + COPY_TRAILER)
        count_inserted, count_changed = one_row(conn, "SELECT * FROM pgsim.store_recordings()")
        inserted, changed = inserted + count_inserted, changed + count_changed
        done += count
        advance(count)
    return FuseReport(inserted, changed, done - inserted - changed)


def gathered(
    conn: Connection, mbids: Sequence[UUID] | None, documents: str = "documents"
) -> Iterator[Gathered]:
    """Yield the recordings of these MBIDs (None: all), AT_ONCE at a time.

    `documents` is the SQL expression of a submission's documents.
    """
    condition = "" if mbids is None else "WHERE mbid = ANY(%s)"
    with conn.cursor("submissions", binary=True) as cursor:
        # As bytes: the driver would make an object of each value.
        cursor.execute(
            f"SELECT uuid_send(mbid), array_send(features), jsonb_send({documents})"
            f" FROM pgsim.submission {condition} ORDER BY mbid, source, number".encode(),
            None if mbids is None else (list(mbids),),
        )
        rows: list[_Row] = []
        starts: list[int] = []  # where the rows of each recording begin
        is_over = False
        while not is_over:
            more = cursor.fetchmany(AT_ONCE)
            is_over = not more
            for row in more:
                if not rows or row[0] != rows[-1][0]:
                    starts.append(len(rows))
                rows.append(row)
            while len(starts) > AT_ONCE or (is_over and starts):
                end = starts[AT_ONCE] if len(starts) > AT_ONCE else len(rows)
                yield _recordings(rows[:end], starts[:AT_ONCE])
                rows, starts = rows[end:], [start - end for start in starts[AT_ONCE:]]


def _recordings(rows: list[_Row], starts: list[int]) -> Gathered:
    """Return the recordings of some submissions."""
    mbids, features, documents = zip(*rows, strict=True)
    said = [orjson.loads(each[1:]) if each else {} for each in documents]
    ends = [*starts[1:], len(rows)]
    return Gathered(
        [mbids[start] for start in starts],
        reals_of(features),
        np.array(starts, np.intp),
        [said[start:end] for start, end in zip(starts, ends, strict=True)],
    )


def _packed(
    conn: Connection,
    gathered: Iterator[Gathered],
    profile: Profile,
    fit: Fit,
    donors: NDArray[np.float32] | None,
) -> Iterator[tuple[int, bytes]]:
    """Yield the number of some recordings, and their rows; a thread packs while others are stored.

    Donors that are None are read where a recording may lack a set: here, as the thread has no
    connection.

    The garbage collector is off meanwhile. It would search thousands of documents, which are trees
    and do without it; that takes a fifth of the time of all.
    """

    starts = [each.position for each in profile.sets if each.name in fit.fitted]

    def pack(some: Gathered, donors: NDArray[np.float32] | None) -> tuple[int, bytes]:
        columns = _columns(some, profile, fit, donors)
        return len(some.mbids), packed_rows(RECORDING_COLUMNS, columns)

    was_on = gc.isenabled()
    gc.disable()
    try:
        with ThreadPoolExecutor(1) as thread:
            begun: Future[tuple[int, bytes]] | None = None
            for some in gathered:
                if donors is None and np.isnan(some.features[:, starts]).any():
                    donors = read_donors(conn, profile.dimensions)
                before, begun = begun, thread.submit(pack, some, donors)
                if before is not None:
                    yield before.result()
            if begun is not None:
                yield begun.result()
    finally:
        if was_on:
            gc.enable()


def _columns(
    gathered: Gathered, profile: Profile, fit: Fit, donors: NDArray[np.float32] | None
) -> dict[str, Any]:
    """Return the columns of `recording`; sets that recordings lack are filled from the donors."""
    values = aggregate(gathered.features, gathered.starts, profile)
    vectors = fuse(values, profile, fit)
    if donors is not None:
        vectors = filled(vectors, lacking(values, profile, fit), donors, profile)
    is_absent = np.isnan(values[:, [each.position for each in profile.sets]])
    missing = [
        tuple(each.name for each, is_one in zip(profile.sets, row, strict=True) if is_one)
        for row in is_absent.tolist()
    ]
    # A vector without any fitted set would lie at the centre, near everything.
    vectors[[fit.fitted <= set(each) for each in missing]] = np.nan
    rows = [recording_columns(each, profile.genre_scheme) for each in gathered.documents]
    names = RECORDING_COLUMNS.keys() - {"mbid", "missing", "vector"}
    return {
        **{name: [row[name] for row in rows] for name in names},
        "mbid": gathered.mbids,
        "missing": missing,
        "vector": vectors,
    }


def _donors(conn: Connection, profile: Profile, fit: Fit) -> NDArray[np.float32]:
    """Return the vectors (n, dimensions) of the first complete recordings by MBID."""
    found = [np.empty((0, profile.dimensions), np.float32)]
    most = most_donors(profile)
    for each in gathered(conn, None, "NULL"):
        values = aggregate(each.features, each.starts, profile)
        values = values[~lacking(values, profile, fit).any(axis=1)][:most]
        found.append(fuse(values, profile, fit))
        most -= len(values)
        if not most:
            break
    return np.concatenate(found)
