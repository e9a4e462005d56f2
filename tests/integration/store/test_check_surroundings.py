"""What check says of the server, the schema and the database around the collection."""

import json
import re
import shlex
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from pgsim import embedded
from pgsim.cli import run
from pgsim.features.profile import read_profile
from pgsim.loading.recordings import refit
from pgsim.postgres.connection import connect, redact
from pgsim.store import schema
from pgsim.store.check import check_database
from pgsim.store.files import newest_revision
from pgsim.store.finding import NOTE, OK, WARNING
from pgsim.store.index import build_index
from tests.support.findings import FILL, execute, follow, wrongs
from tests.support.paths import PLANE
from tests.support.rows import one


def test_questions_are_answered_where_pgvector_moves_to_another_schema(healthy: str) -> None:
    execute(healthy, "CREATE SCHEMA extensions", "ALTER EXTENSION vector SET SCHEMA extensions")
    assert wrongs(healthy) == {}


@pytest.mark.parametrize(
    ("installed", "faults"),
    [
        ("0.8.0", ["CVE-2026-3172", "damage an HNSW index", "fail to VACUUM"]),
        ("0.8.1", ["CVE-2026-3172", "damage an HNSW index", "fail to VACUUM"]),
        ("0.8.2", ["damage an HNSW index", "fail to VACUUM"]),
        ("0.8.3", ["fail to VACUUM"]),
    ],
)
def test_a_release_of_pgvector_with_known_faults_is_named_with_its_cure(
    healthy: str, installed: str, faults: list[str]
) -> None:
    execute(healthy, f"UPDATE pg_extension SET extversion = '{installed}' WHERE extname = 'vector'")
    found = wrongs(healthy)
    assert found.keys() == {"pgvector_is_sound"}
    wrong = found["pgvector_is_sound"].wrong or ""
    assert wrong.startswith(f"pgvector {installed} can ")
    known = ("CVE-2026-3172", "damage an HNSW index", "fail to VACUUM")
    assert [fault for fault in known if fault in wrong] == faults
    with closing(connect(healthy, autocommit=True)) as conn, conn.transaction():
        conn.execute("DROP INDEX pgsim.recording_vector")
        build_index(conn)
        workers = one(conn, "SELECT current_setting('max_parallel_maintenance_workers')")
        assert (workers == "0") == ("CVE-2026-3172" in faults)
    assert found["pgvector_is_sound"].cure == (
        "as a superuser run ALTER EXTENSION vector UPDATE, then REINDEX INDEX"
        " pgsim.recording_vector"
    )


def test_a_database_without_pgsim_is_told_to_make_it(
    healthy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    execute(healthy, "DROP SCHEMA pgsim CASCADE")
    assert run(["--database", healthy, "check"]) == 1
    name, cure = (
        conninfo_to_dict(healthy)["dbname"],
        f"pgsim --database {shlex.quote(redact(healthy))} init",
    )
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith("ok ")] == [
        f"problem  database '{name}' has none of pgsim's tables; to cure it: {cure}"
    ]
    follow(healthy, cure)
    assert wrongs(healthy) == {}


