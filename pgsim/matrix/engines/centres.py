"""The centres of cells: fitted to a sample, and which of them are near a recording.

Samples are drawn by the rank of MBIDs: the same recordings have the same cells, in whatever order
they are stored.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from pgsim.matrix.engines.members import Questions
from pgsim.matrix.engines.scores import asking, extended

# Cells a root of the collection's size, and members a cell at least. More cells leave fewer pairs
# to compare, cost more to find and make smaller products: from 2 to 4 the sum is about the same.
_CELLS = 3
_MEMBERS = 32
# Cells and questions are numbered in 16 bits, which sort several times faster.
_MOST_CELLS = 1 << 16
# Training: vectors a cell, and rounds.
_TRAINING = 32
_ROUNDS = 6
# Cells are probed whose centres are within some times the limit: these squares of it are tried.
EFFORTS: tuple[float, ...] = (*np.geomspace(1, 25, 300).tolist(), float("inf"))
# A question's limit is the k-th distance among this many times k recordings of the nearest cells.
_LIMIT = 64
ROWS = 128  # questions a product with all centres: both and the result stay in the cache


def training_ranks(n: int) -> NDArray[np.intp]:
    """The ranks (m,) of those of n recordings that the centres are fitted to, in this order."""
    return np.random.default_rng(0).permutation(n)[: _cells(n) * _TRAINING]


def _cells(n: int) -> int:
    return max(1, min(int(_CELLS * n**0.5), n // _MEMBERS, _MOST_CELLS))


def fit_centres(
    sample: NDArray[np.float32], n: int, pool: ThreadPoolExecutor
) -> NDArray[np.float32]:
    """The centres (cells, d + 1) of n recordings, extended, by Lloyd's algorithm on the sample."""
    centres = sample[: _cells(n)].copy()
    for _ in range(_ROUNDS):
        cell = nearest_centres(sample, extended(centres), pool)
        by_cell = np.argsort(cell, kind="stable")
        used, first, count = np.unique(cell[by_cell], return_index=True, return_counts=True)
        if len(used):
            centres[used] = np.add.reduceat(sample[by_cell], first, axis=0) / count[:, None]
    # Cells that follow each other are near each other.
    order = np.concatenate(together(centres, np.ones(len(centres), int), 1))
    return extended(centres[order])


def together(
    centres: NDArray[np.float32], size: NDArray[np.integer], most: int
) -> list[NDArray[np.intp]]:
    """The numbers of cells in groups that lie together, whose sizes sum to `most` or less.

    `centres` is (cells, d), `size` (cells,). Cells are halved across the direction in which they
    differ most, until a group is small enough, or one cell; groups that follow each other are near.
    """

    def halved(cells: NDArray[np.intp]) -> list[NDArray[np.intp]]:
        if len(cells) == 1 or size[cells].sum() <= most:
            return [cells]
        apart = centres[cells] - centres[cells].mean(axis=0)
        along = apart @ np.linalg.svd(apart, full_matrices=False)[2][0]
        order = cells[np.argsort(along, kind="stable")]
        half = np.searchsorted(np.cumsum(size[order]), size[cells].sum() / 2) + 1
        half = min(half, len(cells) - 1)
        return [*halved(order[:half]), *halved(order[half:])]

    return halved(np.arange(len(size)))


def nearest_centres(
    vectors: NDArray[np.float32], centres: NDArray[np.float32], pool: ThreadPoolExecutor
) -> NDArray[np.uint16]:
    """The number (n,) of each vector's nearest centre: the cell that it is in."""
    cell = np.empty(len(vectors), np.uint16)

    def assign(start: int) -> None:
        part = slice(start, start + ROWS)
        cell[part] = np.argmin(asking(vectors[part]) @ centres.T, axis=1)

    list(pool.map(assign, range(0, len(vectors), ROWS)))
    return cell


def cells_for_limit(
    cell: int,
    centres: NDArray[np.float32],
    size: NDArray[np.integer],
    k: int,
    times: int = _LIMIT,
) -> NDArray[np.intp]:
    """The cells around one, nearest first, whose members, `times` k or more, give limits."""
    near = np.argsort((asking(centres[cell : cell + 1, :-1]) @ centres.T)[0])
    enough = np.searchsorted(np.cumsum(size[near]), times * k)
    return near[: enough + 1]


def probed_cells(
    questions: Questions,
    limit: NDArray[np.float32],
    centres: NDArray[np.float32],
    effort: float,
) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Pairs of a question and a cell that is near enough to it, by question."""
    pairs = []
    # Squared distances less the query's, as the scores are; inf times nothing would be NaN.
    with np.errstate(over="ignore"):
        away = np.inf if np.isinf(effort) else effort * (limit + questions.square)
        far = (away - questions.square).astype(np.float32)
    for start in range(0, len(limit), ROWS):
        scores = questions.asking[start : start + ROWS] @ centres.T
        enough = np.maximum(far[start : start + ROWS], scores.min(axis=1))
        hit = np.flatnonzero(scores <= enough[:, None])
        question, cell = np.divmod(hit, len(centres))
        pairs.append(((question + start).astype(np.uint16), cell.astype(np.uint16)))
    return np.concatenate([a for a, _ in pairs]), np.concatenate([b for _, b in pairs])


def farther(effort: float) -> float:
    """The effort for questions that have found too few."""
    return next(each for each in EFFORTS if each >= 2 * effort)


def efforts_needed(
    questions: Questions,
    limit: NDArray[np.float32],
    centres: NDArray[np.float32],
    cell: NDArray[np.integer],
) -> NDArray[np.float64]:
    """The effort (m, k) with which each question probes the cells (m, k), if not with less."""
    within = np.maximum(limit + questions.square, np.finfo(float).tiny)
    away = questions.asking @ centres.T + questions.square[:, None]
    away[np.arange(len(away)), away.argmin(axis=1)] = 0  # the nearest cell is always probed
    result: NDArray[np.float64] = np.take_along_axis(away, cell, axis=1) / within[:, None]
    return result
