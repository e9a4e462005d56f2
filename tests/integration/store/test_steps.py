"""Steps of an upgrade outside its transaction, by revisions that the tests make."""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from pgsim.errors import PgsimError
from pgsim.features.profile import read_profile
from pgsim.postgres.connection import Connection, connect
from pgsim.store import locks, schema
from pgsim.store.check import run_checks
from pgsim.store.collection import read_revision
from pgsim.store.files import REVISIONS, newest_revision
from pgsim.store.finding import OK
from pgsim.store.steps import unfinished
from tests.support.definition import definition, opened
from tests.support.revisions import build_from_revisions
from tests.support.rows import one

PROFILE = read_profile("acousticbrainz")
NOW = newest_revision()
NEXT, LATER = (f"{int(NOW) + n:04}" for n in (1, 2))

REVISION = """
from alembic import context

revision = "{0}"
down_revision = "{1}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    context.config.attributes["run_sql"](__file__)
"""
# The index is in the catalog, and its building waits for a writer.
BUILDING = "SELECT count(*) FROM pg_stat_progress_create_index WHERE lockers_total > 0"
VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('pgsim.{}')"


@pytest.fixture
def revisions(tmp_path: Path) -> Path:
    """A copy of the folder of revisions, to which a test adds its own."""
    return shutil.copytree(
        REVISIONS, tmp_path / "alembic", ignore=shutil.ignore_patterns("__pycache__")
    )


def add(folder: Path, revision: str, **steps: str) -> None:
    """Add a revision after the last one: its main step, and those before and after it."""
    names = {"main": "", "before": ".before", "after": ".after"}
    python = folder / "versions" / f"{revision}_made.py"
    python.write_text(REVISION.format(revision, f"{int(revision) - 1:04}"))
    for kind, name in names.items():
        if kind == "main" or kind in steps:
            python.with_suffix(f"{name}.sql").write_text(steps.get(kind, "SELECT 1;\n"))


@pytest.fixture
def url(new_database: Callable[..., str], acousticbrainz_template: str) -> str:
    return new_database(acousticbrainz_template)


@pytest.fixture
def conn(url: str) -> Iterator[Connection]:
    with opened(url) as conn:
        conn.execute("INSERT INTO pgsim.recording (mbid, title) VALUES (gen_random_uuid(), 'A')")
        yield conn


def wait_for(conn: Connection, query: str, working: "Future[object]") -> None:
    """Wait until a query has a true answer, while the work goes on."""
    while not one(conn, query):
        if working.done():
            working.result()
            raise AssertionError(f"the work ended before: {query}")


def test_an_index_is_built_concurrently_while_another_session_writes(
    conn: Connection, url: str, revisions: Path
) -> None:
    add(
        revisions,
        NEXT,
        after="-- Usage: a test.\n"
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS made ON pgsim.recording (title);\n",
    )
    with opened(url) as writer, opened(url) as other, ThreadPoolExecutor(1) as pool:
        insert = "INSERT INTO pgsim.recording (mbid, title) VALUES (gen_random_uuid(), 'B')"
        with writer.transaction():
            said: list[str] = []

            def say(text: str) -> None:
                said.append(text)
                writer.execute(insert.encode())  # and its transaction stays open

            working = pool.submit(schema.upgrade, conn, say, revisions)
            wait_for(other, BUILDING, working)
            # The tables are of the new revision, the index waits for the writer, others write.
            assert read_revision(other) == NEXT
            assert unfinished(other) == [NEXT]
            other.execute(insert.encode())
            assert not working.done()
        assert working.result() == (NOW, NEXT)
    assert said == [f"running {NEXT}_made.after.sql"]
    assert one(conn, VALID.format("made")) is True
    assert unfinished(conn) == []
    assert one(conn, "SELECT count(*) FROM pgsim.recording") == 3


