"""The inner loops of FusedCells, compiled by Numba; none holds Python's lock.

A question's waiting hits are a row of `scores` and `places`, as many as `waiting` says; `best` has
its k least keys so far, confirmed, ascending. See keys.py and scores.py for keys, scores, limits.
"""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from pgsim.matrix.engines.keys import NOTHING


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


def _prefetch(_: Any, array: Any, at: Any) -> Any:  # noqa: ARG001
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
def _tighten(
    scores: NDArray[np.float32],
    places: NDArray[np.int32],
    count: int,
    k: int,
    square: float,
    rounding: float,
    limit: np.float32,
) -> tuple[int, np.float32]:
    """Leave out the hits that are too far to be among the k; return how many stay, and the limit.

    See scores.limit_of_score.
    """
    if count < k:
        return count, limit
    kth = _kth_bound(scores, count, k)
    limit = min(limit, _upwards(kth + rounding * (24 * square + 12 * abs(kth))))
    stay = 0
    for at in range(count):
        score = scores[at]
        scores[stay] = score
        places[stay] = places[at]
        stay += int(score <= limit)
    return stay, limit


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
def _confirm(
    members: NDArray[np.float32],
    ranks: NDArray[np.int32],
    here: int,
    places: NDArray[np.int32],
    count: int,
    best: NDArray[np.uint64],
) -> None:
    """Put the first `count` places, but for `here`, into the best by their true distances."""
    k = len(best)
    dimensions = members.shape[1] - 1
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
            keys[own] = (np.uint64(number[0]) << np.uint64(32)) | np.uint64(ranks[there])
            own += 1
    keys[:own].sort()
    for at in range(min(k, own)):
        best[at] = keys[at]


@_compiled
def collect(
    table: NDArray[np.float32],
    asked: NDArray[np.integer],
    start: int,
    place: NDArray[np.int32],
    square: NDArray[np.float64],
    limit: NDArray[np.float32],
    scores: NDArray[np.float32],
    places: NDArray[np.int32],
    waiting: NDArray[np.int32],
    best: NDArray[np.uint64],
    members: NDArray[np.float32],
    ranks: NDArray[np.int32],
    rounding: float,
) -> None:
    """Take the hits of a product (questions, members from `start` on); tighten what is full."""
    room = scores.shape[1]
    k = best.shape[1]
    width = table.shape[1]
    for row in range(len(asked)):
        question = asked[row]
        own = limit[question]
        count = int(waiting[question])
        for block in range(0, width, _BLOCK):
            end = min(block + _BLOCK, width)
            if end - block == _BLOCK:
                # Unsigned numbers, and bits: what LLVM makes vector instructions of.
                hits: Any = np.uint32(0)
                for at in range(_BLOCK):
                    hits |= np.uint32(table[row, np.uint64(block) + np.uint64(at)] <= own)
                if not hits:
                    continue
            for at in range(block, end):
                score = table[row, np.uint64(at)]
                if score <= own:
                    if count == room:
                        count, own = _tighten(
                            scores[question],
                            places[question],
                            count,
                            k + 1,
                            square[question],
                            rounding,
                            own,
                        )
                        if 4 * count > 3 * room:
                            # As many at one distance: only the true ones tell them apart.
                            _confirm(
                                members,
                                ranks,
                                place[question],
                                places[question],
                                count,
                                best[question],
                            )
                            count = 0
                        if score > own:
                            continue
                    scores[question, np.uint64(count)] = score
                    places[question, np.uint64(count)] = start + at
                    count += 1
        limit[question] = own
        waiting[question] = count


@_compiled
def tighten(
    square: NDArray[np.float64],
    limit: NDArray[np.float32],
    scores: NDArray[np.float32],
    places: NDArray[np.int32],
    waiting: NDArray[np.int32],
    k: int,
    rounding: float,
) -> None:
    """Leave out all hits that are too far to be among the k, and bring the limits up to date."""
    for question in range(len(square)):
        waiting[question], limit[question] = _tighten(
            scores[question],
            places[question],
            waiting[question],
            k,
            square[question],
            rounding,
            limit[question],
        )


@_compiled
def confirm(
    place: NDArray[np.int32],
    places: NDArray[np.int32],
    waiting: NDArray[np.int32],
    best: NDArray[np.uint64],
    members: NDArray[np.float32],
    ranks: NDArray[np.int32],
) -> None:
    """Put all waiting hits that are among the k nearest into the best."""
    for question in range(len(place)):
        _confirm(
            members, ranks, place[question], places[question], waiting[question], best[question]
        )


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
