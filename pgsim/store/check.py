"""Is all well with a database? Each check is a function: its docstring is what should be true.

It returns what is so instead, in words that stand by themselves, or None; the hint beside it is
the cure.
"""

import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from psycopg import errors, sql

from pgsim.embedded import EmbeddedError
from pgsim.features.profile import WHOLE_DIMENSIONS
from pgsim.postgres.connection import (
    Connection,
    DatabaseError,
    connect,
    redact,
    require_server,
    resolve,
)
from pgsim.store.index import INDEX_MEMORY, vector_dimensions
from pgsim.store.schema import newest_revision, read_sql, revision

OK, NOTE, WARNING, PROBLEM = "ok", "note", "warning", "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: its level and, where that is not ok, what is wrong and the cure."""

    check: str
    title: str
    level: str
    wrong: str | None = None
    cure: str | None = None


Function = Callable[[Connection], str | None]


@dataclass(frozen=True, slots=True)
class Check:
    """A question to the database, asked only where the check that it stands on found all well."""

    ask: Function
    level: str
    cure: str | None
    after: Function | None

    def finding(self, wrong: str | None) -> Finding:
        """The finding of an answer."""
        name, title = self.ask.__name__, (self.ask.__doc__ or "").removesuffix(".")
        if wrong is None:
            return Finding(name, title, OK)
        return Finding(name, title, self.level, wrong, self.cure)


CHECKS: list[Check] = []


def check_database(database: str | None) -> Iterator[Finding]:
    """Everything that can be checked about the database that is meant (see `resolve`), in order.

    Nothing in it is changed.
    """
    title = "The server answers"
    try:
        conn = connect(resolve(database), autocommit=True)
    except (DatabaseError, EmbeddedError) as error:
        yield Finding("server_answers", title, PROBLEM, str(error))
        return
    yield Finding("server_answers", title, OK)
    with closing(conn):
        conn.execute("SET default_transaction_read_only = on")
        for finding in run_checks(conn):
            yield replace(finding, cure=_for_database(finding.cure, database))


def _for_database(cure: str | None, database: str | None) -> str | None:
    """A cure whose commands are for the database that was named, if one was."""
    if cure is None or not database:
        return cure
    is_name = "://" not in database and "=" not in database
    named = shlex.quote(database if is_name else redact(database))
    return re.sub(r"\bpgsim (?=[a-z])", lambda _: f"pgsim --database {named} ", cure)


def run_checks(conn: Connection) -> Iterator[Finding]:
    """The checks of a database that answers; `conn` is in autocommit mode."""
    failed: set[Function] = set()
    for check in CHECKS:
        if check.after in failed:
            failed.add(check.ask)
            continue
        wrong = check.ask(conn)
        if wrong is not None:
            failed.add(check.ask)
        yield check.finding(wrong)


def check(
    level: str, cure: str | None = None, after: Function | None = None
) -> Callable[[Function], Function]:
    """Register a check: how bad it is when it fails, the cure, and the check it stands on."""

    def register(ask: Function) -> Function:
        CHECKS.append(Check(ask, level, cure, after))
        return ask

    return register


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
    is_there = _one(conn, "SELECT to_regclass('pgsim.alembic_version') IS NOT NULL")
    return None if is_there else f"database '{conn.info.dbname}' has none of pgsim's tables"


@check(
    PROBLEM,
    "pgsim init --upgrade; where it does not know that revision, install a newer pgsim",
    after=pgsim_is_installed,
)
def schema_is_current(conn: Connection) -> str | None:
    """The tables are those of this version."""
    found, newest = revision(conn), newest_revision()
    return (
        None
        if found == newest
        else f"the tables are of revision {found}, and this version needs {newest}"
    )


@check(PROBLEM, "pgsim init --upgrade", after=schema_is_current)
def functions_are_current(conn: Connection) -> str | None:
    """The functions are those of this version."""
    # The text of a BEGIN ATOMIC function is not kept: of those only the absence is seen.
    code = read_sql("code.sql").decode()
    rows = conn.execute(
        "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'pgsim'::regnamespace"
    ).fetchall()
    stored: dict[str, str] = dict(rows)  # the user's own among them are not looked at
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
    path = _one(conn, "SELECT reset_val FROM pg_settings WHERE name = 'search_path'")
    if "pgsim" in [name.strip(' "') for name in path.split(",")]:
        return None
    return f"new sessions do not find similar_recordings(): their search path is {path}"


