"""Documents to committed submissions and recordings, with an account of each document."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg.errors import UniqueViolation
from psycopg.rows import dict_row

from pgsim.errors import PgsimError
from pgsim.features.profile import Profile
from pgsim.loading.chunks import LIMITS, Limits, Origin, bytes_to_read
from pgsim.loading.databases import AudioMuse, inputs_of
from pgsim.loading.file_accounts import FileAccounts, read_marks
from pgsim.loading.parsing import Rows, parse_files
from pgsim.loading.recordings import alone, fuse_recordings, refit
from pgsim.loading.repeats import Batch, Repeats, rounds
from pgsim.postgres.adapters import register_arrays
from pgsim.postgres.connection import Connection
from pgsim.postgres.rows import one_row
from pgsim.postgres.wire import COPY_HEADER, COPY_TRAILER
from pgsim.progress import Advance, Say, silent, still
from pgsim.sources.streams.walk import Place
from pgsim.store.collection import read_collection
from pgsim.store.index import has_index
from pgsim.store.runs import recorded
from pgsim.threads import cores

_INCOMING = """
    CREATE TEMP TABLE IF NOT EXISTS pg_temp.incoming_submission (
        mbid uuid, source text, number integer, features real[], documents jsonb, joins boolean
    ) ON COMMIT DELETE ROWS
"""
# Whether the rows that are copied next add their labels to those of earlier rows of the same file.
_JOINS = "ALTER TABLE pg_temp.incoming_submission ALTER COLUMN joins SET DEFAULT true"
_REPLACES = "ALTER TABLE pg_temp.incoming_submission ALTER COLUMN joins SET DEFAULT false"
_STORE = "SELECT mbid, is_new FROM pgsim.store_submissions()"
_STORE_AND_COUNT = """
    SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new)
    FROM pgsim.store_submissions()
"""
# Columns are named as the fields of LoadReport.
_COUNTS = """
    SELECT
        count(*) AS recordings,
        count(*) FILTER (WHERE title IS NULL) AS without_title,
        count(*) FILTER (WHERE artist IS NULL) AS without_artist,
        count(*) FILTER (WHERE year IS NULL) AS without_year,
        count(*) FILTER (WHERE genre IS NULL) AS without_genre,
        count(*) FILTER (WHERE length IS NULL) AS without_length,
        count(*) FILTER (WHERE vector IS NULL) AS without_vector,
        count(*) FILTER (WHERE length > 6 * 3600) AS longer_than_6_hours
    FROM pgsim.recording
"""


@dataclass(slots=True)
class LoadReport:
    """The account of one load: read = new + updated + unchanged + rejected.

    `repaired` counts texts that were changed because PostgreSQL cannot hold them as they were.
    `recordings` and the counts below it are those of the whole collection after the load.
    `unfitted` names the feature sets that this load brought and that are missing from every vector,
    because they have not been fitted.
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
    without_length: int = 0
    without_vector: int = 0
    longer_than_6_hours: int = 0
    unfitted: tuple[str, ...] = ()


def load(
    conn: Connection,
    places: Iterable[Place],
    advance: Advance = still,
    say: Say = silent,
    *,
    workers: int | None = None,
    again: bool = False,
    source: str | None = None,
    limits: Limits = LIMITS,
) -> LoadReport:
    """Load the documents in files and databases, parsed by worker processes (None: one a core).

    Documents are committed in batches, together with how far each file has been loaded. A load that
    was stopped at any point and is run again ends with the same rows. It does not read again what
    was committed of a file, while the file has the same path, size and time of modification; such
    documents count as unchanged, or as rejected. With `again` it reads them all the same. When this
    function returns, everything is on disk if the session's `synchronous_commit` is on; until then
    a crash of the server can undo the last moments. Several loads can run at the same time.
    `source` names the source that reads all places; by default each file's own source is found.

    The first load with anything to fit ends by fitting the feature sets; a later one fuses what it
    brings. The rejects of a path are those of the last load of it. `conn` is in autocommit mode.
    `advance` receives how many more documents are done, and the share of the bytes that has been
    read; `say` receives the steps after that. WorkerDied if a worker process dies: run again, the
    load goes on.

    UsageError, SourceError or DatabaseError before anything is read if a place is missing;
    UsageError if a file has nothing for the database's profile.
    """
    register_arrays(conn)
    profile = read_collection(conn).profile
    places = list(places)
    for place in places:
        inputs_of(place, source, profile)
        if isinstance(place, AudioMuse):
            place.require_tables()
    report = LoadReport()
    brought = np.zeros(profile.dimensions, bool)
    with recorded(conn, "load") as run:
        conn.execute(_INCOMING.encode())
        known = {} if again else read_marks(conn)
        total = sum(bytes_to_read(inputs_of(each, source, profile), known) for each in places)
        accounts, repeats = FileAccounts(conn), Repeats()
        files = (each for place in places for each in inputs_of(place, source, profile))
        parsed = parse_files(files, known, profile, workers or cores(), limits)
        with closing(parsed):
            for batch in _batches(parsed, limits.batch):
                read = report.read
                brought |= _store(conn, batch, profile, accounts, repeats, report, say)
                if report.read > read:
                    advance(report.read - read, batch[-1][0].done / (total or 1))
        accounts.close()
        with alone(conn, say):
            fit = read_collection(conn).fit
            is_first = fit is None or not fit.fitted
            if is_first and conn.execute("SELECT 1 FROM pgsim.submission LIMIT 1").fetchone():
                say("fitting the feature sets, fusing all recordings and building the index")
                refit(conn)
                fit = read_collection(conn).fit
                if not has_index(conn):
                    say("the owner of pgsim.recording has to build the index: pgsim index")
        report.unfitted = tuple(
            each.name
            for each in profile.sets
            if brought[each.position] and fit is not None and each.name not in fit.fitted
        )
        if report.new or report.updated or is_first:
            # VACUUM skips rows whose commit is not on disk yet: this waits for the disk.
            conn.execute("SELECT pg_logical_emit_message(true, 'pgsim', '')")
            conn.execute("VACUUM (ANALYZE) pgsim.recording")
        with conn.cursor(row_factory=dict_row) as cursor:
            (counts,) = cursor.execute(_COUNTS.encode())
        report = replace(report, **counts)
        run.update(asdict(report))
    return report


