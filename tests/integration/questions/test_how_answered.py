"""The way to an answer: from the list, by the index, or by a scan."""

from typing import Any

import psycopg
import pytest

from pgsim.postgres.connection import Connection
from tests.support.plane import mbid

ROWS = 700  # for so many, the index is quicker than a scan


@pytest.fixture
def line(plane: Connection) -> Connection:
    """Recordings on a curve, every tenth of genre x, with their lists and an index."""
    plane.execute(
        "INSERT INTO pgsim.recording (mbid, genre, vector) SELECT lpad(to_hex(i), 32, '0')::uuid,"
        " CASE WHEN i % 10 = 0 THEN 'x' ELSE 'y' END, ARRAY[i, i ^ 1.5 / 100]::public.vector"
        f" FROM generate_series(1, {ROWS}) AS i".encode()
    )
    plane.execute("CALL pgsim.refresh_similarity()")
    plane.execute(
        "CREATE INDEX recording_vector ON pgsim.recording USING hnsw (vector public.vector_l2_ops)"
    )
    plane.execute("ANALYZE pgsim.recording")
    return plane


def how(conn: Connection, k: int = 1, words: str = "") -> tuple[Any, ...]:
    row = conn.execute(
        "SELECT way, candidates, fetched, matching, pending"
        f" FROM pgsim.how_answered(%s, %s{words})".encode(),
        (mbid(350), k),
    ).fetchone()
    assert row is not None
    return row


def test_a_stored_list_that_holds_enough_is_the_answer(line: Connection) -> None:
    assert how(line, 10) == ("list", 100, 100, None, 0)
    assert how(line, 10, ", ranking => 'distance'") == ("list", 10, 100, None, 0)
    assert how(line, 10, ", genre => 'x', ranking => 'distance'") == ("list", 10, 10, None, 0)
    assert how(line, 10, ", genre => 'y', max_per_artist => 1")[:3] == ("list", 40, 90)


def test_changes_are_merged_into_a_list_until_they_are_too_many(line: Connection) -> None:
    line.execute("DELETE FROM pgsim.recording WHERE mbid = %s", (mbid(351),))
    assert how(line, 10) == ("scan", 100, 100, 700, 1)
    line.execute("UPDATE pgsim.recording SET vector = ARRAY[id, 0]::public.vector WHERE id < 502")
    assert how(line, 10)[0] == "scan"
    assert how(line, 10)[4] is None


def test_without_a_list_the_index_or_a_scan_answers(line: Connection) -> None:
    line.execute("DELETE FROM pgsim.similarity")
    assert how(line, 1, ", ranking => 'distance'") == ("index", 1, 1, ROWS, 0)
    assert how(line, 100, ", ranking => 'distance'") == ("scan", 100, 100, ROWS, 0)
    assert how(line, 10, ", genre => 'x'") == ("scan", 40, 40, ROWS // 10, 0)
    line.execute("DROP INDEX pgsim.recording_vector")
    assert how(line, 1, ", ranking => 'distance'")[0] == "scan"


def test_a_metric_is_answered_by_a_scan_or_by_reordering_the_nearest(line: Connection) -> None:
    assert how(line, 2, ", metric => 'place'") == ("scan", 2, 2, None, 0)
    assert how(line, 2, ", metric => 'place', approximate => true") == ("rerank", 2, 2, ROWS, 0)


def test_what_the_question_refuses_is_refused(line: Connection) -> None:
    with pytest.raises(psycopg.Error, match="unknown genre 'z'"):
        how(line, 1, ", genre => 'z'")
