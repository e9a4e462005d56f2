"""Documents to committed submissions and recordings, each document accounted for."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg.errors import UniqueViolation

from pgsim.loading.accounts import Account, read_marks
from pgsim.loading.chunks import DOCUMENTS, Chunk, bytes_to_read, chunks
from pgsim.loading.parsing import Rows, parsed
from pgsim.loading.recordings import alone, fuse_recordings, refit
from pgsim.postgres.adapters import register_arrays
from pgsim.postgres.connection import Connection
from pgsim.postgres.wire import COPY_HEADER, COPY_TRAILER
from pgsim.sources import inputs
from pgsim.store.collection import read_collection
from pgsim.store.index import has_index
from pgsim.store.runs import recorded
from pgsim.threads import cores

BATCH = 4000  # documents in a transaction, and at most a chunk more

_INCOMING = """
    CREATE TEMP TABLE IF NOT EXISTS pg_temp.incoming_submission (
        mbid uuid, source text, number integer, features real[], documents jsonb
    ) ON COMMIT DELETE ROWS
"""
_STORE = "SELECT mbid, is_new FROM pgsim.store_submissions()"
_STORE_AND_COUNT = """
    SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new)
    FROM pgsim.store_submissions()
"""
_COUNTS = """
    SELECT
        count(*) AS recordings,
        count(*) FILTER (WHERE title IS NULL) AS without_title,
        count(*) FILTER (WHERE artist IS NULL) AS without_artist,
        count(*) FILTER (WHERE year IS NULL) AS without_year,
        count(*) FILTER (WHERE genre IS NULL) AS without_genre,
        count(*) FILTER (WHERE vector IS NULL) AS without_vector
    FROM pgsim.recording
