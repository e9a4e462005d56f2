"""Each check made to fail for real, and cured by following its own hint."""

import json
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgsim import embedded
from pgsim.cli import run
from pgsim.features.profile import read_profile
from pgsim.loading.recordings import refit
from pgsim.matrix.refresh import refresh
from pgsim.postgres.connection import connect, redact
from pgsim.store import schema
from pgsim.store.answer_checks import QUESTIONS
from pgsim.store.check import CHECKS, check_database
from pgsim.store.files import SQL, newest_revision
from pgsim.store.finding import NOTE, OK, PROBLEM, WARNING, Finding
from pgsim.store.index import build_index
from tests.support.paths import PLANE
from tests.support.rows import one

FILL = """
    INSERT INTO pgsim.submission (mbid, source, number, features, documents)
    SELECT
        gen_random_uuid(), 'acousticbrainz', 0, ARRAY[i % 17, sqrt(i)]::real[], '{"lowlevel": {}}'
    FROM generate_series(1, 120) AS i
"""


@pytest.fixture(scope="module")
def healthy_template(server: embedded.Server, plane_template: str) -> Iterator[str]:
    """A database with nothing wrong in it, to be cloned."""
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE healthy_template TEMPLATE {plane_template}".encode())
        with closing(connect(server.conninfo("healthy_template"), autocommit=True)) as conn:
            # VACUUM cannot mark rows whose commit is still on its way to the disk.
            conn.execute("SET synchronous_commit = on")
            conn.execute(FILL)
            refit(conn)
            refresh(conn)
            conn.execute("VACUUM (ANALYZE) pgsim.recording")
        yield "healthy_template"
        admin.execute("DROP DATABASE healthy_template")


@pytest.fixture
def healthy(new_database: Callable[..., str], healthy_template: str) -> str:
    """The conninfo of a fresh database with nothing wrong in it."""
    conninfo = new_database(template=healthy_template)
    with closing(connect(conninfo, autocommit=True)) as conn:
        schema.add_to_search_path(conn)
    return conninfo


def wrongs(conninfo: str) -> dict[str, Finding]:
    """What a new session finds to be not as it should, by the name of the check."""
    return {each.check: each for each in check_database(conninfo) if each.level != OK}


def execute(conninfo: str, *statements: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement.encode())


def follow(conninfo: str, cure: str) -> None:
    """Do what a hint says, as far as it is commands of pgsim's (for this database) or SQL."""
    for step in re.split(", then |; where |, as the ", cure):
        if step.startswith("pgsim "):
            assert step.startswith(f"pgsim --database {shlex.quote(redact(conninfo))} ")
            assert run(shlex.split(step)[1:]) == 0
        elif step[:4].isupper():
            execute(conninfo, step)


