"""The protocol equals its slow oracle, and its intervals hold the truth."""

import random

import numpy as np
import pytest
from numpy.typing import NDArray

from pgsim.errors import PgsimError
from pgsim.evaluation import protocol
from pgsim.evaluation.protocol import RANKINGS, Protocol, bootstrap, copies
from pgsim.store.lists import REACH
from tests.support.slow_protocol import DEPTH, Recording, SlowProtocol, arrays

SEEDS = [*range(12), *(pytest.param(each, marks=pytest.mark.slow) for each in range(12, 60))]


def collection(seed: int) -> list[Recording]:
    """Up to 150 recordings: ties and copies, several labels or none, one class or many."""
    draw = random.Random(seed)
    n = draw.choice([2, 3, 12, 60, 150])
    labels, groups = draw.choice([1, 2, 5, 40]), draw.choice([1, 3, 30])
    most = draw.choice([1, 1, 3])
    few = draw.choice([0.0, 0.3])
    reach, dimensions = draw.choice([1, 3, 9]), draw.choice([1, 2, 4])
    ranks = draw.sample(range(n), n)
    return [
        Recording(
            tuple(draw.randint(0, reach) for _ in range(dimensions)),
            frozenset(
                draw.randrange(labels)
                for _ in range(0 if draw.random() < few else draw.randint(1, most))
            ),
            tuple(draw.choice([None, draw.randrange(groups)]) for _ in range(2)),
            rank,
        )
        for rank in ranks
    ]


def made(recordings: list[Recording], **words: int) -> tuple[Protocol, NDArray[np.float32]]:
    given = arrays(recordings)
    apart = [*given["groups"], copies(given["vectors"])]
    return Protocol(given["classes"], apart, None, given["order"], **words), given["vectors"]


@pytest.mark.parametrize("seed", SEEDS)
def test_it_measures_what_loops_over_plain_lists_do(seed: int) -> None:
    recordings = collection(seed)
    slow = SlowProtocol(recordings, REACH)
    queries = slow.queries()
    if not queries:
        with pytest.raises(PgsimError, match=f"of {len(slow.pool)} recordings with a label"):
            made(recordings)
        return
    fast, vectors = made(recordings)
    assert fast.depth == DEPTH
    assert [recordings[row] for row in fast.rows] == queries
    assert (fast.drawn, fast.excluded) == (len(slow.pool), len(slow.pool) - len(queries))
    assert fast.right.tolist() == [len(slow.right(each)) for each in queries]
    found = fast.measure(vectors, 2)
    for ranking in RANKINGS:
        means = np.mean([slow.scores(each, ranking) for each in queries], axis=0)
        quality = found[ranking]
        estimates = (quality.precision, quality.recall, quality.average_precision)
        assert [each.value for each in estimates] == pytest.approx(means.tolist())
        assert all(each.low - 1e-9 <= each.value <= each.high + 1e-9 for each in estimates)
        assert (quality.skewness, quality.in_none) == pytest.approx(slow.hubs(ranking))


@pytest.mark.parametrize("seed", SEEDS)
def test_of_all_that_an_index_found_it_makes_the_exact_answer(seed: int) -> None:
    try:
        fast, vectors = made(collection(seed))
    except PgsimError:
        return
    n = len(vectors)
    everything = np.tile(np.random.default_rng(seed).permutation(n), (len(fast.rows), 1))
    exact, indexed = fast.measure(vectors), fast.measure(vectors, found=everything)
    for ranking in RANKINGS:
        assert indexed[ranking].average_precision == exact[ranking].average_precision
        assert indexed[ranking].recall == exact[ranking].recall
        assert indexed[ranking].skewness is None
    nothing = fast.measure(vectors, found=np.full((len(fast.rows), 1), -1))
    assert nothing["similarity"].precision.value == 0


@pytest.mark.parametrize("seed", [3, 5, 8, 13])
def test_chance_is_what_random_answers_are_worth_in_the_mean(seed: int) -> None:
    rng = np.random.default_rng(seed)
    classes, group = rng.integers(6, size=90), rng.integers(15, size=90)
    fast = Protocol(classes, [group])
    means = []
    for _ in range(400):
        answers = np.full((len(fast.rows), fast.depth), -1)
        for place, row in enumerate(fast.rows):
            allowed = rng.permutation(np.flatnonzero(group != group[row]))[: fast.depth]
            answers[place, : len(allowed)] = allowed
        means.append(fast.scores(answers).mean(axis=0))
    chance = fast.chance()
    found = [chance.precision.value, chance.recall.value, chance.average_precision.value]
    assert found == pytest.approx(np.mean(means, axis=0).tolist(), rel=0.02)


def test_of_many_recordings_some_are_drawn_and_the_same_ones_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(1)
    classes = np.repeat(np.arange(300), 2)
    classes[:100] = 1000 + np.arange(100)  # nobody else has these labels
    vectors = rng.normal(size=(600, 5)).astype(np.float32)
    few = Protocol(classes, queries=50)
    assert len(few.rows) == 50
    assert few.drawn == 50 + few.excluded
    assert 0 < few.excluded < 30
    assert few.measure(vectors) == Protocol(classes, queries=50).measure(vectors)
    assert few.rows.tolist() != Protocol(classes, queries=50, seed=1).rows.tolist()

    # Hubs among some, and reaches of what is looked at alone: the precision does not change.
    whole = few.measure(vectors)
    monkeypatch.setattr(protocol, "MOST_FOR_HUBS", 200)
    part = few.measure(vectors)
    for ranking in RANKINGS:
        assert part[ranking].average_precision == whole[ranking].average_precision
        assert part[ranking].skewness != whole[ranking].skewness


def test_19_of_20_intervals_hold_the_truth_of_clusters_that_are_right_together() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for draw in range(500):
        sizes = rng.integers(1, 12, size=80)
        clusters = np.repeat(np.arange(80), sizes)
        share = rng.beta(2, 3, 80)
        values = rng.binomial(10, share[clusters]) / 10
        [(low, high)] = bootstrap(values[:, None], clusters, draw)
        held += low <= 2 / 5 <= high
    assert 455 <= held <= 490
    alone = bootstrap(values[:, None], np.arange(len(values)))[0]
    together = bootstrap(values[:, None], clusters)[0]
    assert together[1] - together[0] > alone[1] - alone[0]


def test_only_equal_vectors_are_copies() -> None:
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(2000, 8)).astype(np.float32)
    vectors[1000:1500] = vectors[:500]
    vectors[7, 0], vectors[1007, 0] = 0.0, -0.0
    vectors[8, 0] = np.nextafter(vectors[8, 0], np.float32(9))
    found = copies(vectors)
    assert (found[:500] == found[1000:1500]).sum() == 499
    assert len(np.unique(found)) == 1501
