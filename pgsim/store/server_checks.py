"""Checks of the server around pgsim: pgvector's release, rights, triggers and replication."""

from pgsim.postgres.connection import Connection
from pgsim.postgres.rows import one_row, one_value
from pgsim.store.checks import schema_is_current, server_is_new_enough
from pgsim.store.finding import NOTE, PROBLEM, WARNING, Check, Wrong, registering
from pgsim.store.pgvector import SOUND_RELEASE, read_release, release_faults

CHECKS: list[Check] = []
check = registering(CHECKS)

# The triggers of pgsim.recording, and the states in which PostgreSQL fires them for statements (O),
# for what replication brings (R), or for both (A).
_TRIGGERS = {
    "recording_inserted": "OA",
    "recording_updated": "OA",
    "recording_deleted": "OA",
    "recording_replicated": "RA",
    "recording_truncated": "A",
}
# The tables that a publisher's rows may go into: all others are made from them.
_REPLICATED = ("collection", "feature_set", "recording", "redirect", "submission")
_CREATORS = """
    SELECT quote_ident(n.nspname), string_agg(DISTINCT g.name, ', ')
    FROM pg_namespace AS n
    CROSS JOIN LATERAL aclexplode(n.nspacl) AS a
    LEFT JOIN pg_roles AS r ON a.grantee = r.oid
    CROSS JOIN LATERAL (SELECT coalesce(quote_ident(r.rolname), 'PUBLIC')) AS g (name)
    WHERE
        a.privilege_type = 'CREATE' AND a.grantee <> n.nspowner AND r.rolsuper IS NOT TRUE
        AND a.grantee <> (SELECT datdba FROM pg_database WHERE datname = current_database())
        AND (
            n.nspname = ANY(ARRAY['pgsim'] || %(path)s::text[])
            OR (
                '$user' = ANY(%(path)s) AND n.nspname IS DISTINCT FROM r.rolname
                AND n.nspname IN (SELECT o.rolname FROM pg_roles AS o)
            )
            OR n.oid = (SELECT extnamespace FROM pg_extension WHERE extname = 'vector')
        )
    GROUP BY n.nspname
    ORDER BY n.nspname
"""
# Schemas that have the name of a role, and belong to another one.
_MISTAKEN = """
    SELECT quote_ident(n.nspname), quote_ident(o.rolname)
    FROM pg_namespace AS n
    INNER JOIN pg_roles AS r ON n.nspname = r.rolname
    INNER JOIN pg_roles AS o ON n.nspowner = o.oid
    WHERE
        '$user' = ANY(%(path)s) AND r.oid <> o.oid AND NOT o.rolsuper
        AND o.oid <> (SELECT datdba FROM pg_database WHERE datname = current_database())
    ORDER BY n.nspname
"""


@check(WARNING, after=server_is_new_enough)
def pgvector_is_sound(conn: Connection) -> Wrong | None:
    """This release of pgvector has no known fault that pgsim meets."""
    release = read_release(conn)
    if release >= SOUND_RELEASE:
        return None
    offered = one_value(
        conn,
        "SELECT string_to_array(substring(default_version, '^[0-9.]+'), '.')::integer[]"
        " FROM pg_available_extensions WHERE name = 'vector'",
    )
    sound = ".".join(map(str, SOUND_RELEASE))
    install = "" if tuple(offered) >= SOUND_RELEASE else f"install pgvector {sound} or newer, then "
    return Wrong(
        f"pgvector {'.'.join(map(str, release))} {release_faults(release)}",
        f"{install}as a superuser run ALTER EXTENSION vector UPDATE, then"
        " REINDEX INDEX pgsim.recording_vector",
    )


@check(WARNING, after=schema_is_current)
def nobody_else_creates_on_the_path(conn: Connection) -> Wrong | None:
    """Only owners create in the schemas where names are looked up."""
    found = conn.execute(_CREATORS.encode(), {"path": _path(conn)}).fetchall()
    if not found:
        return None
    where = ", ".join(f"{roles} in the schema {schema}" for schema, roles in found)
    return Wrong(
        f"others may create functions that sessions take for PostgreSQL's own: {where}",
        ", then ".join(f"REVOKE CREATE ON SCHEMA {schema} FROM {roles}" for schema, roles in found),
    )


@check(WARNING, after=schema_is_current)
def schemas_of_roles_are_their_own(conn: Connection) -> Wrong | None:
    """No session looks names up first in a schema of another role."""
    found = conn.execute(_MISTAKEN.encode(), {"path": _path(conn)}).fetchall()
    if not found:
        return None
    return Wrong(
        "sessions of a role look names up in the schema of its name first, which another made: "
        + ", ".join(f"schema {schema} belongs to {owner}" for schema, owner in found),
        ", then ".join(f"ALTER SCHEMA {schema} OWNER TO {schema}" for schema, _ in found),
    )


def _path(conn: Connection) -> list[str]:
    """The names on the search path of new sessions."""
    path = one_value(conn, "SELECT reset_val FROM pg_settings WHERE name = 'search_path'")
    return [name.strip(' "') for name in path.split(",")]


@check(PROBLEM, "pgsim init --upgrade, then pgsim rebuild", after=schema_is_current)
def changes_are_noticed(conn: Connection) -> str | None:
    """Triggers notice every change of a recording."""
    rows = conn.execute(
        "SELECT tgname, tgenabled::text FROM pg_trigger WHERE tgrelid = 'pgsim.recording'::regclass"
    ).fetchall()
    found: dict[str, str] = dict(rows)
    odd = [name for name, states in _TRIGGERS.items() if found.get(name, "D") not in states]
    return (
        f"triggers are missing or disabled, and changes go unnoticed: {', '.join(odd)}"
        if odd
        else None
    )


@check(
    PROBLEM,
    "publish recordings alone, and begin the subscriber anew, as the page 'In production' says",
    after=schema_is_current,
)
def matrix_is_made_here(conn: Connection) -> str | None:
    """No subscription writes what this database makes itself."""
    names = one_value(
        conn,
        "SELECT string_agg(c.relname, ', ' ORDER BY c.relname)"
        " FROM pg_subscription_rel AS s JOIN pg_class AS c ON s.srrelid = c.oid"
        " WHERE c.relnamespace = 'pgsim'::regnamespace AND c.relname <> ALL(%s)",
        (list(_REPLICATED),),
    )
    return (
        f"a subscription writes tables that are made here, and lists go stale: {names}"
        if names
        else None
    )


@check(
    NOTE,
    "UPDATE pgsim.collection SET notifies = false, then refresh --follow looks once a minute",
    after=schema_is_current,
)
def changes_can_be_prepared(conn: Connection) -> str | None:
    """Transactions that change vectors can be prepared, where the server prepares any."""
    prepared, notifies = one_row(
        conn,
        "SELECT current_setting('max_prepared_transactions')::integer,"
        " coalesce((SELECT notifies FROM pgsim.collection), false)",
    )
    return (
        "two-phase commit is on, but a transaction that changes vectors sends a NOTIFY, and cannot"
        " be prepared"
        if prepared and notifies
        else None
    )
