"""The checks of schema, index and matrix, in the order in which they are asked."""

import re

from psycopg import errors, sql

from pgsim.features.profile import WHOLE_DIMENSIONS
from pgsim.postgres.connection import (
    Connection,
    DatabaseError,
    require_server,
)
from pgsim.postgres.rows import one_row, one_value
from pgsim.store.collection import read_revision
from pgsim.store.files import newest_revision, read_sql
from pgsim.store.finding import NOTE, PROBLEM, WARNING, Check, registering
from pgsim.store.index import INDEX_MEMORY, vector_dimensions
from pgsim.store.steps import unfinished

CHECKS: list[Check] = []
check = registering(CHECKS)


@check(PROBLEM)
def server_is_new_enough(conn: Connection) -> str | None:
    """PostgreSQL and pgvector are there and new enough."""
    try:
        require_server(conn)
    except errors.ReadOnlySqlTransaction:
        return "pgvector is not in this database: as a superuser run CREATE EXTENSION vector"
    except DatabaseError as error:
        return str(error)
    return None


@check(PROBLEM, "pgsim init", after=server_is_new_enough)
def pgsim_is_installed(conn: Connection) -> str | None:
    """The schema pgsim is installed."""
    is_there = one_value(conn, "SELECT to_regclass('pgsim.alembic_version') IS NOT NULL")
    return None if is_there else f"database '{conn.info.dbname}' has none of pgsim's tables"


@check(PROBLEM, "install a newer pgsim", after=pgsim_is_installed)
def schema_is_not_newer(conn: Connection) -> str | None:
    """The tables are not those of a newer version."""
    found, newest = read_revision(conn), newest_revision()
    return (
        f"the tables are of revision {found}, which is newer than this pgsim's {newest}"
        if found > newest
        else None
    )


@check(PROBLEM, "pgsim init --upgrade", after=schema_is_not_newer)
def schema_is_current(conn: Connection) -> str | None:
    """The tables are those of this version."""
    found, newest = read_revision(conn), newest_revision()
    return (
        f"the tables are of revision {found}, which is older than this pgsim's {newest}"
        if found < newest
        else None
    )


@check(PROBLEM, "pgsim init --upgrade", after=schema_is_current)
def upgrade_is_finished(conn: Connection) -> str | None:
    """The last upgrade ran to its end."""
    steps = unfinished(conn)
    return f"the upgrade to revision {', '.join(steps)} was interrupted" if steps else None


@check(PROBLEM, "pgsim init --upgrade", after=schema_is_current)
def functions_are_current(conn: Connection) -> str | None:
    """The functions are those of this version."""
    # The text of a BEGIN ATOMIC function is not kept: of those only the absence is seen.
    code = read_sql("code.sql").decode()
    rows = conn.execute(
        "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'pgsim'::regnamespace"
    ).fetchall()
    stored: dict[str, str] = dict(rows)  # with the user's own, which no name below is
    named = set(re.findall(r"(?:FUNCTION|PROCEDURE) pgsim\.(\w+)\(", code))
    odd = {name for name in named if name not in stored or stored[name] not in code}
    return f"functions are missing or different: {', '.join(sorted(odd))}" if odd else None


@check(
    WARNING,
    "pgsim init --upgrade, as the database's owner; a search_path set on the role overrides it",
    after=schema_is_current,
)
def search_path_has_pgsim(conn: Connection) -> str | None:
    """New sessions find similar_recordings() without naming its schema."""
    path = one_value(conn, "SELECT reset_val FROM pg_settings WHERE name = 'search_path'")
    if "pgsim" in [name.strip(' "') for name in path.split(",")]:
        return None
    return f"new sessions do not find similar_recordings(): their search path is {path}"


@check(PROBLEM, "pgsim fuse --refit", after=schema_is_current)
def statistics_are_fitted(conn: Connection) -> str | None:
    """The feature sets are fitted on what was loaded."""
    submissions = one_value(
        conn,
        "SELECT count(*) FROM pgsim.submission"
        " WHERE (SELECT fitted_at IS NULL FROM pgsim.collection)",
    )
    return (
        f"nothing was ever fitted, though {submissions:,} submissions are there"
        if submissions
        else None
    )


