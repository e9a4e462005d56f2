"""What a vector means: transform, aggregate, scale and weight."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pgsim.features.fusion import LARGEST, Fit, Moments, aggregate, fuse, transform
from pgsim.features.metrics import METRICS
from pgsim.features.profile import AGGREGATES, TRANSFORMS, FeatureSet, Profile, read_profile

ACOUSTICBRAINZ = read_profile("acousticbrainz")
NAN = float("nan")


def profile(*sets: tuple[str, str, int]) -> Profile:
    """Sets named a, b, ... of that transform, aggregate and length, of equal weight."""
    made: list[FeatureSet] = []
    for name, (how, over, length) in zip("abcdef", sets, strict=False):
        position = sum(each.length for each in made)
        made.append(FeatureSet(name, ("x",), "numbers", length, how, over, 1 / len(sets), position))
    return Profile("test", "none", "rosamerica", tuple(made))


def fitted(values: NDArray[np.float64], of: Profile) -> Fit:
    moments = Moments(of)
    moments.add(values)
    return moments.fit()


def aggregated(submissions: list[list[float]], of: Profile) -> list[float]:
    """One recording's values from its submissions."""
    features = np.array(submissions, np.float32)
    (row,) = aggregate(features, np.array([0]), of)
    return [float(value) for value in row]


def mean_squared_distance(vectors: NDArray[np.float32]) -> float:
    """Over all pairs of different recordings and of each with itself, as for independent draws."""
    points = vectors.astype(np.float64)
    return float(((points[:, None] - points[None]) ** 2).sum(axis=2).mean())


@pytest.mark.parametrize("how", TRANSFORMS)
def test_two_recordings_are_expected_at_squared_distance_one_in_every_set_times_its_weight(
    how: str,
) -> None:
    of = profile((how, "mean", 5), ("zscore", "median", 2))
    of = replace(of, sets=(replace(of.sets[0], weight=0.125), replace(of.sets[1], weight=0.875)))
    features = np.random.default_rng(1).gamma(2, 3, (300, 7)).astype(np.float32)
    values = transform(features, of)
    vectors = fuse(values, of, fitted(values, of))
    for each in of.sets:
        assert mean_squared_distance(vectors[:, each.slice]) == pytest.approx(each.weight, rel=1e-5)


def test_the_expected_squared_distance_of_whole_vectors_is_one() -> None:
    features = np.random.default_rng(2).uniform(0.1, 1, (200, 68)).astype(np.float32)
    values = transform(features, ACOUSTICBRAINZ)
    vectors = fuse(values, ACOUSTICBRAINZ, fitted(values, ACOUSTICBRAINZ))
    assert mean_squared_distance(vectors) == pytest.approx(1, rel=1e-5)


def test_with_two_recordings_every_z_score_is_plus_or_minus_one_and_weighted_forms_its_decay() -> (
    None
):
    of = profile(("zscore", "median", 13))
    values = np.random.default_rng(3).normal(size=(2, 13))
    vectors = fuse(values, of, fitted(values, of))
    scores = vectors * np.sqrt(2 * 13)
    assert np.abs(scores) == pytest.approx(1)
    assert scores[0] == pytest.approx(-scores[1])
    decays = METRICS["mfccsw"].decay ** np.arange(13)
    assert np.abs(scores * decays) == pytest.approx(np.tile(0.95 ** np.arange(13), (2, 1)))


def test_a_constant_dimension_is_zero_in_every_vector_and_the_others_make_up_for_it() -> None:
    of = profile(("zscore", "median", 3))
    values = np.array([[1, 0.1, 5], [2, 0.1, 9], [4, 0.1, 1]])
    fit = fitted(values, of)
    vectors = fuse(values, of, fit)
    assert vectors[:, 1].tolist() == [0, 0, 0]
    assert mean_squared_distance(vectors) == pytest.approx(1)
    # A newcomer that differs there is not thrown out by it.
    assert fuse(np.array([[2, 1e6, 9]]), of, fit)[0].tolist() == vectors[1].tolist()


def test_the_rounding_of_large_constant_numbers_is_no_variation() -> None:
    of = profile(("zscore", "median", 1))
    values = np.array([[1e9], [1e9 + 1e-5], [1e9]])
    assert fitted(values, of).fitted == frozenset()


def test_hellinger_is_the_root_of_each_probability() -> None:
    of = profile(("hellinger", "mean", 3))
    assert transform(np.array([[0.25, 0, 0.75]], np.float32), of).tolist() == [[0.5, 0, 0.75**0.5]]


