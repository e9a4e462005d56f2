"""Taking pgsim out of a database, and naming what else would go with it."""

from contextlib import ExitStack
from dataclasses import dataclass

from psycopg import errors, sql

from pgsim.errors import PgsimError
from pgsim.postgres.connection import Connection
from pgsim.postgres.pooler import require_session
from pgsim.postgres.rows import one_value
from pgsim.postgres.session import without_timeouts
from pgsim.progress import Say, silent
from pgsim.store import locks
from pgsim.store.files import SQL
from pgsim.store.schema import DEFAULT_PATH, path_of_database

ROLES = ("pgsim_writer", "pgsim_listener", "pgsim_reader")
NAMED = 10  # objects in a message
_CODE = ("functions", "views", "types")

# Whatever DROP SCHEMA ... CASCADE reaches, less pgsim's own tables and code with all that is a
# part of them. A view is reached by its rule, which is a part of it.
_OTHERS = """
    WITH RECURSIVE gone (class, object, part) AS (
        SELECT 'pg_namespace'::regclass::oid, oid, 0 FROM pg_namespace WHERE nspname = 'pgsim'
        UNION
        SELECT next.* FROM gone CROSS JOIN LATERAL (
            SELECT d.classid, d.objid, d.objsubid FROM pg_depend AS d
            WHERE
                d.refclassid = gone.class AND d.refobjid = gone.object
                AND (gone.part = 0 OR d.refobjsubid = gone.part)
            UNION ALL
            SELECT d.refclassid, d.refobjid, d.refobjsubid FROM pg_depend AS d
            WHERE d.classid = gone.class AND d.objid = gone.object AND d.deptype = 'i'
        ) AS next
    ),
    own (class, object) AS (
        SELECT class, object FROM (
            SELECT 'pg_class'::regclass::oid, oid FROM pg_class
            WHERE relnamespace = 'pgsim'::regnamespace AND relkind IN ('r', 'p', 'S')
            AND relname = ANY(%(tables)s)
            UNION ALL
            SELECT 'pg_class'::regclass::oid, oid FROM pg_class
            WHERE relnamespace = 'pgsim'::regnamespace AND relkind IN ('v', 'c')
            AND relname = ANY(%(code)s)
            UNION ALL
            SELECT 'pg_proc'::regclass::oid, oid FROM pg_proc
            WHERE pronamespace = 'pgsim'::regnamespace AND proname = ANY(%(code)s)
            AND obj_description(oid, 'pg_proc') IS NOT NULL
            UNION ALL
            SELECT 'pg_type'::regclass::oid, oid FROM pg_type
            WHERE typnamespace = 'pgsim'::regnamespace AND typname = ANY(%(code)s)
            UNION ALL
            SELECT 'pg_namespace'::regclass::oid, 'pgsim'::regnamespace::oid
        ) AS named (class, object)
        UNION
        SELECT d.classid, d.objid FROM own
        INNER JOIN pg_depend AS d ON d.refclassid = own.class AND d.refobjid = own.object
        WHERE d.deptype IN ('a', 'i') AND own.class <> 'pg_namespace'::regclass
    )
    SELECT DISTINCT pg_describe_object(class, object, part) FROM gone
    WHERE
        (class, object) NOT IN (SELECT class, object FROM own)
        AND NOT EXISTS (  -- a part, such as a view's rule, goes unnamed beside its whole
            SELECT FROM pg_depend AS d
            WHERE d.classid = gone.class AND d.objid = gone.object AND d.deptype IN ('a', 'i')
            AND (d.refclassid, d.refobjid) IN (
                SELECT whole.class, whole.object FROM gone AS whole WHERE whole.part = 0
            )
        )
    ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Removal:
    """The removal: schema, objects of others, the statement for the search path, and roles."""

    database: str
    others: list[str]
    search_path: str | None
    roles: list[str]


def removal(conn: Connection, *, roles: bool = False) -> Removal:
    """Return what `uninstall` would take; PgsimError where there is no pgsim."""
    if not one_value(conn, "SELECT to_regnamespace('pgsim') IS NOT NULL"):
        raise PgsimError(f"database '{conn.info.dbname}' has no pgsim: there is nothing to remove")
    names = {
        kind: [path.stem for path in sorted((SQL / kind).rglob("*.sql"))]
        for kind in ("tables", *_CODE)
    }
    gone = (SQL / "gone.txt").read_text(encoding="utf-8").split()
    code = [name for kind in _CODE for name in names[kind]] + gone
    with conn.transaction():
        conn.execute("SET LOCAL search_path = pg_catalog")  # every name is shown with its schema
        others = conn.execute(
            _OTHERS.encode(), {"tables": names["tables"], "code": code}
        ).fetchall()
    known = conn.execute(
        "SELECT rolname::text FROM pg_roles WHERE rolname = ANY(%s) ORDER BY rolname DESC",
        (list(ROLES) if roles else [],),
    ).fetchall()
    return Removal(
        conn.info.dbname,
        [row[0] for row in others],
        _path_without(conn),
        [row[0] for row in known],
    )


def uninstall(
    conn: Connection, *, roles: bool = False, cascade: bool = False, say: Say = silent
) -> Removal:
    """Drop the schema, its entry in the search path and, with `roles`, pgsim's roles.

    One transaction, which begins when no command of pgsim works here. Return what went. PgsimError
    where objects of others would go too, unless `cascade`, and where a role is needed elsewhere.
    """
    require_session(conn, "uninstall")
    with ExitStack() as stack:
        stack.enter_context(without_timeouts(conn))
        for lock in (locks.SCHEMA, locks.REBUILD, locks.LOAD, locks.MATRIX):
            stack.enter_context(locks.held(conn, lock, say=say))
        stack.enter_context(conn.transaction())
        found = removal(conn, roles=roles)
        if found.others and not cascade:
            more = len(found.others) - NAMED
            named = ", ".join(found.others[:NAMED]) + (f" and {more} more" if more > 0 else "")
            raise PgsimError(
                f"{named} would go with pgsim: drop or move what you need, or give `cascade=True`"
            )
        try:
            conn.execute("SET LOCAL client_min_messages = warning")
            conn.execute("DROP SCHEMA pgsim CASCADE")
            if found.search_path:
                conn.execute(found.search_path.encode())
            for role in found.roles:
                conn.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
        except errors.InsufficientPrivilege as error:
            raise PgsimError(
                f"role '{conn.info.user}' may not remove pgsim ({error.diag.message_primary}):"
                " the owner of the database, or a superuser, may"
            ) from None
        except errors.DependentObjectsStillExist as error:
            where = "; ".join((error.diag.message_detail or "").splitlines())
            raise PgsimError(
                f"{error.diag.message_primary} ({where}):"
                " nothing was removed; leave `roles` out, or take its rights there first"
            ) from None
        return found


def _path_without(conn: Connection) -> str | None:
    """The statement that takes pgsim off the database's search path; None where it is not on it."""
    names = path_of_database(conn) or []
    if "pgsim" not in names:
        return None
    left = [name for name in names if name != "pgsim"]
    alter = sql.SQL("ALTER DATABASE {} ").format(sql.Identifier(conn.info.dbname)).as_string(conn)
    if left in ([], DEFAULT_PATH):
        return f"{alter}RESET search_path"
    return f"{alter}SET search_path = {', '.join(left)}"
