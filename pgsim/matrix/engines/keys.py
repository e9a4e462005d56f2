"""A neighbour as one number: its distance above its rank, so that sorting numbers sorts neighbours.

A key is a uint64: the bits of the float32 distance (in the order of the distances, since none is
negative) above the 32 bits of the rank of the neighbour's MBID.
"""

import numpy as np
from numpy.typing import NDArray

# No neighbour: at distance inf, behind every rank.
NOTHING = np.uint64(0x7F800000_FFFFFFFF)
# Pairs at a time: what stays in the processor's cache.
_PAIRS = 512


def distances(
    vectors: NDArray[np.float32],
    left: NDArray[np.integer],
    right: NDArray[np.integer],
    others: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """The Euclidean distance of each pair of rows (m,), rounded from float64.

    `right` are rows of `others`, where these are given.

    Equal pairs of vectors give equal bits: the squares of a pair are summed in one order, whatever
    stands around them.
    """
    others = vectors if others is None else others
    result = np.empty(len(left), np.float32)
    for start in range(0, len(left), _PAIRS):
        part = slice(start, start + _PAIRS)
        apart = np.subtract(vectors[left[part]], others[right[part]], dtype=np.float64)
        result[part] = np.sqrt(np.einsum("ij,ij->i", apart, apart))
    return result


def pack(distance: NDArray[np.float32], rank: NDArray[np.integer]) -> NDArray[np.uint64]:
    """The keys of neighbours."""
    keys = distance.view(np.uint32).astype(np.uint64)
    keys <<= np.uint64(32)
    keys |= rank.astype(np.uint64)
    return keys


def unpack(keys: NDArray[np.uint64]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """The distances and ranks of keys, of their shape; rank -1 for NOTHING."""
    distance = (keys >> np.uint64(32)).astype(np.uint32).view(np.float32)
    return distance, keys.astype(np.uint32).view(np.int32)


def inverse(rank: NDArray[np.integer]) -> NDArray[np.int32]:
    """The number (n,) of the row that has each rank."""
    row = np.empty(len(rank), np.int32)
    row[rank] = np.arange(len(rank), dtype=np.int32)
    return row


def by_query(
    query: NDArray[np.integer], keys: NDArray[np.uint64], queries: int, width: int
) -> NDArray[np.uint64]:
    """Keys as a table, a row for each query, sorted, filled up with NOTHING.

    `query` is the number of each key's query, ascending. The table is (queries, width) or wider,
    as wide as the most keys of a query.
    """
    counts = np.bincount(query, minlength=queries)
    starts = np.cumsum(counts) - counts
    table = np.full((queries, max(width, int(counts.max(initial=0)))), NOTHING)
    table[query, np.arange(len(query)) - starts[query]] = keys
    table.sort(axis=1)
    return table