def test_a_database_off_the_search_path_is_only_warned(
    healthy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    execute(healthy, f"ALTER DATABASE {conninfo_to_dict(healthy)['dbname']} RESET search_path")
    assert run(["--database", healthy, "check", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["notes"], shown["warnings"], shown["problems"]) == (0, 1, 0)
    (wrong,) = (each for each in shown["checks"] if each["level"] != OK)
    assert wrong["check"] == "search_path_has_pgsim"
    assert wrong["wrong"] == (
        'new sessions do not find similar_recordings(): their search path is "$user", public'
    )
    follow(healthy, wrong["cure"])
    assert wrongs(healthy) == {}


def test_a_schema_of_another_version_is_told_before_it_is_read(healthy: str) -> None:
    execute(
        healthy,
        "UPDATE pgsim.alembic_version SET version_num = '9999'",
        "ALTER TABLE pgsim.collection RENAME COLUMN fitted_at TO fitted_when",
    )
    found = wrongs(healthy)
    assert found.keys() == {"schema_is_not_newer"}
    assert found["schema_is_not_newer"].wrong == (
        f"the tables are of revision 9999, which is newer than this pgsim's {newest_revision()}"
    )
    execute(healthy, "UPDATE pgsim.alembic_version SET version_num = '0000'")
    found = wrongs(healthy)
    assert found.keys() == {"schema_is_current"}
    assert found["schema_is_current"].wrong == (
        f"the tables are of revision 0000, which is older than this pgsim's {newest_revision()}"
    )


def test_a_cure_names_the_database_only_where_the_user_did(
    healthy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(healthy, "DELETE FROM pgsim.similarity WHERE id = 1")
    secret = f"{healthy}{'&' if '?' in healthy else '?'}password=s3cret"
    cure = wrongs(secret)["every_vector_has_a_list"].cure
    assert cure is not None
    assert "s3cret" not in cure
    monkeypatch.setenv("PGSIM_DATABASE_URL", healthy)
    (finding,) = (each for each in check_database(None) if each.level != OK)
    assert finding.cure == "pgsim refresh"


def test_a_function_of_the_users_in_the_schema_is_none_of_checks_business(healthy: str) -> None:
    execute(healthy, "CREATE FUNCTION pgsim.mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'")
    assert wrongs(healthy) == {}


def test_an_index_whose_building_was_interrupted_is_told(healthy: str) -> None:
    execute(healthy, "DROP INDEX pgsim.recording_vector")
    with psycopg.connect(healthy) as writer:
        writer.execute("UPDATE pgsim.recording SET title = 'x' WHERE id = 1")
        with pytest.raises(psycopg.errors.QueryCanceled):
            execute(
                healthy,
                "SET statement_timeout = '300ms'",
                "CREATE INDEX CONCURRENTLY recording_vector ON pgsim.recording"
                " USING hnsw (vector vector_l2_ops)",
            )
        writer.rollback()
    found = wrongs(healthy)
    assert found.keys() == {"index_is_valid"}
    follow(healthy, found["index_is_valid"].cure or "")
    assert wrongs(healthy) == {}


def test_what_cannot_be_cured_by_a_command_is_a_note(healthy: str) -> None:
    execute(
        healthy,
        "INSERT INTO pgsim.reject (file, member, reason) VALUES ('a', 'b', 'c'), ('a', 'd', 'e')",
        "UPDATE pgsim.recording SET missing = '{place}' WHERE id <= 7",
    )
    assert {each.check: (each.level, each.wrong) for each in wrongs(healthy).values()} == {
        "every_document_was_loaded": (NOTE, "2 documents could not be loaded"),
        "recordings_are_complete": (
            NOTE,
            "7 recordings lack feature sets, and have another one's there: place",
        ),
    }


def test_little_memory_to_build_the_index_is_a_warning(healthy: str) -> None:
    name = conninfo_to_dict(healthy)["dbname"]
    execute(healthy, f"ALTER DATABASE {name} SET maintenance_work_mem = '1MB'")
    found = wrongs(healthy)
    assert found.keys() == {"index_is_built_in_memory"}
    wrong, cure = found["index_is_built_in_memory"].wrong, "maintenance_work_mem = '64MB'"
    assert wrong == "maintenance_work_mem is 1MB, and a REINDEX needs 64 MB"
    execute(healthy, f"ALTER DATABASE {name} SET {cure}")
    assert wrongs(healthy) == {}


@pytest.mark.slow
def test_an_index_larger_than_the_servers_memory_is_a_warning(
    open_folder: Path, fast_settings: dict[str, str]
) -> None:
    home = open_folder / "small"
    conninfo = embedded.start(home, settings={**fast_settings, "shared_buffers": "1MB"}).conninfo(
        "small"
    )
    try:
        embedded.ensure_database(embedded.start(home), "small")
        with closing(connect(conninfo, autocommit=True)) as conn:
            schema.install(conn, read_profile(str(PLANE)))
            schema.add_to_search_path(conn)
            conn.execute(FILL.replace("120", "6000"))
            refit(conn)
        found = wrongs(conninfo)["index_fits_in_memory"]
        assert found.level == WARNING
        assert re.fullmatch(r"shared_buffers is 1MB, and the index takes \d+ kB", found.wrong or "")
        execute(conninfo, "ALTER SYSTEM SET shared_buffers = '16MB'")
        embedded.stop(home)
        embedded.start(home)
        assert "index_fits_in_memory" not in wrongs(conninfo)
    finally:
        embedded.stop(home)


def test_checking_a_database_without_pgvector_does_not_install_it(
    new_database: Callable[..., str],
) -> None:
    conninfo = new_database(template="template0")
    found = wrongs(conninfo)
    assert found.keys() == {"server_is_new_enough"}
    cure = "as a superuser run CREATE EXTENSION vector"
    assert (found["server_is_new_enough"].wrong or "").endswith(cure)
    execute(conninfo, cure.removeprefix("as a superuser run "))
    assert wrongs(conninfo).keys() == {"pgsim_is_installed"}


def test_a_server_that_does_not_answer_is_a_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--database", f"postgresql:///x?host={tmp_path}", "check"]) == 1
    shown = capsys.readouterr()
    assert shown.out.startswith(f"problem  the server at {tmp_path}, port 5432")
    assert shown.out.count("\n") == 1
    assert shown.err == ""
