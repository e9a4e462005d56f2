"""The registry of a question's words, compared with the functions that are installed."""

import inspect
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from datetime import datetime
from typing import Any, get_type_hints
from uuid import UUID

import pytest

from pgsim import embedded
from pgsim.database.database import Database
from pgsim.postgres.connection import Connection, connect
from pgsim.questions.answers import Statistics
from pgsim.questions.question import QUESTIONS, Question
from tests.support.documents import mbid

# Input arguments: their names, types and defaults; and the columns that come out.
ARGUMENTS = """
    SELECT names.name, types.kind::regtype::text,
        pg_get_function_arg_default(p.oid, names.place::integer)
    FROM pg_proc AS p, unnest(p.proargnames) WITH ORDINALITY AS names (name, place)
    INNER JOIN LATERAL unnest(p.proargtypes::oid[]) WITH ORDINALITY AS types (kind, place)
        ON names.place = types.place
    WHERE p.oid = %s::regproc
    ORDER BY names.place
"""
METHODS: dict[str, Any] = {
    "similar_recordings": Database.similar,
    "nearest_recordings": Database.nearest,
    "similar_to_all": Database.similar_to_all,
    "similar_path": Database.path,
    "how_answered": Database.how_answered,
    "similar_recordings_batch": Database.batch,
    "similar_artists": Database.similar_artists,
    "similar_albums": Database.similar_albums,
    "dissimilar_recordings": Database.dissimilar,
    "find_recordings": Database.find,
    "map_recordings": Database.map_recordings,
}
KINDS = {
    **{int: "integer", float: "real", str: "text", bool: "boolean", UUID: "uuid"},
    datetime: "timestamp with time zone",
}


@pytest.fixture(scope="module")
def conn(server: embedded.Server, filled_template: str) -> Iterator[Connection]:
    """A database in which nothing is changed."""
    with closing(connect(server.conninfo(filled_template), autocommit=True)) as conn:
        conn.execute("SET search_path = public, pgsim")  # a user's
        yield conn


def default_of(expression: str | None) -> str | None:
    """A default without its cast: `NULL::text`, `'similarity'::text`."""
    value = (expression or "NULL").partition("::")[0]
    return None if value == "NULL" else value


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.function)
def test_the_words_are_the_arguments_of_the_function_with_their_types_and_defaults(
    conn: Connection, question: Question[Any]
) -> None:
    installed = {
        name: (kind, default_of(default))
        for name, kind, default in conn.execute(ARGUMENTS, (f"pgsim.{question.function}",))
    }
    known = {
        name: (word.kind, word.default)
        for name, word in (*question.first.items(), *question.words.items())
    }
    assert known == installed
    assert list(question.first) == list(installed)[: len(question.first)]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.function)
def test_the_fields_of_a_row_are_the_columns_of_the_function_with_their_types(
    conn: Connection, question: Question[Any]
) -> None:
    arguments = ", ".join(f"NULL::{word.kind}" for word in question.first.values())
    # Planned, not run: what it would say of so many NULLs is an error.
    cursor = conn.execute(f"SELECT * FROM pgsim.{question.function}({arguments}) LIMIT 0".encode())
    columns = {
        column.name: conn.execute("SELECT %s::oid::regtype::text", (column.type_code,)).fetchone()
        for column in cursor.description or ()
    }
    hints = get_type_hints(question.row)
    expected = {}
    for each in fields(question.row):
        [kind] = {*getattr(hints[each.name], "__args__", [hints[each.name]])} - {type(None)}
        expected[each.name] = (KINDS[kind],)
    bigint = {"candidates": ("bigint",)} if question.row is Statistics else {}
    assert columns == expected | bigint


@pytest.mark.parametrize("name", METHODS)
def test_a_method_has_the_defaults_of_its_function(conn: Connection, name: str) -> None:
    parameters = inspect.signature(METHODS[name]).parameters
    for argument, _, expression in conn.execute(ARGUMENTS, (f"pgsim.{name}",)):
        default = default_of(expression)
        mine = parameters["vector" if argument == "query" else argument].default
        if mine is None or mine is inspect.Parameter.empty:
            continue  # left out, so the function's own default holds
        assert str(mine) == (default or "").strip("'")


def test_every_word_is_explained_where_help_shows_it() -> None:
    for name in ("similar", "nearest", "similar_to_all", "batch", "similar_artists", "dissimilar"):
        method = getattr(Database, name)
        words = {
            each.name
            for each in inspect.signature(method).parameters.values()
            if each.kind is each.KEYWORD_ONLY
        } - {"method"}
        assert words
        for word in words:
            assert f"    {word}: " in method.__doc__


def test_a_word_that_is_none_or_false_asks_as_if_it_were_left_out(conn: Connection) -> None:
    with Database(conn.info.dsn) as db:
        plain = db.similar(mbid(1), 5)
        assert plain
        words: dict[str, Any] = dict.fromkeys(
            each.name
            for each in inspect.signature(Database.similar).parameters.values()
            if each.kind is each.KEYWORD_ONLY
        )
        assert db.similar(mbid(1), 5, **words) == plain
        assert db.similar(mbid(1), 5, same_genre=False, distinct_titles=False) == plain