def test_unit_has_length_one() -> None:
    of = profile(("unit", "mean", 2))
    assert transform(np.array([[3, 4]], np.float32), of)[0] == pytest.approx([0.6, 0.8])


def test_log_is_the_natural_logarithm() -> None:
    of = profile(("log", "median", 1))
    assert transform(np.array([[np.e]], np.float32), of)[0] == pytest.approx([1])


@pytest.mark.parametrize("how", ["isotropic", "hellinger", "unit"])
def test_a_set_of_one_scale_keeps_its_own_geometry(how: str) -> None:
    of = profile((how, "mean", 3))
    features = np.random.default_rng(4).uniform(0, 1, (50, 3)).astype(np.float32)
    values = transform(features, of)
    fit = fitted(values, of)
    vectors = fuse(values, of, fit).astype(np.float64)
    own = np.linalg.norm(values[0] - values[1:], axis=1)
    fused = np.linalg.norm(vectors[0] - vectors[1:], axis=1)
    assert fused / own == pytest.approx(fused[0] / own[0], rel=1e-4)


def test_the_distance_of_a_slice_without_its_weight_is_that_of_the_set_alone() -> None:
    features = np.random.default_rng(5).uniform(0.1, 1, (40, 68)).astype(np.float32)
    values = transform(features, ACOUSTICBRAINZ)
    vectors = fuse(values, ACOUSTICBRAINZ, fitted(values, ACOUSTICBRAINZ))
    for each in ACOUSTICBRAINZ.sets:
        alone = replace(ACOUSTICBRAINZ, sets=(replace(each, position=0, weight=1.0),))
        own = fuse(values[:, each.slice], alone, fitted(values[:, each.slice], alone))
        within = np.linalg.norm(vectors[0, each.slice] - vectors[1:, each.slice], axis=1)
        assert within / np.sqrt(each.weight) == pytest.approx(
            np.linalg.norm(own[0] - own[1:], axis=1), rel=1e-4, abs=1e-6
        )


@pytest.mark.parametrize(("over", "expected"), [("median", 2.0), ("mean", 4.0)])
def test_a_recording_is_the_median_or_the_mean_of_its_submissions(
    over: str, expected: float
) -> None:
    of = profile(("zscore", over, 1))
    assert aggregated([[1], [9], [2]], of) == [expected]


def test_submissions_are_transformed_before_they_are_aggregated() -> None:
    of = profile(("hellinger", "mean", 1))
    assert aggregated([[0], [1]], of) == [0.5]


def test_exact_repeats_of_a_submission_count_once() -> None:
    of = profile(("zscore", "mean", 1))
    assert aggregated([[1], [4], [1], [1]], of) == [2.5]


def test_exact_repeats_of_an_incomplete_submission_count_once() -> None:
    of = profile(("zscore", "mean", 1), ("zscore", "mean", 1))
    assert aggregated([[1, NAN], [4, NAN], [1, NAN]], of)[0] == 2.5


def test_submissions_that_differ_in_any_set_both_count_in_all() -> None:
    of = profile(("zscore", "mean", 1), ("zscore", "mean", 1))
    assert aggregated([[1, 1], [4, 1], [1, 2]], of)[0] == 2.0


def test_a_set_comes_from_the_submissions_that_have_it() -> None:
    of = profile(("zscore", "mean", 1), ("zscore", "median", 1), ("unit", "mean", 1))
    row = aggregated([[1, NAN, NAN], [3, NAN, NAN], [NAN, 5, NAN]], of)
    assert row[:2] == [2, 5]
    assert np.isnan(row[2])


@pytest.mark.parametrize("over", AGGREGATES)
def test_the_order_of_submissions_does_not_matter(over: str) -> None:
    of = profile(("zscore", over, 3))
    submissions = np.random.default_rng(6).normal(size=(7, 3)).tolist()
    assert aggregated(submissions, of) == pytest.approx(aggregated(submissions[::-1], of))


def test_recordings_are_aggregated_each_by_itself() -> None:
    of = profile(("zscore", "mean", 1))
    features = np.array([[1], [2], [4], [7], [8]], np.float32)
    assert aggregate(features, np.array([0, 1, 3]), of).tolist() == [[1], [3], [7.5]]


def test_a_missing_set_lies_at_its_centre() -> None:
    of = profile(("zscore", "median", 1), ("isotropic", "mean", 2))
    values = np.array([[1, NAN, NAN], [2, 1, 5], [3, 2, 8]])
    vectors = fuse(values, of, fitted(values, of))
    assert vectors[0, 1:].tolist() == [0, 0]
    assert not np.isnan(vectors).any()
    # Of two recordings that have the set, the centre is between them.
    assert vectors[1, 1:] == pytest.approx(-vectors[2, 1:])


