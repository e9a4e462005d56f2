"""Filling missing sets, against a plain search of every pair."""

import numpy as np
from numpy.typing import NDArray

from pgsim.features.filling import filled, lacking
from pgsim.features.fusion import Fit
from pgsim.features.profile import FeatureSet, Profile

SETS = (("timbre", 3), ("rhythm", 2), ("embedding", 4))


def profile() -> Profile:
    position, sets = 0, []
    for name, length in SETS:
        sets.append(FeatureSet(name, (name,), "numbers", length, "zscore", "mean", 1 / 3, position))
        position += length
    return Profile("three", "unknown", "tag", tuple(sets))


def by_pairs(
    vectors: NDArray[np.float32], lacks: NDArray[np.bool_], donors: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The oracle: each vector beside each donor, in float64."""
    result = vectors.copy()
    missing = np.repeat(lacks, [length for _, length in SETS], axis=1)
    for row in np.flatnonzero(lacks.any(axis=1)):
        has = ~missing[row]
        apart = ((vectors[row, has].astype(np.float64) - donors[:, has]) ** 2).sum(axis=1)
        result[row, missing[row]] = donors[np.argmin(apart), missing[row]]
    return result


def test_each_missing_set_is_that_of_the_nearest_donor() -> None:
    random = np.random.default_rng(7)
    donors = random.normal(size=(700, 9)).astype(np.float32)
    vectors = random.normal(size=(600, 9)).astype(np.float32)
    lacks = random.random((600, 3)) < 0.3
    lacks[lacks.all(axis=1), 0] = False
    found = filled(vectors, lacks, donors, profile())
    assert np.array_equal(found, by_pairs(vectors, lacks, donors))
    assert np.array_equal(found[~lacks.any(axis=1)], vectors[~lacks.any(axis=1)])


def test_of_equally_near_donors_the_first_gives_the_set_wherever_they_stand() -> None:
    random = np.random.default_rng(8)
    seen = random.normal(scale=1e3, size=(1, 5)).astype(np.float32)
    donors = np.hstack([np.repeat(seen, 301, axis=0), np.arange(301 * 4).reshape(301, 4)])
    donors = donors.astype(np.float32)
    vectors = np.hstack([seen, np.zeros((1, 4))]).astype(np.float32).repeat(300, axis=0)
    vectors[:, :5] += random.normal(size=(300, 5)).astype(np.float32)
    lacks = np.tile([False, False, True], (300, 1))
    found = filled(vectors, lacks, donors, profile())
    assert (found[:, 5:] == donors[0, 5:]).all()


def test_without_donors_the_vectors_stay() -> None:
    vectors = np.ones((2, 9), np.float32)
    lacks = np.array([[True, False, False], [False, False, False]])
    assert np.array_equal(filled(vectors, lacks, vectors[:0], profile()), vectors)


def test_a_set_that_is_not_fitted_lacks_nowhere() -> None:
    values = np.full((2, 9), np.nan)
    values[0, :3] = 1
    fit = Fit(np.zeros(9), np.ones(9), frozenset({"timbre", "rhythm"}), 2)
    assert lacking(values, profile(), fit).tolist() == [[False, True, False], [True, True, False]]
