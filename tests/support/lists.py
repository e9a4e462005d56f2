"""Lists of neighbours: written by hand, read, and made by a plain scan."""

from collections.abc import Sequence
from typing import Any

from pgsim.postgres.connection import Connection

LISTED = 300  # recordings of the database `listed`


def write_lists(
    conn: Connection, ids: str, length: int = 100, parameters: Sequence[Any] | None = None
) -> None:
    """The exact lists of the recordings whose ids a query gives, but for those that have one."""
    conn.execute(
        "INSERT INTO pgsim.similarity SELECT e.* FROM pgsim.exact_neighbours("
        f" ARRAY({ids}), {length}) AS e ON CONFLICT DO NOTHING".encode(),
        parameters,
    )
    fill_reaches(conn)


def fill_reaches(conn: Connection) -> None:
    """Let answers go by the reaches of lists that were changed by hand."""
    conn.execute("SELECT pgsim.fill_reaches('pgsim.similarity')")


def assert_reaches_are_those_of_the_lists(conn: Connection) -> None:
    """Answers go by the reach of each list, and by none of a recording that has no list."""
    wrong = conn.execute(
        "SELECT (b.block << 8) + r.place - 1, s.id, r.reach, s.reach FROM pgsim.reach AS b"
        " CROSS JOIN LATERAL unnest(b.reaches) WITH ORDINALITY AS r (reach, place)"
        " FULL JOIN pgsim.similarity AS s ON (b.block << 8) + r.place - 1 = s.id"
        " WHERE r.reach IS DISTINCT FROM s.reach"
    ).fetchall()
    assert wrong == []


def exact(conn: Connection) -> list[Any]:
    """Every list by a plain scan, in the matrix's own shape."""
    return conn.execute(
        """
        SELECT r.id, list.neighbours, list.distances, list.reach
        FROM pgsim.recording AS r, LATERAL (
            SELECT
                coalesce(array_agg(id ORDER BY place) FILTER (WHERE place <= list_length), '{}'),
                coalesce(array_agg(d ORDER BY place) FILTER (WHERE place <= list_length), '{}'),
                (avg(d) FILTER (WHERE place <= pgsim.reach_length()))::real
            FROM pgsim.collection, (
                SELECT *, row_number() OVER (ORDER BY d, mbid) AS place FROM (
                    SELECT x.id, x.mbid, pgsim.l2(x.vector, r.vector)::real AS d
                    FROM pgsim.recording AS x
                    WHERE x.id <> r.id AND x.vector IS NOT NULL
                ) AS all_others
            ) AS others
        ) AS list (neighbours, distances, reach)
        WHERE r.vector IS NOT NULL ORDER BY r.id
        """
    ).fetchall()


def matrix(conn: Connection) -> list[Any]:
    """Every list that is stored, in the matrix's own shape."""
    assert_reaches_are_those_of_the_lists(conn)
    return conn.execute(
        "SELECT id, neighbours, distances, reach FROM pgsim.similarity ORDER BY id"
    ).fetchall()


def write_made_up_lists(conn: Connection, count: int) -> None:
    """Write `count` recordings, each with a list of 100 that has nothing to do with its vector."""
    conn.execute(
        "SET session_replication_role = replica;"
        "INSERT INTO pgsim.recording (mbid, vector) SELECT ('c0ffee00-0000-4000-8000-'"
        f" || lpad(i::text, 12, '0'))::uuid, '[0,0]' FROM generate_series(1, {count}) AS i;"
        f"INSERT INTO pgsim.similarity_a SELECT i, ARRAY(SELECT (i + r) % {count} + 1"
        " FROM generate_series(1, 100) AS r),"
        " ARRAY(SELECT r::real FROM generate_series(1, 100) AS r), 13"
        f" FROM generate_series(1, {count}) AS i".encode()
    )