@pytest.mark.parametrize(
    "values",
    [[[NAN], [NAN], [NAN]], [[1], [NAN], [NAN]], [[7], [7], [7]]],
    ids=["no recording has it", "one has it", "it never varies"],
)
def test_a_set_without_deviation_is_not_fitted_and_zero_in_every_vector(
    values: list[list[float]],
) -> None:
    of = profile(("zscore", "median", 1), ("zscore", "median", 1))
    both = np.hstack([np.array([[1.0], [2.0], [4.0]]), np.array(values, float)])
    fit = fitted(both, of)
    assert fit.fitted == {"a"}
    assert fuse(both, of, fit)[:, 1].tolist() == [0, 0, 0]
    assert fuse(both, of, fit)[:, 0].any()


def test_a_value_beyond_all_others_is_cut_off_where_its_square_is_still_a_number() -> None:
    of = profile(("zscore", "median", 1))
    fit = fitted(np.array([[0.0], [1e-30]]), of)
    (vector,) = fuse(np.array([[3e38]]), of, fit)
    assert vector.tolist() == [LARGEST]


numbers = st.floats(-1e6, 1e6, width=32)
rows = st.lists(st.tuples(*[st.one_of(numbers, st.just(NAN))] * 3), min_size=1, max_size=30)


@given(rows, st.data())
def test_a_fit_does_not_depend_on_how_the_recordings_are_cut_up(
    recordings: list[tuple[float, ...]], data: st.DataObject
) -> None:
    values = np.array(recordings)
    cut = data.draw(st.integers(0, len(values)))
    again = data.draw(st.integers(cut, len(values)))
    of = profile(("zscore", "median", 3))
    whole, pieces = Moments(of), Moments(of)
    whole.add(values)
    for piece in (values[:cut], values[cut:again], values[again:]):
        pieces.add(piece)
    assert pieces.recordings == whole.recordings == len(values)
    assert pieces.count.tolist() == whole.count.tolist()
    assert pieces.mean == pytest.approx(whole.mean, rel=1e-9, abs=1e-6)
    assert pieces.squares == pytest.approx(whole.squares, rel=1e-6, abs=1e-3)


def test_a_fit_knows_how_many_recordings_it_was_made_on() -> None:
    of = profile(("zscore", "median", 1))
    assert fitted(np.array([[1.0], [NAN], [3.0]]), of).recordings == 3


def with_map(of: Profile, matrix: NDArray[np.float64]) -> Profile:
    """The profile with a map in its first set."""
    rows = tuple(map(tuple, matrix.tolist()))
    return replace(of, sets=(replace(of.sets[0], map=rows), *of.sets[1:]))


def positive(length: int, seed: int) -> NDArray[np.float64]:
    """A symmetric positive definite matrix."""
    half = np.random.default_rng(seed).normal(size=(length, length))
    return half @ half.T + 0.1 * np.eye(length)


@pytest.mark.parametrize("how", TRANSFORMS)
def test_a_map_turns_a_set_and_leaves_its_expected_squared_distance_at_its_weight(how: str) -> None:
    plain = profile((how, "mean", 5), ("zscore", "median", 2))
    mapped = with_map(plain, positive(5, 3))
    features = np.random.default_rng(1).gamma(2, 3, (300, 7)).astype(np.float32)
    features[7, :5] = NAN
    values = transform(features, plain)
    before = fuse(values, plain, fitted(values, plain)).astype(np.float64)
    vectors = fuse(values, mapped, fitted(values, mapped))
    there = np.arange(len(vectors)) != 7
    assert vectors[7, :5].tolist() == [0] * 5
    assert mean_squared_distance(vectors[there, :5]) == pytest.approx(0.5, rel=1e-5)
    wanted = before[:, :5] @ positive(5, 3)
    factor = vectors[there, :5] / wanted[there]
    assert factor == pytest.approx(factor[0, 0], rel=1e-3)
    np.testing.assert_array_equal(vectors[:, 5:], before[:, 5:])


def test_a_map_of_a_set_that_never_varies_is_not_fitted() -> None:
    of = with_map(profile(("zscore", "mean", 2), ("zscore", "mean", 1)), positive(2, 1))
    values = np.column_stack([np.full((9, 2), 3.0), np.arange(9.0)])
    fit = fitted(values, of)
    assert fit.fitted == {"b"}
    assert not fuse(values, of, fit)[:, :2].any()
