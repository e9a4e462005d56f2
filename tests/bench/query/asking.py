"""Questions to pgsim, and to PostgreSQL for less than pgsim's answers."""

from collections.abc import Sequence
from contextlib import closing
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from pgsim.postgres.connection import Connection, connect
from tests.bench.query.collection import COLUMNS, Collection
from tests.bench.query.measuring import Ask, Route, keep_asking


class Pgsim:
    """Questions to pgsim by one connection; answers as row numbers."""

    def __init__(self, conn: Connection, all_: Collection) -> None:
        self.conn, self.all = conn, all_
        self.cursor = conn.cursor(binary=True)
        self.row_of = {all_.mbid(row): row for row in range(len(all_.vectors))}

    def asker(self, query: str) -> Ask:
        """A prepared question that takes a seed's MBID; its second column is the answer's."""
        text, execute, mbid, row_of = (
            query.encode(),
            self.cursor.execute,
            self.all.mbid,
            self.row_of,
        )

        def ask(seed: int) -> Sequence[int]:
            rows = execute(text, (mbid(seed),), prepare=True).fetchall()
            return [row_of[row[1]] for row in rows]

        return ask

    def titles(self, rows: Sequence[int]) -> Sequence[int]:
        """What answers from memory still need: one statement for the metadata of ten rows."""
        self.cursor.execute(
            f"SELECT id, {COLUMNS} FROM pgsim.recording WHERE mbid = ANY(%s)".encode(),
            ([self.all.mbid(row) for row in rows],),
            prepare=True,
        ).fetchall()
        return rows


SIMILAR = "SELECT * FROM pgsim.similar_recordings(%s, 10)"
DISTANCE = "SELECT * FROM pgsim.similar_recordings(%s, 10, ranking => 'distance')"
# Neither ranked nor with a similarity, and false where anything has changed.
BY_HAND = """
    SELECT r.id, r.mbid, r.artist, r.title, r.album, r.year, r.genre, n.distance
    FROM pgsim.recording AS s
    JOIN pgsim.similarity AS l ON l.id = s.id
    CROSS JOIN LATERAL unnest(l.neighbours[:10], l.distances[:10]) AS n (id, distance)
    JOIN pgsim.recording AS r ON r.id = n.id
    WHERE s.mbid = %s
"""
JOIN = f"""
    SELECT n.id, n.mbid, n.artist, n.title, n.album, n.year, n.genre,
        n.vector OPERATOR(public.<->) s.vector AS distance
    FROM pgsim.recording AS s
    CROSS JOIN LATERAL (
        SELECT id, {COLUMNS}, vector FROM pgsim.recording AS r
        WHERE r.id <> s.id {{condition}} ORDER BY r.vector OPERATOR(public.<->) s.vector LIMIT 10
    ) AS n
    WHERE s.mbid = %s
"""


def stored_routes(pgsim: Pgsim) -> list[Route]:
    """pgsim's answers, and what PostgreSQL takes for less than them."""

    def nothing(seed: int) -> Sequence[int]:
        mbid = pgsim.all.mbid(seed)
        pgsim.cursor.execute(b"SELECT %s::uuid", (mbid,), prepare=True).fetchall()
        return []

    return [
        Route("pgsim, by similarity", lambda: pgsim.asker(SIMILAR), has_recall=False),
        Route("pgsim, by distance", lambda: pgsim.asker(DISTANCE)),
        Route("the list and its titles, joined by hand", lambda: pgsim.asker(BY_HAND)),
        Route("PostgreSQL, an empty statement", lambda: nothing, has_recall=False),
    ]


def ask_pgsim(url: str, mbids: list[UUID], seconds: float) -> tuple[float, NDArray[np.float64]]:
    with closing(connect(url, autocommit=True)) as conn:
        cursor = conn.cursor(binary=True)
        query = SIMILAR.encode()
        return keep_asking(
            lambda mbid: cursor.execute(query, (mbid,), prepare=True).fetchall(), mbids, seconds
        )
