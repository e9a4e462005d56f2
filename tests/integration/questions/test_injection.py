"""No text that a user gives is ever taken for SQL: every text argument of every function."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import errors, sql
from psycopg.types.json import Jsonb

from pgsim import embedded
from pgsim.cli import run
from pgsim.features.profile import FeatureSet, Profile
from pgsim.postgres.connection import Connection, connect
from pgsim.store import schema
from pgsim.store.collection import read_collection
from tests.support.documents import mbid
from tests.support.rows import one, versions

NASTY = [
    "'",
    "''",
    '"',
    "';--",
    "'; DROP TABLE pgsim.canary; --",
    '"; DROP TABLE pgsim.canary; --',
    "$$; DROP TABLE pgsim.canary; $$",
    "') OR true; DROP TABLE pgsim.canary; --",
    "' UNION SELECT * FROM pgsim.canary --",
    "\\'; DROP TABLE pgsim.canary; --",
    "%s %1$I %%",
    "{}",
    "x:*A & y | !z <-> (",
    "*/ DROP TABLE pgsim.canary; /*",
    "similarity_a CASCADE",
    "tag:'; DROP TABLE pgsim.canary; --",
    "mfccs+'; DROP TABLE pgsim.canary; --",
    ":dimensions",
    "\n\t\r",
    "",
    " ",
    "e" * 5000,
    "\u2028\u202e\ufeff",
    "名'前",
]
# What SQL says of text that it took for SQL, or for a name.
TAKEN_FOR_SQL = (
    errors.SyntaxError,
    errors.UndefinedTable,
    errors.UndefinedColumn,
    errors.UndefinedFunction,
    errors.UndefinedObject,
    errors.InvalidName,
    errors.InvalidSchemaName,
    errors.InternalError_,
)
# Inner functions that take a resolved filter or measure are reached through those that make it.
FUNCTIONS = """
    SELECT p.oid::regprocedure::text, p.proname, p.pronargs, p.proargnames,
        p.proargtypes::regtype[]::text[]
    FROM pg_proc AS p
    WHERE p.pronamespace = 'pgsim'::regnamespace AND p.prokind = 'f'
        AND p.prorettype <> 'trigger'::regtype
        AND p.proargtypes::regtype[] && '{text,text[],jsonb}'::regtype[]
    ORDER BY 1
