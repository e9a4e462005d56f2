"""Parts of a collection: cells that lie together, so many that a task can hold their members."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgsim.matrix.engines.centres import cells_for_limit, together

_MOST, _LEAST = 65_536, 16_384  # members in a part
_ONE_IN = 8  # of the collection, between these


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a collection, numbered from 0.

    A cell is in one part, or fills `pieces` of them, beginning with its `first`; both are (cells,).
    A recording's MBID says in which piece it is. `near` (cells,) are the parts whose questions have
    their limits from a cell.
    """

    first: NDArray[np.int32]
    pieces: NDArray[np.int32]
    near: list[NDArray[np.int32]]
    number: int

    def of(self, cell: NDArray[np.integer], mbid: NDArray[np.bytes_]) -> NDArray[np.int32]:
        """The part (n,) of each recording."""
        spread = mbid.view(">u4").reshape(len(mbid), 4).sum(axis=1, dtype=np.uint32)
        part: NDArray[np.int32] = self.first[cell] + (spread % self.pieces[cell]).astype(np.int32)
        return part


def make_parts(centres: NDArray[np.float32], size: NDArray[np.integer], k: int) -> Parts:
    """The parts of cells with these centres (cells, d + 1), extended, and sizes (cells,)."""
    most = int(np.clip(size.sum() // _ONE_IN, _LEAST, _MOST))
    first = np.zeros(len(size), np.int32)
    pieces = np.ones(len(size), np.int32)
    number = 0
    for cells in together(centres[:, :-1], size, most):
        first[cells] = number
        if len(cells) == 1:
            pieces[cells] = max(1, -(-int(size[cells[0]]) // most))
        number += int(pieces[cells[0]])
    near: list[set[int]] = [set() for _ in size]
    for cell in np.flatnonzero(size).tolist():
        own = range(first[cell], first[cell] + pieces[cell])
        for each in cells_for_limit(cell, centres, size, k).tolist():
            near[each].update(own)
    return Parts(first, pieces, [np.array(sorted(each), np.int32) for each in near], number)
