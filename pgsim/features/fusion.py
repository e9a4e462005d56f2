"""Features to vectors: transform, aggregate, scale and weight each feature set.

A set's part of the vector is (aggregate(transform(x)) - center) / scale * sqrt(weight). The scales
are such that two recordings of the collection are expected at squared distance 1 in every set, so a
squared distance between vectors is the sum of the sets' own, each times its weight.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgsim.features.profile import WHOLE_DIMENSIONS, Profile

# Deviations below this share of the mean's size are float32's rounding, not variation.
CONSTANT = 1e-6
LARGEST = 1e9
LARGEST_HALF = 6e4  # what a half-precision index can hold


@dataclass(frozen=True, slots=True)
class Fit:
    """Centre and scale of every dimension, as fitted on a collection.

    `center` and `scale` are (dimensions,) float64. A scale is 0 where a dimension never varies.
    `fitted` names the sets that have a meaning; the others are 0 in every vector.
    """

    center: NDArray[np.float64]
    scale: NDArray[np.float64]
    fitted: frozenset[str]
    recordings: int


class Moments:
    """Running count, mean and sum of squared deviations of each dimension, NaN left out."""

    def __init__(self, dimensions: int) -> None:
        self.recordings = 0
        self.count = np.zeros(dimensions)
        self.mean = np.zeros(dimensions)
        self.squares = np.zeros(dimensions)

    def add(self, values: NDArray[np.float64]) -> None:
        """Take in (n, dimensions) aggregated values (Chan, Golub & LeVeque 1979)."""
        present = ~np.isnan(values)
        count = present.sum(axis=0)
        seen = np.maximum(count, 1)
        mean = np.where(present, values, 0).sum(axis=0) / seen
        squares = (np.where(present, values - mean, 0) ** 2).sum(axis=0)
        total = np.maximum(self.count + count, 1)
        delta = mean - self.mean
        self.squares += squares + delta**2 * self.count * count / total
        self.mean += delta * count / total
        self.count += count
        self.recordings += len(values)

    def fit(self, profile: Profile) -> Fit:
        """Centres and scales for a profile; each recording counted once."""
        center = self.mean.copy()
        scale = np.zeros(profile.dimensions)
        fitted = set()
        deviation = np.sqrt(self.squares / np.maximum(self.count, 1))
        deviation[deviation <= CONSTANT * np.abs(center)] = 0
        for each in profile.sets:
            own = deviation[each.slice]
            if not own.any():  # fewer than two values, or all the same
                continue
            fitted.add(each.name)
            if each.transform in ("zscore", "log"):
                scale[each.slice] = own * np.sqrt(2 * np.count_nonzero(own))
            else:
                scale[each.slice] = np.sqrt(2 * (own**2).sum())
        return Fit(center, scale, frozenset(fitted), self.recordings)


def transform(values: NDArray[np.float32], profile: Profile) -> NDArray[np.float64]:
    """Each set's transform of (n, dimensions) submissions; NaN stays NaN."""
    result = values.astype(np.float64)
    for each in profile.sets:
        own = result[:, each.slice]
        if each.transform == "hellinger":
            np.sqrt(own, out=own)
        elif each.transform == "log":
            np.log(own, out=own)
        elif each.transform == "unit":
            length = np.linalg.norm(own, axis=1, keepdims=True)
            own /= np.where(length == 0, np.nan, length)
    return result


def aggregate(
    features: NDArray[np.float32], starts: NDArray[np.intp], profile: Profile
) -> NDArray[np.float64]:
    """Recordings from their submissions.

    `features` is (n, dimensions), the submissions of each recording in a run; `starts` is
    (recordings,), where each run begins. Returns (recordings, dimensions), NaN where no submission
    has the set. Exact repeats of a submission count once.
    """
    values = transform(features, profile)
    lengths = np.diff(starts, append=len(features))
    values[_repeats(features, lengths)] = np.nan
    result = values[starts]
    for length in np.unique(lengths[lengths > 1]):
        at = np.flatnonzero(lengths == length)
        result[at] = _middles(values[starts[at][:, None] + np.arange(length)], profile)
    return result


def _repeats(features: NDArray[np.float32], lengths: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which of (n, dimensions) submissions say what an earlier one of their run has said."""
    run = np.repeat(np.arange(len(lengths), dtype=np.uint32), lengths)
    # Compared by their bits, since a NaN, a missing set, equals nothing.
    rows = np.column_stack([run, np.ascontiguousarray(features).view(np.uint32)])
    _, first = np.unique(rows.view(np.dtype((np.void, rows[:1].nbytes))), return_index=True)
    repeats = np.ones(len(features), bool)
    repeats[first] = False
    return repeats


def _middles(values: NDArray[np.float64], profile: Profile) -> NDArray[np.float64]:
    """The aggregates (m, dimensions) of runs of one length, (m, length, dimensions)."""
    count = (~np.isnan(values)).sum(axis=1)
    values = np.sort(values, axis=1)  # NaN comes last
    result = np.full(count.shape, np.nan)
    for each in profile.sets:
        own, seen = values[:, :, each.slice], count[:, each.slice]
        if each.aggregate == "median":
            low = np.take_along_axis(own, np.maximum(seen - 1, 0)[:, None] // 2, axis=1)
            high = np.take_along_axis(own, seen[:, None] // 2, axis=1)
            middle = (low + high)[:, 0] / 2
        else:
            middle = np.where(np.isnan(own), 0, own).sum(axis=1) / np.maximum(seen, 1)
        result[:, each.slice] = np.where(seen > 0, middle, np.nan)
    return result


def fuse(values: NDArray[np.float64], profile: Profile, fit: Fit) -> NDArray[np.float32]:
    """(n, dimensions) vectors from aggregated values; a missing set lies at its centre, 0."""
    weight = np.concatenate([np.full(each.length, each.weight) for each in profile.sets])
    factor = np.divide(
        np.sqrt(weight), fit.scale, out=np.zeros_like(fit.scale), where=fit.scale > 0
    )
    vectors = np.nan_to_num((values - fit.center) * factor, nan=0.0)
    # So far out that no honest value comes near, and near enough that squares stay finite.
    largest = LARGEST if profile.dimensions <= WHOLE_DIMENSIONS else LARGEST_HALF
    result: NDArray[np.float32] = np.clip(vectors, -largest, largest).astype(np.float32)
    return result