"""
# An argument of each type that can be meant.
PLAIN: dict[str, Any] = {
    "uuid": mbid(1),
    "uuid[]": [mbid(1), mbid(2)],
    "integer": 5,
    "integer[]": [1, 2],
    "real": 0.5,
    "real[]": [0.5, 0.5],
    "double precision": 0.5,
    "boolean": False,
    "vector": str([0.5] * 68),
}


@pytest.fixture(scope="module")
def conn(server: embedded.Server, filled_template: str) -> Iterator[Connection]:
    """A database with 30 recordings and a table that nobody may touch."""
    name = "injected"
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {filled_template}".encode())
    with closing(connect(server.conninfo(name), autocommit=True)) as conn:
        conn.execute("CREATE TABLE pgsim.canary AS SELECT 1 AS alive")
        conn.execute("SET search_path = public, pgsim")  # a user's
        yield conn


def calls(conn: Connection) -> list[tuple[str, list[str], list[str]]]:
    """Name, argument names and types of every function that takes text."""
    return [
        (name, (names or [""] * count)[:count], types)
        for _, name, count, names, types in conn.execute(FUNCTIONS.encode())
        if set(types) <= {*PLAIN, "text", "text[]", "jsonb"}
    ]


def survive(conn: Connection, query: sql.Composed, values: list[Any]) -> None:
    """Run it and take it back; any error must be about the value, and nothing may be harmed."""
    with conn.transaction(force_rollback=True):
        try:
            with conn.transaction():
                conn.execute(query, values)
        except TAKEN_FOR_SQL as error:
            raise AssertionError(f"{query.as_string(conn)} {values}: {error}") from None
        except psycopg.Error:
            pass
        assert one(conn, "SELECT alive FROM pgsim.canary") == 1


def ask(conn: Connection, name: str, types: list[str], at: int, text: str) -> None:
    """Call a function with one nasty argument, the others as they may be."""
    values: list[Any] = []
    placeholders = []
    for place, kind in enumerate(types):
        if place == at:
            value: Any = {
                "text": text,
                "text[]": [text],
                "jsonb": Jsonb({text.replace("\0", ""): 1}),
            }[kind]
        else:
            value = PLAIN[kind] if kind in ("uuid", "uuid[]", "integer", "vector") else None
        values.append(value)
        placeholders.append(sql.SQL("%s::") + sql.SQL(kind))
    query = sql.SQL("SELECT * FROM {}({})").format(
        sql.Identifier("pgsim", name), sql.SQL(", ").join(placeholders)
    )
    survive(conn, query, values)


def test_no_text_argument_of_any_function_is_taken_for_sql(conn: Connection) -> None:
    before = versions(conn)
    tried = set()
    for name, names, types in calls(conn):
        for at, kind in enumerate(types):
            if kind in ("text", "text[]", "jsonb"):
                tried.add(f"{name}.{names[at]}")
                for text in NASTY:
                    ask(conn, name, types, at, text)
    assert {
        *("similar_recordings.genre", "similar_recordings.metric", "similar_recordings.weights"),
        *("similar_recordings.ranking", "nearest_recordings.genre", "find_recordings.words"),
        *("find_recordings.artist", "find_recordings.title", "show_similarity.target"),
        *("begin_rebuild.engine", "similar_to_all.method"),
    } <= tried
    assert versions(conn) == before


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40),
    prefix=st.sampled_from(["", "'", '"', "tag:", "mfccs+", "$$"]),
)
def test_whatever_text_it_is(conn: Connection, text: str, prefix: str) -> None:
    for query in (
        "SELECT * FROM pgsim.similar_recordings({}, genre => %s)",
        "SELECT * FROM pgsim.similar_recordings({}, metric => %s)",
        "SELECT * FROM pgsim.similar_recordings({}, ranking => %s)",
        "SELECT * FROM pgsim.find_recordings(%s)",
        "SELECT * FROM pgsim.find_recordings(artist => %s, title => 'title')",
        "SELECT pgsim.show_similarity(%s)",
    ):
        survive(conn, sql.SQL(query).format(mbid(1)), [prefix + text])


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=300))
def test_any_title_can_be_stored_and_is_found_by_its_own_words(conn: Connection, text: str) -> None:
    with conn.transaction(force_rollback=True):
        conn.execute("INSERT INTO pgsim.recording (mbid, title) VALUES (%s, %s)", (mbid(800), text))
        words = one(conn, "SELECT pgsim.search_words(NULL, %s)", text)
        if words:
            found = conn.execute(
                "SELECT mbid FROM pgsim.find_recordings(%s, 1000, title => %s)", (text, text)
            ).fetchall()
            assert (mbid(800),) in found


@pytest.mark.parametrize("text", NASTY)
def test_no_option_of_the_command_line_is_taken_for_sql(
    conn: Connection, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    for option in ("--genre", "--metric", "--title", "--ranking", "--exclude", "--weights"):
        seed = [] if option == "--title" else [str(mbid(1))]
        arguments = ["similar", *seed, f"{option}={text}"]
        code = run(["--database", conn.info.dsn, *arguments])
        assert code in (1, 2) or (option, text) == ("--weights", "{}")
        said = capsys.readouterr().err
        assert "syntax error" not in said
        assert "does not exist" not in said
    assert one(conn, "SELECT alive FROM pgsim.canary") == 1


@pytest.mark.parametrize("name", ["o'clock", 'say "hi"', "a; DROP TABLE x", "Mixed Case", "名前"])
def test_names_of_databases_and_roles_are_quoted(server: embedded.Server, name: str) -> None:
    embedded.ensure_database(server, name)
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as admin:
        try:
            with closing(connect(server.conninfo(name), autocommit=True)) as conn:
                schema.install(conn, SMALL)
                assert schema.add_to_search_path(conn)
                schema.grant_roles(conn)
                role = sql.Identifier(name)
                conn.execute(sql.SQL("CREATE ROLE {} IN ROLE pgsim_reader").format(role))
                conn.execute(sql.SQL("GRANT SELECT ON pgsim.similarity TO {}").format(role))
                schema.upgrade(conn)
                assert one(
                    conn, "SELECT has_table_privilege(%s, 'pgsim.similarity', 'SELECT')", name
                )
                conn.execute(sql.SQL("DROP OWNED BY {}").format(role))
                conn.execute(sql.SQL("DROP ROLE {}").format(role))
        finally:
            admin.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )


ODD = "odd \"set'; DROP TABLE x; --"
SMALL = Profile(
    "small; --",
    "none'",
    "tag",
    (FeatureSet(ODD, ("a'.b",), "numbers", 2, "isotropic", "mean", 1.0, 0),),
)


def test_names_of_feature_sets_are_quoted(new_database: Callable[..., str]) -> None:
    with closing(connect(new_database(), autocommit=True)) as conn:
        schema.install(conn, SMALL)
        assert read_collection(conn).profile == SMALL
        conn.execute("UPDATE pgsim.feature_set SET center = '{0,0}', scale = '{1,1}'")
        conn.execute("UPDATE pgsim.collection SET fitted_at = now(), fitted_on = 1")
        conn.cursor().executemany(
            "INSERT INTO pgsim.recording (mbid, vector) VALUES (%s, %s)",
            [(mbid(place), f"[{place},1]") for place in range(5)],
        )
        assert one(conn, "SELECT pgsim.index_metric(%s)", ODD)
        asked = conn.execute(
            "SELECT mbid FROM pgsim.similar_recordings(%s, 2, metric => %s, weights => %s)",
            (mbid(0), ODD, Jsonb({ODD: 2})),
        ).fetchall()
        assert asked == [(mbid(1),), (mbid(2),)]
        assert (
            one(conn, "SELECT feature_set FROM pgsim.explain_similarity(%s, %s)", mbid(0), mbid(1))
            == ODD
        )
        schema.upgrade(conn)
