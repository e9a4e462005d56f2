"""A filled database to be dumped, and what a restored one has to be."""

import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

from pgsim.loading.recordings import refit
from pgsim.matrix.refresh import refresh
from pgsim.postgres.connection import Connection, connect
from pgsim.store.check import run_checks
from pgsim.store.finding import OK
from tests.support.paths import CHECKOUT

COMMAND = "from pgsim.cli import main; main()"
OWNER = "pgsim_test_owner"

# 1,200 recordings are enough that the HNSW index answers for them.
FILL = """
    UPDATE pgsim.collection SET list_length = 50;
    SELECT setseed(0.5);
    INSERT INTO pgsim.submission (mbid, source, number, features, documents)
    SELECT
        ('c0ffee00-0000-4000-8000-' || lpad(i::text, 12, '0'))::uuid, 'acousticbrainz', 0,
        ARRAY[random(), random()]::real[],
        jsonb_build_object('lowlevel', jsonb_build_object(
            'title', E'Título\\t' || i, 'artist', 'Artist ' || i % 40, 'year', 1960 + i % 50,
            'tags', jsonb_build_array('tag' || i % 7)))
    FROM generate_series(1, 1200) AS i;
    INSERT INTO pgsim.reject (file, member, reason) VALUES ('a.tar', 'b.json', E'no\\\\ "JSON"');
    INSERT INTO pgsim.run (command, finished_at, report) VALUES ('load', now(), '{"read": 1200}');
"""
SEED = "c0ffee00-0000-4000-8000-000000000007"
QUESTIONS = (
    "SELECT * FROM similar_recordings(%s, 10)",
    "SELECT * FROM similar_recordings(%s, 10, ranking => 'distance')",
    "SELECT * FROM similar_recordings(%s, 10, decade => 1970)",
    "SELECT * FROM similar_recordings(%s, 5, genre => 'tag:tag3', year_from => 1965)",
    "SELECT * FROM similar_recordings(%s, 300)",
    "SELECT r.* FROM pgsim.recording AS s, nearest_recordings(s.vector, 5) AS r WHERE s.mbid = %s",
    "SELECT * FROM similarity_matrix WHERE mbid = %s",
)


def fill(conninfo: str) -> None:
    """Recordings with their matrix, and one that came after it."""
    with closing(connect(conninfo, autocommit=True)) as conn:
        conn.execute(FILL.encode())
        refit(conn)
        refresh(conn)
        conn.execute(
            "INSERT INTO pgsim.recording (mbid, title, vector)"
            " VALUES (gen_random_uuid(), 'Newcomer', '[0.1,0.2]')"
        )
        conn.execute("VACUUM (ANALYZE) pgsim.recording")


def everything(conn: Connection) -> dict[str, list[Any]]:
    """Every row of every table of pgsim's, as text, but for what is measured at the moment."""
    tables = conn.execute(
        "SELECT relname FROM pg_class"
        " WHERE relnamespace = 'pgsim'::regnamespace AND relkind IN ('r', 'v')"
        " AND relname <> 'metrics' ORDER BY relname"
    ).fetchall()
    return {
        name: conn.execute(
            f'SELECT t::text FROM pgsim."{name}" AS t ORDER BY 1'.encode()
        ).fetchall()
        for (name,) in tables
    }


def answers(conn: psycopg.Connection[Any]) -> list[list[Any]]:
    return [conn.execute(question.encode(), (SEED,)).fetchall() for question in QUESTIONS]


def new_session(conninfo: str) -> "psycopg.Connection[Any]":
    """A session as psql has it: nothing set but what the database says."""
    return psycopg.connect(conninfo, autocommit=True)


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def schema_of(conninfo: str) -> Any:
    with new_session(conninfo) as conn:
        row = conn.execute("SELECT to_regnamespace('pgsim')").fetchone()
    assert row is not None
    return row[0]


def pgsim_command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def wait_until(conn: "psycopg.Connection[Any]", count: str, expected: int) -> None:
    """Wait until a query counts what is expected."""
    deadline = time.monotonic() + 20
    while conn.execute(count.encode()).fetchone() != (expected,):
        assert time.monotonic() < deadline
        time.sleep(0.02)
        conn.execute("SELECT pg_stat_clear_snapshot()")


def assert_of_use(conninfo: str) -> None:
    """A restored database is a working one: questions, triggers, identities, index, refresh."""
    with new_session(conninfo) as conn:
        mbid = "d0ffee00-0000-4000-8000-000000000001"
        conn.execute(
            "INSERT INTO pgsim.recording (mbid, title, vector)"
            " SELECT %s, 'As near as can be', vector FROM pgsim.recording WHERE mbid = %s",
            (mbid, SEED),
        )
        nearest = "SELECT mbid::text, distance FROM similar_recordings(%s, 1)"
        assert conn.execute(nearest.encode(), (SEED,)).fetchone() == (mbid, 0)
        changed, lists = conn.execute("CALL pgsim.refresh_similarity()").fetchone() or (0, 0)
        assert changed == 2
        assert lists > 2
        first = "SELECT similar_mbid::text FROM similarity_matrix WHERE mbid = %s AND rank = 1"
        assert conn.execute(first.encode(), (SEED,)).fetchone() == (mbid,)
        conn.execute("DELETE FROM pgsim.recording WHERE mbid = %s", (mbid,))
        assert conn.execute(nearest.encode(), (SEED,)).fetchone() != (mbid, 0)
    with closing(connect(conninfo, autocommit=True)) as known:
        assert not [each for each in run_checks(known) if each.level not in (OK, "note", "warning")]
