"""From a document to the numbers of a profile."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgsim.errors import Rejected
from pgsim.features.forms import FORMS, Numbers, named, shown
from pgsim.features.profile import FeatureSet, Profile


def extract(document: dict[str, Any], profile: Profile) -> NDArray[np.float32]:
    """The (dimensions,) float32 features of one document, before any transform.

    A set is NaN where one of its paths is absent or null, or its value means nothing: a BPM or
    onset rate of 0, an unknown key, a 0 where the transform is a logarithm. Raises Rejected for a
    value of the wrong type, length or range.
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
    """A set's numbers from the values found at paths, one each; None where they mean nothing.

    Raises Rejected for a value of the wrong type, length or range.
    """
    numbers = FORMS[each.form].read(values, paths)
    if numbers is None:
        return None
    if len(numbers) != each.length:
        raise Rejected(f"{named(paths)}: {len(numbers)} numbers; {each.length} are needed")
    return numbers if _has_meaning(numbers, each) else None


def _value_at(document: dict[str, Any], keys: list[str]) -> Any:
    """The value at a path; None where it is absent."""
    value: Any = document
    for key in keys:
        if type(value) is not dict:
            raise Rejected(f"{'.'.join(keys[: keys.index(key)])}: {shown(value)} is no object")
        value = value.get(key)
        if value is None:
            return None
    return value


def _has_meaning(numbers: Numbers, each: FeatureSet) -> bool:
    """Whether the set's transform is defined there; Rejected where no true value could lie."""
    if each.transform in ("log", "hellinger") and min(numbers) < 0:
        raise Rejected(
            f"{named(each.paths)}: {shown(min(numbers))} is negative;"
            f" the transform '{each.transform}' needs 0 or more"
        )
    if each.transform == "log":
        # Compared as it will be stored: a smaller value would become 0.
        return all(np.float32(number) > 0 for number in numbers)
    return each.transform != "unit" or any(np.float32(number) != 0 for number in numbers)
