"""The tasks of a part: recordings are shared out among parts as members and as questions.

Rows of a part come together: first its members (`asks` 0), then its questions (`asks` 1), both by
cell and MBID. See recordings.py.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pgsim.matrix.engines.centres import cells_for_limit, probed_cells
from pgsim.matrix.engines.keys import unpack
from pgsim.matrix.engines.members import Members, Questions
from pgsim.spark.columns import REAL, Batches, array, batch_of, mbids, packed, ragged, rows, runs
from pgsim.spark.parts import Parts
from pgsim.spark.recordings import PLACED, Kernel
from pgsim.threads import one_blas_thread

LIMITED = f"{PLACED}, wide float"
ROUTED = f"part int, asks int, {LIMITED}, cells binary"
_CELL = np.dtype("u2")


def share_for_limits(parts: Parts) -> Kernel:
    """Of recordings with their cells: each as a question of its part, and as a member of others."""

    def kernel(batches: Batches) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            cell = array(batch, "cell")
            near = [parts.near[each] for each in cell]
            counts = np.array([len(each) for each in near])
            yield _routed(
                batch.take(pa.array(np.repeat(np.arange(len(batch)), counts))),
                np.concatenate(near),
                0,
            )
            yield _routed(batch, parts.of(cell, mbids(batch)), 1)

    return kernel


def limit(centres: NDArray[np.float32], size: NDArray[np.integer], k: int) -> Kernel:
    """Of what is shared for limits: each question with its limit."""

    def near(cell: int) -> NDArray[np.intp]:
        return cells_for_limit(cell, centres, size, k)

    def kernel(batches: Batches) -> Iterator[pa.RecordBatch]:
        for members, batch in _asked(batches, len(size)):
            cell = array(batch, "cell")
            first = np.searchsorted(cell, np.arange(len(size) + 1))
            wide = members.limits(_questions(batch), first, near, k)
            columns = {name: batch.column(name) for name in ("mbid", "vector", "cell")}
            yield batch_of({**columns, "wide": wide})

    return kernel


def share_members(parts: Parts) -> Kernel:
    """Of recordings with their cells: each as a member of its part."""

    def kernel(batches: Batches) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield _routed(batch, parts.of(array(batch, "cell"), mbids(batch)), 0)

    return kernel


def share_questions(parts: Parts, centres: NDArray[np.float32], effort: float) -> Kernel:
    """Of questions with their limits: each for every part with cells that it asks, and these."""

    def kernel(batches: Batches) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            wide = array(batch, "wide")
            question, cell = probed_cells(_questions(batch), wide, centres, effort)
            # A cell in pieces is asked in each.
            pieces = parts.pieces[cell]
            piece = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
            question, cell = np.repeat(question, pieces), np.repeat(cell, pieces)
            part = parts.first[cell] + piece
            order = np.lexsort((part, question))
            question, cell, part = question[order], cell[order], part[order]
            is_first = np.concatenate(
                [[True], (question[1:] != question[:-1]) | (part[1:] != part[:-1])]
            )
            start = np.flatnonzero(is_first)
            yield _routed(
                batch.take(pa.array(question[start])),
                part[start],
                1,
                packed(cell, np.diff([*start, len(cell)])),
            )

    return kernel


def compare(cells: int, k: int) -> Kernel:
    """Of members and questions: the nearest that each question has in a part, if any."""

    def kernel(batches: Batches) -> Iterator[pa.RecordBatch]:
        for members, batch in _asked(batches, cells):
            cell, counts = ragged(batch, "cells", _CELL)
            question = np.repeat(np.arange(len(batch), dtype=np.uint16), counts)
            wide = array(batch, "wide")
            questions = _questions(batch, members)
            keys = members.nearest(questions, wide, question, cell, k)
            apart, rank = unpack(keys)
            is_there = rank >= 0
            counts = is_there.sum(axis=1)
            # A question without any in its own part has a list all the same.
            kept = (counts > 0) | (questions.place >= 0)
            yield batch_of(
                {
                    "mbid": batch.column("mbid").filter(pa.array(kept)),
                    "near": packed(members.mbids[rank[is_there]], counts[kept]),
                    "apart": packed(apart[is_there], counts[kept]),
                }
            )

    return kernel


class _PartMembers(Members):
    """The members of a part, with their MBIDs (n,), sorted."""

    def __init__(self, batches: list[pa.RecordBatch], cells: int) -> None:
        names = np.concatenate([mbids(each) for each in batches])
        by_mbid = np.argsort(names)
        order = np.empty(len(names), np.int32)
        order[by_mbid] = np.arange(len(names), dtype=np.int32)
        self.mbids = names[by_mbid]
        super().__init__(
            np.concatenate([rows(each, "vector", REAL) for each in batches]),
            np.concatenate([array(each, "cell") for each in batches]),
            order,
            cells,
        )
        self.place_of_rank = np.empty(len(names), np.int32)
        self.place_of_rank[order[self.row]] = np.arange(len(names), dtype=np.int32)


def _asked(batches: Batches, cells: int) -> Iterator[tuple[_PartMembers, pa.RecordBatch]]:
    """Yield the questions of each part with its members, some at a time."""
    part, waiting = -1, list[pa.RecordBatch]()
    members: _PartMembers | None = None
    with one_blas_thread():
        for batch in batches:
            for run in runs(batch, "part", "asks"):
                if array(run, "asks")[0] == 0:
                    if array(run, "part")[0] != part:
                        part, waiting, members = int(array(run, "part")[0]), [], None
                    waiting.append(run)
                else:
                    if members is None:
                        members, waiting = _PartMembers(waiting, cells), []
                    yield members, run


def _questions(batch: pa.RecordBatch, members: _PartMembers | None = None) -> Questions:
    """The questions of a batch; they know their own places among the members."""
    place = np.full(len(batch), -1, np.int32)
    if members is not None:
        names = mbids(batch)
        rank = np.minimum(np.searchsorted(members.mbids, names), len(members.mbids) - 1)
        place = np.where(members.mbids[rank] == names, members.place_of_rank[rank], place)
    return Questions.of(rows(batch, "vector", REAL), place)


def _routed(
    batch: pa.RecordBatch,
    part: NDArray[np.integer],
    asks: int,
    cells: pa.Array | None = None,
) -> pa.RecordBatch:
    """Recordings with the parts that they go to."""
    n = len(batch)
    has_limit = "wide" in batch.schema.names
    return batch_of(
        {
            "part": part.astype(np.int32),
            "asks": np.full(n, asks, np.int32),
            "mbid": batch.column("mbid"),
            "vector": batch.column("vector"),
            "cell": batch.column("cell"),
            "wide": batch.column("wide") if has_limit else np.zeros(n, np.float32),
            "cells": pa.array([b""] * n, pa.binary()) if cells is None else cells,
        }
    )
