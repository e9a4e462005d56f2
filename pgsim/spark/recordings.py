"""The tasks about recordings alone: a batch of them comes, and a batch goes.

Each function makes one that `DataFrame.mapInArrow` takes. The same rows give the same rows, so a
task may run again.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pgsim.errors import PgsimError
from pgsim.matrix.engines.centres import nearest_centres
from pgsim.spark.columns import REAL, Batches, array, batch_of, mbids, packed, rows
from pgsim.store.mbids import to_mbids
from pgsim.threads import one_blas_thread

Kernel = Callable[[Batches], Iterator[pa.RecordBatch]]

PACKED = "mbid binary, vector binary"
PLACED = f"{PACKED}, cell int"


def pack(dimensions: int) -> Kernel:
    """Of recordings as text and list of numbers, the same as bytes; PgsimError for bad values."""

    def kernel(batches: Batches) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            texts = batch.column("mbid").to_pylist()
            try:
                names = to_mbids(texts)
            except ValueError:
                raise PgsimError(f"'{_first_wrong(texts)}' is no UUID, as an MBID is") from None
            values = batch.column("vector").flatten().to_numpy(zero_copy_only=False)
            vectors = values.astype(REAL).reshape(-1, dimensions)
            wrong = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
            if len(wrong):
                raise PgsimError(f"the vector of {texts[wrong[0]]} has a value that is no number")
            yield batch_of({"mbid": packed(names), "vector": packed(vectors)})

    return kernel


def _first_wrong(texts: list[str]) -> str:
    for text in texts:
        try:
            to_mbids([text])
        except ValueError:
            return text
    return ""


def ranked(start: NDArray[np.int64], wanted: NDArray[np.integer]) -> Kernel:
    """The recordings whose rank by MBID is wanted, which are sorted.

    `start` (65536,) is the first rank of an MBID with these two first bytes; `number` of a batch
    counts from 1 among those with the same two.
    """

    def kernel(batches: Batches) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            head = rows(batch, "mbid", np.dtype("u1"))[:, :2].astype(np.int64)
            rank = start[head[:, 0] * 256 + head[:, 1]] + array(batch, "number") - 1
            place = np.minimum(np.searchsorted(wanted, rank), len(wanted) - 1)
            kept = wanted[place] == rank
            chosen = batch.select(["mbid", "vector"]).filter(pa.array(kept))
            yield chosen.append_column("rank", pa.array(rank[kept]))

    return kernel


def place(centres: NDArray[np.float32]) -> Kernel:
    """Of recordings, each with its cell."""

    def kernel(batches: Batches) -> Iterator[pa.RecordBatch]:
        with one_blas_thread(), ThreadPoolExecutor(1) as pool:
            for batch in batches:
                cell = nearest_centres(rows(batch, "vector", REAL), centres, pool)
                yield batch.append_column("cell", pa.array(cell.astype(np.int32)))

    return kernel


def named(wanted: NDArray[np.bytes_]) -> Kernel:
    """The rows of these MBIDs, which are sorted."""

    def kernel(batches: Batches) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield batch.filter(pa.array(are_of(mbids(batch), wanted)))

    return kernel


def are_of(some: NDArray[np.bytes_], wanted: NDArray[np.bytes_]) -> NDArray[np.bool_]:
    """Return whether each MBID (n,) is wanted; these are sorted."""
    place = np.minimum(np.searchsorted(wanted, some), len(wanted) - 1)
    are: NDArray[np.bool_] = wanted[place] == some
    return are
