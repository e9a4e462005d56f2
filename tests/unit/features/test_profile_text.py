"""The text of a profile is the profile again."""

from dataclasses import replace
from pathlib import Path

import pytest

from pgsim.features.profile import Profile, parse_profile, read_profile, shipped_names
from pgsim.features.profile_text import profile_text


def read_again(profile: Profile) -> Profile:
    return parse_profile(profile_text(profile), Path("again.toml"))


def assert_same(found: Profile, wanted: Profile) -> None:
    weights = [each.weight for each in found.sets]
    assert weights == pytest.approx([each.weight for each in wanted.sets], rel=1e-12)
    sets = zip(found.sets, wanted.sets, strict=True)
    same = tuple(replace(one, weight=other.weight) for one, other in sets)
    assert replace(found, sets=same) == wanted


@pytest.mark.parametrize("name", shipped_names())
def test_a_shipped_profile_is_written_and_read_again(name: str) -> None:
    assert_same(read_again(read_profile(name)), read_profile(name))


def test_maps_and_odd_names_of_columns_are_written_and_read_again() -> None:
    profile = read_profile("msd")
    rows = tuple(
        tuple(1 + 0.1 / 3 if row == column else 1e-17 * (row + column) for column in range(91))
        for row in range(91)
    )
    loudness = replace(profile.sets[-1], map=((2 / 3,),), paths=('a "b"\\\x7f\tø',))
    profile = replace(profile, sets=(*profile.sets[:-1], loudness), map=rows)
    assert_same(read_again(profile), profile)
