"""The protocol of pgsim.evaluation, slow and obviously right: loops over plain lists."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

REACH = 50
DEPTH = 100
K = 10


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording with small whole numbers as its vector, so that distances are exact."""

    vector: tuple[int, ...]
    labels: frozenset[int]
    groups: tuple[int | None, ...]
    rank: int


def squared(a: Recording, b: Recording) -> int:
    """The squared distance."""
    return sum((x - y) ** 2 for x, y in zip(a.vector, b.vector, strict=True))


def distance(a: Recording, b: Recording) -> np.float32:
    """The distance, as the database stores it."""
    return np.float32(math.sqrt(squared(a, b)))


def may_answer(query: Recording, other: Recording) -> bool:
    """Whether a recording is neither the query, nor its copy, nor of a group of its."""
    if other is query or other.vector == query.vector:
        return False
    return not any(
        mine is not None and mine == theirs
        for mine, theirs in zip(query.groups, other.groups, strict=True)
    )


def nearest(query: Recording, others: Sequence[Recording]) -> list[Recording]:
    """The others, nearest first."""
    return sorted(others, key=lambda other: (distance(query, other), other.rank))


class SlowProtocol:
    """All recordings that have a label, asked one after the other."""

    def __init__(self, recordings: Sequence[Recording], reach: int = REACH) -> None:
        self.pool = [each for each in recordings if each.labels]
        self.lists = {
            id(each): nearest(each, [other for other in self.pool if other is not each])
            for each in self.pool
        }
        self.reach = {
            key: np.float32(
                np.mean([float(distance(each, other)) for other in self.lists[key][:reach]])
            )
            for each in self.pool
            if self.lists[key := id(each)]
        }

    def ranked(self, query: Recording, near: Sequence[Recording], ranking: str) -> list[Recording]:
        """The nearest DEPTH in the order of a ranking."""
        near = near[:DEPTH]
        if ranking == "distance":
            return list(near)

        def exponent(other: Recording) -> float:
            apart = float(distance(query, other))
            both = float(self.reach[id(query)]) * float(self.reach[id(other)])
            if apart == 0:
                return 0
            return apart**2 / both if both else math.inf

        return sorted(near, key=exponent)

    def right(self, query: Recording) -> list[Recording]:
        """What is right for a query."""
        return [
            other for other in self.pool if may_answer(query, other) and query.labels & other.labels
        ]

    def queries(self) -> list[Recording]:
        """The recordings for which something is right."""
        return [each for each in self.pool if self.right(each)]

    def scores(self, query: Recording, ranking: str) -> tuple[float, float, float]:
        """The precision, the recall and the average precision of a query's answer."""
        near = nearest(query, [other for other in self.pool if may_answer(query, other)])
        answer = self.ranked(query, near, ranking)
        hits = [bool(query.labels & other.labels) for other in answer]
        right = len(self.right(query))
        average = sum(
            (Fraction(sum(hits[: i + 1]), i + 1) for i, hit in enumerate(hits) if hit), Fraction(0)
        ) / min(right, DEPTH)
        return sum(hits[:K]) / K, sum(hits[:K]) / right, float(average)

    def hubs(self, ranking: str) -> tuple[float, float]:
        """The skewness of k-occurrence, and the share in nobody's list; nothing is left out."""
        counts: dict[int, int] = {id(each): 0 for each in self.pool}
        for each in self.pool:
            for other in self.ranked(each, self.lists[id(each)], ranking)[:K]:
                counts[id(other)] += 1
        found = list(counts.values())
        mean = sum(found) / len(found)
        variance = sum((count - mean) ** 2 for count in found) / len(found)
        third = sum((count - mean) ** 3 for count in found) / len(found)
        skewness = third / variance**1.5 if variance else 0.0
        return skewness, found.count(0) / len(found)


def arrays(recordings: Sequence[Recording]) -> dict[str, Any]:
    """The same recordings as the arrays that pgsim takes."""
    width = max(len(each.labels) for each in recordings) or 1
    classes = np.full((len(recordings), width), -1)
    for row, each in enumerate(recordings):
        classes[row, : len(each.labels)] = sorted(each.labels)
    groups = [
        np.array([-1 if number is None else number for number in column])
        for column in zip(*(each.groups for each in recordings), strict=True)
    ]
    return {
        "vectors": np.array([each.vector for each in recordings], np.float32),
        "classes": classes,
        "groups": groups,
        "order": np.array([each.rank for each in recordings], np.int32),
    }
