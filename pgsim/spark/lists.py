"""The tasks about lists: those of parts become one of each recording, and then pairs.

See recordings.py.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pgsim.matrix.engines.exact import Exact
from pgsim.matrix.engines.keys import inverse
from pgsim.spark.columns import MBID, REAL, Batches, batch_of, mbids, packed, ragged, rows
from pgsim.spark.recordings import Kernel, are_of
from pgsim.store.mbids import texts_of

LISTS = "mbid binary, near binary, apart binary"
PAIRS = "mbid string, rank int, similar_mbid string, distance float"
_NAME = np.dtype(MBID)


def truth(names: NDArray[np.bytes_], vectors: NDArray[np.float32], k: int) -> Kernel:
    """Of recordings: lists of those of a batch that are nearest to a sample, which has none of it.

    The sample is by MBID: `names` (m,) and `vectors` (m, d).
    """

    def kernel(batches: Batches) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            others = mbids(batch)
            is_other = ~are_of(others, names)
            others = others[is_other]
            all_vectors = np.concatenate([vectors, rows(batch, "vector", REAL)[is_other]])
            order = inverse(np.argsort(np.concatenate([names, others])))
            found, apart = Exact(all_vectors, order, k, 1).search(np.arange(len(names)))
            is_there = found >= len(names)
            counts = is_there.sum(axis=1)
            yield batch_of(
                {
                    "mbid": packed(names),
                    "near": packed(others[found[is_there] - len(names)], counts),
                    "apart": packed(apart[is_there], counts),
                }
            )

    return kernel


def merge(k: int) -> Kernel:
    """Of lists by MBID, several of a recording: one list each, of its k nearest."""

    def kernel(batches: Batches) -> Iterator[pa.RecordBatch]:
        rest: pa.RecordBatch | None = None
        for each in batches:
            batch = each if rest is None else _together(rest, each)
            begins = _begins(mbids(batch))
            last = int(np.flatnonzero(begins)[-1])
            rest = batch.slice(last)
            if last:
                yield _merged(batch.slice(0, last), k)
        if rest is not None:
            yield _merged(rest, k)

    return kernel


def spell(batches: Batches) -> Iterator[pa.RecordBatch]:
    """Yield a row for each pair of lists, as an exported matrix has them."""
    for batch in batches:
        near, counts = ragged(batch, "near", _NAME)
        apart, _ = ragged(batch, "apart", REAL)
        owner = np.repeat(np.arange(len(batch)), counts)
        start = np.cumsum(counts) - counts
        yield batch_of(
            {
                "mbid": _texts(mbids(batch)[owner]),
                "rank": (np.arange(len(owner)) - start[owner] + 1).astype(np.int32),
                "similar_mbid": _texts(near),
                "distance": apart,
            }
        )


def _merged(batch: pa.RecordBatch, k: int) -> pa.RecordBatch:
    near, counts = ragged(batch, "near", _NAME)
    apart, _ = ragged(batch, "apart", REAL)
    begins = _begins(mbids(batch))
    owner = np.repeat(np.cumsum(begins) - 1, counts)
    halves = near.view(">u8").reshape(-1, 2)
    order = np.lexsort((halves[:, 1], halves[:, 0], apart, owner))
    lists = np.bincount(owner, minlength=int(begins.sum()))
    start = np.cumsum(lists) - lists
    order = order[np.arange(len(order)) - start[owner] < k]
    return batch_of(
        {
            "mbid": batch.column("mbid").filter(pa.array(begins)),
            "near": packed(near[order], np.minimum(lists, k)),
            "apart": packed(apart[order], np.minimum(lists, k)),
        }
    )


def _begins(names: NDArray[np.bytes_]) -> NDArray[np.bool_]:
    """Return whether another recording's rows begin at a row."""
    return np.concatenate([[True], names[1:] != names[:-1]])


def _together(one: pa.RecordBatch, other: pa.RecordBatch) -> pa.RecordBatch:
    return pa.Table.from_batches([one, other]).combine_chunks().to_batches()[0]


def _texts(names: NDArray[np.bytes_]) -> pa.Array:
    texts = texts_of(np.ascontiguousarray(names).view("u1").reshape(-1, 16))
    return packed(texts).cast(pa.string())
