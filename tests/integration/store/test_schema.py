"""The schema: two roads to it that meet, the search path, and what is said about it."""

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgsim.errors import PgsimError
from pgsim.features.profile import Profile, read_profile
from pgsim.postgres.connection import client_program
from pgsim.store import schema
from pgsim.store.collection import read_collection, read_revision
from pgsim.store.files import REVISIONS, SQL, includes, newest_revision
from tests.support.definition import definition, opened
from tests.support.revisions import build_from_revisions
from tests.support.rows import one

PROFILE = read_profile("acousticbrainz")
FUNCTIONS = sorted(SQL.glob("functions/*/*.sql"))
INDEXES = sorted(SQL.glob("indexes/*.sql"))

Databases = Callable[..., str]


@pytest.fixture
def installed(new_database: Databases, acousticbrainz_template: str) -> str:
    return new_database(acousticbrainz_template)


def test_the_manifest_and_the_revisions_make_the_same_schema(
    installed: str, new_database: Databases
) -> None:
    other = new_database()
    with opened(other) as conn:
        build_from_revisions(conn, PROFILE.dimensions)
        assert read_revision(conn) == newest_revision()
    with opened(installed) as conn:
        assert read_revision(conn) == newest_revision()
    assert definition(other) == definition(installed)


def test_psql_makes_the_same_schema_as_init(installed: str, new_database: Databases) -> None:
    other = new_database()
    subprocess.run(
        [
            *(str(client_program("psql")), "-X", "-q", "-v", f"dimensions={PROFILE.dimensions}"),
            *("-v", "ON_ERROR_STOP=1", "--single-transaction"),
            *("-f", str(SQL / "pgsim.sql"), "-d", other),
        ],
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=60,
    )
    assert definition(other) == definition(installed)


def test_a_second_init_with_the_same_profile_changes_nothing(installed: str) -> None:
    before = definition(installed)
    with opened(installed) as conn:
        xmin = one(conn, "SELECT xmin::text FROM pgsim.collection")
        assert schema.install(conn, read_profile("acousticbrainz")) is False
        assert one(conn, "SELECT xmin::text FROM pgsim.collection") == xmin
        assert one(conn, "SELECT count(*) FROM pgsim.feature_set") == len(PROFILE.sets)
    assert definition(installed) == before


def test_a_second_init_with_another_profile_refuses_and_names_both(installed: str) -> None:
    with opened(installed) as conn:
        with pytest.raises(PgsimError, match="holds profile 'acousticbrainz', not 'essentia'"):
            schema.install(conn, read_profile("essentia"))
        assert read_collection(conn).profile == PROFILE


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (
            replace(PROFILE, sets=(replace(PROFILE.sets[0], aggregate="mean"), *PROFILE.sets[1:])),
            "with other feature sets mfccs:",
        ),
        (replace(PROFILE, sets=PROFILE.sets[:-1]), "with other feature sets tzanetakis:"),
        (replace(PROFILE, extractor="essentia"), "with other extractor or genre scheme:"),
    ],
)
def test_another_profile_of_the_same_name_is_refused(
    installed: str, other: Profile, what: str
) -> None:
    with opened(installed) as conn, pytest.raises(PgsimError) as raised:
        schema.install(conn, other)
    assert f"not another of that name, {what}" in str(raised.value)


def test_an_init_that_fails_leaves_nothing_behind(new_database: Databases) -> None:
    bad = replace(PROFILE, sets=(replace(PROFILE.sets[0], transform="unheard of"),))
    with opened(new_database()) as conn:
        with pytest.raises(psycopg.errors.CheckViolation, match="transform_is_known"):
            schema.install(conn, bad)
        assert one(conn, "SELECT to_regnamespace('pgsim')") is None


def test_the_vectors_have_the_dimensions_of_the_profile(installed: str) -> None:
    with opened(installed) as conn:
        kind = one(
            conn,
            "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = 'pgsim.recording'::regclass AND attname = 'vector'",
        )
    assert kind == "public.vector(68)"


def path_of(conninfo: str) -> str:
    """The search path of an ordinary client of that database."""
    with psycopg.connect(conninfo) as conn:
        row = conn.execute("SHOW search_path").fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize(
    ("own", "before", "after"),
    [
        (None, '"$user", public', '"$user", public, pgsim'),
        ("public, pg_catalog", "public, pg_catalog", "public, pg_catalog, pgsim"),
        ("'My, Own', public", '"My, Own", public', '"My, Own", public, pgsim'),
        ("''", '""', '"", pgsim'),
        (
            '"user", "a""b, pgsim", Mine',
            '"user", "a""b, pgsim", mine',
            '"user", "a""b, pgsim", mine, pgsim',
        ),
    ],
)
def test_init_puts_pgsim_on_the_search_path_once_and_says_how_to_undo_it(
    installed: str, own: str | None, before: str, after: str
) -> None:
    with opened(installed) as conn:
        if own is not None:
            database = conn.info.dbname
            conn.execute(f"ALTER DATABASE {database} SET search_path = {own}".encode())
        assert path_of(installed) == before
        change = schema.add_to_search_path(conn)
        assert change is not None
        assert path_of(installed) == after
        assert schema.add_to_search_path(conn) is None
        assert path_of(installed) == after
        conn.execute(change.undo.encode())
    assert path_of(installed) == before


