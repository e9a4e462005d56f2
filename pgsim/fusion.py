"""Features to vectors: transform, aggregate, scale and weight each feature set.

A set's part of the vector is (aggregate(transform(x)) - center) / scale * sqrt(weight). The scales
are such that two recordings of the collection are expected at squared distance 1 in every set, so a
squared distance between vectors is the sum of the sets' own, each times its weight.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgsim.profile import Profile

# Deviations below this share of the mean's size are float32's rounding, not variation.
CONSTANT = 1e-6
LARGEST = 1e9


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
    result = np.empty((len(starts), profile.dimensions))
    alone = lengths == 1
    result[alone] = values[starts[alone]]
    for index in np.flatnonzero(~alone):
        run = slice(starts[index], starts[index] + lengths[index])
        # Compared by their bits, since a NaN, a missing set, equals nothing.
        _, first = np.unique(features[run].view(np.uint32), axis=0, return_index=True)
        result[index] = _one(values[run][np.sort(first)], profile)
    return result


def _one(values: NDArray[np.float64], profile: Profile) -> NDArray[np.float64]:
    """One recording's aggregate of (n, dimensions) distinct submissions."""
    result = np.full(profile.dimensions, np.nan)
    for each in profile.sets:
        own = values[:, each.slice]
        own = own[~np.isnan(own).any(axis=1)]
        if len(own):
            result[each.slice] = (np.median if each.aggregate == "median" else np.mean)(own, axis=0)
    return result


def fuse(values: NDArray[np.float64], profile: Profile, fit: Fit) -> NDArray[np.float32]:
    """(n, dimensions) vectors from aggregated values; a missing set lies at its centre, 0."""
    weight = np.concatenate([np.full(each.length, each.weight) for each in profile.sets])
    factor = np.divide(
        np.sqrt(weight), fit.scale, out=np.zeros_like(fit.scale), where=fit.scale > 0
    )
    vectors = np.nan_to_num((values - fit.center) * factor, nan=0.0)
    # So far out that no honest value comes near, and near enough that squares stay finite.
    result: NDArray[np.float32] = np.clip(vectors, -LARGEST, LARGEST).astype(np.float32)
    return result
