"""The HNSW index on recording.vector: built after a bulk load; PostgreSQL keeps it up to date."""

from psycopg import sql

from pgsim.features.profile import WHOLE_DIMENSIONS
from pgsim.postgres.connection import Connection, naming_pgvector
from pgsim.postgres.rows import one_value
from pgsim.progress import Say, silent
from pgsim.store.files import read_sql
from pgsim.store.pgvector import serial_build
from pgsim.store.table_locks import UNCHANGED, lock_tables

MOST_MEMORY = 8 << 30  # the most bytes that an index is built in
# The kB that the index needs to be built in memory: a vector and about 800 bytes of links each. It
# has to work in the middle of a restore, where there are only tables and their rows.
INDEX_MEMORY = f"""
    SELECT least(
        greatest(count(*) * (4 * max(a.atttypmod) + 800) / 1024, 65536), {MOST_MEMORY // 1024}
    )
    FROM pgsim.recording AS r
    INNER JOIN pg_catalog.pg_attribute AS a
        ON a.attrelid = 'pgsim.recording'::pg_catalog.regclass AND a.attname = 'vector'
    WHERE r.vector IS NOT NULL
"""


def has_index(conn: Connection) -> bool:
    """Return whether recording.vector has its index."""
    return one_value(conn, "SELECT to_regclass('pgsim.recording_vector')") is not None


def may_index(conn: Connection) -> bool:
    """Return whether this role owns pgsim.recording: only its owner can make or drop an index."""
    return bool(
        one_value(
            conn,
            "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class"
            " WHERE oid = 'pgsim.recording'::regclass",
        )
    )


def vector_dimensions(conn: Connection) -> int:
    """The number of dimensions that recording.vector is declared with."""
    return int(
        one_value(
            conn,
            "SELECT atttypmod FROM pg_attribute"
            " WHERE attrelid = 'pgsim.recording'::regclass AND attname = 'vector'",
        )
    )


def build_index(conn: Connection, say: Say = silent) -> bool:
    """Build the index, in as much memory as it needs; return False where it is there already.

    A new sample of pairs is drawn with it, by which the similarity of a metric is computed. `say`
    receives a line that names who changes recordings, where this waits.
    """
    if has_index(conn):
        return False
    with conn.transaction():
        _prepare(conn, say)
        dimensions = vector_dimensions(conn)
        is_half = dimensions > WHOLE_DIMENSIONS
        name = "recording_vector_half" if is_half else "recording_vector"
        with naming_pgvector(conn):
            conn.execute(read_sql(f"indexes/{name}.sql", dimensions=dimensions))
        conn.execute("SELECT pgsim.sample_pairs()")
    return True


def build_metric_index(conn: Connection, metric: str, say: Say = silent) -> bool:
    """Build the index of one feature set's slice; return False where it is there already.

    psycopg's InvalidParameterValue where the metric is unknown, or not the slice of one set.
    """
    with conn.transaction():
        _prepare(conn, say)
        return bool(one_value(conn, "SELECT pgsim.index_metric(%s)", (metric,)))


def drop_indexes(conn: Connection) -> list[str]:
    """Drop the index and those of metrics; return the metrics that had one."""
    metrics = [
        name
        for (name,) in conn.execute(
            "SELECT name FROM pgsim.feature_set"
            " WHERE to_regclass(format('pgsim.%I', 'recording_vector_' || name)) IS NOT NULL"
            " ORDER BY position"
        )
    ]
    for name in ("recording_vector", *(f"recording_vector_{metric}" for metric in metrics)):
        conn.execute(sql.SQL("DROP INDEX IF EXISTS pgsim.{}").format(sql.Identifier(name)))
    return metrics


def _prepare(conn: Connection, say: Say) -> None:
    """Give the transaction the recordings as they are, the memory of a build, and safe workers."""
    lock_tables(conn, ["recording"], say, UNCHANGED)
    conn.execute(serial_build(is_local=True).encode())
    memory = f"({INDEX_MEMORY})::text || 'kB'"
    conn.execute(f"SELECT set_config('maintenance_work_mem', {memory}, true)".encode())
