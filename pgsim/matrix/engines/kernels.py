"""The inner loops of FusedCells, compiled by Numba; none holds Python's lock.

See keys.py and scores.py for keys, scores and limits.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from pgsim.matrix.engines.keys import NOTHING


class Batch(NamedTuple):
    """Questions that are answered together, and what they have found so far.

    `members` (n, d + 1) are extended, each with its `rank` (n,); `rounding` is that of scores. A
    question has a `place` (m,) among the members, a squared length in `square` (m,) and a `limit`
    (m,). Its waiting hits are a row of `scores` and `places` (m, room), as many as `waiting` (m,)
    says; `best` (m, k) has its least keys, confirmed, ascending.
    """

    members: NDArray[np.float32]
    rank: NDArray[np.int32]
    rounding: float
    place: NDArray[np.int32]
    square: NDArray[np.float64]
    limit: NDArray[np.float32]
    scores: NDArray[np.float32]
    places: NDArray[np.int32]
    waiting: NDArray[np.int32]
    best: NDArray[np.uint64]


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function compiled, and kept for the next process where a folder can be written."""
    try:
        return cast(Callable[..., Any], njit(nogil=True, cache=True)(function))
    except RuntimeError:  # no folder can
        return cast(Callable[..., Any], njit(nogil=True)(function))


_LARGEST = np.finfo(np.float32).max
# Scores that are compared at a time, by vector instructions; of most blocks none is a hit.
_BLOCK = 16
# Rounds in which a bound of the k-th score is found.
_HALVINGS = 24
# Vectors that are fetched ahead, and lines of 64 bytes of each that are: more follow by themselves.
_AHEAD, _LINES = 4, 5


