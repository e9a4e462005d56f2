"""The tasks of a Spark job, run by hand: sorted and shared out as Spark does it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from pgsim.errors import PgsimError
from pgsim.matrix.engines.cells import Cells
from pgsim.matrix.engines.centres import fit_centres, training_ranks
from pgsim.matrix.engines.tuning import tune
from pgsim.planning.synthetic import make_vectors

pa = pytest.importorskip("pyarrow", reason="needs pgsim[spark]")

from pgsim.spark import parts as parts_module  # noqa: E402
from pgsim.spark.asking import (  # noqa: E402
    compare,
    limit,
    share_for_limits,
    share_members,
    share_questions,
)
from pgsim.spark.columns import Batches, batch_of, packed  # noqa: E402
from pgsim.spark.lists import merge, spell  # noqa: E402
from pgsim.spark.parts import Parts, make_parts  # noqa: E402
from pgsim.spark.recordings import Kernel, pack, place  # noqa: E402

N, K = 3000, 10


def names(n: int) -> NDArray[np.bytes_]:
    """MBIDs (n,) in no order, some of them with zeros at the end."""
    values = np.random.default_rng(1).permutation(n).astype(">u8")
    return np.stack([values, np.zeros(n, ">u8")], axis=1).view("S16").ravel()


def rows_of(batches: Batches, *by: str) -> Iterator["pa.RecordBatch"]:
    """What Spark does between two tasks: sort rows, and cut them into batches anywhere."""
    table = pa.Table.from_batches([*batches]).sort_by([(name, "ascending") for name in by])
    yield from table.combine_chunks().to_batches(max_chunksize=700)


def run(kernel: Kernel, batches: Batches) -> list["pa.RecordBatch"]:
    return [*kernel(iter([*batches]))]


@pytest.mark.parametrize("most", [150, 1000, 10_000])
def test_the_tasks_make_the_lists_of_the_engine_cells(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """With parts smaller than a cell too, which are pieces of it."""
    monkeypatch.setattr(parts_module, "_MOST", most)
    monkeypatch.setattr(parts_module, "_LEAST", 1)
    monkeypatch.setattr(parts_module, "_ONE_IN", 1)
    vectors, mbids = make_vectors(N), names(N)
    vectors[:400] = vectors[0]  # a cell of many copies
    order = np.empty(N, np.int32)
    by_mbid = np.argsort(mbids)
    order[by_mbid] = np.arange(N, dtype=np.int32)
    cells = Cells(vectors, order, K, 2)
    tune(cells, vectors, order, K, 0.9, 2, lambda _: None)

    with ThreadPoolExecutor(1) as pool:
        centres = fit_centres(vectors[by_mbid[training_ranks(N)]], N, pool)
    batch = batch_of({"mbid": packed(mbids), "vector": packed(vectors)})
    placed = run(place(centres), [batch])
    size = np.bincount(placed[0].column("cell").to_numpy(), minlength=len(centres))
    parts = make_parts(centres, size, K)
    assert parts.number >= N / most
    assert (parts.pieces > 1).any() == (most == 150)

    keys = ("part", "asks", "cell", "mbid")
    limited = run(limit(centres, size, K), rows_of(run(share_for_limits(parts), placed), *keys))
    members = run(share_members(parts), placed)
    asked = run(share_questions(parts, centres, cells.effort), rows_of(limited, "mbid"))
    partly = run(compare(len(size), K), rows_of([*members, *asked], *keys))
    whole = run(merge(K), rows_of(partly, "mbid"))
    pairs = pa.Table.from_batches(run(spell, whole)).to_pydict()

    found, apart = cells.search(np.arange(N))
    texts = [mbid.ljust(16, b"\0").hex() for mbid in mbids.tolist()]
    made: dict[str, list[tuple[str, float]]] = {text: [] for text in texts}
    for one, rank, other, distance in zip(*pairs.values(), strict=True):
        made[one.replace("-", "")].append((other.replace("-", ""), distance))
        assert len(made[one.replace("-", "")]) == rank
    near = 0
    for row, text in enumerate(texts):
        own = [(texts[each], d) for each, d in zip(found[row], apart[row].tolist(), strict=True)]
        # The engine looks farther for those that found too few; the job does so in another round.
        if len(made[text]) == K:
            assert made[text] == own
            near += 1
    assert near > N / 2


def test_every_cell_is_in_one_part_of_cells_that_lie_together() -> None:
    rng = np.random.default_rng(0)
    centres = np.concatenate([rng.normal(size=(40, 5)), np.zeros((40, 1))], axis=1)
    centres = centres.astype(np.float32)
    centres[:20, 0] += 100
    size = np.full(40, 2000)
    parts = make_parts(centres, size, 10)
    assert parts.pieces.tolist() == [1] * 40
    assert np.bincount(parts.first, weights=size).max() <= 16_384
    assert not set(parts.first[:20]) & set(parts.first[20:])


def test_a_bad_value_is_named() -> None:
    mbid = "b5f6c0a0-5472-58d3-911d-9bc10dbc8b5e"
    wrong = pa.RecordBatch.from_pydict({"mbid": [mbid], "vector": [[1.0, float("nan")]]})
    with pytest.raises(PgsimError, match=f"the vector of {mbid} has a value that is no number"):
        run(pack(2), [wrong])
    wrong = pa.RecordBatch.from_pydict({"mbid": ["b5f6"], "vector": [[1.0, 2.0]]})
    with pytest.raises(PgsimError, match="'b5f6' is no UUID"):
        run(pack(2), [wrong])


def test_parts_know_the_pieces_of_a_cell_by_mbid() -> None:
    parts = Parts(np.array([0, 3], np.int32), np.array([3, 1], np.int32), [], 4)
    found = parts.of(np.zeros(N, int), names(N))
    assert np.bincount(found).tolist() == [1000, 1000, 1000]
    assert set(parts.of(np.ones(N, int), names(N))) == {3}