@pytest.mark.parametrize("kind", ["before", "after"])
def test_an_interrupted_step_begins_again_and_its_invalid_index_is_dropped(
    conn: Connection, url: str, revisions: Path, kind: str
) -> None:
    add(
        revisions,
        NEXT,
        main="ALTER TABLE pgsim.recording ADD COLUMN made text;\n",
        **{
            kind: "CREATE INDEX CONCURRENTLY IF NOT EXISTS first ON pgsim.recording (album);\n"
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS second ON pgsim.recording (artist);\n"
        },
    )
    with (
        opened(url) as writer,
        opened(url) as other,
        ThreadPoolExecutor(1) as pool,
        writer.transaction(),
    ):

        def say(_: str) -> None:
            writer.execute("UPDATE pgsim.recording SET title = 'C'")

        working = pool.submit(schema.upgrade, conn, say, revisions)
        wait_for(other, BUILDING, working)
        other.execute("SELECT pg_cancel_backend(pid) FROM pg_stat_progress_create_index")
        with pytest.raises(psycopg.errors.QueryCanceled):
            working.result()
    assert one(conn, VALID.format("first")) is False
    assert one(conn, "SELECT to_regclass('pgsim.second')") is None
    if kind == "before":
        assert read_revision(conn) == NOW
        assert schema.upgrade(conn, revisions=revisions) == (NOW, NEXT)
    else:
        assert read_revision(conn) == NEXT
        assert schema.upgrade(conn, revisions=revisions) == (NEXT, NEXT)
    assert one(conn, VALID.format("first")) is True
    assert one(conn, VALID.format("second")) is True
    assert unfinished(conn) == []


def test_check_says_that_an_upgrade_was_interrupted(conn: Connection) -> None:
    def finding() -> str | None:
        (found,) = (each for each in run_checks(conn) if each.check == "upgrade_is_finished")
        assert (found.level == OK) == (found.wrong is None)
        return found.wrong

    assert finding() is None
    conn.execute(f"INSERT INTO pgsim.upgrade_step (revision) VALUES ('{NOW}')")
    assert finding() == f"the upgrade to revision {NOW} was interrupted"


def test_steps_run_in_their_order_and_each_once(conn: Connection, revisions: Path) -> None:
    def note(revision: str, kind: str) -> str:
        return f"INSERT INTO pgsim.run (command) VALUES ('{revision} {kind}');\n"

    for revision in (NEXT, LATER):
        kinds = ("before", "main", "after")
        add(revisions, revision, **{kind: note(revision, kind) for kind in kinds})
    expected = [
        *(
            f"{NEXT} before",
            f"{LATER} before",
            f"{NEXT} main",
            f"{LATER} main",
            f"{NEXT} after",
            f"{LATER} after",
        )
    ]
    for _ in range(2):
        schema.upgrade(conn, revisions=revisions)
        ran = conn.execute("SELECT command FROM pgsim.run ORDER BY id").fetchall()
        assert [command for (command,) in ran] == expected


def test_a_main_step_that_fails_leaves_the_schema_as_it_was_and_says_why_in_one_line(
    conn: Connection, url: str, revisions: Path
) -> None:
    add(revisions, NEXT, main="ALTER TABLE pgsim.recording ADD COLUMN made text;\n")
    add(revisions, LATER, main="ALTER TABLE pgsim.recording DROP COLUMN nothing;\n")
    before = definition(url)
    with pytest.raises(psycopg.errors.UndefinedColumn, match='column "nothing"'):
        schema.upgrade(conn, revisions=revisions)
    assert definition(url) == before
    assert read_revision(conn) == NOW


def test_an_error_inside_alembic_is_postgresqls_own(conn: Connection, revisions: Path) -> None:
    add(revisions, NEXT, main="SELECT 1;\n")
    # Alembic itself writes the new revision.
    conn.execute(
        "ALTER TABLE pgsim.alembic_version ADD CONSTRAINT stays"
        f" CHECK (version_num = '{NOW}')".encode()
    )
    with pytest.raises(psycopg.errors.CheckViolation, match="stays"):
        schema.upgrade(conn, revisions=revisions)


