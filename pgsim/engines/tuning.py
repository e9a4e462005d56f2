"""How far an approximate engine has to look, found on a sample with known answers."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pgsim.engines.exact import Exact

_SAMPLE = 2000
# Standard errors of the sample's mean that are added to the target, for the whole to reach it.
_ERRORS = 2.0
_FIRST = 16  # probes to begin with


class Tunable(Protocol):
    """A searcher over `cells`, of which it looks into `probes`."""

    cells: int
    probes: int
    recall: float | None

    @property
    def description(self) -> str:
        """See Searcher."""

    def search(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """See Searcher."""


def tune(
    searcher: Tunable,
    vectors: NDArray[np.float32],
    order: NDArray[np.int32],
    k: int,
    recall: float,
    threads: int,
    say: Callable[[str], None],
) -> None:
    """Set the least probes (within 3 %) whose recall on the sample is above the one asked for.

    A neighbour counts as found when its distance is within the true k-th: ties are as good.
    """
    sample = np.sort(np.random.default_rng(0).permutation(len(vectors))[:_SAMPLE])
    _, truth = Exact(vectors, order, k, threads).search(sample)
    measured: dict[int, float] = {}

    def enough(probes: int) -> bool:
        searcher.probes = probes
        share = found_share(searcher.search(sample)[1], truth)
        measured[probes] = float(share.mean())
        say(f"{searcher.description}: recall {measured[probes]:.4f} of {len(sample)} recordings")
        error = _ERRORS * float(share.std()) / len(sample) ** 0.5
        if recall == 1:  # which no sample proves
            return probes == searcher.cells
        return probes == searcher.cells or measured[probes] >= min(recall + error, 1)

    low, high = 0, min(searcher.cells, _FIRST)
    while not enough(high):
        low, high = high, min(searcher.cells, 2 * high)
    while high - low > max(1, high // 32):
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    searcher.probes, searcher.recall = high, measured[high]


def found_share(found: NDArray[np.float32], truth: NDArray[np.float32]) -> NDArray[np.float64]:
    """The share (m,) of each query's neighbours found, from distances (m, k); 1 for no others."""
    wanted = np.isfinite(truth).sum(axis=1)
    within = (np.isfinite(found) & (found <= truth[:, -1:])).sum(axis=1)
    return np.where(wanted == 0, 1.0, within / np.maximum(wanted, 1))
