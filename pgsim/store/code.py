"""pgsim's functions, views, types and triggers in a database, which sql/code.sql makes.

An upgrade replaces each of them in place, so that what a user has built on it stays. PostgreSQL
refuses to replace a function or a view where its signature has changed: only then is that one
dropped, with pgsim's other objects that depend on it, and made again. An object is pgsim's own by
its name, which is that of a file or stands in sql/gone.txt, and has a comment. Everything else in
the schema is the user's.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from psycopg import errors

from pgsim.errors import PgsimError
from pgsim.postgres.connection import Connection, naming_pgvector
from pgsim.postgres.rows import one_value
from pgsim.store.files import SQL, includes, read_sql

# The kinds of code by their folders, in an order in which they can be dropped.
KINDS = {"triggers": "TRIGGER", "functions": "ROUTINE", "views": "VIEW", "types": "TYPE"}
_KIND_OF = {"trigger": "TRIGGER", "function": "ROUTINE", "view": "VIEW", "type": "TYPE"}

GONE = SQL / "gone.txt"  # code of earlier releases
_TRIAL = "pgsim.upgrade_trial"  # a type that is made to be compared
_FOUND = """
    SELECT 'TRIGGER', t.oid, t.tgname, quote_ident(t.tgname) || ' ON ' || c.oid::regclass, true
    FROM pg_trigger AS t INNER JOIN pg_class AS c ON t.tgrelid = c.oid
    WHERE c.relnamespace = 'pgsim'::regnamespace
    UNION ALL
    SELECT
        'ROUTINE', oid, proname, oid::regprocedure::text,
        obj_description(oid, 'pg_proc') IS NOT NULL
    FROM pg_proc WHERE pronamespace = 'pgsim'::regnamespace
    UNION ALL
    SELECT
        'VIEW', oid, relname, oid::regclass::text, obj_description(oid, 'pg_class') IS NOT NULL
    FROM pg_class WHERE relnamespace = 'pgsim'::regnamespace AND relkind = 'v'
    UNION ALL
    SELECT
        'TYPE', t.oid, t.typname, t.oid::regtype::text,
        obj_description(t.oid, 'pg_type') IS NOT NULL
    FROM pg_type AS t INNER JOIN pg_class AS c ON t.typrelid = c.oid
    WHERE t.typnamespace = 'pgsim'::regnamespace AND c.relkind = 'c'
"""
_ATTRIBUTES = """
    SELECT array_agg((attname, atttypid, atttypmod, attcollation)::text ORDER BY attnum)
    FROM pg_attribute WHERE attrelid = %s::regclass AND NOT attisdropped
"""
_PRIVILEGES = """
    SELECT CASE kind WHEN 'TABLE' THEN 'VIEW' ELSE kind END, code.oid, made.statement FROM (
        SELECT oid, 'ROUTINE', proname, proacl FROM pg_proc
        WHERE pronamespace = 'pgsim'::regnamespace AND proname = ANY(%(functions)s)
        UNION ALL
        SELECT oid, 'TABLE', relname, relacl FROM pg_class
        WHERE relnamespace = 'pgsim'::regnamespace AND relkind = 'v' AND relname = ANY(%(views)s)
        UNION ALL
        SELECT oid, 'TYPE', typname, typacl FROM pg_type
        WHERE typnamespace = 'pgsim'::regnamespace AND typname = ANY(%(types)s)
    ) AS code (oid, kind, name, acl)
    CROSS JOIN LATERAL (
        SELECT 1, format('REVOKE ALL ON %%s pgsim.%%I FROM PUBLIC', kind, name)
        WHERE acl IS NOT NULL
        UNION ALL
        SELECT 2, format(
            'GRANT %%s ON %%s pgsim.%%I TO %%s%%s', privilege_type, kind, name,
            CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END,
            CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
        )
        FROM aclexplode(acl)
    ) AS made (turn, statement)
    ORDER BY kind, name, turn
