"""The reference pages of SQL functions and of tables, written from the catalog and its COMMENTs."""

import re
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from pgsim.postgres.connection import Connection
from tests.support.pages import included
from tests.support.paths import CHECKOUT

# Tables and views in the order in which they are read; a test compares them with the catalog.
RELATIONS = {
    "What questions read": (
        "recording",
        "similarity_matrix",
        "similarity",
        "map_position",
        "feature_set",
    ),
    "What was loaded": ("submission", "collection", "redirect", "archive", "reject", "run"),
    "What people say of answers": ("rating",),
    "Who asks over HTTP": ("web_user",),
    "What a monitor watches": ("metrics",),
    "How the matrix is kept": (
        *("similarity_a", "similarity_b", "reach", "stale", "sampled_pair", "donor"),
        *("rebuild", "rebuild_part", "rebuild_event"),
        *("alembic_version", "upgrade_step"),
    ),
}
CHANNELS = {
    "pgsim_rebuild": "A rebuild has begun: `pgsim rebuild --join --follow` wakes.",
    "pgsim_stale": "A recording's vector has changed: `pgsim refresh --follow` wakes.",
}
MOST = 120  # characters of an index that are shown; the long one is an expression of many lines
NOTE = (
    "<!-- Written by tests/docs/test_reference.py from the code: PGSIM_GOLDEN=write make check -->"
)
_FUNCTIONS_HEAD = f"""# SQL functions

{NOTE}

Every public function of the schema `pgsim`, with an example on the demo's database. Their arguments
are explained in [Ask questions](../howto/ask.md#arguments). `\\df+ pgsim.*` in psql shows the same
comments. Functions whose comment begins with "Internal:" are not listed: they may change at any
time.
"""
_TABLES_HEAD = f"""# Tables and views

{NOTE}

The schema `pgsim` as the catalog describes it. `\\d+ pgsim.recording` in psql shows the same
comments. *d* is the number of dimensions of the database's profile. Write only
`recording` by plain SQL: the other tables are pgsim's own.
"""


# The order of the page: what is asked most comes first.
FUNCTIONS = (
    *("similar_recordings", "similar_recordings_batch", "similar_to_all", "nearest_recordings"),
    *(
        "radio",
        "expand_playlist",
        "match_recordings",
        "similar_artists",
        "similar_albums",
        "similar_path",
        "dissimilar_recordings",
        "find_recordings",
        "recording_distances",
        "explain_similarity",
        "map_recordings",
    ),
    *(
        "how_answered",
        "distance_statistics",
        "recording_of",
        "mbid_of",
        "rate",
        "ratings",
        "status",
        "measure_recall",
        "refresh_similarity",
        "refresh_batch",
    ),
    *("index_metric", "fill_reaches"),
)


def public_functions(conn: Connection) -> set[str]:
    """The names of functions and procedures whose COMMENT does not call them internal."""
    rows = conn.execute(
        "SELECT p.proname FROM pg_proc AS p WHERE p.pronamespace = 'pgsim'::regnamespace"
        " AND obj_description(p.oid, 'pg_proc') NOT LIKE 'Internal:%'"
    )
    return {name for (name,) in rows}


def relations(conn: Connection) -> set[str]:
    """The names of the tables and views."""
    rows = conn.execute(
        "SELECT relname FROM pg_class"
        " WHERE relnamespace = 'pgsim'::regnamespace AND relkind IN ('r', 'v')"
    )
    return {name for (name,) in rows}


def channels(conn: Connection) -> set[str]:
    """The channels that functions notify."""
    rows = conn.execute("SELECT prosrc FROM pg_proc WHERE pronamespace = 'pgsim'::regnamespace")
    sources = "\n".join(source for (source,) in rows)
    return set(re.findall(r"\bNOTIFY (\w+)", sources))


