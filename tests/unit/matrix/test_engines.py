import sys
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pgsim.errors import UsageError
from pgsim.matrix import engines
from pgsim.matrix.engines import IN_MEMORY, Searcher, make_searcher
from pgsim.matrix.engines.exact import Exact
from pgsim.matrix.engines.keys import distances
from pgsim.matrix.engines.scores import kth_bound
from pgsim.matrix.engines.tuning import Tunable, found_share
from pgsim.planning.synthetic import make_vectors

D = 67
# The engine `cells` as it searches many recordings where Numba is installed.
COMPILED = "cells, compiled"
ALL = (*IN_MEMORY, COMPILED)


def searcher(
    engine: str,
    vectors: NDArray[np.float32],
    k: int,
    recall: float = 0.99,
    order: NDArray[np.int32] | None = None,
) -> Searcher:
    if engine == "faiss":
        pytest.importorskip("faiss")
    with pytest.MonkeyPatch.context() as patch:
        if engine == COMPILED:
            pytest.importorskip("numba")
            patch.setattr(engines, "COMPILED", 0)
            engine = "cells"
        order = ranks(len(vectors)) if order is None else order
        return make_searcher(engine, vectors, order, k, recall, 2, lambda _: None)


def ranks(n: int) -> NDArray[np.int32]:
    return np.random.default_rng(7).permutation(n).astype(np.int32)


