"""Recordings from stored submissions: fitting the feature sets, and fusing vectors."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any
from uuid import UUID

import numpy as np
import orjson
from numpy.typing import NDArray
from psycopg.types.json import Jsonb, set_json_loads

from pgsim.errors import PgsimError
from pgsim.features.filling import filled, lacking, most_donors
from pgsim.features.fusion import Fit, Moments, aggregate, fuse
from pgsim.features.profile import Profile
from pgsim.loading.recording import recording_columns
from pgsim.postgres.adapters import register_arrays
from pgsim.postgres.connection import Connection
from pgsim.postgres.rows import one_row
from pgsim.progress import Advance, Say, silent, still
from pgsim.store import locks
from pgsim.store.collection import Collection, read_collection, write_fit
from pgsim.store.donors import keep_donors, read_donors
from pgsim.store.index import build_index, build_metric_index, drop_indexes, may_index
from pgsim.store.recording import RECORDING_COLUMNS

AT_ONCE = 5000  # recordings in memory at once

_FROM = ["d.vector" if name == "vector" else f"r.{name}" for name in RECORDING_COLUMNS]
# The vector of a donor has no fixed length: a session's table outlives a change of the profile.
_INCOMING = f"""
    CREATE TEMP TABLE IF NOT EXISTS pg_temp.incoming_recording ON COMMIT DELETE ROWS
    AS SELECT {", ".join(_FROM)}, r.named
    FROM pgsim.recording AS r CROSS JOIN pgsim.donor AS d WITH NO DATA
"""


@dataclass(frozen=True, slots=True)
class FuseReport:
    """How many recordings were inserted, changed, and left unchanged."""

    inserted: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class Gathered:
    """Some recordings, each with all its submissions, in the order of MBID, source and number.

    `features` is (submissions, dimensions), `starts` (recordings,) where each recording's begin,
    and `documents` has the metadata of each recording's submissions, by document kind.
    """

    mbids: list[UUID]
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


def refit(conn: Connection, advance: Advance = still, say: Say = silent) -> FuseReport:
    """Fit the feature sets on all stored submissions, and fuse every recording again.

    One transaction. The HNSW indexes are dropped before and built after it, since it costs more to
    change every vector under them; a role that may not do so leaves them. `advance` receives how
    many more recordings are done, `say` for whom it waits. PgsimError if there are fused vectors,
    but not the submissions that they were fused from.
    """
    with alone(conn, say):
        collection = read_collection(conn)
        profile = collection.profile
        moments = Moments(profile)
        for each in _gathered(conn, None, "NULL"):
            moments.add(aggregate(each.features, each.starts, profile))
        if moments.recordings == 0 and collection.fit is not None and collection.fit.fitted:
            raise PgsimError(
                "there are no submissions to fit on (pgsim dump --matrix leaves them out): load the"
                " documents again"
            )
        fit = moments.fit()
        write_fit(conn, profile, fit)
        owns_index = may_index(conn)
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
            if collection.fit and metric in collection.fit.fitted:
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
    for each in _uncollected(_gathered(conn, mbids)):
        values = aggregate(each.features, each.starts, collection.profile)
        lacks = lacking(values, collection.profile, fit)
        vectors = fuse(values, collection.profile, fit)
        if lacks.any():
            if donors is None:
                donors = read_donors(conn, collection.profile.dimensions)
            vectors = filled(vectors, lacks, donors, collection.profile)
        rows = _rows(each, values, vectors, collection)
        conn.execute("TRUNCATE pg_temp.incoming_recording")
        names = ", ".join(RECORDING_COLUMNS)
        statement = f"COPY pg_temp.incoming_recording ({names}) FROM STDIN (FORMAT binary)"
        with conn.cursor().copy(statement.encode()) as copy:
            copy.set_types(list(RECORDING_COLUMNS.values()))
            for row in rows:
                copy.write_row(row)
        count_inserted, count_changed = one_row(conn, "SELECT * FROM pgsim.store_recordings()")
        inserted, changed = inserted + count_inserted, changed + count_changed
        done += len(each.mbids)
        advance(len(each.mbids))
    return FuseReport(inserted, changed, done - inserted - changed)


def _gathered(
    conn: Connection, mbids: Sequence[UUID] | None, documents: str = "documents"
) -> Iterator[Gathered]:
    """Yield the recordings of these MBIDs (None: all), AT_ONCE at a time.

    `documents` is the SQL expression of a submission's documents.
    """
    register_arrays(conn)
    set_json_loads(orjson.loads, conn)
    condition = "" if mbids is None else "WHERE mbid = ANY(%s)"
    with conn.cursor("submissions", binary=True) as cursor:
        cursor.itersize = AT_ONCE
        cursor.execute(
            f"SELECT mbid, features, {documents} FROM pgsim.submission {condition}"
            " ORDER BY mbid, source, number".encode(),
            None if mbids is None else (list(mbids),),
        )
        groups = ((mbid, list(rows)) for mbid, rows in groupby(cursor, key=lambda row: row[0]))
        while some := list(islice(groups, AT_ONCE)):
            lengths = [len(rows) for _, rows in some]
            yield Gathered(
                [mbid for mbid, _ in some],
                np.stack([features for _, rows in some for _, features, _ in rows]),
                np.concatenate([[0], np.cumsum(lengths[:-1])]).astype(np.intp),
                [[documents for _, _, documents in rows] for _, rows in some],
            )


def _uncollected(gathered: Iterator[Gathered]) -> Iterator[Gathered]:
    """Yield the recordings with the garbage collector off.

    It would search thousands of documents, which are trees and do without it; that takes a fifth of
    the time of all.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield from gathered
    finally:
        if was_on:
            gc.enable()


def _donors(conn: Connection, profile: Profile, fit: Fit) -> NDArray[np.float32]:
    """Return the vectors (n, dimensions) of the first complete recordings by MBID."""
    found = [np.empty((0, profile.dimensions), np.float32)]
    most = most_donors(profile)
    for each in _gathered(conn, None, "NULL"):
        values = aggregate(each.features, each.starts, profile)
        values = values[~lacking(values, profile, fit).any(axis=1)][:most]
        found.append(fuse(values, profile, fit))
        most -= len(values)
        if not most:
            break
    return np.concatenate(found)


def _rows(
    gathered: Gathered,
    values: NDArray[np.float64],
    vectors: NDArray[np.float32],
    collection: Collection,
) -> Iterator[tuple[Any, ...]]:
    """Yield rows of `recording`, in the order of its columns."""
    profile, fit = collection.profile, collection.fit
    assert fit is not None
    for index, mbid in enumerate(gathered.mbids):
        is_absent = np.isnan(values[index])
        missing = [each.name for each in profile.sets if is_absent[each.position]]
        # A vector without any fitted set would lie at the centre, near everything.
        has_vector = not fit.fitted <= set(missing)
        row = recording_columns(gathered.documents[index], profile.genre_scheme) | {
            "mbid": mbid,
            "missing": missing,
            "vector": vectors[index] if has_vector else None,
        }
        yield tuple(
            Jsonb(row[name]) if kind == "jsonb" else row[name]
            for name, kind in RECORDING_COLUMNS.items()
        )
