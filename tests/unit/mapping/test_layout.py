"""The layout of a map, from arrays to arrays."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pgsim.mapping.layout import first_places, lay_out
from pgsim.progress import still


def nearest(vectors: NDArray[np.float32], k: int) -> NDArray[np.int32]:
    apart = np.linalg.norm(vectors[:, None] - vectors, axis=2)
    np.fill_diagonal(apart, np.inf)
    return np.argsort(apart, axis=1)[:, :k].astype(np.int32)


def laid_out(vectors: NDArray[np.float32], k: int, threads: int = 1) -> NDArray[np.float32]:
    return lay_out(first_places(vectors, 0), nearest(vectors, k), threads, still)


def test_groups_stay_apart_copies_part_and_threads_change_nothing() -> None:
    rng = np.random.default_rng(0)
    group = np.arange(90) % 3
    vectors = (20 * np.eye(3)[group] + rng.normal(size=(90, 3))).astype(np.float32)
    vectors[3] = vectors[0]
    places = laid_out(vectors, 10)
    assert np.abs(places).max() == 1
    assert (group[nearest(places, 5)] == group[:, None]).all()
    assert (places[3] != places[0]).all()
    assert (laid_out(vectors, 10, threads=2) == places).all()


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_a_few_recordings_lie_apart(n: int) -> None:
    vectors = np.eye(n, 4, dtype=np.float32)
    places = laid_out(vectors, n - 1)
    assert np.isfinite(places).all()
    assert len(np.unique(places, axis=0)) == n


def test_recordings_that_are_all_equal_or_know_nobody_lie_apart() -> None:
    vectors = np.ones((6, 1), np.float32)
    nobody = np.full((6, 3), -1, np.int32)
    for places in (laid_out(vectors, 3), lay_out(first_places(vectors, 0), nobody, 1, still)):
        assert len(np.unique(places, axis=0)) == 6


def test_progress_ends_at_all_steps() -> None:
    vectors = np.eye(4, dtype=np.float32)
    told: list[tuple[int, float | None]] = []
    lay_out(
        first_places(vectors, 0),
        nearest(vectors, 2),
        1,
        lambda done, share=None: told.append((done, share)),
    )
    assert sum(done for done, _ in told) == 200
    assert told[-1][1] == 1
