"""Which command is killed, how, and when: chosen by a seed."""

from collections import Counter
from itertools import islice

import pytest

from tests.crash.__main__ import DEFAULT
from tests.crash.choice import Group, Trial, trials
from tests.crash.commands import COMMANDS, GROUPS
from tests.crash.kills import KILLS

SMALL = (
    Group("read", 1, ("evaluate", "plan"), ("kill", "term")),
    Group("write", 3, ("load",), ("kill", "power", "disk")),
)


def first(seed: int, count: int, groups: tuple[Group, ...] = SMALL) -> list[Trial]:
    return list(islice(trials(seed, groups), count))


def test_the_same_seed_makes_the_same_choices() -> None:
    assert first(7, 200, GROUPS) == first(7, 200, GROUPS)
    assert first(7, 20) != first(8, 20)


def test_a_longer_campaign_begins_as_a_shorter_one_does() -> None:
    assert first(7, 40)[:9] == first(7, 9)
    assert [each.number for each in first(7, 40)] == list(range(1, 41))


def test_what_else_a_trial_chooses_depends_on_its_seed_and_number_alone() -> None:
    one, other = first(7, 2)
    assert [one.chance().random() for _ in range(2)] == [one.chance().random()] * 2
    assert one.chance().random() != other.chance().random()


def test_a_round_has_each_group_as_often_as_its_weight_says() -> None:
    for start in range(0, 40, 4):
        groups = Counter(each.group for each in first(3, 40)[start : start + 4])
        assert groups == {"read": 1, "write": 3}


def test_commands_and_kills_take_turns() -> None:
    found = first(11, 48)
    assert Counter(each.kill for each in found if each.group == "write") == {
        "kill": 12,
        "power": 12,
        "disk": 12,
    }
    assert Counter(each.command for each in found if each.group == "read") == {
        "evaluate": 6,
        "plan": 6,
    }


def test_moments_are_all_over_the_work() -> None:
    shares = sorted(each.share for each in first(5, 400))
    assert 0 <= shares[0] < 0.02
    assert 0.98 < shares[-1] < 1
    assert 0.4 < sum(shares) / len(shares) < 0.6


@pytest.mark.parametrize("seed", range(5))
def test_the_default_kills_every_command_in_every_way_often_enough(seed: int) -> None:
    found = first(seed, DEFAULT, GROUPS)
    assert len(found) >= 100
    by_group = Counter(each.group for each in found)
    assert min(by_group[name] for name in ("extract", "import", "follow", "join")) >= 10
    assert {each.command for each in found} <= COMMANDS.keys()
    assert {each.kill for each in found} == KILLS.keys()


def test_every_command_belongs_to_a_group() -> None:
    assert {name for group in GROUPS for name in group.commands} == COMMANDS.keys()
