"""Pairs as ListenBrainz keeps them: each once, the lesser MBID first, with a score.

The score is the similarity in thousandths, an integer as in its table `similarity.recording`. The
server sorts the pairs, on disk where they are many.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pgsim.postgres.rows import one_value
from pgsim.transfer.export.matrix import BLOCK, Matrix
from pgsim.transfer.export.parquet import require_pyarrow, write_tables


def listenbrainz_csv(matrix: Matrix) -> Iterator[bytes]:
    """Yield `mbid0,mbid1,score`, for `\\copy` into a table of these columns."""
    with matrix.conn.cursor().copy(
        b"COPY (%b) TO STDOUT (FORMAT csv, HEADER)" % _query(matrix)
    ) as copy:
        yield bytes(next(iter(copy)))
        for row in copy:
            matrix.pairs += 1
            yield bytes(row)


def write_listenbrainz(matrix: Matrix, folder: Path) -> None:
    """Make the folder with `similarity/`: mbid0, mbid1, score and the name of the algorithm."""
    arrow = require_pyarrow()
    profile = one_value(matrix.conn, "SELECT profile FROM pgsim.collection")
    algorithm = f"pgsim_{profile}_limit_{matrix.length}"
    kinds = {name: arrow.string() for name in ("mbid0", "mbid1")}
    kinds |= {"score": arrow.int32(), "algorithm": arrow.string()}
    schema = arrow.schema([arrow.field(*kind, nullable=False) for kind in kinds.items()])

    def tables() -> Iterator[Any]:
        with matrix.conn.cursor("pairs") as cursor:
            cursor.execute(
                b"SELECT mbid0::text, mbid1::text, score FROM (%b) AS p" % _query(matrix)
            )
            while rows := cursor.fetchmany(BLOCK * 20):
                matrix.pairs += len(rows)
                columns = [*zip(*rows, strict=True), [algorithm] * len(rows)]
                yield arrow.Table.from_arrays(
                    [arrow.array(*each) for each in zip(columns, schema.types, strict=True)],
                    schema=schema,
                )

    write_tables(folder / "similarity", schema, tables())


def _query(matrix: Matrix) -> bytes:
    return f"""
        SELECT DISTINCT
            least(r.mbid, o.mbid) AS mbid0,
            greatest(r.mbid, o.mbid) AS mbid1,
            round(1000 * pgsim.similarity_of(
                CASE l.distance WHEN 0 THEN 0 ELSE
                    l.distance::double precision * l.distance
                    / nullif(s.reach::double precision * t.reach, 0)
                END
            ))::integer AS score
        FROM {matrix.table} AS s
        INNER JOIN pgsim.recording AS r ON s.id = r.id
        CROSS JOIN LATERAL unnest(s.neighbours, s.distances) AS l (id, distance)
        INNER JOIN pgsim.recording AS o ON l.id = o.id
        INNER JOIN {matrix.table} AS t ON l.id = t.id
        ORDER BY mbid0, mbid1
    """.encode()