def brute_force(
    vectors: NDArray[np.float32], k: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The slow, obviously right answer."""
    order = ranks(len(vectors))
    rows = np.full((len(vectors), k), -1, np.int32)
    found = np.full((len(vectors), k), np.inf, np.float32)
    doubles = vectors.astype(np.float64)
    for x, vector in enumerate(doubles):
        away = np.sqrt(((doubles - vector) ** 2).sum(axis=1)).astype(np.float32)
        others = sorted((away[y], order[y], y) for y in range(len(vectors)) if y != x)
        for at, (distance, _, y) in enumerate(others[:k]):
            rows[x, at], found[x, at] = y, distance
    return rows, found


def with_copies(n: int, seed: int = 0) -> NDArray[np.float32]:
    """Clusters in which one vector in 57 has more than ten exact copies, like AudioSet."""
    rng = np.random.default_rng(seed)
    centres = 2 * rng.normal(size=(max(1, n // 50), D))
    vectors = centres[rng.integers(len(centres), size=n)] + rng.normal(size=(n, D))
    originals = rng.choice(n, max(1, n // 57), replace=False)
    copies = rng.choice(n, n // 4, replace=False)
    vectors[copies] = vectors[rng.choice(originals, len(copies))]
    return vectors.astype(np.float32)


def assert_same(engine: Searcher, vectors: NDArray[np.float32], k: int) -> None:
    rows, found = engine.search(np.arange(len(vectors)))
    true_rows, true = brute_force(vectors, k)
    assert rows.dtype == np.int32
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, true)
    np.testing.assert_array_equal(rows, true_rows)


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize(("n", "k"), [(1, 3), (2, 1), (40, 60), (100, 99)])
def test_few_recordings_have_all_the_others_as_neighbours(engine: str, n: int, k: int) -> None:
    vectors = with_copies(n)
    assert_same(searcher(engine, vectors, k, recall=1.0), vectors, k)


@pytest.mark.parametrize("engine", ["cells", COMPILED, "exact"])
def test_all_neighbours_are_found_when_all_are_asked_for(engine: str) -> None:
    vectors = with_copies(600)
    assert_same(searcher(engine, vectors, 20, recall=1.0), vectors, 20)


def test_faiss_finds_all_distances_but_breaks_a_large_tie_its_own_way() -> None:
    vectors = with_copies(600)
    _, found = searcher("faiss", vectors, 20, recall=1.0).search(np.arange(600))
    np.testing.assert_array_equal(found, brute_force(vectors, 20)[1])


def test_exact_is_brute_force_across_its_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pgsim.matrix.engines.exact._BLOCK", 64)
    monkeypatch.setattr("pgsim.matrix.engines.exact._QUERIES", 50)
    vectors = with_copies(500)
    assert_same(searcher("exact", vectors, 30), vectors, 30)


@pytest.mark.parametrize("shift", [0.0, 300.0])
@pytest.mark.parametrize("engine", ["cells", COMPILED, "exact"])
def test_rounding_of_the_product_hides_no_neighbour(engine: str, shift: float) -> None:
    """Far from the origin the product's rounding is larger than the distances."""
    rng = np.random.default_rng(3)
    vectors = (shift + rng.normal(size=(400, D)) * 0.01).astype(np.float32)
    vectors[0] = 1e9
    assert_same(searcher(engine, vectors, 10, recall=1.0), vectors, 10)


@settings(max_examples=30, deadline=None)
@given(
    points=st.lists(
        st.tuples(*[st.sampled_from([0.0, 0.1, 1.0, -3.0, 1e4])] * 3), min_size=1, max_size=40
    ),
    k=st.integers(1, 12),
)
def test_ties_of_any_size_go_by_order(points: list[tuple[float, ...]], k: int) -> None:
    vectors = np.array(points, np.float32)
    for engine in ("cells", COMPILED, "exact"):
        assert_same(searcher(engine, vectors, k, recall=1.0), vectors, k)


@pytest.mark.parametrize("engine", ["cells", COMPILED, "faiss"])
def test_an_engine_finds_what_its_effort_was_foreseen_to_find_or_a_little_more(engine: str) -> None:
    vectors = make_vectors(6_000)
    tuned = cast(Tunable, searcher(engine, vectors, 50))
    rows = np.arange(0, len(vectors), 15)
    neighbours, truth = Exact(vectors, ranks(len(vectors)), 50, 2).search(rows)
    foreseen = float((tuned.needed(rows, neighbours) <= tuned.effort).mean())
    found = float(found_share(tuned.search(rows)[1], truth).mean())
    assert foreseen < 1
    # Whoever has found too few looks farther.
    assert foreseen - 1e-3 <= found <= foreseen + 0.01


def test_equal_pairs_have_equal_bits_wherever_they_stand() -> None:
    vectors = np.random.default_rng(0).normal(size=(3000, D)).astype(np.float32)
    left, right = np.random.default_rng(1).integers(3000, size=(2, 3000))
    together = distances(vectors, left, right)
    alone = [distances(vectors, left[[i]], right[[i]])[0] for i in range(3000)]
    wide = np.concatenate([vectors, vectors], axis=1)[:, 1 : D + 1]
    wide[:] = vectors
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(together, distances(vectors, right, left))
    np.testing.assert_array_equal(together, distances(wide, left, right))


@pytest.mark.parametrize("shift", [0.0, 300.0])
def test_every_row_whose_radius_a_point_is_within_is_found(
    monkeypatch: pytest.MonkeyPatch, shift: float
) -> None:
    monkeypatch.setattr("pgsim.matrix.engines.exact._BLOCK", 64)
    monkeypatch.setattr("pgsim.matrix.engines.exact._QUERIES", 20)
    vectors = with_copies(500) + np.float32(shift)
    rows = np.arange(0, 500, 7)
    exact = Exact(vectors, ranks(500), 10, 2)
    away = np.sqrt(((vectors[rows][:, None].astype(np.float64) - vectors) ** 2).sum(axis=2))
    # Some radii end exactly at a point; some lists have room for all, some for nobody.
    radii = np.sort(away, axis=0)[5].astype(np.float32)
    radii[::9], radii[::11] = np.inf, np.nan
    near = away.astype(np.float32) <= radii
    near[np.arange(len(rows)), rows] = False
    true = {(int(rows[point]), int(row)) for point, row in np.argwhere(near)}

    _, _, row, other = exact.search_and_link(rows, radii)
    found = set(zip(row.tolist(), other.tolist(), strict=True))
    assert true <= found
    assert all(row != other for row, other in found)
    holders = exact.holders(vectors[rows], radii)
    assert {other for _, other in true} <= set(holders.tolist())
    assert (np.diff(holders) > 0).all()
    # And few besides: the product selects with a margin, which is wide only far from the origin.
    assert shift or len(found) <= len(true) + 5
    assert len(exact.holders(vectors[:0], radii)) == 0


@pytest.mark.parametrize("engine", ["cells", COMPILED, "faiss"])
def test_the_recall_asked_for_is_reached_on_recordings_outside_the_sample(engine: str) -> None:
    vectors = make_vectors(4000)
    tuned = searcher(engine, vectors, 20, recall=0.9)
    rows = np.arange(len(vectors))
    found, distance = tuned.search(rows)
    _, truth = searcher("exact", vectors, 20).search(rows)
    assert tuned.recall is not None
    assert tuned.recall >= 0.9
    assert 0.9 <= found_share(distance, truth).mean() < 1
    assert (found != rows[:, None]).all()
    assert (np.diff(distance, axis=1) >= 0).all()
    assert all(len(set(each)) == 20 for each in found)
    true = distances(vectors, np.repeat(rows, 20), found.ravel())
    np.testing.assert_array_equal(distance.ravel(), true)


@pytest.mark.parametrize("engine", ALL)
def test_a_second_searcher_gives_the_same_answer(engine: str) -> None:
    vectors = with_copies(3000)
    part = np.random.default_rng(2).permutation(3000)[:700]
    first, second = (searcher(engine, vectors, 10, recall=0.9).search(part) for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])


