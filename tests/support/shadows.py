"""Shadows: functions, operators, types, casts and tables that a stranger makes in `public`.

Wherever `public` is on the path, PostgreSQL prefers them to what pgsim means: it takes a function
of the very types of a call before one that takes any array, or that needs a cast. Which names and
types there are to shadow is read from the catalog.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product

from pgsim.postgres.connection import Connection
from tests.support.paths import CHECKOUT
from tests.support.rows import one

WAS_CALLED = "SELECT is_called FROM public.shadow_calls"

# What every shadow does: it notes the call, which no rollback takes back, and fails.
_BODY = """BEGIN
    PERFORM pg_catalog.nextval('public.shadow_calls');
    RAISE EXCEPTION 'a shadow was called by %', session_user;
END"""
# Some attempts fail: the function is there already, or PostgreSQL takes no such operator.
_PREPARE = """
    CREATE SEQUENCE public.shadow_calls;
    GRANT ALL ON SEQUENCE public.shadow_calls TO PUBLIC;
    CREATE PROCEDURE public.attempt(statements text[]) LANGUAGE plpgsql AS $$
    DECLARE
        statement text;
    BEGIN
        FOREACH statement IN ARRAY statements LOOP
            BEGIN
                EXECUTE statement;
            EXCEPTION WHEN OTHERS THEN NULL;
            END;
        END LOOP;
    END $$;
"""
# The types of pgsim's columns, arguments and results, and those of literals and of the catalog.
_TYPES = """
    SELECT format_type(t.oid, NULL), t.typtype = 'c' FROM pg_type AS t
    WHERE t.typtype IN ('b', 'c') AND t.oid IN (
        SELECT a.atttypid FROM pg_attribute AS a INNER JOIN pg_class AS c ON a.attrelid = c.oid
        WHERE c.relnamespace = 'pgsim'::regnamespace AND c.relkind IN ('r', 'v', 'c')
            AND a.attnum > 0
        UNION
        SELECT unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]) || p.prorettype)
        FROM pg_proc AS p WHERE p.pronamespace = 'pgsim'::regnamespace
        UNION
        SELECT unnest(ARRAY['text', 'name', 'oid', 'regclass', 'bigint', 'numeric']::regtype[])
    )
    ORDER BY 1
"""
_OVERLOADS = """
    SELECT p.proname, array_agg(format_type(a.type, NULL) ORDER BY a.place)
    FROM pg_proc AS p
    CROSS JOIN unnest(string_to_array(p.proargtypes::text, ' ')::oid[])
        WITH ORDINALITY AS a (type, place)
    WHERE p.proname = ANY(%s)
        AND p.pronamespace IN ('pg_catalog'::regnamespace, 'pgsim'::regnamespace)
    GROUP BY p.oid
"""
_IMPLICIT = """
    SELECT format_type(castsource, NULL), format_type(casttarget, NULL) FROM pg_cast
    WHERE castcontext = 'i'
"""
_ARRAYS = {"anyarray", "anycompatiblearray"}
_ANY = {"anyelement", "anynonarray", "anycompatible", "anycompatiblenonarray", '"any"'}


def make_shadows(conn: Connection) -> int:
    """Make every shadow that there can be, as the role of a connection; return their number."""
    types = conn.execute(_TYPES.encode()).fetchall()
    plain = [name for name, is_composite in types if not is_composite]
    conn.execute(_PREPARE.encode())
    attempts = [*_functions(conn, plain), *_operators(conn, plain), *_relations(conn, types)]
    conn.execute("CALL public.attempt(%s)", (attempts,))
    return int(
        one(
            conn,
            "SELECT count(*) FROM (SELECT FROM pg_proc WHERE prosrc = %s UNION ALL"
            " SELECT FROM pg_operator WHERE oprnamespace = 'public'::regnamespace"
            " AND oprcode IN (SELECT oid FROM pg_proc WHERE prosrc = %s)) AS shadow",
            _BODY,
            _BODY,
        )
    )


def _functions(conn: Connection, types: Sequence[str]) -> Iterator[str]:
    """Yield a better fit for each way to call a function that pgsim's text names."""
    implicit = defaultdict(list)
    for source, target in conn.execute(_IMPLICIT.encode()):
        implicit[target].append(source)
    fits = set()
    for name, arguments in conn.execute(_OVERLOADS.encode(), (sorted(_names_called()),)):
        if any(argument in _ARRAYS | _ANY for argument in arguments):
            fits |= {(name, tuple(_fitted(each, type_) for each in arguments)) for type_ in types}
        for place, argument in enumerate(arguments):
            for type_ in ("text", *implicit[argument]):
                fits.add((name, (*arguments[:place], type_, *arguments[place + 1 :])))
    for name, arguments in sorted(fits):
        yield _function(name, arguments, "text")


def _fitted(argument: str, type_: str) -> str:
    """The type of an argument in a call with elements, or an array, of a type."""
    element = type_.removesuffix("[]")
    if argument in _ARRAYS:
        return f"{element}[]"
    return type_ if argument == '"any"' else element if argument in _ANY else argument


def _operators(conn: Connection, types: Sequence[str]) -> Iterator[str]:
    """Yield every operator of PostgreSQL's and pgvector's for every pair of types."""
    for pair in product(types, repeat=2):
        yield _function("shadow", pair, "boolean")
    for (name,) in conn.execute("SELECT DISTINCT oprname FROM pg_operator").fetchall():
        if re.search(rf"[\s\w)]{re.escape(name)}[\s\w(]", _text()):
            for left, right in product(types, repeat=2):
                yield (
                    f"CREATE OPERATOR public.{name}"
                    f" (FUNCTION = public.shadow, LEFTARG = {left}, RIGHTARG = {right})"
                )


def _relations(conn: Connection, types: Sequence[tuple[str, bool]]) -> Iterator[str]:
    """Yield tables and types of the names of pgsim's and PostgreSQL's, and implicit casts."""
    yield "CREATE TYPE public.shadow_type AS (a integer)"
    for name, _ in types:
        yield f"CREATE TYPE public.{name.removeprefix('pgsim.')} AS (a integer)"
        yield _function("shadow_cast", (name,), "public.shadow_type")
        yield (
            f"CREATE CAST ({name} AS public.shadow_type)"
            f" WITH FUNCTION public.shadow_cast({name}) AS IMPLICIT"
        )
    for (name,) in conn.execute(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'v')"
        " AND relnamespace IN ('pgsim'::regnamespace, 'pg_catalog'::regnamespace)"
    ):
        yield f"CREATE TABLE public.{name} (shadow integer)"


def _function(name: str, arguments: Sequence[str], result: str) -> str:
    return (
        f'CREATE FUNCTION public."{name}"({", ".join(arguments)}) RETURNS {result}'
        f" LANGUAGE plpgsql AS $shadow${_BODY}$shadow$"
    )


def _names_called() -> set[str]:
    """The names before a bracket in all text of pgsim that may be SQL."""
    return {name.lower() for name in re.findall(r"(\w+)\(", _text())}


@cache
def _text() -> str:
    """The text of pgsim's SQL and of its programs."""
    paths = [*(CHECKOUT / "sql").rglob("*.sql"), *(CHECKOUT / "pgsim").rglob("*.py")]
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(paths))
