"""Normal scores of a collection's values, by a table of quantiles."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pgsim.features.fusion import Moments, fuse
from pgsim.features.normal_scores import SCORES, Sample, normal_scores, quantiles
from pgsim.features.profile import FeatureSet, Profile

NAN = float("nan")


def table(values: NDArray[np.float64]) -> NDArray[np.float64]:
    sample = Sample(values.shape[1])
    sample.add(values)
    return quantiles(sample.rows)


def test_scores_are_standard_normal_whatever_the_values_are() -> None:
    values = np.random.default_rng(1).lognormal(3, 2, (20_000, 1))
    scores = normal_scores(values, table(values))
    assert abs(scores.mean()) < 0.01
    assert scores.std() == pytest.approx(1, abs=0.01)
    expected = [-1.959964, -0.6744898, 0, 0.6744898, 1.959964]
    found = np.quantile(scores, [0.025, 0.25, 0.5, 0.75, 0.975])
    np.testing.assert_allclose(found, expected, atol=0.03)
    order = np.argsort(values[:, 0])
    assert (np.diff(scores[order, 0]) >= 0).all()


def test_values_that_many_share_have_the_middle_of_their_ranks() -> None:
    values = np.concatenate([np.zeros(6000), np.arange(1, 4001)])[:, None]
    scores = normal_scores(np.array([[0.0], [2000.0]]), table(values))
    # 0 has the ranks from 0 to 60 %; 2,000 is at 80 %.
    np.testing.assert_allclose(scores[:, 0], [-0.5244, 0.8416], atol=0.02)


def test_a_value_beyond_all_others_has_the_farthest_score() -> None:
    values = np.random.default_rng(1).normal(size=(5000, 1))
    of_these = table(values)
    far = normal_scores(np.array([[-1e30], [1e30]]), of_these)[:, 0]
    own = normal_scores(np.array([[values.min()], [values.max()]]), of_these)[:, 0]
    np.testing.assert_allclose(far, [SCORES[0], SCORES[-1]])
    assert (np.abs(own) > 3).all()


def test_missing_values_and_dimensions_without_any_stay_missing() -> None:
    values = np.array([[1.0, NAN], [2.0, NAN], [NAN, NAN]])
    scores = normal_scores(values, table(values))
    assert np.isnan(scores[:, 1]).all()
    assert np.isnan(scores[:, 0]).tolist() == [False, False, True]


def test_a_sample_is_bounded_uniform_and_the_same_however_it_comes() -> None:
    rows = np.arange(200_000.0)[:, None]
    whole, pieces = Sample(1), Sample(1)
    whole.add(rows)
    for piece in np.array_split(rows, 37):
        pieces.add(piece)
    np.testing.assert_array_equal(quantiles(whole.rows), quantiles(pieces.rows))
    np.testing.assert_allclose(
        quantiles(whole.rows)[[96, 128, 160], 0] / 2e5, [0.1587, 0.5, 0.8413], atol=0.01
    )
    assert len(whole.rows) == 2**16


def test_a_set_of_ranks_has_an_expected_squared_distance_of_its_weight() -> None:
    sets = (
        FeatureSet("a", ("x",), "numbers", 2, "rank", "median", 0.75, 0),
        FeatureSet("b", ("x",), "numbers", 1, "zscore", "median", 0.25, 2),
    )
    profile = Profile("test", "none", "tag", sets)
    values = np.random.default_rng(2).lognormal(0, 2, (4000, 3))
    values[5, :2] = NAN
    moments = Moments(profile)
    moments.add(values)
    fit = moments.fit()
    assert set(fit.quantiles) == {"a"}
    vectors = fuse(values, profile, fit).astype(np.float64)
    assert vectors[5, :2].tolist() == [0, 0]
    halves = vectors[:2000], vectors[2000:]
    squares = ((halves[0] - halves[1]) ** 2).mean(axis=0)
    assert squares[:2].sum() == pytest.approx(0.75, rel=0.1)
    # No recording is far from all others, as some are by z-scores.
    assert np.abs(vectors[:, :2]).max() < 3


def test_a_constant_dimension_of_a_set_of_ranks_is_0_in_each_vector() -> None:
    each = FeatureSet("a", ("x",), "numbers", 2, "rank", "median", 1, 0)
    profile = Profile("test", "none", "tag", (each,))
    values = np.column_stack([np.random.default_rng(2).random(500), np.full(500, 7.0)])
    moments = Moments(profile)
    moments.add(values)
    vectors = fuse(values, profile, moments.fit())
    assert (vectors[:, 1] == 0).all()
    assert vectors[:, 0].std() > 0.5
