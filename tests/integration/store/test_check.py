"""Each check made to fail for real, and cured by following its own hint."""

import re
from contextlib import closing

import pytest
from psycopg.conninfo import make_conninfo

from pgsim.cli import run
from pgsim.postgres.connection import connect
from pgsim.store import schema
from pgsim.store.answer_checks import QUESTIONS
from pgsim.store.check import CHECKS
from pgsim.store.files import SQL
from pgsim.store.finding import PROBLEM, WARNING
from tests.support.findings import execute, follow, wrongs


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
    changing = {"fill_reaches", "index_metric", "rate", "refresh_batch", "refresh_similarity"}
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
