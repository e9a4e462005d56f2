"""Which command is killed, how, and when: the sequence of a seed, without end."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Group:
    """Commands that share a line of the table: how often a round has one of them, and its kills.

    `commands` are the names of the variants; they take turns, and so do the kills.
    """

    name: str
    weight: int
    commands: Sequence[str]
    kills: Sequence[str]


@dataclass(frozen=True, slots=True)
class Trial:
    """One kill of one command; `share` is the part of the command's work that is done before."""

    seed: int
    number: int
    group: str
    command: str
    kill: str
    share: float

    def chance(self) -> Random:
        """A generator for all that is left to choose: the same one for the same trial."""
        return Random(f"{self.seed} {self.number}")


def trials(seed: int, groups: Sequence[Group]) -> Iterator[Trial]:
    """The trials of a seed, numbered from 1.

    A round has as many trials of each group as the group's weight says, in a random order. The
    groups, and so the numbers, do not depend on what this machine can do or is asked to.
    """
    chance = Random(seed)
    commands: Mapping[str, Iterator[str]] = {
        each.name: _dealt(chance, each.commands) for each in groups
    }
    kills: Mapping[str, Iterator[str]] = {each.name: _dealt(chance, each.kills) for each in groups}
    number = 0
    while True:
        turn = [each.name for each in groups for _ in range(each.weight)]
        chance.shuffle(turn)
        for group in turn:
            number += 1
            command, kill = next(commands[group]), next(kills[group])
            yield Trial(seed, number, group, command, kill, chance.random())


def _dealt(chance: Random, items: Sequence[T]) -> Iterator[T]:
    """Items in random order, each as often as any other; without end."""
    while True:
        deck = list(items)
        chance.shuffle(deck)
        yield from deck
