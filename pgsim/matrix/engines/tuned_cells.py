"""The engine `cells`: its kind of searcher for a collection, tuned."""

from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from pgsim.matrix.engines.cells import Cells
from pgsim.matrix.engines.tuning import tune
from pgsim.progress import Say

# Recordings from which on compiled loops save more time than it takes to load them.
COMPILED = 50_000


def make_cells(
    vectors: NDArray[np.float32],
    order: NDArray[np.int32],
    k: int,
    recall: float,
    threads: int,
    say: Say,
) -> Cells:
    """A searcher tuned to the recall on a sample; see make_searcher."""
    searcher = _kind(len(vectors))(vectors, order, k, threads)
    say(f"{len(vectors):,} recordings in {searcher.cells:,} cells")
    tune(searcher, vectors, order, k, recall, threads, say)
    return searcher


def _kind(n: int) -> type[Cells]:
    """Return the class that searches n recordings in the least time, of those installed."""
    if n < COMPILED or find_spec("numba") is None:
        return Cells
    from pgsim.matrix.engines.fused import FusedCells

    return FusedCells
