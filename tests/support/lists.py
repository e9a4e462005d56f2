"""Lists that a test makes by hand, as the matrix would have them."""

from collections.abc import Sequence
from typing import Any

from pgsim.postgres.connection import Connection


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
