"""How far the lists agree with similar recordings of another origin, such as listens."""

from dataclasses import dataclass

from psycopg import errors, sql

from pgsim.errors import PgsimError, UsageError
from pgsim.postgres.connection import Connection
from pgsim.postgres.rows import one_row, one_value
from pgsim.store.collection import read_collection

_K = 10

# Theirs are the k with the highest scores among the recordings that are here.
_QUERY = """
    WITH known AS MATERIALIZED (
        SELECT a.id AS one, b.id AS other, p.score
        FROM {table} AS p
        INNER JOIN pgsim.recording AS a ON p.mbid0 = a.mbid
        INNER JOIN pgsim.recording AS b ON p.mbid1 = b.mbid
        WHERE p.mbid0 <> p.mbid1
    ),
    ranked AS (
        SELECT d.id, d.other, row_number() OVER (PARTITION BY d.id ORDER BY d.score DESC, d.other)
        FROM (SELECT one AS id, other, score FROM known
              UNION ALL SELECT other, one, score FROM known) AS d
    ),
    theirs AS (
        SELECT id, array_agg(other) AS others FROM ranked WHERE row_number <= {k} GROUP BY id
    )
    SELECT
        (SELECT count(*) FROM {table}) AS pairs,
        (SELECT count(*) FROM known) AS known,
        count(*) AS recordings,
        avg((SELECT count(*) FROM unnest(t.others) AS o (id)
             WHERE o.id = ANY(s.neighbours[1:{k}]))::double precision / cardinality(t.others))
            AS agreement
    FROM theirs AS t INNER JOIN pgsim.similarity AS s USING (id)
"""


@dataclass(frozen=True, slots=True)
class Agreement:
    """The agreement at k with a table: the mean share of its k best that our lists have too.

    Of its `pairs`, both recordings of `known` are here; `recordings` of them have lists.
    `agreement` is among our k nearest by distance, None where there is nothing to compare; `chance`
    is the share among random neighbours.
    """

    table: str
    k: int
    pairs: int
    known: int
    recordings: int
    agreement: float | None
    chance: float


def evaluate_against(conn: Connection, table: str, k: int = _K) -> Agreement:
    """Compare the lists with a table of mbid0, mbid1 and score, as ListenBrainz has it.

    UsageError where there is no such table, or it has other columns.
    """
    read_collection(conn)
    try:
        name = one_value(conn, "SELECT to_regclass(%s)::text", (table,))
    except errors.Error:
        name = None
    if name is None:
        raise UsageError(f"there is no table '{table}': name it as schema.table")
    query = sql.SQL(_QUERY).format(table=sql.SQL(str(name)), k=sql.Literal(k))
    try:
        row = one_row(conn, query.as_string(conn))
    except (errors.UndefinedColumn, errors.UndefinedFunction) as error:
        reason = str(error).splitlines()[0]
        raise PgsimError(
            f"{table} has other columns than mbid0, mbid1 and score: {reason}"
        ) from None
    recordings = int(one_value(conn, "SELECT count(*) FROM pgsim.recording"))
    pairs, known, compared, agreement = row
    chance = min(1.0, k / max(1, recordings - 1))
    return Agreement(table, k, pairs, known, compared, agreement, chance)