def test_a_healthy_database_passes_every_check(
    healthy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--database", healthy, "check"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(CHECKS) + 1
    assert all(line.startswith("ok       ") for line in lines)
    assert lines[0] == "ok       The server answers"


def test_every_check_says_what_should_be_true_and_how_to_cure_it() -> None:
    for each in CHECKS:
        assert re.fullmatch(r"[A-Z][^\n]+\.", each.ask.__doc__ or ""), each.ask
    # The answers of these have their cures.
    assert {each.ask.__name__ for each in CHECKS if not each.cure} == {
        "server_is_new_enough",
        "pgvector_is_sound",
        "nobody_else_creates_on_the_path",
        "schemas_of_roles_are_their_own",
        "questions_are_answered",
    }


@pytest.mark.parametrize(
    ("name", "level", "wrong", "breakage"),
    [
        (
            "functions_are_current",
            PROBLEM,
            "functions are missing or different: recording_truncated, refresh_similarity",
            (
                "DROP PROCEDURE pgsim.refresh_similarity",
                "CREATE OR REPLACE FUNCTION pgsim.recording_truncated() RETURNS trigger"
                " LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
            ),
        ),
        (
            "statistics_are_fitted",
            PROBLEM,
            "nothing was ever fitted, though 120 submissions are there",
            ("UPDATE pgsim.collection SET fitted_at = NULL, fitted_on = NULL",),
        ),
        (
            "every_set_is_fitted",
            WARNING,
            "sets are 0 in every vector, because their values do not differ: place",
            ("UPDATE pgsim.feature_set SET center = NULL, scale = NULL",),
        ),
        (
            "index_is_there",
            PROBLEM,
            "120 vectors have no HNSW index, and questions scan them all",
            ("DROP INDEX pgsim.recording_vector",),
        ),
        (
            "index_is_used",
            PROBLEM,
            "the planner does not use the index; its plan: Sort",
            (
                "DROP INDEX pgsim.recording_vector",
                "CREATE INDEX recording_vector ON pgsim.recording"
                " USING hnsw (vector vector_cosine_ops)",
            ),
        ),
        (
            "every_vector_has_a_list",
            WARNING,
            "2 vectors have no list of neighbours, and are answered live",
            ("DELETE FROM pgsim.similarity WHERE id IN (1, 2)",),
        ),
        (
            "reaches_are_those_of_the_lists",
            PROBLEM,
            "2 lists have another reach than answers go by",
            ("UPDATE pgsim.similarity SET reach = reach + 1 WHERE id < 3",),
        ),
        (
            "lists_are_up_to_date",
            WARNING,
            "3 recordings have changed since the lists were made",
            (
                "UPDATE pgsim.recording SET vector = '[3,4]' WHERE id < 4",
                "UPDATE pgsim.recording SET vector = '[5,6]' WHERE id < 4",
            ),
        ),
        (
            "nobody_else_creates_on_the_path",
            WARNING,
            "others may create functions that sessions take for PostgreSQL's own: PUBLIC in the"
            " schema pgsim, PUBLIC in the schema public",
            (
                "GRANT CREATE ON SCHEMA public TO PUBLIC",
                "GRANT CREATE ON SCHEMA pgsim TO PUBLIC",
            ),
        ),
        (  # on the path as "$user"
            "nobody_else_creates_on_the_path",
            WARNING,
            "others may create functions that sessions take for PostgreSQL's own: PUBLIC in the"
            " schema postgres",
            ("CREATE SCHEMA postgres", "GRANT CREATE ON SCHEMA postgres TO PUBLIC"),
        ),
        (
            "schemas_of_roles_are_their_own",
            WARNING,
            "sessions of a role look names up in the schema of its name first, which another made:"
            " schema postgres belongs to pg_monitor",
            ("CREATE SCHEMA postgres AUTHORIZATION pg_monitor",),
        ),
        (
            "changes_are_noticed",
            PROBLEM,
            "triggers are missing or disabled, and changes go unnoticed: recording_updated,"
            " recording_replicated, recording_truncated",
            (
                "ALTER TABLE pgsim.recording DISABLE TRIGGER recording_updated",
                "DROP TRIGGER recording_replicated ON pgsim.recording",
                "ALTER TABLE pgsim.recording ENABLE TRIGGER recording_truncated",
            ),
        ),
        (
            "recordings_are_vacuumed",
            WARNING,
            "most recordings were written since their table was last vacuumed",
            ("VACUUM FULL pgsim.recording",),
        ),
    ],
)
def test_what_is_wrong_is_told_and_its_cure_helps(
    healthy: str, name: str, level: str, wrong: str, breakage: tuple[str, ...]
) -> None:
    execute(healthy, *breakage)
    found = wrongs(healthy)
    assert found.keys() == {name}
    assert (found[name].level, found[name].wrong) == (level, wrong)
    assert found[name].cure is not None
    follow(healthy, found[name].cure)
    assert wrongs(healthy) == {}


UNNOTICED = "ALTER TABLE pgsim.recording DISABLE TRIGGER USER"
NOTICED = (
    "ALTER TABLE pgsim.recording ENABLE TRIGGER USER",
    "ALTER TABLE pgsim.recording ENABLE ALWAYS TRIGGER recording_truncated",
    "ALTER TABLE pgsim.recording ENABLE REPLICA TRIGGER recording_replicated",
    "VACUUM (ANALYZE) pgsim.recording",
)


@pytest.mark.parametrize(
    ("name", "wrong", "breakage"),
    [
        (
            "lists_have_the_distances_of_today",
            r"lists have [\d,]+ neighbours that are gone or at another distance, as that of the"
            r" recording with id \d+: changes went unnoticed",
            "UPDATE pgsim.recording SET vector = ('[' || id || ',' || id * id || ']')::vector",
        ),
        (
            "lists_have_the_distances_of_today",
            r"lists have [\d,]+ neighbours that are gone .*",
            "DELETE FROM pgsim.recording WHERE id % 3 = 0",
        ),
        (
            "a_list_has_the_nearest",
            r"the list of the recording with id \d+ lacks [1-9]\d* recordings that are nearer than"
            r" its \d+",
            "UPDATE pgsim.similarity SET neighbours = neighbours[51:], distances = distances[51:]",
        ),
    ],
)
def test_lists_that_went_stale_unnoticed_are_found(
    healthy: str, name: str, wrong: str, breakage: str
) -> None:
    execute(healthy, UNNOTICED, breakage, *NOTICED)
    found = wrongs(healthy)
    assert found.keys() == {name}
    assert found[name].level == PROBLEM
    assert re.fullmatch(wrong, found[name].wrong or "")
    follow(healthy, found[name].cure or "")
    assert wrongs(healthy) == {}


def test_lists_that_wait_for_a_refresh_are_not_taken_for_wrong(healthy: str) -> None:
    execute(
        healthy,
        "UPDATE pgsim.recording SET vector = ('[' || id || ',' || id * id || ']')::vector",
        "DELETE FROM pgsim.recording WHERE id % 3 = 0",
        "VACUUM (ANALYZE) pgsim.recording",
    )
    assert wrongs(healthy).keys() == {"lists_are_up_to_date"}


def test_every_public_function_is_asked_a_question_or_changes_something() -> None:
    changing = {"fill_reaches", "index_metric", "refresh_batch", "refresh_similarity"}
    names = {path.stem for path in (SQL / "functions" / "questions").glob("*.sql")}
    assert set(QUESTIONS) == names - changing


@pytest.mark.parametrize(
    ("broken", "mended", "reason", "cure"),
    [
        (
            ["ALTER FUNCTION pgsim.explain_set RENAME TO explained_set"],
            ["ALTER FUNCTION pgsim.explained_set RENAME TO explain_set"],
            r"functions are missing or different: explain_set",
            " init --upgrade",
        ),
        (
            ["REVOKE EXECUTE ON FUNCTION pgsim.find_recordings FROM PUBLIC"],
            ["GRANT EXECUTE ON FUNCTION pgsim.find_recordings TO PUBLIC"],
            r"find_recordings\(\) fails: permission denied for function find_recordings",
            " init --roles, as the owner of the schema pgsim",
        ),
        (
            ["REVOKE EXECUTE ON FUNCTION vector_dims(vector) FROM PUBLIC"],
            ["GRANT EXECUTE ON FUNCTION vector_dims(vector) TO PUBLIC"],
            r"\w+\(\) fails: permission denied for function vector_dims",
            " init --roles, as the owner of the schema pgsim",
        ),
    ],
)
def test_a_function_that_fails_is_named_with_its_cure(
    healthy: str, broken: list[str], mended: list[str], reason: str, cure: str
) -> None:
    execute(healthy, "CREATE ROLE test_asker LOGIN")
    try:
        with closing(connect(healthy, autocommit=True)) as conn:
            schema.grant_roles(conn)
        execute(healthy, "GRANT pgsim_reader TO test_asker", *broken)
        asker = make_conninfo(healthy, user="test_asker")
        (found,) = wrongs(asker).values()
        assert re.fullmatch(reason, found.wrong or "")
        assert (found.cure or "").endswith(cure)
        execute(healthy, *mended)
        assert wrongs(asker) == {}
    finally:
        execute(healthy, "DROP ROLE test_asker")


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
