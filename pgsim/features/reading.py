"""The numbers of a profile's feature sets, read from a document."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgsim.errors import Rejected
from pgsim.features.forms import FORMS, Numbers, named, shown
from pgsim.features.profile import FeatureSet, Profile


def extract(document: dict[str, Any], profile: Profile) -> NDArray[np.float32]:
    """Return the (dimensions,) float32 features of one document, before any transform.

    A set is NaN if one of its paths is absent or null, or if its value has no meaning: a BPM or
    onset rate of 0, an unknown key, a 0 for a logarithm. Rejected if a value has the wrong type,
    length or range.
    """
    features = np.full(profile.dimensions, np.nan, np.float32)
    for each in profile.sets:
        numbers = _read(document, each)
        if numbers is not None:
            features[each.slice] = numbers
    return features


def _read(document: dict[str, Any], each: FeatureSet) -> Numbers | None:
    values = []
    for path in each.paths:
        value = _value_at(document, path.split("."))
        if value is None:
            return None
        values.append(value)
    return read_values(values, each.paths, each)


def read_values(values: Sequence[Any], paths: tuple[str, ...], each: FeatureSet) -> Numbers | None:
    """Return a set's numbers from the values at its paths, one each; None if they have no meaning.

    Rejected if a value has the wrong type, length or range.
    """
    numbers = FORMS[each.form].read(values, paths)
    if numbers is None:
        return None
    if len(numbers) != each.length:
        raise Rejected(f"{named(paths)}: {len(numbers)} numbers; {each.length} are needed")
    return numbers if _has_meaning(numbers, each) else None


def _value_at(document: dict[str, Any], keys: list[str]) -> Any:
    """Return the value at a path; None if it is absent."""
    value: Any = document
    for key in keys:
        if type(value) is not dict:
            raise Rejected(f"{'.'.join(keys[: keys.index(key)])}: {shown(value)} is not an object")
        value = value.get(key)
        if value is None:
            return None
    return value


def _has_meaning(numbers: Numbers, each: FeatureSet) -> bool:
    """Return whether the set's transform is defined there; Rejected if a number is impossible."""
    if each.transform in ("log", "hellinger") and min(numbers) < 0:
        raise Rejected(
            f"{named(each.paths)}: {shown(min(numbers))} is negative;"
            f" the transform '{each.transform}' needs 0 or more"
        )
    if each.transform == "log":
        # Compared as a float32, as it will be stored: a very small number becomes 0.
        return all(np.float32(number) > 0 for number in numbers)
    return each.transform != "unit" or any(np.float32(number) != 0 for number in numbers)
