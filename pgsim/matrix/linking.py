"""Which stored lists change when recordings change, and how: arrays in, arrays out.

A recording is a row number of the collection in memory: `vectors` (rows, d) float32, and `order`
(rows,), the rank of each row's MBID, by which ties go. Reading and storing lists is refresh's part.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgsim.matrix.engines.exact import Exact
from pgsim.matrix.engines.keys import NOTHING, by_query, distances, pack, unpack


@dataclass(frozen=True, slots=True)
class Entrants:
    """Changed recordings that may enter the lists of others: one pair an index, ascending by owner.

    `owner` (m,) are the rows of the lists, `entrant` (m,) those of the recordings, `distance` (m,)
    float32 is how far they are apart.
    """

    owner: NDArray[np.integer]
    entrant: NDArray[np.integer]
    distance: NDArray[np.float32]

    def __getitem__(self, where: NDArray[np.bool_] | NDArray[np.integer]) -> "Entrants":
        """The pairs at some indexes, or where a mask is true."""
        return Entrants(self.owner[where], self.entrant[where], self.distance[where])


@dataclass(frozen=True, slots=True)
class Links:
    """The links between some changed recordings and the collection, both ways.

    `changed` (c,) are their rows; `neighbours` and `distances` (c, k) their own new lists.
    `entrants` may enter the lists of others. `holders` are the rows whose lists may hold one of
    them by its old vector.
    """

    changed: NDArray[np.integer]
    neighbours: NDArray[np.int32]
    distances: NDArray[np.float32]
    entrants: Entrants
    holders: NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class StoredLists:
    """Lists as they are stored: `owner` (n,) are their rows, ascending.

    `neighbours` (n, k) are rows, nearest first, -1 for a member that is gone; `distances` (n, k)
    float32. A list has `length` (n,) members; after them follow -1 at distance inf.
    """

    owner: NDArray[np.integer]
    neighbours: NDArray[np.integer]
    distances: NDArray[np.float32]
    length: NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Decision:
    """The changes of stored lists; lists that are not named here do not change.

    The lists of `owner` (n,) become `neighbours` and `distances` (n, k), with -1 at distance inf
    after the last member. Those of `refill` (r,) have lost too many members: search them anew.
    """

    owner: NDArray[np.integer]
    neighbours: NDArray[np.int32]
    distances: NDArray[np.float32]
    refill: NDArray[np.integer]


def find_links(
    exact: Exact,
    vectors: NDArray[np.float32],
    radii: NDArray[np.float32],
    changed: NDArray[np.integer],
    before: NDArray[np.float32],
) -> Links:
    """The links of the `changed` rows, whose old vectors are `before` (m, d).

    `radii` (rows,) say how near a recording must be to enter each list: inf where there is room in
    it, NaN where there is no list to enter.
    """
    neighbours, apart, entrant, owner = exact.search_and_link(changed, radii)
    by_owner = np.argsort(owner, kind="stable")
    owner, entrant = owner[by_owner], entrant[by_owner]
    entrants = Entrants(owner, entrant, distances(vectors, entrant, owner))
    is_near = entrants.distance <= radii[owner]
    holders = exact.holders(before, radii)
    return Links(changed, neighbours, apart, entrants[is_near], holders)


def decide(
    lists: StoredLists,
    entrants: Entrants,
    changed: NDArray[np.integer],
    vectors: NDArray[np.float32],
    order: NDArray[np.int32],
    row_of_rank: NDArray[np.int32],
) -> Decision:
    """Decide what becomes of stored lists when `changed` recordings have the vectors they have now.

    No list is a changed recording's own. A list is right but for the changed recordings and those
    that are gone, or it is right already. `entrants` are all changed recordings that are as near as
    a list's last member, or anywhere where a list has room; pairs without a list are passed over.
    `row_of_rank` (rows,) is the inverse of `order`.
    """
    count, k = lists.neighbours.shape
    members = lists.neighbours
    is_there = members >= 0
    stored = np.where(is_there, pack(lists.distances, order[members]), NOTHING)

    # A changed member has another distance now, or another MBID.
    is_changed = np.zeros(len(vectors) + 1, bool)  # the last, row -1, is for no recording
    is_changed[changed] = True
    line, place = np.nonzero(is_changed[members])
    member = members[line, place]
    now = distances(vectors, lists.owner[line], member)
    keys = stored.copy()
    keys[line, place] = pack(now, order[member])

    # A list has lost a member that is gone, or that does not come nearer: at the same distance too,
    # where a new MBID can put it behind its ties.
    has_lost = is_there.sum(axis=1) < lists.length
    has_lost[line[now >= lists.distances[line, place]]] = True

    # Every list is merged with its entrants, less those that are members already.
    own = np.minimum(np.searchsorted(lists.owner, entrants.owner), max(0, count - 1))
    is_new = np.isin(entrants.owner, lists.owner)
    is_new &= ~np.isin(own * len(vectors) + entrants.entrant, line * len(vectors) + member)
    new = entrants[is_new]
    entering = by_query(own[is_new], pack(new.distance, order[new.entrant]), count, 1)
    merged = np.sort(np.concatenate([keys, entering], axis=1), axis=1)[:, :k]

    # Up to where a list was complete, no recording is missing. A list that lost members and is not
    # full up to there may lack recordings that it never held.
    sure = (merged < NOTHING) & (merged <= _complete_up_to(lists, is_changed, order)[:, None])
    is_short = has_lost & (sure.sum(axis=1) < min(k, len(vectors) - 1))
    is_written = ~is_short & (has_lost | (merged != stored).any(axis=1))
    apart, rank = unpack(merged[is_written])
    neighbours = np.where(rank < 0, np.int32(-1), row_of_rank[rank])
    return Decision(lists.owner[is_written], neighbours, apart, lists.owner[is_short])


def _complete_up_to(
    lists: StoredLists, is_changed: NDArray[np.bool_], order: NDArray[np.int32]
) -> NDArray[np.uint64]:
    """The key (n,) up to which a list holds all that it should: its last member's.

    The rank that a last member had is unknown once it is gone or has changed: then the key is the
    first of its ties. A list that is not full ends at inf: it holds all that there are.
    """
    last = lists.neighbours[:, -1]
    is_as_it_was = (last >= 0) & ~is_changed[last]
    return pack(lists.distances[:, -1], np.where(is_as_it_was, order[last], 0))
