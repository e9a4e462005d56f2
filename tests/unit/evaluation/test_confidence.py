"""The interval covers the truth as often as it says, near 1 too."""

import numpy as np
import pytest

from pgsim.evaluation.confidence import interval


@pytest.mark.parametrize(
    ("alpha", "beta"), [(3, 1), (40, 1), (20, 0.05), (0.5, 0.02)], ids=lambda v: str(v)
)
def test_19_of_20_intervals_hold_the_truth(alpha: float, beta: float) -> None:
    rng = np.random.default_rng(0)
    truth = alpha / (alpha + beta)
    held = 0
    for _ in range(1000):
        # Neighbours of one recording are found together, or missed: a share of its own each.
        shares = rng.binomial(10, rng.beta(alpha, beta, 200)) / 10
        low, high = interval(shares, 10, 10**9)
        held += low <= truth <= high
    assert held >= 930


def test_finding_all_in_a_sample_does_not_prove_it_of_the_whole() -> None:
    low, high = interval(np.ones(100), 10, 10**6)
    assert high == 1
    assert 0.95 < low < 0.99
    assert interval(np.ones(400), 10, 10**6)[0] > low


def test_a_sample_that_is_all_leaves_nothing_open() -> None:
    shares = np.array([1.0, 0.5, 0.9])
    mean = shares.mean()
    assert interval(shares, 10, 3) == (mean, mean)
    low, high = interval(shares, 10, 4)
    assert low < mean < high