def test_a_column_that_an_object_of_the_users_depends_on_stays_and_the_object_is_named(
    conn: Connection, revisions: Path
) -> None:
    add(revisions, NEXT, main="ALTER TABLE pgsim.run DROP COLUMN command;\n")
    conn.execute("CREATE VIEW public.mine AS SELECT command FROM pgsim.run")
    with pytest.raises(PgsimError, match="view public.mine depends on column command of table run"):
        schema.upgrade(conn, revisions=revisions)
    conn.execute("ALTER TABLE pgsim.run RENAME COLUMN finished_at TO ended_at")
    # A column that no code of pgsim's reads, which could be named first.
    conn.execute("CREATE VIEW public.reasons AS SELECT reason FROM pgsim.reject")
    add(revisions, NEXT, main="ALTER TABLE pgsim.reject ALTER COLUMN reason TYPE varchar;\n")
    with pytest.raises(PgsimError, match="view public.reasons depends on column"):
        schema.upgrade(conn, revisions=revisions)


def test_a_main_step_can_drop_code_that_stands_in_its_way(
    conn: Connection, url: str, revisions: Path
) -> None:
    before = definition(url)
    change = "ALTER TABLE pgsim.feature_set ALTER COLUMN weight TYPE "
    main = f"{change}numeric;\n{change}double precision;\n"
    add(revisions, NEXT, main=main)
    with pytest.raises(PgsimError, match=r'function known_metrics\(\) depends on column "weight"'):
        schema.upgrade(conn, revisions=revisions)
    add(revisions, NEXT, main=f"DROP FUNCTION pgsim.known_metrics();\n{main}")
    schema.upgrade(conn, revisions=revisions)
    assert definition(url) == before


def test_fresh_tables_by_revisions_with_steps_are_those_of_an_upgrade(
    conn: Connection, url: str, revisions: Path, new_database: Callable[..., str]
) -> None:
    add(
        revisions,
        NEXT,
        before="CREATE INDEX CONCURRENTLY IF NOT EXISTS early ON pgsim.recording (album);\n",
        main="ALTER TABLE pgsim.recording ADD COLUMN made :pgvector.vector(:dimensions);\n",
        after="CREATE INDEX CONCURRENTLY IF NOT EXISTS late ON pgsim.recording (album)\n"
        "WHERE made IS NOT NULL;\n",
    )
    schema.upgrade(conn, revisions=revisions)
    other = new_database()
    with opened(other) as fresh:
        build_from_revisions(fresh, PROFILE.dimensions, revisions)
    assert definition(other) == definition(url)


def test_two_upgrades_at_once_take_turns(conn: Connection, url: str, revisions: Path) -> None:
    add(
        revisions,
        NEXT,
        before="CREATE INDEX CONCURRENTLY IF NOT EXISTS early ON pgsim.recording (album);\n"
        "SELECT pg_sleep(0.5);\n",
        main="ALTER TABLE pgsim.recording ADD COLUMN made text;\n",
    )
    with closing(connect(url, autocommit=True)) as other, ThreadPoolExecutor(2) as pool:
        working = [pool.submit(schema.upgrade, each, revisions=revisions) for each in (conn, other)]
        assert sorted(each.result() for each in working) == [(NOW, NEXT), (NEXT, NEXT)]


def test_an_upgrade_inside_a_transaction_is_refused(conn: Connection) -> None:
    with conn.transaction(), pytest.raises(PgsimError, match="cannot run inside a transaction"):
        schema.upgrade(conn)


def test_an_upgrade_gives_its_lock_back(conn: Connection, url: str, revisions: Path) -> None:
    add(revisions, NEXT, after="SELECT 1 / 0;\n")
    with pytest.raises(psycopg.errors.DivisionByZero):
        schema.upgrade(conn, revisions=revisions)
    with opened(url) as other, locks.held(other, locks.SCHEMA, within=0):
        pass