@check(
    WARNING,
    "load documents that hold them, then pgsim fuse --refit",
    after=statistics_are_fitted,
)
def every_set_is_fitted(conn: Connection) -> str | None:
    """Every feature set has its statistics."""
    names = one_value(
        conn,
        "SELECT string_agg(name, ', ' ORDER BY position) FROM pgsim.feature_set"
        " WHERE center IS NULL AND (SELECT fitted_at IS NOT NULL FROM pgsim.collection)",
    )
    return (
        f"sets are 0 in every vector, because their values do not differ: {names}"
        if names
        else None
    )


@check(NOTE, "load the documents that hold them", after=schema_is_current)
def recordings_are_complete(conn: Connection) -> str | None:
    """Every recording has all feature sets."""
    lacking, names = one_row(
        conn,
        "SELECT count(DISTINCT r.id), string_agg(DISTINCT s.name, ', ')"
        " FROM pgsim.recording AS r CROSS JOIN LATERAL unnest(r.missing) AS s (name)",
    )
    return (
        f"{lacking:,} recordings lack feature sets, and have another one's there: {names}"
        if lacking
        else None
    )


@check(PROBLEM, "pgsim index", after=schema_is_current)
def index_is_there(conn: Connection) -> str | None:
    """The vectors have their HNSW index."""
    vectors = one_value(
        conn,
        "SELECT count(vector) FROM pgsim.recording"
        " WHERE to_regclass('pgsim.recording_vector') IS NULL",
    )
    return (
        f"{vectors:,} vectors have no HNSW index, and questions scan them all" if vectors else None
    )


@check(PROBLEM, "REINDEX INDEX pgsim.recording_vector", after=index_is_there)
def index_is_valid(conn: Connection) -> str | None:
    """The index is valid."""
    is_invalid = one_value(
        conn,
        "SELECT count(*) FROM pg_index"
        " WHERE indexrelid = to_regclass('pgsim.recording_vector') AND NOT indisvalid",
    )
    return (
        "the building of the index was interrupted, and no question uses it" if is_invalid else None
    )


@check(PROBLEM, "DROP INDEX pgsim.recording_vector, then pgsim index", after=index_is_valid)
def index_is_used(conn: Connection) -> str | None:
    """The planner answers questions by the index."""
    if one_value(conn, "SELECT to_regclass('pgsim.recording_vector')") is None:
        return None
    with conn.transaction():
        for name in ("enable_seqscan", "enable_bitmapscan", "enable_sort"):
            # As nearest_approximate() has it: a small table is scanned for good reason.
            conn.execute("SELECT set_config(%s, 'off', true)", (name,))
        dimensions = vector_dimensions(conn)
        schema = one_value(conn, "SELECT pgsim.pgvector_schema()")
        is_half = dimensions > WHOLE_DIMENSIONS
        plan = conn.execute(
            sql.SQL(
                "EXPLAIN (COSTS off) SELECT id FROM pgsim.recording WHERE vector IS NOT NULL"
                " ORDER BY vector{0} OPERATOR({1}.<->) {2} LIMIT 10"
            ).format(
                sql.SQL(f"::{schema}.halfvec({dimensions})" if is_half else ""),
                sql.SQL(schema),
                str([0] * dimensions),
            )
        ).fetchall()
    if any("recording_vector" in line for (line,) in plan):
        return None
    return f"the planner does not use the index; its plan: {plan[1][0].strip(' ->')}"


@check(WARNING, "pgsim refresh", after=schema_is_current)
def every_vector_has_a_list(conn: Connection) -> str | None:
    """Every vector has its list of neighbours."""
    missing = one_value(
        conn,
        "SELECT count(*) FROM pgsim.recording AS r WHERE r.vector IS NOT NULL"
        " AND NOT EXISTS (SELECT FROM pgsim.similarity AS s WHERE s.id = r.id)",
    )
    return (
        f"{missing:,} vectors have no list of neighbours, and are answered live"
        if missing
        else None
    )


@check(WARNING, "pgsim refresh", after=schema_is_current)
def lists_are_up_to_date(conn: Connection) -> str | None:
    """The lists know every change."""
    changed = one_value(conn, "SELECT count(DISTINCT id) FROM pgsim.stale")
    return f"{changed:,} recordings have changed since the lists were made" if changed else None


