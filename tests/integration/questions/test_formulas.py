"""The formula of similarity and the numbers around it: each in one place, and inlined there."""

import math

import pytest

from pgsim.evaluation.hubs import candidates
from pgsim.postgres.connection import Connection
from pgsim.store.lists import REACH
from tests.support.rows import one


def plan(conn: Connection, query: str) -> str:
    rows = conn.execute(f"EXPLAIN (VERBOSE, COSTS OFF) {query}".encode())
    return "\n".join(line for (line,) in rows)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT pgsim.similarity_of(x) FROM unnest('{1,2}'::float8[]) AS x",
        "SELECT * FROM pgsim.answer('{1,2}', '{1,2}', 1, 5, '{}')",
        "SELECT * FROM pgsim.distance_answer('{1,2}', '{1,2}', 1, '{}')",
    ],
)
def test_the_formula_of_similarity_is_inlined(plane: Connection, query: str) -> None:
    text = plan(plane, query)
    assert "similarity_of" not in text
    assert "exp((- " in text


def test_numbers_of_a_question_are_constants_in_its_plan(plane: Connection) -> None:
    text = plan(plane, "SELECT * FROM pgsim.exact_neighbours('{1}', 100)")
    assert f"<= {REACH}" in text
    text = plan(plane, "SELECT x <= pgsim.candidates(x, true) FROM unnest('{1}'::int[]) AS x")
    assert "GREATEST((4 * x), 100)" in text


def test_similarity_is_the_exponential_and_never_an_error(plane: Connection) -> None:
    asked: list[float | None] = [0, 0.5, 79.9, 80, 1e300, math.inf, math.nan, None]
    similarities = [one(plane, "SELECT pgsim.similarity_of(%s::float8)", each) for each in asked]
    wanted = [1, math.exp(-0.5), math.exp(-79.9), 0, 0, 0, 0, 0]
    assert similarities == pytest.approx(wanted, rel=1e-6)


def test_python_and_sql_have_the_same_numbers(plane: Connection) -> None:
    assert one(plane, "SELECT pgsim.reach_length()") == REACH
    for k in (1, 10, 19, 20, 21, 250, 1000):
        assert one(plane, "SELECT pgsim.candidates(%s, true)", k) == candidates(k)
