"""The HNSW index on recording.vector: built after a bulk load, kept by PostgreSQL afterwards."""

from psycopg import sql

from pgsim.features.profile import WHOLE_DIMENSIONS
from pgsim.postgres.connection import Connection
from pgsim.store.schema import read_sql

MOST_MEMORY = 8 << 30  # bytes that an index is built in at most
# In kB, what the index needs to be built in memory: a vector and about 800 bytes of links each. It
# has to work where, in the midst of a restore, only tables and their rows are there yet.
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
    """Whether recording.vector has its index."""
    return conn.execute("SELECT to_regclass('pgsim.recording_vector')").fetchone() != (None,)


def may_index(conn: Connection) -> bool:
    """Whether this role owns pgsim.recording: nobody else can make or drop an index on it."""
    row = conn.execute(
        "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class"
        " WHERE oid = 'pgsim.recording'::regclass"
    ).fetchone()
    return bool(row and row[0])


def vector_dimensions(conn: Connection) -> int:
    """How many dimensions recording.vector is declared with."""
    row = conn.execute(
        "SELECT atttypmod FROM pg_attribute"
        " WHERE attrelid = 'pgsim.recording'::regclass AND attname = 'vector'"
    ).fetchone()
    assert row is not None
    return int(row[0])


def build_index(conn: Connection) -> bool:
    """Build the index where it is missing, in memory as large as it needs; False where it is.

    The pairs by which the similarity of a metric is told are drawn anew with it.
    """
    if has_index(conn):
        return False
    with conn.transaction():
        _allow_memory(conn)
        dimensions = vector_dimensions(conn)
        is_half = dimensions > WHOLE_DIMENSIONS
        name = "recording_vector_half" if is_half else "recording_vector"
        conn.execute(read_sql(f"indexes/{name}.sql", dimensions=dimensions))
        conn.execute("SELECT pgsim.sample_pairs()")
    return True


def build_metric_index(conn: Connection, metric: str) -> bool:
    """Build the index of one feature set's slice where it is missing; False where it is.

    psycopg's InvalidParameterValue where the metric is unknown, or not the slice of one set.
    """
    with conn.transaction():
        _allow_memory(conn)
        row = conn.execute("SELECT pgsim.index_metric(%s)", (metric,)).fetchone()
    return bool(row and row[0])


def drop_indexes(conn: Connection) -> list[str]:
    """Drop the index and those of metrics, where they are; the metrics that had one."""
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


def _allow_memory(conn: Connection) -> None:
    memory = f"({INDEX_MEMORY})::text || 'kB'"
    conn.execute(f"SELECT set_config('maintenance_work_mem', {memory}, true)".encode())