@check(PROBLEM, "pgsim fuse --refit", after=schema_is_current)
def statistics_are_fitted(conn: Connection) -> str | None:
    """The feature sets are fitted on what was loaded."""
    submissions = _one(
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
    names = _one(
        conn,
        "SELECT string_agg(name, ', ' ORDER BY position) FROM pgsim.feature_set"
        " WHERE center IS NULL AND (SELECT fitted_at IS NOT NULL FROM pgsim.collection)",
    )
    return f"sets are 0 in every vector, for want of values that differ: {names}" if names else None


@check(NOTE, "load the documents that hold them", after=schema_is_current)
def recordings_are_complete(conn: Connection) -> str | None:
    """Every recording has all feature sets."""
    lacking, names = _row(
        conn,
        "SELECT count(DISTINCT r.id), string_agg(DISTINCT s.name, ', ')"
        " FROM pgsim.recording AS r CROSS JOIN LATERAL unnest(r.missing) AS s (name)",
    )
    return (
        f"{lacking:,} recordings lack feature sets, and lie at the centre of them: {names}"
        if lacking
        else None
    )


@check(PROBLEM, "pgsim index", after=schema_is_current)
def index_is_there(conn: Connection) -> str | None:
    """The vectors have their HNSW index."""
    vectors = _one(
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
    is_invalid = _one(
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
    if _one(conn, "SELECT to_regclass('pgsim.recording_vector')") is None:
        return None
    with conn.transaction():
        for name in ("enable_seqscan", "enable_bitmapscan", "enable_sort"):
            # As nearest_approximate() has it: a small table is scanned for good reason.
            conn.execute("SELECT set_config(%s, 'off', true)", (name,))
        dimensions = vector_dimensions(conn)
        is_half = dimensions > WHOLE_DIMENSIONS
        plan = conn.execute(
            sql.SQL(
                "EXPLAIN (COSTS off) SELECT id FROM pgsim.recording WHERE vector IS NOT NULL"
                " ORDER BY vector{} <-> {} LIMIT 10"
            ).format(sql.SQL(f"::halfvec({dimensions})" if is_half else ""), str([0] * dimensions))
        ).fetchall()
    if any("recording_vector" in line for (line,) in plan):
        return None
    return f"the planner does not use the index; its plan: {plan[1][0].strip(' ->')}"


@check(WARNING, "pgsim refresh", after=schema_is_current)
def every_vector_has_a_list(conn: Connection) -> str | None:
    """Every vector has its list of neighbours."""
    missing = _one(
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
    changed = _one(conn, "SELECT count(DISTINCT id) FROM pgsim.stale")
    return f"{changed:,} recordings have changed since the lists were made" if changed else None


@check(
    PROBLEM,
    "SELECT pgsim.fill_reaches('pgsim.similarity')",
    after=schema_is_current,
)
def reaches_are_those_of_the_lists(conn: Connection) -> str | None:
    """Answers by similarity go by the reaches that the lists have."""
    wrong = _one(
        conn,
        "SELECT count(*) FROM pgsim.similarity AS s"
        " LEFT JOIN pgsim.reach AS b ON s.id >> 8 = b.block"
        " WHERE b.reaches[(s.id & 255) + 1] IS DISTINCT FROM s.reach",
    )
    return f"{wrong:,} lists have another reach than answers go by" if wrong else None


@check(WARNING, "VACUUM (ANALYZE) pgsim.recording", after=schema_is_current)
def recordings_are_vacuumed(conn: Connection) -> str | None:
    """Recordings are counted by index alone, and the planner knows how many there are."""
    is_behind = _one(
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
    cached, size, is_larger = _row(
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
    given, needed, is_short = _row(
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
    rejected = _one(conn, "SELECT count(*) FROM pgsim.reject")
    return f"{rejected:,} documents could not be loaded" if rejected else None


def _row(conn: Connection, query: str) -> tuple[Any, ...]:
    row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return row


def _one(conn: Connection, query: str) -> Any:
    return _row(conn, query)[0]
