"""Documents to committed submissions and recordings, each document accounted for."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from uuid import UUID

import numpy as np
import orjson
from numpy.typing import NDArray
from psycopg.types.json import Jsonb

from pgsim.arrays import register_arrays
from pgsim.collection import Connection, read_collection
from pgsim.fuse import alone, fuse_recordings, refit
from pgsim.profile import Profile
from pgsim.run import recorded
from pgsim.sources import Source, source_for
from pgsim.submission import Rejected, Submission
from pgsim.text import Repairs

BATCH = 2000  # documents in a transaction
# Bytes of a name in `reject`: two of them have to fit into an index.
LONGEST_NAME = 1200

_INCOMING = """
    CREATE TEMP TABLE IF NOT EXISTS pg_temp.incoming_submission (
        mbid uuid, source text, number integer, features real[], documents jsonb
    ) ON COMMIT DELETE ROWS
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


@dataclass(frozen=True, slots=True)
class Failure:
    """A document that could not be loaded: where it stands, and why."""

    file: str
    member: str
    reason: str


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
    advance: Callable[[int], None] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
) -> LoadReport:
    """Load the documents of files and folders.

    Committed in batches: killed at any point and run again, a load ends with the same rows. The
    first load that has anything to fit ends by fitting the feature sets; every later one fuses what
    it brings as it goes. The rejects of a path are those of the last load of it. `conn` is in
    autocommit mode; `advance` is told how many more documents are done, `say` of steps after that.
    UsageError or SourceError where a path is not there, before anything is read.
    """
    register_arrays(conn)
    profile = read_collection(conn).profile
    sources = [(path, source_for(path)) for path in paths]
    report = LoadReport()
    brought = np.zeros(profile.dimensions, bool)
    with recorded(conn, "load") as run:
        conn.execute(_INCOMING.encode())
        for path, source in sources:
            file = _name(str(path.absolute()))
            conn.execute("DELETE FROM pgsim.reject WHERE file = %s", (file,))
            documents = _documents(path, file, source, profile)
            while batch := list(islice(documents, BATCH)):
                brought |= _store(conn, batch, report)
                advance(len(batch))
        with alone(conn):
            fit = read_collection(conn).fit
            is_first = fit is None or not fit.fitted
            if is_first and conn.execute("SELECT 1 FROM pgsim.submission LIMIT 1").fetchone():
                say("fitting the feature sets, fusing all recordings and building the index")
                refit(conn)
                fit = read_collection(conn).fit
        report.unfitted = tuple(
            each.name
            for each in profile.sets
            if brought[each.position] and fit is not None and each.name not in fit.fitted
        )
        if report.new or report.updated or is_first:
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


def _documents(
    path: Path, file: str, source: Source, profile: Profile
) -> Iterator[Submission | Failure]:
    for member in source.members(path):
        try:
            yield _storable(source.submission(member, profile))
        except Rejected as error:
            yield Failure(file, _name(member.name), str(error))


def _storable(submission: Submission) -> Submission:
    try:
        orjson.dumps(submission.metadata)
    except orjson.JSONEncodeError as error:
        raise Rejected(f"metadata that cannot be stored: {error}") from None
    return submission


def _name(name: str) -> str:
    """A name that `reject` can hold: of a longer one the end, which says more."""
    return Repairs().text(name).encode()[-LONGEST_NAME:].decode(errors="ignore")


def _store(
    conn: Connection, batch: list[Submission | Failure], report: LoadReport
) -> NDArray[np.bool_]:
    """Commit one batch: submissions, the recordings they belong to, and failures.

    Returns which of the (dimensions,) features the new and changed submissions have.
    """
    submissions = [each for each in batch if isinstance(each, Submission)]
    failures = [each for each in batch if isinstance(each, Failure)]
    new = updated = 0
    with alone(conn):
        touched: set[UUID] = set()
        for rows in _rounds(submissions):
            stored = _store_submissions(conn, rows)
            new += sum(stored.values())
            updated += len(stored) - sum(stored.values())
            touched |= {mbid for mbid, _, _ in stored}
        collection = read_collection(conn)
        if collection.fit is not None and touched:
            fuse_recordings(conn, collection, sorted(touched))
        conn.cursor().executemany(
            "INSERT INTO pgsim.reject (file, member, reason) VALUES (%s, %s, %s)"
            " ON CONFLICT (file, member) DO UPDATE"
            " SET reason = excluded.reason, rejected_at = now()",
            [(each.file, each.member, each.reason) for each in failures],
        )
    report.read += len(batch)
    report.new += new
    report.updated += updated
    report.unchanged += len(submissions) - new - updated
    report.rejected += len(failures)
    report.repaired += sum(each.repairs for each in submissions)
    brought = np.zeros(collection.profile.dimensions, bool)
    for each in submissions:
        if each.mbid in touched:
            brought |= ~np.isnan(each.features)
    return brought


def _key(submission: Submission) -> tuple[UUID, str, int]:
    return submission.mbid, submission.source, submission.number


def _rounds(submissions: list[Submission]) -> list[list[Submission]]:
    """Rounds in which no key stands twice: a statement can touch a row only once."""
    seen: dict[tuple[UUID, str, int], int] = {}
    rounds: list[list[Submission]] = []
    for each in submissions:
        turn = seen[_key(each)] = seen.get(_key(each), -1) + 1
        if turn == len(rounds):
            rounds.append([])
        rounds[turn].append(each)
    return rounds


def _store_submissions(
    conn: Connection, submissions: list[Submission]
) -> dict[tuple[UUID, str, int], bool]:
    """The new (True) and the changed (False) ones among them."""
    conn.execute("TRUNCATE pg_temp.incoming_submission")
    statement = "COPY pg_temp.incoming_submission FROM STDIN (FORMAT binary)"
    with conn.cursor().copy(statement) as copy:
        copy.set_types(["uuid", "text", "int4", "float4[]", "jsonb"])
        for each in submissions:
            documents = Jsonb({each.document: each.metadata}, dumps=orjson.dumps)
            copy.write_row((*_key(each), each.features, documents))
    rows = conn.execute("SELECT mbid, source, number, is_new FROM pgsim.store_submissions()")
    return {(mbid, source, number): is_new for mbid, source, number, is_new in rows}