"""
# What pgsim's code is bound to, outside of pgsim and of extensions; and what the indexes, defaults,
# constraints and triggers of its tables are bound to that has a name of PostgreSQL's or pgsim's:
# these may also be the user's. What PostgreSQL itself brings is not in pg_depend.
_FOREIGN = """
    WITH ours (class, oid, is_code) AS (
        SELECT 'pg_proc'::regclass, oid, true FROM pg_proc
        WHERE pronamespace = 'pgsim'::regnamespace
        UNION ALL
        SELECT 'pg_rewrite'::regclass, w.oid, true
        FROM pg_rewrite AS w INNER JOIN pg_class AS v ON w.ev_class = v.oid
        WHERE v.relnamespace = 'pgsim'::regnamespace
        UNION ALL
        SELECT p.class, p.oid, false
        FROM (
            SELECT 'pg_class'::regclass, indexrelid, indrelid FROM pg_index
            UNION ALL SELECT 'pg_attrdef'::regclass, oid, adrelid FROM pg_attrdef
            UNION ALL SELECT 'pg_constraint'::regclass, oid, conrelid FROM pg_constraint
            UNION ALL SELECT 'pg_trigger'::regclass, oid, tgrelid FROM pg_trigger
        ) AS p (class, oid, table_oid)
        INNER JOIN pg_class AS t ON p.table_oid = t.oid
        WHERE t.relnamespace = 'pgsim'::regnamespace
    ), theirs (class, oid, name, space, category) AS (
        -- without conditions: PostgreSQL then looks each object up by its oid
        SELECT 'pg_proc'::regclass, oid, proname, pronamespace, ''::"char" FROM pg_proc
        UNION ALL
        SELECT 'pg_operator'::regclass, oid, oprname, 0::oid, ''::"char" FROM pg_operator
        UNION ALL
        SELECT 'pg_type'::regclass, oid, typname, typnamespace, typcategory FROM pg_type
        UNION ALL
        SELECT 'pg_cast'::regclass, oid, NULL::name, 0::oid, ''::"char" FROM pg_cast
    )
    SELECT DISTINCT
        pg_describe_object(d.refclassid, d.refobjid, 0), pg_describe_object(d.classid, d.objid, 0)
    FROM ours
    INNER JOIN pg_depend AS d ON d.classid = ours.class AND d.objid = ours.oid
    INNER JOIN theirs ON d.refclassid = theirs.class AND d.refobjid = theirs.oid
    WHERE
        theirs.space <> 'pgsim'::regnamespace
        -- before PostgreSQL 17, the arrays of an extension's types are not its members
        AND theirs.category <> 'A'
        AND NOT EXISTS (
            SELECT FROM pg_depend AS e
            WHERE e.classid = d.refclassid AND e.objid = d.refobjid AND e.deptype = 'e'
        )
        AND (
            ours.is_code OR theirs.class IN ('pg_operator'::regclass, 'pg_cast'::regclass)
            OR theirs.name IN (
                SELECT p.proname FROM pg_proc AS p
                WHERE p.pronamespace IN ('pg_catalog'::regnamespace, 'pgsim'::regnamespace)
            )
        )
    ORDER BY 1, 2
"""
_BOUND = """
    SELECT CASE d.classid WHEN 'pg_rewrite'::regclass THEN w.ev_class ELSE d.objid END
    FROM unnest(%(tables)s::regclass[], %(columns)s::name[]) AS c (table_oid, name)
    INNER JOIN pg_attribute AS a ON c.table_oid = a.attrelid AND c.name = a.attname
    INNER JOIN pg_depend AS d
        ON d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid
        AND d.refobjsubid = a.attnum
    LEFT JOIN pg_rewrite AS w ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
    WHERE d.classid IN ('pg_proc'::regclass, 'pg_rewrite'::regclass)
"""
# PostgreSQL's errors where it cannot replace a function or a view by another of its name; the last
# one comes from a COMMENT that finds the old function beside the new one.
_NOT_REPLACED = (
    errors.InvalidFunctionDefinition,
    errors.InvalidTableDefinition,
    errors.WrongObjectType,
    errors.AmbiguousFunction,
)


@dataclass(frozen=True, slots=True)
class Object:
    """A piece of code in the schema: `kind` and `identity` are as DROP takes them."""

    kind: str
    oid: int
    name: str
    identity: str
    has_comment: bool


def replace_code(conn: Connection) -> None:
    """Make every function, view, type and trigger as sql/ has it, in place where that is possible.

    Runs in a transaction, after the tables. PgsimError names objects of the user's that depend on
    what has to be dropped.
    """
    for name in includes("code.sql"):
        replace_file(conn, name)
    gone = names_gone()
    _drop(conn, [each for each in _own(conn) if (each.kind, each.name) in gone])


def replace_file(conn: Connection, name: str) -> None:
    """Make the one object of a file of sql/, in place where that is possible."""
    path, text = Path(name), read_sql(name).decode()
    kind = KINDS[path.parts[0]]
    before = _named(conn, kind, path.stem)
    if kind == "TYPE" and before:
        create, _, comments = text.partition(");\n")
        if _is_same_type(conn, path.stem, f"{create})"):
            conn.execute(comments.encode())
            return
        _drop(conn, before)
    try:
        with conn.transaction(), naming_pgvector(conn):
            conn.execute(text.encode())
    except _NOT_REPLACED:
        if not before:
            raise
        _drop(conn, before)
        with naming_pgvector(conn):
            conn.execute(text.encode())
        return
    # A function with other arguments is another function to PostgreSQL, and stands beside the old.
    if kind == "ROUTINE" and len(_named(conn, kind, path.stem)) > len(before):
        _drop(conn, before)


def drop_dependants(conn: Connection, columns: Mapping[str, str]) -> None:
    """Drop pgsim's functions and views that are bound to columns, one of each table.

    Runs in a transaction, in which replace_code makes them again. PgsimError names objects of the
    user's that depend on them.
    """
    tables, names = list(columns), list(columns.values())
    bound = {oid for (oid,) in conn.execute(_BOUND, {"tables": tables, "columns": names})}
    _drop(conn, [each for each in _own(conn) if each.oid in bound])


def require_own_names(conn: Connection) -> None:
    """PgsimError where an object has a name of pgsim's but no comment: it is the user's."""
    for each in _own(conn):
        if not each.has_comment:
            raise PgsimError(
                f"{each.kind.lower()} {each.identity} has a name of pgsim's, but no comment as all"
                " of pgsim's own have: rename it, or move it to another schema, then upgrade"
            )


def require_own_dependencies(conn: Connection) -> None:
    """PgsimError where something of pgsim's was bound to something of another user's.

    The body of a SQL function is bound when it is made, as an index's expression and a default are.
    Where others may create in the schema of pgvector, a function or operator of theirs can fit a
    call better than PostgreSQL's own does.
    """
    foreign = conn.execute(_FOREIGN.encode()).fetchall()
    if foreign:
        theirs, ours = foreign[0]
        raise PgsimError(
            f"{theirs} gets in the way of {ours}, which would call it: drop or rename it, and"
            " REVOKE CREATE ON SCHEMA public FROM PUBLIC (or of the schema that it is in)"
        )


Privileges = dict[tuple[str, int], list[str]]


def read_privileges(conn: Connection) -> Privileges:
    """The statements that give each piece of code, by kind and oid, the privileges it has."""
    names = {folder: names_of(folder) for folder in ("functions", "views", "types")}
    statements = defaultdict(list)
    for kind, oid, statement in conn.execute(_PRIVILEGES.encode(), names):
        statements[kind, oid].append(statement)
    return dict(statements)


def restore_privileges(conn: Connection, before: Privileges) -> None:
    """Give the privileges of before to the code that was dropped since and made again."""
    kept = {(each.kind, each.oid) for each in _own(conn)}
    for key, statements in before.items():
        if key not in kept:
            for statement in statements:
                conn.execute(statement.encode())


@contextmanager
def dependants_named(what: str = "this version changes", then: str = "upgrade") -> Iterator[None]:
    """Turn the error of a change that the user's objects prevent into a PgsimError naming them."""
    try:
        yield
    except (errors.DependentObjectsStillExist, errors.FeatureNotSupported) as error:
        detail = (error.diag.message_detail or "").replace("\n", "; ")
        if "depend" not in detail:
            raise
        raise PgsimError(
            f"an object of yours depends on what {what} ({detail}):"
            f" drop it, {then}, and make it again"
        ) from None


