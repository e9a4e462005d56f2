"""The engines that find the nearest neighbours of every recording, a part at a time.

All but `postgres` do so in memory; see Searcher.
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from pgsim.errors import UsageError
from pgsim.progress import Say

if TYPE_CHECKING:
    from pgsim.matrix.engines.cells import Cells
    from pgsim.matrix.engines.ivf import Ivf

IN_MEMORY = ("cells", "exact", "faiss")
ENGINES = (*IN_MEMORY, "postgres")
# Recordings from which on compiled loops save more time than it takes to load them.
COMPILED = 50_000


class Searcher(Protocol):
    """An engine with the collection in it; one search answers one part."""

    @property
    def recall(self) -> float | None:
        """The share of the true neighbours found, measured on a sample; 1 where exact."""

    @property
    def description(self) -> str:
        """The index in a few words: '3000 cells, 144 probed'."""

    def search(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The k nearest others of each row: row numbers (len(rows), k), and Euclidean distances.

        Nearest first, ties by `order`; never the row itself, none twice; -1 at distance inf
        where there are fewer than k others. The same rows give the same answer every time.
        """


def require_engine(name: str) -> None:
    """UsageError for an unknown engine, or one that is not installed here."""
    if name not in ENGINES:
        raise UsageError(f"unknown engine '{name}'; known: {', '.join(ENGINES)}")
    if name == "faiss":
        from pgsim.matrix.engines.ivf import import_faiss

        import_faiss()


def make_searcher(
    engine: str,
    vectors: NDArray[np.float32],
    order: NDArray[np.int32],
    k: int,
    recall: float,
    threads: int,
    say: Say,
) -> Searcher:
    """A searcher over vectors (n, d); order (n,) is the rank of each row's MBID, from 0.

    `recall` is the share of true neighbours to find, for an engine that may miss some; `say`
    receives each step. UsageError for an unknown engine, or one that is not installed.
    """
    if engine == "exact":
        from pgsim.matrix.engines.exact import Exact

        return Exact(vectors, order, k, threads)
    from pgsim.matrix.engines.tuning import tune

    searcher = _kind(engine, len(vectors))(vectors, order, k, threads)
    say(f"{len(vectors):,} recordings in {searcher.cells:,} cells")
    tune(searcher, vectors, order, k, recall, threads, say)
    return searcher


def _kind(engine: str, n: int) -> "type[Cells | Ivf]":
    """The class that searches n recordings in the least time, of those installed."""
    match engine:
        case "faiss":
            from pgsim.matrix.engines.ivf import Ivf

            return Ivf
        case "cells" if n >= COMPILED and find_spec("numba"):
            from pgsim.matrix.engines.fused import FusedCells

            return FusedCells
        case "cells":
            from pgsim.matrix.engines.cells import Cells

            return Cells
    raise UsageError(f"unknown engine {engine!r}; known: {', '.join(IN_MEMORY)}")
