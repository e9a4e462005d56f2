"""The map and the verdicts over HTTP."""

import httpx
import pytest

from pgsim.postgres.connection import Connection
from pgsim.web.settings import Settings
from tests.support.documents import mbid
from tests.support.serving import serving

VERDICT = {"seed": str(mbid(7)), "answer": str(mbid(11)), "verdict": 1, "by_whom": "Ada"}
STORED = "SELECT seed::text, answer::text, verdict, by_whom FROM pgsim.rating"


def test_the_extent_has_the_whole_map(client: httpx.Client, conn: Connection) -> None:
    (sides,) = conn.execute(
        "SELECT min(x), min(y), max(x), max(y), count(*) FROM pgsim.map_position"
    )
    extent = client.get("map/extent").json()
    assert tuple(extent.values()) == pytest.approx(sides)


def test_an_owner_stores_a_verdict_and_the_last_one_counts(
    served_database: str, conn: Connection
) -> None:
    with serving(Settings(served_database, as_owner=True)) as address:
        for verdict in (1, -1):
            response = httpx.post(f"{address}/api/v1/ratings", json={**VERDICT, "verdict": verdict})
            assert (response.status_code, response.content) == (204, b"")
            (row,) = conn.execute(STORED)
            assert row == (VERDICT["seed"], VERDICT["answer"], verdict, "Ada")
        wrong = httpx.post(f"{address}/api/v1/ratings", json={**VERDICT, "verdict": 5})
        assert wrong.status_code == 422
        assert "verdict is 5, but must be" in wrong.json()["detail"]
        foreign = httpx.post(
            f"{address}/api/v1/ratings", json=VERDICT, headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert (foreign.status_code, len(conn.execute(STORED).fetchall())) == (403, 1)
    conn.execute("DELETE FROM pgsim.rating")


def test_a_reader_stores_no_verdict(client: httpx.Client, conn: Connection) -> None:
    response = client.post("ratings", json=VERDICT)
    assert response.status_code == 403
    assert conn.execute(STORED).fetchall() == []
