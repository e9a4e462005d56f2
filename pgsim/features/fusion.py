"""Features to vectors: transform, aggregate, scale and weight each feature set.

A set's part of the vector is (aggregate(transform(x)) - center) / scale * sqrt(weight), and then
times the set's map, a matrix, where it has one. The whole vector is then multiplied by the
profile's map, where that has one. The transform `rank` comes after the aggregate, as it needs the
values of all recordings. With these scales two random recordings have an expected
squared distance of 1 in every set. A squared distance between vectors is the sum of the sets'
squared distances, each times its weight.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pgsim.features.normal_scores import Sample, normal_scores, quantiles
from pgsim.features.profile import WHOLE_DIMENSIONS, FeatureSet, Profile

# A deviation below this share of the mean is float32 rounding, not variation.
CONSTANT = 1e-6
LARGEST = 1e9
LARGEST_HALF = 6e4  # a half-precision index can hold numbers up to this


@dataclass(frozen=True, slots=True)
class Fit:
    """The centre and scale of every dimension, fitted on a collection.

    `center` and `scale` are (dimensions,) float64. The scale of a dimension that never varies is 0.
    `fitted` names the sets that could be fitted; the others are 0 in every vector. `quantiles` has
    the (257, length) table of each fitted set with the transform `rank`, by name.
    """

    center: NDArray[np.float64]
    scale: NDArray[np.float64]
    fitted: frozenset[str]
    recordings: int
    quantiles: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)


class Moments:
    """The running count, mean and sum of squared deviations of each dimension, without NaN.

    For sets with the transform `rank` or a map it has a sample of the recordings too; for all sets,
    where the profile has a map.
    """

    def __init__(self, profile: Profile) -> None:
        self.recordings = 0
        self.count = np.zeros(profile.dimensions)
        self.mean = np.zeros(profile.dimensions)
        self.squares = np.zeros(profile.dimensions)
        self._profile = profile
        self._sampled = [
            each for each in profile.sets if each.transform == "rank" or each.map or profile.map
        ]
        self._places = _places(self._sampled)
        self._sample = Sample(len(self._places))

    def add(self, values: NDArray[np.float64]) -> None:
        """Add (n, dimensions) aggregated values (Chan, Golub & LeVeque 1979)."""
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
        if self._sampled:
            self._sample.add(values[:, self._places])

    def fit(self) -> Fit:
        """Return centres, scales and quantiles; each recording counts once."""
        profile = self._profile
        center = self.mean.copy()
        scale = np.zeros(profile.dimensions)
        fitted = set()
        deviation = np.sqrt(self.squares / np.maximum(self.count, 1))
        deviation[deviation <= CONSTANT * np.abs(center)] = 0
        sample = self._sample_by_set()
        tables = {}
        for each in self._sampled:
            if each.transform != "rank":
                continue
            table = quantiles(sample[each.name])
            sample[each.name] = normal_scores(sample[each.name], table)
            for place, column in enumerate(sample[each.name].T, each.position):
                there = column[~np.isnan(column)]
                center[place] = there.mean() if len(there) else 0
                deviation[place] = there.std() if len(there) and deviation[place] > 0 else 0
            tables[each.name] = table
        for each in profile.sets:
            own = deviation[each.slice]
            if not own.any():  # fewer than two values, or all the same
                continue
            fitted.add(each.name)
            if each.transform in ("zscore", "log", "rank"):
                scale[each.slice] = own * np.sqrt(2 * np.count_nonzero(own))
            else:
                scale[each.slice] = np.sqrt(2 * (own**2).sum())
            if each.map:
                there = sample[each.name][~np.isnan(sample[each.name]).any(axis=1)]
                scores = _standard(there, center[each.slice], scale[each.slice])
                scale[each.slice] *= _spread(scores @ np.array(each.map))
        tables = {name: table for name, table in tables.items() if name in fitted}
        fit = Fit(center, scale, frozenset(fitted), self.recordings, tables)
        if not profile.map:
            return fit
        complete = ~np.isnan(self._sample.rows[:, scale > 0]).any(axis=1)
        vectors = fuse(self._sample.rows[complete], profile, fit)
        return replace(fit, scale=scale * _spread(vectors.astype(np.float64)))

    def lack_some(self, fit: Fit) -> bool:
        """Return whether a recording lacks a set that is fitted."""
        return any(
            each.name in fit.fitted and self.count[each.position] < self.recordings
            for each in self._profile.sets
        )

    def _sample_by_set(self) -> dict[str, NDArray[np.float64]]:
        """Return the sample's values, (n, length), of each set that is sampled."""
        ends = np.cumsum([each.length for each in self._sampled])[:-1]
        parts = np.split(self._sample.rows, ends, axis=1)
        names = [each.name for each in self._sampled]
        return dict(zip(names, parts, strict=True)) if names else {}


