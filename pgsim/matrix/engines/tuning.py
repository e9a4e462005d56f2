"""Tune how far an approximate engine looks, on a sample with known answers."""

from bisect import bisect_left
from collections.abc import Sequence
from math import sqrt
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pgsim.matrix.engines.exact import Exact
from pgsim.matrix.engines.keys import inverse
from pgsim.progress import Say

# Recordings asked: of a small collection not most, which would take longer than the rest.
_SAMPLE, _LEAST = 2000, 250
_ONE_IN = 8
# Standard errors of the sample's mean that are added to the target, for the whole to reach it.
_ERRORS = 2.0


class Tunable(Protocol):
    """A searcher that looks as far as its effort says."""

    effort: float
    recall: float | None

    @property
    def efforts(self) -> Sequence[float]:
        """The efforts to try, least first; the last finds every neighbour."""

    @property
    def description(self) -> str:
        """See Searcher."""

    def needed(self, rows: NDArray[np.intp], neighbours: NDArray[np.int32]) -> NDArray[np.floating]:
        """The effort (m, k) with which each neighbour of some rows is found, if not with less."""

    def search(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """See Searcher."""


def tune(
    searcher: Tunable,
    vectors: NDArray[np.float32],
    order: NDArray[np.int32],
    k: int,
    recall: float,
    threads: int,
    say: Say,
) -> None:
    """Set the least effort whose recall on the sample is above the one asked for.

    A neighbour counts as found when its distance is within the true k-th: ties are as good. The
    effort is predicted from where the true neighbours lie, and then tried.
    """
    sample = np.sort(inverse(order)[tuning_ranks(len(vectors))]).astype(np.intp)
    rows, truth = Exact(vectors, order, k, threads).search(sample)
    *some, searcher.effort = searcher.efforts
    searcher.recall = 1.0
    if recall == 1:  # which no sample proves
        return
    needed = np.where(rows < 0, np.inf, searcher.needed(sample, rows))
    for effort in some[least_effort(some, needed, truth, recall) :]:
        searcher.effort = effort
        share = found_share(searcher.search(sample)[1], truth)
        searcher.recall = float(share.mean())
        say(f"{searcher.description}: recall {searcher.recall:.4f} of {len(sample)} recordings")
        if _is_enough(share, recall):
            return
    searcher.effort, searcher.recall = searcher.efforts[-1], 1.0


def tuning_ranks(n: int) -> NDArray[np.intp]:
    """The ranks (m,) of those of n recordings that a searcher is tuned on."""
    return sampled(n, min(_SAMPLE, max(_LEAST, n // _ONE_IN)))


def least_effort(
    efforts: Sequence[float],
    needed: NDArray[np.floating],
    truth: NDArray[np.float32],
    recall: float,
) -> int:
    """The place among the efforts of the least that is foreseen to be enough.

    `needed` (m, k) is the effort that finds each neighbour of the sample, `truth` (m, k) their
    distances.
    """
    return bisect_left(
        efforts, True, key=lambda effort: _is_enough(_share(needed <= effort, truth), recall)
    )


def _is_enough(share: NDArray[np.float64], recall: float) -> bool:
    error = _ERRORS * float(share.std()) / sqrt(len(share))
    return float(share.mean()) >= min(recall + error, 1)


def sampled(n: int, size: int) -> NDArray[np.intp]:
    """A random sample of n rows, `size` of them or all, ascending, and the same each time."""
    return np.sort(np.random.default_rng(0).permutation(n)[:size])


def found_share(found: NDArray[np.float32], truth: NDArray[np.float32]) -> NDArray[np.float64]:
    """The share (m,) of each query's neighbours found, from distances (m, k); 1 for no others."""
    return _share(np.isfinite(found) & (found <= truth[:, -1:]), truth)


def _share(within: NDArray[np.bool_], truth: NDArray[np.float32]) -> NDArray[np.float64]:
    wanted = np.isfinite(truth).sum(axis=1)
    return np.where(wanted == 0, 1.0, within.sum(axis=1) / np.maximum(wanted, 1))
