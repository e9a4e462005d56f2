"""Lay recordings out in two dimensions by who is near whom: arrays in, arrays out.

The layout is t-SNE, by openTSNE: a recording and its nearest attract each other, all repel all. The
lists are the whole input; there is no search. The attraction is equal for the ten nearest, which
takes less time and memory than to weigh ninety by their distances, and keeps as many neighbours.
"""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgsim.errors import PgsimError
from pgsim.progress import Advance
from pgsim.threads import one_blas_thread

NEAREST = 10  # members of a list that attract
# How much stronger the attraction is, and for how many steps: first so that groups form.
PHASES = ((12.0, 60), (1.0, 140))
STEPS = sum(steps for _, steps in PHASES)
_MOMENTUM = 0.8
# Side of a cell of the grid on which the repulsion is interpolated, and the least number of cells
# in a row. A side of 1 takes a million twice as long, and keeps 6 % more of a few thousand.
_FINE, _COARSE, _SMALL = 1, 2, 30_000
_CELLS = 20
_BEGINNING = 1e-4  # standard deviation of the first places, as t-SNE wants it
_EVERY = 10  # steps between two reports of progress


def require_library() -> None:
    """Check, before the work, that the library is there."""
    try:
        import openTSNE  # noqa: F401
    except ImportError:
        raise PgsimError("openTSNE is not installed; pip install 'pgsim[map]'") from None


def first_places(vectors: NDArray[np.float32], seed: int) -> NDArray[np.float64]:
    """Places (n, 2) to begin with: the two principal components of vectors (n, d), tiny.

    So groups that are near each other come to lie near each other. Each place is shifted by a
    random hundredth, which parts exact copies.
    """
    shift = np.random.default_rng(seed).normal(size=(len(vectors), 2)) / 100
    centred = vectors - vectors.mean(axis=0)
    with one_blas_thread():  # the order of a sum is then the same everywhere
        _, axes = np.linalg.eigh(centred.T @ centred)
        places = (centred @ axes[:, :-3:-1]).astype(np.float64)
    # The sign of an axis is free.
    places *= np.sign(places[np.abs(places).argmax(axis=0), np.arange(places.shape[1])])
    places = np.pad(places, ((0, 0), (0, 2 - places.shape[1])))
    spread = places.std()
    return (places / (spread or 1.0) + shift) * _BEGINNING


def lay_out(
    places: NDArray[np.float64],
    neighbours: NDArray[np.int32],
    threads: int,
    advance: Advance,
) -> NDArray[np.float32]:
    """Places (n, 2) from -1 to 1, from those to begin with (n, 2), which are overwritten.

    `neighbours` (n, k) are row numbers, nearest first, -1 for none. `advance` receives the steps
    done. The same arguments give the same places, whatever the number of threads is.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what its own libraries deprecate
        from openTSNE import TSNEEmbedding
        from openTSNE.affinity import PrecomputedAffinities

    graph = _graph(neighbours[:, :NEAREST])
    if not graph.nnz:
        return _between_bounds(places)

    def report(done: int, *_: Any) -> None:
        advance(_EVERY, (before + done) / STEPS)

    layout = TSNEEmbedding(
        places,
        PrecomputedAffinities(graph),
        negative_gradient_method="fft",
        ints_in_interval=_FINE if len(places) < _SMALL else _COARSE,
        min_num_intervals=_CELLS,
        n_jobs=threads,
    )
    before = 0
    for exaggeration, steps in PHASES:
        layout.optimize(
            steps,
            inplace=True,
            exaggeration=exaggeration,
            momentum=_MOMENTUM,
            callbacks=report,
            callbacks_every_iters=_EVERY,
            use_callbacks=True,
        )
        before += steps
    return _between_bounds(np.asarray(layout))


def _graph(neighbours: NDArray[np.int32]) -> Any:
    """The sparse matrix (n, n) of attractions: 1 where one of two is among the other's nearest."""
    from scipy.sparse import csr_matrix

    n = len(neighbours)
    there = neighbours >= 0
    starts = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
    members = neighbours[there]
    one_way = csr_matrix((np.ones(len(members)), members, starts), shape=(n, n))
    graph = one_way + one_way.T
    graph.data[:] = 1
    return graph


def _between_bounds(places: NDArray[np.float64]) -> NDArray[np.float32]:
    """The places moved and scaled, both axes alike, so that the larger reaches from -1 to 1."""
    low, high = places.min(axis=0), places.max(axis=0)
    half = (high - low).max() / 2
    scaled = (places - (low + high) / 2) / (half or 1.0)
    result: NDArray[np.float32] = np.clip(scaled, -1, 1).astype(np.float32)
    return result
