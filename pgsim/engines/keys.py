"""A neighbour as one number: its distance above its rank, so that sorting numbers sorts neighbours.

A key is a uint64: the bits of the float32 distance (in the order of the distances, since none is
negative) above the 32 bits of the rank of the neighbour's MBID.
"""

import numpy as np
from numpy.typing import NDArray

# No neighbour: at distance inf, behind every rank.
NOTHING = np.uint64(0x7F800000_FFFFFFFF)
# Pairs at a time: three blocks of this many vectors stay in the processor's cache.
_PAIRS = 2048


def distances(
    vectors: NDArray[np.float32], left: NDArray[np.integer], right: NDArray[np.integer]
) -> NDArray[np.float32]:
    """The Euclidean distance of each pair of rows (m,), summed in float64 from the differences.

    Equal pairs of vectors give equal bits, whatever stands around them.
    """
    result = np.empty(len(left), np.float32)
    for start in range(0, len(left), _PAIRS):
        part = slice(start, start + _PAIRS)
        difference = np.subtract(vectors[left[part]], vectors[right[part]], dtype=np.float64)
        result[part] = np.sqrt(np.einsum("ij,ij->i", difference, difference))
    return result


def pack(distance: NDArray[np.float32], rank: NDArray[np.integer]) -> NDArray[np.uint64]:
    """The keys of neighbours."""
    return distance.view(np.uint32).astype(np.uint64) << np.uint64(32) | rank.astype(np.uint64)


def unpack(keys: NDArray[np.uint64]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """The distances and ranks of keys, of their shape; rank -1 for NOTHING."""
    distance = (keys >> np.uint64(32)).astype(np.uint32).view(np.float32)
    return distance, keys.astype(np.uint32).view(np.int32)


def gather(
    query: NDArray[np.integer], keys: NDArray[np.uint64], queries: int
) -> NDArray[np.uint64]:
    """Keys as a table (queries, most keys of one), each row those of one query, unsorted.

    `query` is the number of each key's query, ascending; rows are filled up with NOTHING.
    """
    counts = np.bincount(query, minlength=queries)
    starts = np.cumsum(counts) - counts
    table = np.full((queries, int(counts.max(initial=0))), NOTHING)
    table[query, np.arange(len(query)) - starts[query]] = keys
    return table