@check(WARNING, "pgsim map --new, or pgsim map for a new one", after=lists_are_up_to_date)
def every_vector_is_on_the_map(conn: Connection) -> str | None:
    """Every vector has its place on the map, where there is one."""
    missing, gone = one_row(
        conn,
        "SELECT count(*) FILTER (WHERE p.id IS NULL), count(*) FILTER (WHERE r.id IS NULL)"
        " FROM (SELECT id FROM pgsim.recording WHERE vector IS NOT NULL) AS r"
        " FULL JOIN pgsim.map_position AS p ON r.id = p.id"
        " WHERE EXISTS (SELECT FROM pgsim.map_position)",
    )
    if missing:
        return f"{missing:,} vectors have no place on the map"
    return f"{gone:,} places on the map are of recordings that are gone" if gone else None


@check(
    PROBLEM,
    "SELECT pgsim.fill_reaches('pgsim.similarity')",
    after=schema_is_current,
)
def reaches_are_those_of_the_lists(conn: Connection) -> str | None:
    """Answers by similarity go by the reaches that the lists have."""
    wrong = one_value(
        conn,
        "SELECT count(*) FROM pgsim.similarity AS s"
        " LEFT JOIN pgsim.reach AS b ON s.id >> 8 = b.block"
        " WHERE b.reaches[(s.id & 255) + 1] IS DISTINCT FROM s.reach",
    )
    return f"{wrong:,} lists have another reach than answers go by" if wrong else None


@check(WARNING, "pgsim rebuild, which gives it up and begins anew", after=functions_are_current)
def unfinished_rebuild_is_of_this_database(conn: Connection) -> str | None:
    """An unfinished rebuild is this database's own."""
    began = one_value(
        conn,
        "SELECT max(r.started_at)::text FROM pgsim.rebuild AS r, pgsim.this_database() AS d"
        " WHERE r.finished_at IS NULL"
        " AND (r.cluster, r.database) IS DISTINCT FROM (d.cluster, d.database)",
    )
    return (
        f"an unfinished rebuild began on another server or in another database ({began}), from"
        " where a dump brought it"
        if began
        else None
    )


@check(WARNING, "VACUUM (ANALYZE) pgsim.recording", after=schema_is_current)
def recordings_are_vacuumed(conn: Connection) -> str | None:
    """Recordings are counted by index alone, and the planner knows how many there are."""
    is_behind = one_value(
        conn,
        "SELECT pg_relation_size(oid) > 0 AND (reltuples < 0 OR relallvisible < relpages / 2)"
        " FROM pg_class WHERE oid = 'pgsim.recording'::regclass",
    )
    return "most recordings were written since their table was last vacuumed" if is_behind else None


@check(
    WARNING,
    "raise shared_buffers (ALTER SYSTEM SET shared_buffers, then restart the server)",
    after=index_is_valid,
)
def index_fits_in_memory(conn: Connection) -> str | None:
    """The index fits into the server's memory."""
    cached, size, is_larger = one_row(
        conn,
        "SELECT current_setting('shared_buffers'), pg_size_pretty(size),"
        " size > pg_size_bytes(current_setting('shared_buffers'))"
        " FROM (SELECT coalesce(pg_relation_size(to_regclass('pgsim.recording_vector')), 0))"
        " AS i (size)",
    )
    return f"shared_buffers is {cached}, and the index takes {size}" if is_larger else None


@check(
    WARNING,
    "raise maintenance_work_mem (ALTER DATABASE ... SET maintenance_work_mem, as its owner)",
    after=index_is_valid,
)
def index_is_built_in_memory(conn: Connection) -> str | None:
    """A REINDEX can build the index in memory."""
    given, needed, is_short = one_row(
        conn,
        "SELECT current_setting('maintenance_work_mem'), pg_size_pretty(kb * 1024),"
        " kb * 1024 > pg_size_bytes(current_setting('maintenance_work_mem'))"
        f" FROM ({INDEX_MEMORY}) AS needed (kb)",
    )
    return f"maintenance_work_mem is {given}, and a REINDEX needs {needed}" if is_short else None


@check(
    NOTE,
    "SELECT * FROM pgsim.reject says why; mend these documents and load them again",
    after=schema_is_current,
)
def every_document_was_loaded(conn: Connection) -> str | None:
    """Every document could be loaded."""
    rejected = one_value(conn, "SELECT count(*) FROM pgsim.reject")
    return f"{rejected:,} documents could not be loaded" if rejected else None