def _batches(parsed: Iterable[tuple[Origin, Rows]], size: int) -> Iterator[Batch]:
    """Yield the chunks together, as many as make `size` documents or more."""
    batch: Batch = []
    documents = 0
    for origin, rows in parsed:
        batch.append((origin, rows))
        documents += len(origin.names)
        if documents >= size:
            yield batch
            batch, documents = [], 0
    if batch:
        yield batch


def _store(
    conn: Connection,
    batch: Batch,
    profile: Profile,
    accounts: FileAccounts,
    repeats: Repeats,
    report: LoadReport,
    say: Say,
) -> NDArray[np.bool_]:
    """Commit one batch: its submissions, their recordings, and the files' accounts.

    Add it to the report. Return which of the (dimensions,) features the batch has brought.
    """
    new = changed = 0
    with alone(conn, say):
        # Only the end of the load waits for the disk: a crash of the server that undoes a batch
        # undoes the marks of its files too.
        conn.execute("SET LOCAL synchronous_commit = off")
        collection = read_collection(conn)
        if collection.profile.sets != profile.sets:
            raise PgsimError("the profile was changed during this load: run it again")
        touched: set[UUID] = set()
        for joins, count, rows in rounds(batch, repeats):
            if collection.fit is None and not joins and _are_stored_new(conn, rows):
                new += count
                continue
            conn.execute("TRUNCATE pg_temp.incoming_submission")
            conn.execute(_JOINS if joins else _REPLACES)
            _copy(conn, "pg_temp.incoming_submission", rows)
            if collection.fit is None:
                count_new, count_changed = one_row(conn, _STORE_AND_COUNT)
                new, changed = new + count_new, changed + count_changed
            else:
                stored = conn.execute(_STORE.encode()).fetchall()
                touched.update(mbid for mbid, _ in stored)
                new += sum(is_new for _, is_new in stored)
                changed += sum(not is_new for _, is_new in stored)
        if collection.fit is not None and touched:
            fuse_recordings(conn, collection, sorted(touched))
        accounts.enter(batch)
    known = [span.known for origin, _ in batch for span in origin.spans if span.known]
    outcomes = [rows.outcome for _, rows in batch]
    stored_rows = sum(len(each.keys) for each in outcomes)
    rejected = sum(len(each.failures) for each in outcomes)
    report.read += stored_rows + rejected + sum(mark.documents for mark in known)
    report.new += new
    report.updated += changed
    report.unchanged += stored_rows - new - changed
    report.unchanged += sum(mark.documents - mark.rejected for mark in known)
    report.rejected += rejected + sum(mark.rejected for mark in known)
    report.repaired += sum(each.repairs for each in outcomes)
    brought = np.zeros(collection.profile.dimensions, bool)
    if new or changed:
        for each in outcomes:
            brought |= each.present
    return brought


def _are_stored_new(conn: Connection, rows: list[bytes]) -> bool:
    """Store submissions that are all new, at half the cost; return False if one is not."""
    try:
        with conn.transaction():
            _copy(conn, "pgsim.submission", rows)
    except UniqueViolation:
        return False
    return True


def _copy(conn: Connection, table: str, rows: list[bytes]) -> None:
    columns = "mbid, source, number, features, documents"
    statement = f"COPY {table} ({columns}) FROM STDIN (FORMAT binary)"
    with conn.cursor().copy(statement.encode()) as copy:
        for part in (COPY_HEADER, *rows, COPY_TRAILER):
            copy.write(memoryview(part))  # slices of a memoryview are no copies