@cache
def names_of(folder: str) -> list[str]:
    """The names of the objects that a folder of sql/ makes: those of its files."""
    return [path.stem for path in (SQL / folder).rglob("*.sql")]


def names_gone() -> set[tuple[str, str]]:
    """The kinds and names of objects that earlier releases made, and this one does not."""
    lines = GONE.read_text(encoding="utf-8").splitlines()
    words = [line.split() for line in lines if line and not line.startswith("#")]
    return {(_KIND_OF[kind], name) for kind, name in words}


def _own(conn: Connection) -> set[Object]:
    """The objects in the schema that have a name of pgsim's."""
    names = {(kind, name) for folder, kind in KINDS.items() for name in names_of(folder)}
    names |= names_gone()
    return {each for each in _found(conn) if (each.kind, each.name) in names}


def _named(conn: Connection, kind: str, name: str) -> list[Object]:
    """The objects in the schema of one kind and name: several are functions of one name."""
    return [each for each in _found(conn, name) if each.kind == kind]


def _found(conn: Connection, name: str | None = None) -> Iterator[Object]:
    """Yield every object in the schema, the user's too, or those of a name."""
    query = f"SELECT * FROM ({_FOUND}) AS found (kind, oid, name, identity, has_comment)"
    if name is None:
        rows = conn.execute(query.encode())
    else:
        rows = conn.execute(f"{query} WHERE name = %(name)s".encode(), {"name": name})
    yield from (Object(*row) for row in rows)


def _is_same_type(conn: Connection, name: str, create: str) -> bool:
    """Return whether a statement would make the composite type of that name as it is."""
    with conn.transaction(force_rollback=True):
        trial = create.replace(f"CREATE TYPE pgsim.{name} AS", f"CREATE TYPE {_TRIAL} AS")
        with naming_pgvector(conn):
            conn.execute(trial.encode())
        made, found = (one_value(conn, _ATTRIBUTES, (each,)) for each in (_TRIAL, f"pgsim.{name}"))
    return bool(made == found)


def _drop(conn: Connection, objects: Collection[Object]) -> None:
    """Drop these and pgsim's other objects that depend on them, and nothing of the user's."""
    if not objects:
        return
    before = _own(conn)
    # PostgreSQL knows what depends on what: a CASCADE that is undone shows it.
    with conn.transaction(force_rollback=True):
        for each in objects:
            conn.execute(f"DROP {each.kind} IF EXISTS {each.identity} CASCADE".encode())
        left = _own(conn)
    going = before - left
    for kind in KINDS.values():
        names = sorted(each.identity for each in going if each.kind == kind)
        # Triggers go one by one; the others together, since they depend on one another.
        for batch in names if kind == "TRIGGER" else [", ".join(names)] if names else []:
            with dependants_named():
                conn.execute(f"DROP {kind} {batch}".encode())
