"""What plan makes of its measurements."""

import numpy as np
import pytest

from pgsim.cli.plan import duration
from pgsim.matrix.rebuild import PART
from pgsim.planning.plan import LAWS, Plan, Sample, foresee
from pgsim.planning.synthetic import DIMENSIONS, make_vectors, make_vectors_of

SIZES = (12_500, 25_000, 50_000)
COSTS = {
    "load": (1e-5,),
    "index": (8e-6,),
    "prepare": (1.5, 1e-5),
    "lists": (0.8, 4e-5),
    "compare": (0.5, 2e-6),
    "enter": (3e-5,),
}


def took(step: str, n: float) -> float:
    [law] = [law for law in LAWS if law.step == step]
    return float(np.dot(COSTS[step], law.terms(n)))


def planned(recordings: int, within: float | None = None, noise: float = 0) -> Plan:
    rng = np.random.default_rng(0)
    samples = [
        Sample(
            n,
            {law.step: took(law.step, n) * (1 + noise * rng.uniform(-1, 1)) for law in LAWS},
            {"recordings": 400 * n, "index": 600 * n, "matrix": 2000 * n},
        )
        for n in SIZES
    ]
    return foresee(samples, recordings, 68, "made up", 2, within)


def test_what_follows_the_laws_is_foreseen_exactly() -> None:
    plan = planned(4_000_000)
    for each in plan.steps:
        assert each.seconds == pytest.approx(took(each.step, 4_000_000), rel=1e-6)
    assert plan.disk == {"recordings": 1.6e9, "index": 2.4e9, "matrix": 8e9}


def test_a_measurement_that_is_off_moves_the_forecast_no_farther_than_a_law_may() -> None:
    for each in planned(500_000, noise=0.02).steps:
        assert each.seconds == pytest.approx(took(each.step, 500_000), rel=0.3)


def test_no_part_of_a_law_is_negative() -> None:
    # Faster the more there are: what no law says, and no reason to foresee less than nothing.
    samples = [Sample(n, {law.step: 1e6 / n for law in LAWS}, {}) for n in SIZES]
    plan = foresee(samples, 500_000, 68, "made up", 2, None)
    assert all(each.seconds > 0 for each in plan.steps)


def test_newcomers_that_share_lists_in_small_samples_do_not_make_a_refresh_grow() -> None:
    # As counted: lists written for 1,000 newcomers among so many; then there are about 100,000.
    lists = {3_000: 61_849, 10_000: 82_850, 30_000: 92_224}
    samples = [
        Sample(n, dict.fromkeys((law.step for law in LAWS), count / 60_000), {})
        for n, count in lists.items()
    ]
    enter = next(
        step for step in foresee(samples, 500_000, 68, "", 2, None).steps if step.step == "enter"
    )
    assert enter.seconds == pytest.approx(100_000 / 60_000, rel=0.1)


def test_machines_share_the_parts_and_each_prepares() -> None:
    prepare, lists = took("prepare", 4_000_000), took("lists", 4_000_000)
    parts = -(-4_000_000 // PART)
    by = planned(4_000_000).rebuild
    assert by[1] == pytest.approx(prepare + lists)
    assert by[8] == pytest.approx(prepare + -(-parts // 8) * lists / parts)

    plan = planned(4_000_000, within=by[1] / 2)
    assert plan.machines is not None
    assert plan.rebuild[plan.machines] <= by[1] / 2
    assert planned(4_000_000, within=by[1]).machines == 1
    assert planned(4_000_000, within=prepare).machines is None
    assert max(by) == parts


def test_durations_are_said_in_the_unit_that_fits() -> None:
    said = [duration(seconds) for seconds in (0.25, 119, 120, 7300, 200_000)]
    assert said == ["0.2 s", "119 s", "2.0 min", "2.0 h", "2.3 d"]


def test_made_up_vectors_are_as_long_as_is_asked() -> None:
    vectors = make_vectors(500)
    assert vectors.shape == (500, DIMENSIONS)
    np.testing.assert_array_equal(make_vectors_of(10, 500), vectors[:, :10])
    longer = make_vectors_of(DIMENSIONS + 3, 500)
    np.testing.assert_array_equal(longer[:, DIMENSIONS:], vectors[:, :3])
