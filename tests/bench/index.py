"""make bench-index: recall@10 of the HNSW index by m, ef_construction and ef_search.

On clustered vectors, unfiltered, against an exact scan; ties count as found. What was chosen stands
in sql/indexes/recording_vector.sql and sql/functions/neighbours/nearest_matching.sql.
"""

import argparse
import time

from pgsim.planning.synthetic import DIMENSIONS, make_vectors
from pgsim.postgres.connection import Connection
from pgsim.store.index import INDEX_MEMORY
from tests.bench.common import fresh_database, write

SEEDS = 200
FOUND = """
    SELECT count(*) FILTER (WHERE n.place <= 10 AND n.distance <= t.tenth)
    FROM truth AS t, LATERAL (
        SELECT a.distance, row_number() OVER (ORDER BY a.distance) AS place
        FROM nearest_approximate(t.vector, %(fetch)s, NULL, NULL, %(ef)s, %(ef)s) AS a
    ) AS n
"""


def measure(conn: Connection, ef: int) -> tuple[float, float]:
    """recall@10, and milliseconds a question."""
    words = {"ef": ef, "fetch": min(ef, 100)}
    conn.execute(FOUND.encode(), words)
    started = time.monotonic()
    row = conn.execute(FOUND.encode(), words).fetchone()
    assert row is not None
    return row[0] / SEEDS / 10, (time.monotonic() - started) / SEEDS * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, default=100_000)
    words = parser.parse_args()
    with fresh_database(DIMENSIONS) as conn:
        write(conn, make_vectors(words.recordings), 1)
        conn.execute("VACUUM ANALYZE pgsim.recording")
        conn.execute(
            f"""
            CREATE TEMP TABLE truth AS
            SELECT r.id, r.vector, (
                SELECT max(e.distance) FROM nearest_exact(r.vector, 10, NULL, r.id) AS e
            ) AS tenth
            FROM (SELECT * FROM recording ORDER BY md5(mbid::text) LIMIT {SEEDS}) AS r
            """.encode()
        )
        memory = f"({INDEX_MEMORY})::text || 'kB'"
        conn.execute(f"SELECT set_config('maintenance_work_mem', {memory}, false)".encode())
        print(" m  ef_construction  build s  ef_search  recall@10  ms")
        for m, construction in ((8, 64), (16, 64), (16, 128), (24, 128)):
            started = time.monotonic()
            conn.execute(
                "CREATE INDEX recording_vector ON recording USING hnsw"
                f" (vector vector_l2_ops) WITH (m = {m}, ef_construction = {construction})"
            )
            built = time.monotonic() - started
            for ef in (40, 60, 100, 200):
                recall, taken = measure(conn, ef)
                print(
                    f"{m:2}  {construction:15}  {built:7.1f}  {ef:9}  {recall:9.4f}  {taken:.2f}",
                    flush=True,
                )
            conn.execute("DROP INDEX recording_vector")


if __name__ == "__main__":
    main()