def _prefetch(_: Any, array: Any, _at: Any) -> Any:
    """Have the processor fetch what array (n, d) has in a row, before it is asked for."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0])
        step = builder.extract_value(data.strides, 0)
        start = builder.ptrtoint(data.data, step.type)
        start = builder.add(start, builder.mul(arguments[1], step))
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        prefetch = builder.module.declare_intrinsic(
            "llvm.prefetch", [byte], ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        )
        words = [ir.Constant(number, each) for each in (0, 3, 1)]  # to read, to keep, data
        for line in range(_LINES):
            place = builder.add(start, ir.Constant(step.type, line * 64))
            builder.call(prefetch, [builder.inttoptr(place, byte), *words])
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


_fetch: Any = intrinsic(_prefetch)


@_compiled
def _upwards(limit: Any) -> Any:
    """See scores._upwards; here for one number."""
    return np.nextafter(np.float32(min(limit, _LARGEST)), np.float32(_LARGEST))


@_compiled
def _at_most(scores: NDArray[np.float32], count: int, limit: np.float32) -> int:
    """How many of the first `count` scores are within the limit."""
    within = np.uint32(0)
    for at in range(count):
        within += np.uint32(scores[np.uint64(at)] <= limit)
    return int(within)


@_compiled
def _kth_bound(scores: NDArray[np.float32], count: int, k: int) -> Any:
    """A score that at least k of the first `count` reach, and few more do."""
    low = high = scores[0]
    for at in range(count):
        low = min(low, scores[np.uint64(at)])
        high = max(high, scores[np.uint64(at)])
    for _ in range(_HALVINGS):
        middle = np.float32(0.5 * (np.float64(low) + np.float64(high)))
        within = _at_most(scores, count, middle)
        if within < k:
            low = middle
        else:
            high = middle
            if within <= k + (k >> 5):
                break
    return high


@_compiled
def _tighten(batch: Batch, question: int) -> None:
    """Leave out the hits that are too far to be among the k, and bring the limit up to date.

    See scores.limit_of_score.
    """
    scores, places = batch.scores[question], batch.places[question]
    count, k = batch.waiting[question], batch.best.shape[1] + 1  # and itself
    if count < k:
        return
    kth = _kth_bound(scores, count, k)
    slack = batch.rounding * (24 * batch.square[question] + 12 * abs(kth))
    limit = min(batch.limit[question], _upwards(kth + slack))
    stay = 0
    for at in range(count):
        score = scores[at]
        scores[stay] = score
        places[stay] = places[at]
        stay += int(score <= limit)
    batch.limit[question], batch.waiting[question] = limit, stay


@_compiled
def _distance(
    left: NDArray[np.float32],
    right: NDArray[np.float32],
    dimensions: int,
    sums: NDArray[np.float64],
) -> Any:
    """The Euclidean distance of two vectors, by float64; always added up in one order."""
    for lane in range(8):
        sums[lane] = 0
    whole = dimensions & ~7
    for start in range(0, whole, 8):
        for lane in range(8):
            own = np.uint64(start) + np.uint64(lane)
            apart = np.float64(left[own]) - np.float64(right[own])
            sums[np.uint64(lane)] += apart * apart
    rest = 0.0
    for at in range(whole, dimensions):
        apart = np.float64(left[at]) - np.float64(right[at])
        rest += apart * apart
    for lane in range(8):
        rest += sums[lane]
    return np.float32(np.sqrt(rest))


@_compiled
def _confirm(batch: Batch, question: int) -> None:
    """Put the waiting hits, but for the question itself, into the best by their true distances."""
    members, best, places = batch.members, batch.best[question], batch.places[question]
    count, here = batch.waiting[question], batch.place[question]
    k, dimensions = len(best), members.shape[1] - 1
    keys = np.empty(k + count, np.uint64)
    sums = np.empty(8, np.float64)
    bits = np.empty(1, np.float32)
    number = bits.view(np.uint32)
    own = 0
    for at in range(k):
        if best[at] == NOTHING:
            break
        keys[own] = best[at]
        own += 1
    for at in range(min(_AHEAD, count)):
        _fetch(members, places[at])
    for at in range(count):
        if at + _AHEAD < count:
            _fetch(members, places[at + _AHEAD])
        there = places[at]
        if there != here:
            bits[0] = _distance(members[here], members[there], dimensions, sums)
            keys[own] = (np.uint64(number[0]) << np.uint64(32)) | np.uint64(batch.rank[there])
            own += 1
    keys[:own].sort()
    for at in range(min(k, own)):
        best[at] = keys[at]
    batch.waiting[question] = 0


@_compiled
def collect(
    batch: Batch, table: NDArray[np.float32], asked: NDArray[np.integer], start: int
) -> None:
    """Take the hits of a product (asked, members from the place `start` on)."""
    scores, places = batch.scores, batch.places
    room, width = scores.shape[1], table.shape[1]
    for row in range(len(asked)):
        question = asked[row]
        limit, count = batch.limit[question], int(batch.waiting[question])
        for block in range(0, width, _BLOCK):
            end = min(block + _BLOCK, width)
            if end - block == _BLOCK:
                # Unsigned numbers, and bits: what LLVM makes vector instructions of.
                hits: Any = np.uint32(0)
                for at in range(_BLOCK):
                    hits |= np.uint32(table[row, np.uint64(block) + np.uint64(at)] <= limit)
                if not hits:
                    continue
            for at in range(block, end):
                score = table[row, np.uint64(at)]
                if score <= limit:
                    if count == room:
                        batch.waiting[question] = count
                        _tighten(batch, question)
                        if 4 * batch.waiting[question] > 3 * room:
                            # As many at one distance: only the true ones tell them apart.
                            _confirm(batch, question)
                        limit, count = batch.limit[question], int(batch.waiting[question])
                        if score > limit:
                            continue
                    scores[question, np.uint64(count)] = score
                    places[question, np.uint64(count)] = start + at
                    count += 1
        batch.waiting[question] = count


@_compiled
def tighten(batch: Batch) -> None:
    """Leave out all hits that are too far to be among the k, and bring the limits up to date."""
    for question in range(len(batch.place)):
        _tighten(batch, question)


@_compiled
def confirm(batch: Batch) -> None:
    """Put all waiting hits that are among the k nearest into the best."""
    for question in range(len(batch.place)):
        _confirm(batch, question)


@_compiled
def probe(
    table: NDArray[np.float32],
    first: int,
    far: NDArray[np.float32],
    near: NDArray[np.bool_],
    home: NDArray[np.int32],
    question_of: NDArray[np.uint16],
    cell_of: NDArray[np.uint16],
    pairs: int,
) -> int:
    """Append the pairs of question and cell that are near enough and not near already."""
    for row in range(table.shape[0]):
        question = first + row
        enough = far[question]
        done = near[home[question]]
        for cell in range(table.shape[1]):
            if table[row, cell] <= enough and not done[cell]:
                question_of[pairs] = question
                cell_of[pairs] = cell
                pairs += 1
    return pairs


@_compiled
def by_cell(
    question_of: NDArray[np.uint16], cell_of: NDArray[np.uint16], cells: int
) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """The questions of every cell in a row, and (cells + 1,) where those of each begin."""
    first = np.zeros(cells + 1, np.int64)
    for cell in cell_of:
        first[cell + 1] += 1
    for cell in range(cells):
        first[cell + 1] += first[cell]
    free = first[:-1].copy()
    asked = np.empty(len(question_of), np.uint16)
    for pair in range(len(question_of)):
        cell = cell_of[pair]
        asked[free[cell]] = question_of[pair]
        free[cell] += 1
    return asked, first
