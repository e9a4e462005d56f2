"""The vectors as a Faiss index, to find neighbours of any vector without PostgreSQL.

Its squared distances are those of the vectors as they are. A row number is a line number of the
file of MBIDs beside it. All vectors are in memory, twice, while it is made.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgsim.errors import PgsimError, UsageError
from pgsim.matrix.engines.tuning import found_share
from pgsim.store.vectors import read_vectors
from pgsim.threads import cores
from pgsim.transfer.export.matrix import Matrix

RECALL = 0.99  # least recall@k that the stored number of probes brings, on a sample
SAMPLE = 1000
SEED = 1
MBIDS = ".mbids"  # what the name of the file of MBIDs ends in


def write_faiss(matrix: Matrix, path: Path) -> None:
    """Make the index and, beside it, the file of MBIDs; UsageError where Faiss is not installed."""
    try:
        import faiss
    except ImportError as error:
        raise UsageError("Faiss is not installed; pip install 'pgsim[bulk]'") from error
    faiss.omp_set_num_threads(cores())
    recordings = read_vectors(matrix.conn)
    n, d = recordings.vectors.shape
    cells = max(1, min(int(4 * n**0.5), n // 39))  # Faiss warns of fewer than 39 vectors in one
    index = faiss.IndexIVFFlat(faiss.IndexFlatL2(d), d, cells)
    index.cp.seed = SEED
    if n:
        index.train(recordings.vectors)
        index.add(recordings.vectors)
        _tune(index, recordings.vectors, min(matrix.length, n))
    rows = np.searchsorted(matrix.ids, recordings.ids)
    names = path.with_name(path.name + MBIDS)
    names.write_bytes(b"".join(name + b"\n" for name in matrix.texts[rows].tolist()))
    try:
        faiss.write_index(index, str(path))
    except RuntimeError as error:  # which is all that Faiss says of a full disk
        raise PgsimError(f"cannot write {path.name}: {str(error).split('failed: ')[-1]}") from None


def _tune(index: Any, vectors: NDArray[np.float32], k: int) -> None:
    """Look into as many cells as it takes; the index keeps the number."""
    import faiss

    sample = vectors[np.random.default_rng(SEED).permutation(len(vectors))[:SAMPLE]]
    truth, _ = faiss.knn(sample, vectors, k)
    while True:
        found, _ = index.search(sample, k)
        # Sums that are made in another order differ in their last bits.
        recall = found_share(found, truth * np.float32(1.00001)).mean()
        if recall >= RECALL or index.nprobe >= index.nlist:
            return
        index.nprobe = min(2 * index.nprobe, index.nlist)