@pytest.mark.parametrize("engine", ["cells", COMPILED])
def test_the_order_of_the_rows_changes_no_list(engine: str) -> None:
    vectors, order = with_copies(3000), ranks(3000)
    moved = np.random.default_rng(2).permutation(3000)

    def lists(vectors: NDArray[np.float32], order: NDArray[np.int32]) -> NDArray[np.int32]:
        return order[searcher(engine, vectors, 10, 0.9, order).search(np.arange(3000))[0]]

    np.testing.assert_array_equal(lists(vectors, order)[moved], lists(vectors[moved], order[moved]))


@pytest.mark.parametrize(
    ("engine", "sizes"),
    [
        ("cells", {"members._WAITING": 100, "cells.MOST_QUESTIONS": 300}),
        (COMPILED, {"fused._WAITING": 1.2, "fused._MORE": 2, "fused._BATCH": 300}),
    ],
)
def test_hits_merged_in_several_goes_are_the_same(
    engine: str, sizes: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = with_copies(2000)
    at_once = searcher(engine, vectors, 10, recall=0.9).search(np.arange(2000))
    for name, size in sizes.items():
        monkeypatch.setattr(f"pgsim.matrix.engines.{name}", size)
    in_goes = searcher(engine, vectors, 10, recall=0.9).search(np.arange(2000))
    np.testing.assert_array_equal(at_once[0], in_goes[0])


def test_compiled_loops_find_what_passes_over_tables_find() -> None:
    made = make_vectors(6_000)
    vectors = np.concatenate([made, made[:100]])
    rows = np.arange(0, len(vectors), 3)
    plain, compiled = (searcher(engine, vectors, 30, recall=1) for engine in ("cells", COMPILED))
    np.testing.assert_array_equal(plain.search(rows)[0], compiled.search(rows)[0])
    np.testing.assert_array_equal(plain.search(rows)[1], compiled.search(rows)[1])


@given(st.lists(st.integers(0, 99), min_size=1, max_size=300), st.integers(1, 9))
def test_at_least_k_scores_reach_their_bound(scores: list[int], k: int) -> None:
    bound = kth_bound(np.array([scores], np.float32), k)[0]
    assert np.isinf(bound) if len(scores) < k else (np.array(scores) <= bound).sum() >= k


def test_an_unknown_engine_is_named_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="unknown engine 'annoy'; known: cells, exact, faiss"):
        searcher("annoy", with_copies(10), 1)


def test_a_missing_faiss_names_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(UsageError, match=r"pip install 'pgsim\[bulk\]'"):
        make_searcher("faiss", with_copies(10), ranks(10), 1, 0.9, 1, lambda _: None)