def functions_page(conn: Connection, run: Callable[[str], str]) -> str:
    """The page of public functions; `run` gives what an example prints."""
    return "\n".join(
        [
            _FUNCTIONS_HEAD,
            *(line for name in FUNCTIONS for line in _function(conn, name, run)),
            *_types(conn),
        ]
    )


def _function(conn: Connection, name: str, run: Callable[[str], str]) -> Iterator[str]:
    row = conn.execute(
        "SELECT p.prokind, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid),"
        " p.provolatile, p.proparallel, obj_description(p.oid, 'pg_proc')"
        " FROM pg_proc AS p WHERE p.pronamespace = 'pgsim'::regnamespace AND p.proname = %s",
        (name,),
    ).fetchone()
    assert row is not None
    kind, arguments, result, volatility, parallel, comment = row
    words = {"i": "immutable", "s": "stable", "v": "volatile"}[volatility]
    parallel = {"s": "safe", "r": "restricted", "u": "unsafe"}[parallel]
    traits = "Procedure" if kind == "p" else f"{words.capitalize()}, parallel {parallel}"
    example = included(f"examples/sql/{name}.sql").rstrip("\n")
    yield from (f"## {name}", "", _markdown(comment), "")
    yield from ("```postgresql", _signature(name, arguments, result), "```", "")
    yield from (f"{traits}.", "", "```sql", example, "```", "", "```text", run(example), "```", "")


def _signature(name: str, arguments: str, result: str | None) -> str:
    each = [_plain(part) for part in _split(arguments)]
    whole = f"{name}({', '.join(each)})"
    if len(whole) > 80:
        whole = f"{name}(\n" + ",\n".join(f"    {part}" for part in each) + "\n)"
    return whole if result is None else f"{whole}\nRETURNS {_plain(result)}"


def _split(arguments: str) -> list[str]:
    """Arguments one by one; a comma in a quoted default does not part them."""
    return re.findall(r"(?:'[^']*'|[^,'])+", arguments.replace(", ", ","))


def _plain(text: str) -> str:
    """SQL of the catalog without what goes without saying."""
    text = re.sub(
        r"::(text\[\]|uuid\[\]|text|jsonb|double precision|integer)", "", text.replace("pgsim.", "")
    )
    return re.sub(r"\bpublic\.", "", text)


def _types(conn: Connection) -> Iterator[str]:
    """The rows that functions return."""
    yield from ("## Types of rows", "")
    rows = conn.execute(
        "SELECT t.typname, obj_description(t.oid, 'pg_type'), a.attname,"
        " format_type(a.atttypid, a.atttypmod)"
        " FROM pg_type AS t JOIN pg_class AS c ON c.oid = t.typrelid"
        " JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0"
        " WHERE t.typnamespace = 'pgsim'::regnamespace AND c.relkind = 'c'"
        " AND EXISTS (SELECT FROM pg_proc AS p WHERE p.prorettype = t.oid"
        " AND p.pronamespace = t.typnamespace AND p.proname = ANY(%s))"
        " ORDER BY t.typname, a.attnum",
        (list(FUNCTIONS),),
    ).fetchall()
    for (name, comment), columns in groupby(rows, lambda row: row[:2]):
        yield from (f"### {name}", "", _prose(comment), "", "| column | type |", "| --- | --- |")
        yield from (f"| `{column}` | {kind} |" for _, _, column, kind in columns)
        yield ""


def tables_page(conn: Connection) -> str:
    """The page of tables, views, triggers and channels."""
    lines = [
        _TABLES_HEAD,
    ]
    for heading, names in RELATIONS.items():
        lines += [f"## {heading}", ""]
        for name in names:
            lines += _relation(conn, name)
    lines += ["## Channels", "", "| NOTIFY | means |", "| --- | --- |"]
    lines += [f"| `{name}` | {meaning} |" for name, meaning in sorted(CHANNELS.items())]
    return "\n".join(lines) + "\n"