def test_on_the_search_path_questions_need_no_schema(installed: str) -> None:
    question = "SELECT * FROM similar_recordings('0dad432b-16cc-4bf0-8961-fd31d124b01b', 10)"
    with psycopg.connect(installed) as conn, pytest.raises(psycopg.errors.UndefinedFunction):
        conn.execute(question.encode())
    with opened(installed) as conn:
        schema.add_to_search_path(conn)
    with psycopg.connect(installed) as conn, pytest.raises(psycopg.errors.NoDataFound):
        conn.execute(question.encode())


def test_a_role_that_does_not_own_the_database_is_told_what_its_owner_may_run(
    installed: str,
) -> None:
    with opened(installed) as admin:
        admin.execute("CREATE ROLE schema_guest LOGIN")
        try:
            with (
                opened(make_conninfo(installed, user="schema_guest")) as conn,
                pytest.raises(PgsimError, match="does not own database") as raised,
            ):
                schema.add_to_search_path(conn)
            statement = str(raised.value).split("its owner may run: ")[1]
            admin.execute(statement.encode())
        finally:
            admin.execute("DROP ROLE schema_guest")
    assert path_of(installed) == '"$user", public, pgsim'


UNCOMMENTED = """
    WITH object (name, comment) AS (
        SELECT 'schema pgsim', obj_description('pgsim'::regnamespace, 'pg_namespace')
        UNION ALL
        SELECT format('%s %s', c.relkind, c.oid::regclass), obj_description(c.oid, 'pg_class')
        FROM pg_class AS c
        WHERE c.relnamespace = 'pgsim'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
        UNION ALL
        SELECT format('column %s.%s', c.oid::regclass, a.attname), col_description(c.oid, a.attnum)
        FROM pg_class AS c
        INNER JOIN pg_attribute AS a ON c.oid = a.attrelid
        WHERE
            c.relnamespace = 'pgsim'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
            AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT p.oid::regprocedure::text, obj_description(p.oid, 'pg_proc')
        FROM pg_proc AS p
        WHERE p.pronamespace = 'pgsim'::regnamespace
        UNION ALL
        SELECT format('trigger %s', t.tgname), obj_description(t.oid, 'pg_trigger')
        FROM pg_trigger AS t
        INNER JOIN pg_class AS c ON t.tgrelid = c.oid
        WHERE c.relnamespace = 'pgsim'::regnamespace AND NOT t.tgisinternal
        UNION ALL
        SELECT format('type %s', t.oid::regtype), obj_description(t.oid, 'pg_type')
        FROM pg_type AS t
        LEFT JOIN pg_class AS c ON t.typrelid = c.oid
        WHERE
            t.typnamespace = 'pgsim'::regnamespace AND t.typcategory <> 'A'
            AND (c.relkind IS NULL OR c.relkind = 'c')
    )

    SELECT name FROM object WHERE comment IS NULL ORDER BY name
"""


def test_every_object_that_a_user_meets_has_a_comment(installed: str) -> None:
    with opened(installed) as conn:
        assert conn.execute(UNCOMMENTED.encode()).fetchall() == []
        conn.execute("CREATE TABLE pgsim.bare (naked integer)")
        conn.execute("CREATE TYPE pgsim.kind AS ENUM ('a')")
        found = [name for (name,) in conn.execute(UNCOMMENTED.encode())]
        assert found == ["column bare.naked", "r bare", "type kind"]


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.stem)
def test_each_file_holds_the_one_function_that_it_is_named_for(path: Path) -> None:
    made = re.findall(r"\bCREATE\b.*?\b(?:FUNCTION|PROCEDURE)\s+(\S+?)\(", path.read_text())
    assert made == [f"pgsim.{path.stem}"]


def test_every_file_of_sql_is_in_the_manifest_or_is_known_to_be_run_later() -> None:
    listed = [*includes("pgsim.sql"), *includes("code.sql"), "pgsim.sql"]
    assert len(listed) == len(set(listed))
    there = {str(path.relative_to(SQL)) for path in SQL.rglob("*.sql")}
    later = {"indexes/recording_vector.sql", "indexes/recording_vector_half.sql", "roles.sql"}
    assert there - set(listed) == later
    assert set(listed) <= there
    code = {"types", "views", "functions", "triggers"}
    assert {name for name in there if name.split("/")[0] in code} == set(includes("code.sql"))


@pytest.mark.parametrize("path", INDEXES, ids=lambda path: path.stem)
def test_every_index_opens_with_the_question_that_uses_it(path: Path) -> None:
    assert path.read_text().startswith("-- Usage: ")


def test_revisions_never_read_sql() -> None:
    for path in REVISIONS.glob("versions/*"):
        if path.is_file():
            assert "\\ir " not in path.read_text()
            assert "read_sql" not in path.read_text()


def test_the_folder_alembic_does_not_hide_the_installed_package() -> None:
    assert not list(REVISIONS.rglob("__init__.py"))
    found = subprocess.run(
        [sys.executable, "-c", "import alembic; print(alembic.__file__)"],
        cwd=REVISIONS.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "site-packages" in found.stdout
