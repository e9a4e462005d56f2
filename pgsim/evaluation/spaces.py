"""The vectors that a collection's own are compared with: less is known of it in each."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pgsim.features.fusion import CONSTANT, aggregate, side_by_side
from pgsim.features.profile import Profile
from pgsim.postgres.connection import Connection
from pgsim.store.submissions import mbid_keys, read_submissions
from pgsim.store.vectors import Vectors

ZSCORES = "plain z-scores"
EQUAL = "equal shares"
PROFILE = "the profile"


def plain(profile: Profile) -> Profile:
    """The profile without its transforms: values as they were read, and their medians or means."""
    return replace(profile, sets=tuple(replace(each, transform="zscore") for each in profile.sets))


def read_values(conn: Connection, profile: Profile, all_: Vectors) -> NDArray[np.float32] | None:
    """Every recording's values (n, dimensions), NaN where it has none.

    None where not every recording with a vector has a submission.
    """
    keys = mbid_keys(all_.mbids)
    by_key = np.argsort(keys)
    values = np.full(all_.vectors.shape, np.nan, np.float32)
    is_known = np.zeros(len(keys), bool)
    for part in read_submissions(conn):
        wanted = mbid_keys(part.mbids[part.starts])
        place = np.minimum(np.searchsorted(keys, wanted, sorter=by_key), len(keys) - 1)
        rows = by_key[place]
        here = keys[rows] == wanted
        values[rows[here]] = aggregate(part.features, part.starts, plain(profile))[here]
        is_known[rows[here]] = True
    return values if is_known.all() else None


def standardised(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Values (n, dimensions), each dimension with mean 0 and deviation 1; NaN becomes 0.

    A dimension that never varies is 0.
    """
    result = np.zeros_like(values)
    for place, column in enumerate(values.T):
        there = ~np.isnan(column)
        known = column[there].astype(np.float64)
        if len(known) and known.std() > CONSTANT * abs(known.mean()):
            result[there, place] = (known - known.mean()) / known.std()
    return result


def spaces(
    profile: Profile, vectors: NDArray[np.float32], values: NDArray[np.float32] | None
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield names and vectors: each set alone, plain z-scores, equal shares, and the profile.

    `vectors` are the collection's own, of which a set is a slice; `values` those as read, or None
    where they are not known. A set that is 0 everywhere, as one without a fit is, is left out.
    """
    apart = side_by_side(vectors, profile)
    sets = [each for each in profile.sets if apart[:, each.slice].any()]
    if len(sets) > 1:
        for each in sets:
            yield each.name, np.ascontiguousarray(apart[:, each.slice])
    if values is not None:
        yield ZSCORES, standardised(values)
    if len(sets) > 1:
        equal = np.zeros_like(vectors)
        for each in sets:
            equal[:, each.slice] = apart[:, each.slice] / np.float32(np.sqrt(each.weight))
        yield EQUAL, equal
    yield PROFILE, vectors