def _relation(conn: Connection, name: str) -> list[str]:
    [(kind, comment)] = _rows(
        conn, "SELECT relkind, obj_description(oid, 'pg_class') FROM pg_class WHERE oid = %s", name
    )
    lines = [
        f"### {name}",
        "",
        _prose(comment),
        "",
    ]
    columns = _rows(
        conn,
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,"
        " a.attidentity <> '', a.attgenerated <> '', pg_get_expr(d.adbin, d.adrelid),"
        " col_description(a.attrelid, a.attnum)"
        " FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON (d.adrelid, d.adnum) ="
        " (a.attrelid, a.attnum) WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped"
        " ORDER BY a.attnum",
        name,
    )
    lines += ["| column | type | | meaning |", "| --- | --- | --- | --- |"]
    for column, type_, not_null, identity, generated, default, meaning in columns:
        notes = ["not null"] if not_null else []
        if identity:
            notes.append("identity")
        elif default:
            default = _plain(default)
            notes.append(f"generated: `{default}`" if generated else f"default `{default}`")
        shown = re.sub(r"vector\(\d+\)", "vector(d)", _plain(type_))
        lines.append(f"| `{column}` | {shown} | {', '.join(notes)} | {_prose(meaning or '')} |")
    lines.append("")
    lines += _list("Constraints", _constraints(conn, name))
    if kind == "r":
        lines += _list("Indexes", _indexes(conn, name))
        lines += _list("Triggers", _triggers(conn, name))
    return lines


def _constraints(conn: Connection, name: str) -> Iterator[str]:
    for constraint, definition in _rows(
        conn,
        "SELECT conname, pg_get_constraintdef(oid, true) FROM pg_constraint"
        " WHERE conrelid = %s AND contype <> 'n' ORDER BY contype DESC, conname",
        name,
    ):
        yield f"`{constraint}`: `{_plain(definition)}`"


def _indexes(conn: Connection, name: str) -> Iterator[str]:
    """Indexes beside those of constraints, with the question that each serves."""
    for index, definition in _rows(
        conn,
        "SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index AS i"
        " JOIN pg_class AS c ON c.oid = i.indexrelid WHERE i.indrelid = %s"
        " AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = i.indexrelid)"
        " ORDER BY c.relname",
        name,
    ):
        text = (CHECKOUT / "sql" / "indexes" / f"{index}.sql").read_text(encoding="utf-8")
        usage = re.search(r"^-- Usage: (.*(?:\n-- .*)*)", text)
        assert usage is not None, index
        reads = " ".join(usage[1].replace("\n-- ", " ").split()).partition(". ")[0].rstrip(".")
        what = _plain(definition.partition(" USING ")[2])
        if len(what) > MOST:
            what = f"{what.partition('(')[0]}(…)"
        yield f"`{index}`: `{what}`. For: {reads}"


def _triggers(conn: Connection, name: str) -> Iterator[str]:
    for trigger, comment in _rows(
        conn,
        "SELECT tgname, obj_description(oid, 'pg_trigger') FROM pg_trigger"
        " WHERE tgrelid = %s AND NOT tgisinternal ORDER BY tgname",
        name,
    ):
        yield f"`{trigger}`: {_prose(comment)}"


def _list(heading: str, items: Iterator[str]) -> list[str]:
    lines = [f"- {item}" for item in items]
    return [f"{heading}:", "", *lines, ""] if lines else []


def _rows(conn: Connection, query: str, name: str) -> list[tuple[Any, ...]]:
    query = query.replace("%s", "%s::regclass")
    return conn.execute(query.encode(), (f"pgsim.{name}",)).fetchall()


def _prose(comment: str) -> str:
    """A comment in one line of Markdown, as in a table."""
    return _markdown(comment).replace("\n", " ")


def _markdown(comment: str) -> str:
    """A comment as Markdown, with its lists; any other markup is text."""
    return re.sub(r"([*|])", r"\\\1", comment.replace("<", "&lt;"))
