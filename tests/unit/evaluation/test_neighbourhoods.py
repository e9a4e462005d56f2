"""Contradicted labels and near duplicates are what loops over plain lists find."""

import random
from collections import Counter

import numpy as np
import pytest

from pgsim.evaluation.neighbourhoods import contradicted, duplicates, occurrences


@pytest.mark.parametrize("seed", range(40))
def test_contradicted_labels_are_what_loops_find(seed: int) -> None:
    draw = random.Random(seed)
    n, depth = 150, 30
    crowd = [draw.choice([0, 1, 2, 2, 3, 3]) for _ in range(n)]
    labels = [draw.choice([-1, 0, 1, 2, 3]) if draw.random() < 0.2 else own for own in crowd]
    nearest = []
    for i in range(n):  # most are of the same crowd; the last are gone
        others = draw.sample([j for j in range(n) if j != i], n - 1)
        others.sort(key=lambda j: crowd[j] != crowd[i] and draw.random() < 0.95)
        there = draw.randint(12, depth)
        nearest.append(others[:there] + [-1] * (depth - there))
    apart = [[draw.choice([0.0, 1.0, 2.0, 3.0]) for _ in range(depth)] for _ in range(n)]
    groups = [[draw.choice([-1, *range(20)]) for _ in range(n)] for _ in range(draw.choice([0, 2]))]

    counts = Counter(label for label in labels if label != -1)

    expected = set()
    for i in range(n):
        own = labels[i]
        near = [
            labels[j]
            for j, distance in zip(nearest[i], apart[i], strict=True)
            if j >= 0
            and distance > 0
            and labels[j] != -1
            and not any(group[i] != -1 and group[i] == group[j] for group in groups)
        ][:10]
        if own == -1 or len(near) < 10 or own in near:
            continue
        same_group = [group.count(group[i]) for group in groups if group[i] != -1]
        if counts[own] - max([1, *same_group]) < 10:
            continue
        label, most = Counter(near).most_common(1)[0]
        if most >= 8 and most / 10 >= 2 * counts[label] / sum(counts.values()):
            expected.add((i, most, label))

    found = contradicted(
        np.arange(n),
        np.array(nearest, np.int32),
        np.array(apart, np.float32),
        np.array(labels),
        [np.array(group) for group in groups],
    )
    assert {(row, most, labels[other]) for row, most, other in found} == expected


def test_a_stray_among_ten_of_a_rare_label_is_contradicted_and_among_most_it_is_not() -> None:
    # Ten of one label around a stray, in a collection where that label is rare.
    labels = np.array([0] * 30 + [1] * 60 + [2] * 10)
    nearest = np.full((100, 12), -1, np.int32)
    nearest[0] = [*range(90, 100), 5, 6]
    apart = np.ones((100, 12), np.float32)
    [found] = contradicted(np.arange(100), nearest, apart, labels, [])
    assert found[:2] == (0, 10)
    # Not if one of its own is among the ten, nor if most have that label.
    nearest[0, 4] = 7
    assert contradicted(np.arange(100), nearest, apart, labels, []) == []
    nearest[0, 4] = 94
    labels[30:90] = 2
    assert contradicted(np.arange(100), nearest, apart, labels, []) == []


@pytest.mark.parametrize("seed", range(20))
def test_duplicates_are_what_loops_find(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 60
    vectors = rng.integers(0, 4, size=(n, 3)).astype(float) * rng.choice([0.1, 1.0, 9.0], (n, 1))
    reach = np.append(rng.uniform(0.5, 8, n), np.nan)
    lengths = rng.choice([np.nan, 100.0, 105.0, 140.0], n).astype(np.float32)
    apart = np.linalg.norm(vectors[:, None] - vectors, axis=2).astype(np.float32)
    middle = float(np.median(reach[:-1]))
    expected = set()
    for i in range(n):
        for j in range(i + 1, n):
            both = min(max((reach[i] * reach[j]) ** 0.5, middle), 2 * middle)
            one, other = float(lengths[i]), float(lengths[j])
            if apart[i, j] <= 0.3 * both and not abs(one - other) > 0.1 * max(one, other):
                expected.add((i, j))
    nearest = np.array([[j for j in range(n) if j != i] + [-1] for i in range(n)], np.int32)
    near = np.take_along_axis(apart, np.maximum(nearest, 0), axis=1)
    found = duplicates(np.arange(n), nearest, near, reach, lengths)
    assert {pair[:2] for pair in found} == expected
    assert len(found) == 2 * len(expected)


def test_occurrences_count_the_first_ten_alone() -> None:
    nearest = np.array([[1, 2, *[-1] * 8, 3], [0, 2, *[0] * 8, 3]], np.int32)
    assert occurrences(nearest, 4).tolist() == [9, 1, 2, 0]
