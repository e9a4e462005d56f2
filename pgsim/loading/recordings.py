"""Recordings out of stored submissions: fitting the feature sets, and fusing vectors."""

import gc
from collections.abc import Callable, Iterator, Sequence
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
from pgsim.features.fusion import Moments, aggregate, fuse
from pgsim.loading.recording import describe
from pgsim.postgres.adapters import register_arrays
from pgsim.postgres.connection import Connection
from pgsim.store.collection import Collection, read_collection, write_fit
from pgsim.store.index import build_index, build_metric_index, drop_indexes, may_index
from pgsim.store.recording import COLUMNS

CHUNK = 5000  # recordings in memory at once

_INCOMING = f"""
    CREATE TEMP TABLE IF NOT EXISTS pg_temp.incoming_recording (
        {", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())}
    ) ON COMMIT DELETE ROWS
"""


@dataclass(frozen=True, slots=True)
class FuseReport:
    """How many recordings were inserted, changed and left as they were."""

    inserted: int
    changed: int
    unchanged: int


@contextmanager
def alone(conn: Connection) -> Iterator[None]:
    """A transaction in which no other load or fuse writes: recordings gather what is committed."""
    with conn.transaction():
        conn.execute("SELECT pg_advisory_xact_lock(hashtext('pgsim.load'))")
        yield


def refit(conn: Connection, advance: Callable[[int], None] = lambda _: None) -> FuseReport:
    """Fit the feature sets on all stored submissions, and fuse every recording anew.

    One transaction; the HNSW indexes are dropped before and built after it, since changing every
    vector under them costs more, except by a role that may not. `advance` is told how many more
    recordings are done. PgsimError where vectors were fused, but what they were fused from is not
    here.
    """
    with alone(conn):
        collection = read_collection(conn)
        profile = collection.profile
        moments = Moments(profile.dimensions)
        for _, features, starts, _ in _recordings(conn, None, "NULL"):
            moments.add(aggregate(features, starts, profile))
        if moments.recordings == 0 and collection.fit is not None and collection.fit.fitted:
            raise PgsimError(
                "there are no submissions to fit on (pgsim dump --matrix leaves them out): load the"
                " documents again"
            )
        write_fit(conn, profile, moments.fit(profile))
        owns_index = may_index(conn)
        metrics = drop_indexes(conn) if owns_index else []
        collection = read_collection(conn)
        report = fuse_recordings(conn, collection, None, advance)
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
    advance: Callable[[int], None] = lambda _: None,
) -> FuseReport:
    """Make or change the recordings of these MBIDs (None: of all) from their submissions.

    Runs inside `alone`.
    """
    assert collection.fit is not None
    conn.execute(_INCOMING.encode())
    done = inserted = changed = 0
    for chunk in _uncollected(_recordings(conn, mbids)):
        conn.execute("TRUNCATE pg_temp.incoming_recording")
        names = ", ".join(COLUMNS)
        statement = f"COPY pg_temp.incoming_recording ({names}) FROM STDIN (FORMAT binary)"
        with conn.cursor().copy(statement.encode()) as copy:
            copy.set_types(list(COLUMNS.values()))
            for values in _rows(chunk, collection):
                copy.write_row(values)
        counts = conn.execute("SELECT * FROM pgsim.store_recordings()").fetchone()
        assert counts is not None
        inserted, changed, done = inserted + counts[0], changed + counts[1], done + len(chunk[0])
        advance(len(chunk[0]))
    return FuseReport(inserted, changed, done - inserted - changed)


Chunk = tuple[list[UUID], NDArray[np.float32], NDArray[np.intp], list[list[dict[str, Any]]]]


def _recordings(
    conn: Connection, mbids: Sequence[UUID] | None, documents: str = "documents"
) -> Iterator[Chunk]:
    """Submissions by recording: MBIDs, features (n, dimensions), where each begins, documents."""
    register_arrays(conn)
    set_json_loads(orjson.loads, conn)
    condition = "" if mbids is None else "WHERE mbid = ANY(%s)"
    with conn.cursor("submissions", binary=True) as cursor:
        cursor.itersize = CHUNK
        cursor.execute(
            f"SELECT mbid, features, {documents} FROM pgsim.submission {condition}"
            " ORDER BY mbid, source, number".encode(),
            None if mbids is None else (list(mbids),),
        )
        runs = ((mbid, list(rows)) for mbid, rows in groupby(cursor, key=lambda row: row[0]))
        while chunk := list(islice(runs, CHUNK)):
            lengths = [len(rows) for _, rows in chunk]
            yield (
                [mbid for mbid, _ in chunk],
                np.stack([features for _, rows in chunk for _, features, _ in rows]),
                np.concatenate([[0], np.cumsum(lengths[:-1])]).astype(np.intp),
                [[documents for _, _, documents in rows] for _, rows in chunk],
            )


def _uncollected(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """The chunks, with the collector off meanwhile: it would search thousands of documents.

    These are trees, which go without it; the search takes a fifth of the time of all.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield from chunks
    finally:
        if was_on:
            gc.enable()


def _rows(chunk: Chunk, collection: Collection) -> Iterator[tuple[Any, ...]]:
    """Rows of `recording`, in the order of COLUMNS."""
    mbids, features, starts, documents = chunk
    profile, fit = collection.profile, collection.fit
    assert fit is not None
    values = aggregate(features, starts, profile)
    vectors = fuse(values, profile, fit)
    for index, mbid in enumerate(mbids):
        lacks = np.isnan(values[index])
        missing = [each.name for each in profile.sets if lacks[each.position]]
        # Without any set that has a meaning, a vector would lie at the centre, near everyone.
        has_vector = not fit.fitted <= set(missing)
        row = describe(documents[index], profile.genre_scheme) | {
            "mbid": mbid,
            "missing": missing,
            "vector": vectors[index] if has_vector else None,
        }
        yield tuple(
            Jsonb(row[name]) if kind == "jsonb" else row[name] for name, kind in COLUMNS.items()
        )