"""


@dataclass(slots=True)
class LoadReport:
    """The accounting of one load: read = new + updated + unchanged + rejected.

    `repaired` counts texts that PostgreSQL could not have held as they were. `recordings` and what
    follows it count the whole collection after the load. `unfitted` names the feature sets that
    this load brought and that no vector has, for want of a fit.
    """

    read: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    repaired: int = 0
    recordings: int = 0
    without_title: int = 0
    without_artist: int = 0
    without_year: int = 0
    without_genre: int = 0
    without_vector: int = 0
    unfitted: tuple[str, ...] = ()


def load(
    conn: Connection,
    paths: Iterable[Path],
    advance: Callable[[int, float], None] = lambda _, __: None,
    say: Callable[[str], None] = lambda _: None,
    *,
    workers: int | None = None,
    again: bool = False,
    source: str | None = None,
) -> LoadReport:
    """Load the documents of files and folders, parsed by worker processes (None: one a core).

    Committed in batches, with how far each file of many documents has come: killed at any point and
    run again, a load ends with the same rows, and reads nothing again of a file that has not
    changed since (by path, size and time of modification) but what was not committed. Such
    documents count as unchanged, or as rejected; `again` reads them all the same. When it returns
    all is on disk, where the session's `synchronous_commit` is on; until then a crash of the server
    can take back the last moments. Loads can run at the same time. `source` is the one that reads
    all paths; by default each file's own is found.

    The first load that has anything to fit ends by fitting the feature sets; every later one fuses
    what it brings as it goes. The rejects of a path are those of the last load of it. `conn` is in
    autocommit mode; `advance` is told how many more documents are done, and which share of the
    bytes to read, `say` of steps after that. Where a worker process dies that is WorkerDied: run
    again, the load goes on.

    UsageError or SourceError where a path is not there, before anything is read; UsageError where
    a file has nothing for the database's profile.
    """
    register_arrays(conn)
    profile = read_collection(conn).profile
    paths = list(paths)
    for path in paths:
        inputs(path, source)
    report = LoadReport()
    brought = np.zeros(profile.dimensions, bool)
    with recorded(conn, "load") as run:
        conn.execute(_INCOMING.encode())
        known = {} if again else read_marks(conn)
        total = sum(bytes_to_read(inputs(path, source), known) for path in paths)
        account = Account(conn)
        files = (each for path in paths for each in inputs(path, source))
        found = partial(chunks, files, known, min(BATCH, DOCUMENTS))
        with closing(parsed(found, profile, workers or cores())) as results:
            for batch in _batches(results):
                read = report.read
                brought |= _store(conn, batch, account, report)
                if report.read > read:
                    advance(report.read - read, batch[-1][0].done / (total or 1))
        account.close()
        with alone(conn):
            fit = read_collection(conn).fit
            is_first = fit is None or not fit.fitted
            if is_first and conn.execute("SELECT 1 FROM pgsim.submission LIMIT 1").fetchone():
                say("fitting the feature sets, fusing all recordings and building the index")
                refit(conn)
                fit = read_collection(conn).fit
                if not has_index(conn):
                    say("the index is left to the owner of pgsim.recording: pgsim index")
        report.unfitted = tuple(
            each.name
            for each in profile.sets
            if brought[each.position] and fit is not None and each.name not in fit.fitted
        )
        if report.new or report.updated or is_first:
            # VACUUM passes over what was committed and is not on disk yet: this waits for the disk.
            conn.execute("SELECT pg_logical_emit_message(true, 'pgsim', '')")
            conn.execute("VACUUM (ANALYZE) pgsim.recording")
        row = conn.execute(_COUNTS.encode()).fetchone()
        assert row is not None
        (
            report.recordings,
            report.without_title,
            report.without_artist,
            report.without_year,
            report.without_genre,
            report.without_vector,
        ) = row
        run.update(asdict(report))
    return report


Batch = list[tuple[Chunk, Rows]]


def _batches(results: Iterable[tuple[Chunk, Rows]]) -> Iterator[Batch]:
    """Chunks until they have BATCH documents or more."""
    batch: Batch = []
    size = 0
    for chunk, rows in results:
        batch.append((chunk, rows))
        size += len(chunk.names)
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _store(
    conn: Connection, batch: Batch, account: Account, report: LoadReport
) -> NDArray[np.bool_]:
    """Commit one batch: submissions, the recordings they belong to, and what is told of them.

    Returns which of the (dimensions,) features it has brought.
    """
    new = changed = 0
    with alone(conn):
        # Nobody waits for the disk but the load's own end: what a crash of the server takes of a
        # batch it takes of the marks too.
        conn.execute("SET LOCAL synchronous_commit = off")
        collection = read_collection(conn)
        touched: set[UUID] = set()
        for count, rows in _rounds(batch):
            if collection.fit is None and _are_stored_new(conn, rows):
                new += count
                continue
            conn.execute("TRUNCATE pg_temp.incoming_submission")
            _copy(conn, "pg_temp.incoming_submission", rows)
            if collection.fit is None:
                counts = conn.execute(_STORE_AND_COUNT.encode()).fetchone()
                assert counts is not None
                new, changed = new + counts[0], changed + counts[1]
            else:
                stored = conn.execute(_STORE.encode()).fetchall()
                touched.update(mbid for mbid, _ in stored)
                new += sum(is_new for _, is_new in stored)
                changed += sum(not is_new for _, is_new in stored)
        if collection.fit is not None and touched:
            fuse_recordings(conn, collection, sorted(touched))
        account.enter(batch)
    known = [span.known for chunk, _ in batch for span in chunk.spans if span.known]
    rows_ = sum(len(made.keys) for _, made in batch)
    rejected = sum(len(made.failures) for _, made in batch)
    report.read += rows_ + rejected + sum(mark.documents for mark in known)
    report.new += new
    report.updated += changed
    report.unchanged += rows_ - new - changed
    report.unchanged += sum(mark.documents - mark.rejected for mark in known)
    report.rejected += rejected + sum(mark.rejected for mark in known)
    report.repaired += sum(made.repairs for _, made in batch)
    brought = np.zeros(collection.profile.dimensions, bool)
    if new or changed:
        for _, made in batch:
            brought |= made.present
    return brought


def _rounds(batch: Batch) -> list[tuple[int, list[bytes]]]:
    """Rows in rounds in which no key stands twice: a statement can touch a row only once.

    Of each round, how many there are, and they.
    """
    seen = Counter(chain.from_iterable(made.keys for _, made in batch))
    if len(seen) == seen.total():
        return [(len(seen), [made.data for _, made in batch])] if seen else []
    seen.clear()
    rounds: list[list[bytes]] = []
    for key, row in chain.from_iterable(made.each() for _, made in batch):
        turn = seen[key]
        seen[key] += 1
        if turn == len(rounds):
            rounds.append([])
        rounds[turn].append(row)
    return [(len(rows), [b"".join(rows)]) for rows in rounds]


def _are_stored_new(conn: Connection, rows: list[bytes]) -> bool:
    """Store submissions of which none is known, at half the cost; False where one is."""
    try:
        with conn.transaction():
            _copy(conn, "pgsim.submission", rows)
    except UniqueViolation:
        return False
    return True


def _copy(conn: Connection, table: str, rows: list[bytes]) -> None:
    with conn.cursor().copy(f"COPY {table} FROM STDIN (FORMAT binary)".encode()) as copy:
        for part in (COPY_HEADER, *rows, COPY_TRAILER):
            copy.write(memoryview(part))  # of which a slice is no copy
