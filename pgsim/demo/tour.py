"""The demo's tour: the whole main job on real recordings, in a database of its own."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from pgsim import embedded
from pgsim.database.database import Database
from pgsim.demo.profile import both_profiles
from pgsim.errors import PgsimError
from pgsim.evaluation.labels import chance, precision
from pgsim.features.profile import read_profile
from pgsim.loading.load import LoadReport
from pgsim.loading.profile_change import change_profile
from pgsim.postgres.connection import redact
from pgsim.postgres.rows import one_value
from pgsim.progress import Say
from pgsim.store import schema
from pgsim.transfer.dump import dump, restore

DATABASE, RESTORED = "demo", "demo_restored"
RECORDINGS = "recordings.ndjson.gz"
SHOWN = ("rank", "similarity", "year", "album", "title")
SEEDS = 2
NEWCOMER = UUID("00000000-0000-4000-8000-000000000001")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that the tour shows."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


Step = str | Table


def tour(say: Say) -> Iterator[Step]:
    """Yield what the tour shows, step by step: lines of text, and tables.

    It starts the embedded server, and can be run again at any time. `say` hears of what takes long.
    """
    server = embedded.start()
    embedded.ensure_database(server, DATABASE)
    url = server.conninfo(DATABASE)
    with Database(url) as db:
        yield _load(db, say)
        yield _refresh(db, say)
        seeds = _seeds(db)
        for mbid, title, album in seeds:
            yield f"\nWhat sounds like '{title}' of {album}?"
            yield from _ask(db, f"SELECT * FROM similar_recordings('{mbid}', 5)")
        mbid, title, _ = seeds[0]
        yield "\nAnd among recordings of the years from 2010 on?"
        yield from _ask(db, f"SELECT * FROM similar_recordings('{mbid}', 5, year_from => 2010)")
        yield from _explain(db, mbid)
        yield from _insert(db, mbid, title)
        yield from _measure(db)
        yield from _dump_and_restore(server, db, mbid, say)
    yield "\nGo on from here:"
    yield f"psql '{redact(url)}' -c \"SELECT * FROM similar_recordings('{mbid}', 10)\""
    yield "or, if psql is not installed: pgsim --database demo psql"
    yield f"or in Python: import pgsim; pgsim.connect('demo').similar('{mbid}')"
    yield "or in a browser: pgsim --database demo serve --as-owner"


def _load(db: Database, say: Say) -> str:
    with _timed("installing pgsim and loading the recordings", say):
        _install(db)
        db.connection.execute("DELETE FROM pgsim.recording WHERE mbid = %s", (NEWCOMER,))
        report = _load_recordings(db)
    return (
        f"{report.read} documents read: {report.new} new, {report.updated} updated,"
        f" {report.unchanged} unchanged, {report.rejected} rejected"
    )


def _load_recordings(db: Database) -> LoadReport:
    with as_file(files("pgsim.demo") / RECORDINGS) as path:
        return db.load(path)


def _refresh(db: Database, say: Say) -> str:
    with _timed("making the lists of neighbours", say):
        lists = db.refresh().lists
    recordings = one_value(db.connection, "SELECT count(*) FROM pgsim.recording")
    return f"{recordings} recordings; {lists} lists made"


def _install(db: Database) -> None:
    """Install pgsim, or bring what another version installed up to date."""
    try:
        is_new = db.install("essentia")
    except PgsimError:
        # An earlier version's profile differs. The database belongs to the demo alone.
        db.connection.execute("DROP SCHEMA pgsim CASCADE")
        is_new = db.install("essentia")
    if not is_new:  # another version's functions may be there
        schema.upgrade(db.connection)


def _seeds(db: Database) -> list[tuple[UUID, str, str]]:
    """Return recordings whose nearest are the most similar of all, from different albums.

    A person can judge their neighbours by the names.
    """
    return db.connection.execute(
        """
        SELECT mbid, title, album FROM (
            SELECT DISTINCT ON (r.album) r.mbid, r.title, r.album, s.reach
            FROM pgsim.recording AS r INNER JOIN pgsim.similarity AS s ON r.id = s.id
            ORDER BY r.album, s.reach, r.mbid
        ) AS best ORDER BY reach, mbid LIMIT %s
        """,
        (SEEDS,),
    ).fetchall()


def _ask(db: Database, question: str) -> Iterator[Step]:
    yield f"{question};"
    shown = f"SELECT {', '.join(SHOWN)} FROM ({question}) AS answer"
    yield Table(SHOWN, db.connection.execute(shown.encode()).fetchall())


def _explain(db: Database, mbid: UUID) -> Iterator[Step]:
    [nearest] = db.similar(mbid, 1)
    other, title = nearest.mbid, nearest.title
    yield f"\nWhy '{title}' of {nearest.album}? Each feature set's own distance and its share:"
    yield f"SELECT * FROM explain_similarity('{mbid}', '{other}');"
    rows = [(each.feature_set, each.distance, each.share) for each in db.explain(mbid, other)]
    yield Table(("feature set", "distance", "share"), rows)


def _insert(db: Database, mbid: UUID, title: str) -> Iterator[Step]:
    """Insert a recording by plain SQL: it is found at once, and in lists after a refresh."""
    yield f"\nA new recording arrives, halfway between '{title}' and its nearest:"
    conn = db.connection
    [nearest] = db.similar(mbid, 1, ranking="distance")
    conn.execute(
        "INSERT INTO pgsim.recording (mbid, title, album, vector)"
        " SELECT %s, 'Newcomer', 'Demo', pgsim.mean_of(array_agg(vector))"
        " FROM pgsim.recording WHERE mbid = ANY(%s)",
        (NEWCOMER, [mbid, nearest.mbid]),
    )
    count = "SELECT count(*) FROM pgsim.similarity_matrix WHERE similar_mbid = %s"
    before = one_value(conn, count, (NEWCOMER,))
    yield from _ask(db, f"SELECT * FROM similar_recordings('{mbid}', 2)")
    report = db.refresh()
    after = one_value(conn, count, (NEWCOMER,))
    yield (
        f"The answer has the new recording at once, though it is in {before} lists. After a refresh"
        f" of {report.lists} lists it is in {after}."
    )
    conn.execute("DELETE FROM pgsim.recording WHERE mbid = %s", (NEWCOMER,))
    db.refresh()


def _measure(db: Database) -> Iterator[Step]:
    """Measure precision@10 by album: of the vector, of each set alone, of random neighbours."""
    vectors, albums = _albums(db)
    singles = [
        (each.name, precision(vectors[:, each.slice], albums, 10))
        for each in read_profile("essentia").sets
    ]
    yield "\nHow many of the 10 nearest are of the seed's own album (precision@10)?"
    yield Table(
        ("neighbours by", "precision@10"),
        [
            ("all feature sets, weighted", precision(vectors, albums, 10)),
            *((f"{name} alone", value) for name, value in sorted(singles, key=lambda s: -s[1])),
            ("random", chance(albums)),
        ],
    )


def _albums(db: Database) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    """Return the vectors (n, dimensions) of the recordings with an album, and the albums (n,)."""
    mbids, vectors = db.vectors()
    albums_of: dict[UUID, str | None] = dict(
        db.connection.execute("SELECT mbid, album FROM pgsim.recording").fetchall()
    )
    named = np.array([albums_of[mbid] is not None for mbid in mbids])
    return vectors[named], np.array([albums_of[mbid] for mbid in mbids[named]])


def _dump_and_restore(
    server: embedded.Server, db: Database, mbid: UUID, say: Say
) -> Iterator[Step]:
    """Restore a dump into another database, ask there too, and fuse a second profile there."""
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as admin:
        name = sql.Identifier(RESTORED)
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        embedded.ensure_database(server, RESTORED)
        with (
            TemporaryDirectory() as folder,
            _timed("dumping the database, and restoring it into another", say),
        ):
            file = Path(folder, "demo.dump")
            size = dump(server.conninfo(DATABASE), file)
            report = restore(server.conninfo(RESTORED), file)
        with Database(server.conninfo(RESTORED)) as other:
            is_same = db.similar(mbid) == other.similar(mbid)
            yield (
                f"a dump of {size / 2**20:.1f} MiB; {report.recordings} recordings and"
                f" {report.lists} lists restored; the same question has"
                f" {'the same' if is_same else 'ANOTHER'} answer there"
            )
            yield from _fuse(other, say)
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def _fuse(db: Database, say: Say) -> Iterator[Step]:
    """Add MusiCNN's embedding, and measure what each of the two profiles finds, and both."""
    with _timed("adding a second profile to the copy, and loading its features", say):
        change_profile(db.connection, both_profiles())
        _load_recordings(db)
        db.refit()
    vectors, albums = _albums(db)
    start = read_profile("essentia").dimensions
    yield "\nIn the copy, MusiCNN's embedding joins the features of Essentia (precision@10):"
    yield Table(
        ("neighbours by", "precision@10"),
        [
            (name, precision(part, albums, 10))
            for name, part in (
                ("profile essentia", vectors[:, :start]),
                ("profile musicnn", vectors[:, start:]),
                ("both, half of the weight each", vectors),
            )
        ],
    )


@contextmanager
def _timed(what: str, say: Say) -> Iterator[None]:
    start = time.monotonic()
    say(f"{what} ...")
    yield
    say(f"{what}: {time.monotonic() - start:.1f} s")
