"""The HNSW index on recording.vector: built after a bulk load, kept by PostgreSQL afterwards."""

from pgsim.collection import Connection
from pgsim.schema import read_sql

# An estimate of what a vector takes in the graph besides itself: 32 links a layer and more.
_BYTES_A_NODE = 800
_LEAST, _MOST = 64 << 20, 8 << 30  # bytes of maintenance_work_mem


def has_index(conn: Connection) -> bool:
    """Whether recording.vector has its index."""
    return conn.execute("SELECT to_regclass('pgsim.recording_vector')").fetchone() != (None,)


def build_index(conn: Connection) -> bool:
    """Build the index where it is missing, in memory as large as it needs; False where it is."""
    if has_index(conn):
        return False
    row = conn.execute(
        "SELECT count(*), coalesce(max(vector_dims(vector)), 0) FROM pgsim.recording"
        " WHERE vector IS NOT NULL"
    ).fetchone()
    assert row is not None
    recordings, dimensions = row
    needed = recordings * (4 * dimensions + _BYTES_A_NODE)
    with conn.transaction():
        conn.execute(
            "SELECT set_config('maintenance_work_mem', %s, true)",
            (f"{min(max(needed, _LEAST), _MOST) >> 10}kB",),
        )
        conn.execute(read_sql("indexes/recording_vector.sql"))
    return True


def drop_index(conn: Connection) -> None:
    """Drop the index, where there is one."""
    conn.execute("DROP INDEX IF EXISTS pgsim.recording_vector")