def _places(sets: Sequence[FeatureSet]) -> NDArray[np.intp]:
    """Return the dimensions of these sets."""
    parts = [np.arange(each.position, each.position + each.length) for each in sets]
    return np.concatenate([np.arange(0), *parts])


def _spread(vectors: NDArray[np.float64]) -> float:
    """Return the expected distance of two of (n, d) vectors; 1 where it is not known."""
    return float(np.sqrt(2 * vectors.var(axis=0).sum())) or 1.0 if len(vectors) else 1.0


def _standard(
    values: NDArray[np.float64], center: NDArray[np.float64], scale: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return (n, length) values with their centre at 0, by their scale; 0 where the scale is."""
    away = values - center
    return np.divide(away, scale, out=np.zeros_like(away), where=scale > 0)


def transform(values: NDArray[np.float32], profile: Profile) -> NDArray[np.float64]:
    """Return (n, dimensions) submissions with each set transformed; NaN stays NaN."""
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
    """Return the values of recordings from their submissions, (recordings, dimensions).

    `features` is (n, dimensions), each recording's submissions one after the other; `starts` is
    (recordings,), where each recording's begin. A set that no submission has is NaN. Exact repeats
    of a submission count once.
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
    """Return which of (n, dimensions) submissions repeat an earlier one of their recording."""
    repeats = np.repeat(lengths > 1, lengths)
    run = np.repeat(np.arange(len(lengths), dtype=np.uint32), lengths)[repeats]
    # Compared by their bits, since the NaN of a missing set does not equal itself.
    rows = np.column_stack([run, np.ascontiguousarray(features[repeats]).view(np.uint32)])
    _, first = np.unique(rows.view(f"V{4 * rows.shape[1]}"), return_index=True)
    repeats[np.flatnonzero(repeats)[first]] = False
    return repeats


def _middles(values: NDArray[np.float64], profile: Profile) -> NDArray[np.float64]:
    """Return the aggregates, (m, dimensions), of m recordings with `length` submissions each.

    `values` is (m, length, dimensions).
    """
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
    """Return (n, dimensions) vectors from aggregated values; a missing set is 0, its centre."""
    weight = np.concatenate([np.full(each.length, each.weight) for each in profile.sets])
    factor = np.divide(
        np.sqrt(weight), fit.scale, out=np.zeros_like(fit.scale), where=fit.scale > 0
    )
    if fit.quantiles:
        values = values.copy()
    for each in profile.sets:
        if each.name in fit.quantiles:
            values[:, each.slice] = normal_scores(values[:, each.slice], fit.quantiles[each.name])
    vectors = np.nan_to_num((values - fit.center) * factor, nan=0.0)
    for each in profile.sets:
        if each.map:
            vectors[:, each.slice] = vectors[:, each.slice] @ np.array(each.map)
    return mapped(vectors, profile)


def mapped(vectors: NDArray[np.float64], profile: Profile) -> NDArray[np.float32]:
    """Return (n, dimensions) vectors of sets side by side, by the profile's map, if it has one."""
    if profile.map:
        vectors = vectors @ np.array(profile.map)
    # Far beyond any real value, but so that squares stay finite.
    largest = LARGEST if profile.dimensions <= WHOLE_DIMENSIONS else LARGEST_HALF
    result: NDArray[np.float32] = np.clip(vectors, -largest, largest).astype(np.float32)
    return result


def side_by_side(vectors: NDArray[np.float32], profile: Profile) -> NDArray[np.float32]:
    """Return (n, dimensions) vectors without the profile's map: each set is a slice of them."""
    if not profile.map:
        return vectors
    apart: NDArray[np.float32] = (vectors @ np.linalg.inv(np.array(profile.map))).astype(np.float32)
    return apart
