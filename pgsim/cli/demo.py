"""`pgsim demo`: the whole main job on real recordings, in a database of its own."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import numpy as np
import psycopg
import typer
from psycopg import sql

from pgsim import embedded
from pgsim.cli.common import print_table, say
from pgsim.errors import PgsimError
from pgsim.evaluation.labels import chance, precision
from pgsim.features.profile import read_profile
from pgsim.loading.load import load
from pgsim.matrix.refresh import refresh
from pgsim.postgres.connection import Connection, connect, redact
from pgsim.store import schema
from pgsim.store.collection import read_collection
from pgsim.transfer.dump import dump, restore

DATABASE, RESTORED = "demo", "demo_restored"
RECORDINGS = "recordings.ndjson.gz"
SHOWN = ("rank", "similarity", "year", "album", "title")
# Recordings whose neighbours a person can judge by their names; the first two of these titles.
SEEDS = 2
NEWCOMER = UUID("00000000-0000-4000-8000-000000000001")


def demo() -> None:
    """Load real recordings of free games' music into a database 'demo', and ask about them.

    It runs on the embedded server, whatever --database says, and can be run again at any time.
    """
    server = embedded.start()
    embedded.ensure_database(server, DATABASE)
    url = server.conninfo(DATABASE)
    with closing(connect(url, autocommit=True)) as conn:
        _load(conn)
        seeds = _seeds(conn)
        for mbid, title, album in seeds:
            _say(f"What sounds like '{title}' of {album}?")
            _ask(conn, f"SELECT * FROM similar_recordings('{mbid}', 5)")
        mbid, title, _ = seeds[0]
        _say("And among recordings of the years from 2010 on?")
        _ask(conn, f"SELECT * FROM similar_recordings('{mbid}', 5, year_from => 2010)")
        _explain(conn, mbid)
        _insert(conn, mbid, title)
        _measure(conn)
        _dump_and_restore(server, conn, mbid)
    _say("Go on from here:")
    typer.echo(f"psql '{redact(url)}' -c \"SELECT * FROM similar_recordings('{mbid}', 10)\"")
    typer.echo("or, without a psql of your own: pgsim --database demo psql")


def _load(conn: Connection) -> None:
    with _timed("installing pgsim and loading the recordings"):
        _install(conn)
        schema.add_to_search_path(conn)
        conn.execute("DELETE FROM pgsim.recording WHERE mbid = %s", (NEWCOMER,))
        with as_file(files("pgsim.demo") / RECORDINGS) as path:
            report = load(conn, [path])
    typer.echo(
        f"{report.read} documents read: {report.new} new, {report.updated} updated,"
        f" {report.unchanged} unchanged, {report.rejected} rejected"
    )
    with _timed("making the lists of neighbours"):
        lists = refresh(conn).lists
    typer.echo(f"{report.recordings} recordings; {lists} lists made")


def _install(conn: Connection) -> None:
    profile = read_profile("essentia")
    try:
        is_new = schema.install(conn, profile)
    except PgsimError:
        # Left by a version whose profile was another: the database is the demo's own.
        conn.execute("DROP SCHEMA pgsim CASCADE")
        is_new = schema.install(conn, profile)
    if not is_new:  # what another version installed asks by that version's functions
        schema.upgrade(conn)


def _seeds(conn: Connection) -> list[tuple[UUID, str, str]]:
    """Recordings whose nearest is the most similar of all, from different albums."""
    return conn.execute(
        """
        SELECT mbid, title, album FROM (
            SELECT DISTINCT ON (r.album) r.mbid, r.title, r.album, s.reach
            FROM pgsim.recording AS r INNER JOIN pgsim.similarity AS s ON r.id = s.id
            ORDER BY r.album, s.reach, r.mbid
        ) AS best ORDER BY reach, mbid LIMIT %s
        """,
        (SEEDS,),
    ).fetchall()


def _ask(conn: Connection, question: str) -> None:
    typer.echo(f"{question};")
    cursor = conn.execute(question.encode())
    names = [column.name for column in cursor.description or ()]
    shown = [names.index(name) for name in SHOWN]
    print_table(SHOWN, [[row[index] for index in shown] for row in cursor])


def _explain(conn: Connection, mbid: UUID) -> None:
    row = conn.execute(
        "SELECT mbid, title, album FROM similar_recordings(%s, 1)", (mbid,)
    ).fetchone()
    assert row is not None
    other, title, album = row
    _say(f"Why '{title}' of {album}? Each feature set's own distance and its share:")
    typer.echo(f"SELECT * FROM explain_similarity('{mbid}', '{other}');")
    rows = conn.execute(
        "SELECT feature_set, distance, share FROM explain_similarity(%s, %s)", (mbid, other)
    )
    print_table(("feature set", "distance", "share"), rows.fetchall())


def _insert(conn: Connection, mbid: UUID, title: str) -> None:
    """A recording by plain SQL: found at once, and in its neighbours' lists after a refresh."""
    _say(f"A new recording arrives, halfway between '{title}' and its nearest:")
    conn.execute(
        """
        INSERT INTO pgsim.recording (mbid, title, album, vector)
        SELECT %s, 'Newcomer', 'Demo', avg(vector) FROM pgsim.recording
        WHERE mbid = %s
            OR mbid = (SELECT mbid FROM similar_recordings(%s, 1, ranking => 'distance'))
        """,
        (NEWCOMER, mbid, mbid),
    )
    count = "SELECT count(*) FROM pgsim.similarity_matrix WHERE similar_mbid = %s"
    before = conn.execute(count.encode(), (NEWCOMER,)).fetchone()
    _ask(conn, f"SELECT * FROM similar_recordings('{mbid}', 2)")
    report = refresh(conn)
    after = conn.execute(count.encode(), (NEWCOMER,)).fetchone()
    assert before is not None
    assert after is not None
    typer.echo(
        f"It was found at once, though in {before[0]} lists; after a refresh of {report.lists}"
        f" lists it is in {after[0]}."
    )
    conn.execute("DELETE FROM pgsim.recording WHERE mbid = %s", (NEWCOMER,))
    refresh(conn)


