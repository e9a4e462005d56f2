"""The oracle of lists sees every kind of wrong list."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from pgsim.postgres.connection import Connection, connect
from tests.support.exactness import assert_lists_are_exact


@pytest.fixture
def filled(new_database: Callable[..., str], filled_template: str) -> Iterator[Connection]:
    with closing(connect(new_database(filled_template), autocommit=True)) as conn:
        yield conn


def test_true_lists_are_exact(filled: Connection) -> None:
    assert assert_lists_are_exact(filled) == 30


@pytest.mark.parametrize(
    "wrong",
    [
        "DELETE FROM pgsim.similarity WHERE id = 3",
        "DELETE FROM pgsim.recording WHERE id = 3",
        "UPDATE pgsim.similarity SET reach = reach * 1.001 WHERE id = 3",
        "UPDATE pgsim.similarity SET distances[5] = distances[5] * 1.001 WHERE id = 3",
        "UPDATE pgsim.similarity SET neighbours[5] = neighbours[6] WHERE id = 3",
        "UPDATE pgsim.similarity SET neighbours[5] = id WHERE id = 3",
        "UPDATE pgsim.similarity SET neighbours = trim_array(neighbours, 1),"
        " distances = trim_array(distances, 1) WHERE id = 3",
        "UPDATE pgsim.recording SET vector = vector OPERATOR(public.*) vector WHERE id = 3",
    ],
)
def test_a_wrong_list_is_seen(filled: Connection, wrong: str) -> None:
    filled.execute(wrong.encode())
    with pytest.raises(AssertionError):
        assert_lists_are_exact(filled)


def test_a_neighbour_that_was_missed_is_seen(filled: Connection) -> None:
    """A list of another length, of which one member is not among the nearest."""
    filled.execute("ALTER TABLE pgsim.collection DROP CONSTRAINT list_length_is_from_50_to_1000")
    filled.execute("UPDATE pgsim.collection SET list_length = 28")
    filled.execute(
        "UPDATE pgsim.similarity SET neighbours = trim_array(neighbours, 1),"
        " distances = trim_array(distances, 1),"
        " reach = (SELECT avg(d) FROM unnest(trim_array(distances, 1)) AS d)"
    )
    assert assert_lists_are_exact(filled) == 30
    filled.execute(
        "UPDATE pgsim.similarity AS s"
        " SET neighbours = s.neighbours[2:] || e.neighbours[29:],"
        "  distances = s.distances[2:] || e.distances[29:]"
        " FROM pgsim.exact_neighbours(ARRAY[3], 29) AS e WHERE s.id = 3 AND e.id = 3"
    )
    filled.execute(
        "UPDATE pgsim.similarity"
        " SET reach = (SELECT avg(d) FROM unnest(distances) AS d) WHERE id = 3"
    )
    with pytest.raises(AssertionError):
        assert_lists_are_exact(filled)
    assert assert_lists_are_exact(filled, recall=0.99) == 30
