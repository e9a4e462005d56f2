"""pgsim plan: measures in a scratch database, and leaves nothing behind."""

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pgsim.cli import run
from pgsim.errors import PgsimError
from pgsim.features.profile import read_profile
from pgsim.planning import plan as module
from pgsim.planning.plan import LEAST_SAMPLE, plan
from pgsim.planning.scratch_database import SCRATCH, scratch_database
from pgsim.postgres.connection import Connection
from tests.support.clustered import copy_in, make_collection
from tests.support.paths import CHECKOUT

KILLED = """
import os
import sys
import psycopg
from pgsim.features.profile import read_profile
from pgsim.planning.scratch_database import scratch_database
from pgsim.postgres.connection import connect

execute = psycopg.Connection.execute

def execute_and_die(conn, *words):
    cursor = execute(conn, *words)
    if cursor.statusmessage == "CREATE DATABASE":
        os._exit(9)
    return cursor

psycopg.Connection.execute = execute_and_die
conn = connect(sys.argv[1], autocommit=True)
with scratch_database(conn, sys.argv[1], read_profile("acousticbrainz")):
    pass
"""


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NEWCOMERS", 20)


def scratches(conn: Connection) -> int:
    return conn.execute("SELECT FROM pg_database WHERE datname = %s", (SCRATCH,)).rowcount


def test_a_plan_measures_the_databases_own_recordings_where_there_are_enough(
    conn: Connection, small: None
) -> None:
    copy_in(conn, make_collection(LEAST_SAMPLE, 68))
    before = conn.execute("SELECT count(*), sum(id) FROM pgsim.recording").fetchone()
    planned = plan(conn.info.dsn, 1_000_000, sample=LEAST_SAMPLE)
    assert planned.vectors == "the database's own"
    assert planned.samples == [250, 500, 1000]
    assert [each.step for each in planned.steps] == [
        *("load", "index", "prepare", "lists", "compare", "enter")
    ]
    # What so few newcomers change in lists is less than the noise.
    assert all(
        min(each.measured) > 0 and each.seconds > 0
        for each in planned.steps
        if each.step != "enter"
    )
    # A hundred neighbours of 8 bytes each, in two tables.
    assert 1_000_000 * 100 * 8 * 2 < planned.disk["matrix"] < 1_000_000 * 100 * 8 * 4
    assert planned.disk["recordings"] > 1_000_000 * 68 * 4
    assert conn.execute("SELECT count(*), sum(id) FROM pgsim.recording").fetchone() == before
    assert scratches(conn) == 0


@pytest.mark.slow
def test_without_enough_of_them_it_makes_some_up_and_says_so(
    new_database: Callable[..., str],
    small: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (99.0, 0.0, 0.0))
    command = ["--database", new_database(), "plan", "--recordings", "1000000", "--sample", "1000"]
    assert run([*command, "--within", "300d", "--json"]) == 0
    said = capsys.readouterr()
    assert "this machine is busy" in said.err
    planned = json.loads(said.out)
    assert (planned["dimensions"], planned["vectors"]) == (68, "made up")
    assert planned["machines"] == 1

    assert run([*command, "--within", "0.001s"]) == 0
    said = capsys.readouterr()
    assert max(map(len, said.out.splitlines())) <= 80
    assert "…" not in said.out
    assert "within 0.001s: no number of machines" in said.out


@pytest.mark.slow
def test_no_more_is_measured_than_is_planned(conn: Connection, small: None) -> None:
    copy_in(conn, make_collection(LEAST_SAMPLE, 68))
    planned = plan(conn.info.dsn, LEAST_SAMPLE)
    assert planned.samples[-1] == LEAST_SAMPLE
    assert planned.vectors == "the database's own"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--within", "1 hour"], "'1 hour' is no time: write 90s, 30m, 1h or 2d"),
        (["--within", "0s"], "the deadline is 0 seconds"),
        (["--within", "1"], "'1' is no time: write 90s, 30m, 1h or 2d"),
    ],
)
def test_a_deadline_that_cannot_be_meant_is_refused(
    arguments: list[str], line: str, conn: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--database", conn.info.dsn, "plan", "--recordings", "1000", *arguments]) == 2
    assert line in capsys.readouterr().err


@pytest.mark.parametrize(
    ("privilege", "message"),
    [
        ("NOCREATEDB", "may not make the scratch database .* CREATEDB"),
        ("CREATEDB", "may not install pgvector: .* for every new one: in template1"),
    ],
)
def test_a_role_that_may_not_make_the_scratch_database_is_told_what_it_needs(
    conn: Connection, new_database: Callable[..., str], privilege: str, message: str
) -> None:
    name = f"planner_{os.urandom(4).hex()}"
    role = sql.Identifier(name)
    conn.execute(sql.SQL("CREATE ROLE {} LOGIN {}").format(role, sql.SQL(privilege)))
    try:
        with pytest.raises(PgsimError, match=message):
            plan(make_conninfo(new_database(), user=name), 1_000_000, sample=LEAST_SAMPLE)
        assert scratches(conn) == 0
    finally:
        conn.execute(sql.SQL("DROP ROLE {}").format(role))


def test_one_plan_at_a_time_and_no_database_of_somebodys(conn: Connection) -> None:
    profile = read_profile("acousticbrainz")
    with (
        scratch_database(conn, conn.info.dsn, profile),
        pytest.raises(PgsimError, match="another pgsim plan is at work"),
        scratch_database(conn, conn.info.dsn, profile),
    ):
        pass
    assert scratches(conn) == 0

    conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(SCRATCH)))
    with (
        pytest.raises(PgsimError, match="of somebody's"),
        scratch_database(conn, conn.info.dsn, profile),
    ):
        pass
    assert scratches(conn) == 1
    conn.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(SCRATCH)))


def test_a_plan_that_is_killed_as_soon_as_its_database_is_there_stops_no_other(
    conn: Connection,
) -> None:
    child = subprocess.run([sys.executable, "-c", KILLED, conn.info.dsn], cwd=CHECKOUT)
    assert child.returncode == 9
    assert scratches(conn) == 1
    with scratch_database(conn, conn.info.dsn, read_profile("acousticbrainz")) as scratch:
        assert scratch.info.dbname == SCRATCH
    assert scratches(conn) == 0