def _measure(conn: Connection) -> None:
    """precision@10 by album: of the vector, of each set by itself, and of drawing by lot."""
    profile = read_collection(conn).profile
    rows = conn.execute(
        "SELECT album, vector FROM pgsim.recording WHERE album IS NOT NULL AND vector IS NOT NULL"
    ).fetchall()
    albums = np.array([album for album, _ in rows])
    vectors = np.stack([vector.to_numpy() for _, vector in rows])
    _say("How many of the 10 nearest are of the seed's own album (precision@10)?")
    singles = [(each.name, precision(vectors[:, each.slice], albums, 10)) for each in profile.sets]
    singles.sort(key=lambda single: -single[1])
    measured = [
        ("all feature sets, weighted", precision(vectors, albums, 10)),
        *((f"{name} alone", value) for name, value in singles),
        ("by lot", chance(albums)),
    ]
    print_table(("neighbours by", "precision@10"), measured)


def _dump_and_restore(server: embedded.Server, conn: Connection, mbid: UUID) -> None:
    question = "SELECT * FROM similar_recordings(%s, 10)"
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as admin:
        name = sql.Identifier(RESTORED)
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        embedded.ensure_database(server, RESTORED)
        with TemporaryDirectory() as folder:
            file = Path(folder, "demo.dump")
            with _timed("dumping the database, and restoring it into another"):
                size = dump(server.conninfo(DATABASE), file)
                report = restore(server.conninfo(RESTORED), file)
        with closing(connect(server.conninfo(RESTORED), autocommit=True)) as other:
            same = (
                conn.execute(question.encode(), (mbid,)).fetchall()
                == other.execute(question.encode(), (mbid,)).fetchall()
            )
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
    typer.echo(
        f"a dump of {size / 2**20:.1f} MiB; {report.recordings} recordings and {report.lists} lists"
        f" restored; the same question has {'the same' if same else 'ANOTHER'} answer there"
    )


def _say(text: str) -> None:
    typer.echo(f"\n{text}")


@contextmanager
def _timed(what: str) -> Iterator[None]:
    start = time.monotonic()
    say(f"{what} ...")
    yield
    say(f"{what}: {time.monotonic() - start:.1f} s")
