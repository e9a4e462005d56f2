"""COMMENTs say which functions are public, and what each argument of these means."""

import re

import pytest

from pgsim.postgres.connection import Connection
from pgsim.store.files import SQL

FUNCTIONS = """
    SELECT p.proname, p.prorettype = 'trigger'::regtype, obj_description(p.oid, 'pg_proc'),
        coalesce(p.proargnames[:p.pronargs], '{}')
    FROM pg_proc AS p WHERE p.pronamespace = 'pgsim'::regnamespace ORDER BY p.proname
"""
PUBLIC = {path.stem for path in SQL.glob("functions/questions/*.sql")}


def test_functions_are_public_or_internal_as_their_folder_says(conn: Connection) -> None:
    comments = {name: comment for name, _, comment, _ in conn.execute(FUNCTIONS.encode())}
    assert {path.stem for path in SQL.glob("functions/*/*.sql")} == set(comments)
    assert {name for name in comments if not comments[name].startswith("Internal: ")} == PUBLIC


def test_functions_of_triggers_are_internal(conn: Connection) -> None:
    triggered = {name for name, is_trigger, _, _ in conn.execute(FUNCTIONS.encode()) if is_trigger}
    assert triggered == {
        *("recording_changed", "recording_replicated", "recording_truncated"),
        "rebuild_finished",
    }
    assert not triggered & PUBLIC


def test_types_that_public_functions_return_are_public_and_no_others(conn: Connection) -> None:
    rows = conn.execute(
        "SELECT t.typname, obj_description(t.oid, 'pg_type') NOT LIKE 'Internal: %%', EXISTS ("
        " SELECT FROM pg_proc AS p WHERE p.prorettype = t.oid AND p.proname = ANY(%s))"
        " FROM pg_type AS t JOIN pg_class AS c ON c.oid = t.typrelid"
        " WHERE t.typnamespace = 'pgsim'::regnamespace AND c.relkind = 'c'",
        (list(PUBLIC),),
    ).fetchall()
    assert len(rows) == len(list(SQL.glob("types/*.sql")))
    assert [name for name, is_public, is_returned in rows if is_public != is_returned] == []


@pytest.mark.parametrize("function", sorted(PUBLIC))
def test_a_public_function_says_what_each_argument_means(conn: Connection, function: str) -> None:
    found = {name: (comment, names) for name, _, comment, names in conn.execute(FUNCTIONS.encode())}

    def said(name: str) -> set[str]:
        lines = re.findall(r"^- ([a-z_, ]+):", found[name][0], re.MULTILINE)
        return {word for line in lines for word in line.split(", ")}

    comment, names = found[function]
    known = said(function)
    if "All other arguments: as in similar_recordings()" in comment:
        known |= said("similar_recordings")
    assert set(names) <= known
    assert said(function) <= set(names)
    if names:
        assert "Raises an error" in comment
