"""What becomes of stored lists when recordings change, against lists made anew by a plain scan."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import hypot, inf

import numpy as np
from hypothesis import event, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pgsim.matrix.engines.exact import Exact
from pgsim.matrix.engines.keys import inverse
from pgsim.matrix.linking import Decision, Entrants, StoredLists, decide, find_links

GONE = -1


@dataclass(frozen=True)
class Recording:
    """Where a recording is, and its MBID, a number here, by which ties go."""

    x: int
    y: int
    mbid: int


State = Mapping[str, Recording]
# A list is pairs of a distance and a name, nearest first.
Listed = list[tuple[float, str]]


def nearest(state: State, name: str, k: int) -> Listed:
    """The plain scan: the oracle."""
    own = state[name]
    others = sorted(
        (float(np.float32(hypot(own.x - each.x, own.y - each.y))), each.mbid, other)
        for other, each in state.items()
        if other != name
    )
    return [(distance, other) for distance, _, other in others[:k]]


@dataclass(frozen=True)
class Change:
    """A collection before and after, and the names whose list is stored as it is after already."""

    before: State
    after: State
    k: int
    ahead: frozenset[str]
    unlisted: frozenset[str]


PLACES = st.tuples(st.integers(0, 4), st.integers(0, 1))


@st.composite
def changes(draw: st.DrawFn) -> Change:
    """Up to 20 recordings in few places, so that ties and copies come often; any may change."""
    count = draw(st.integers(2, 20))
    mbids = draw(st.permutations(range(2 * count)))
    places = draw(st.lists(PLACES, min_size=count, max_size=count))
    names = [f"r{number}" for number in range(count)]
    before, after = {}, {}
    for name, place, mbid, new_mbid in zip(
        names, places, mbids[:count], mbids[count:], strict=True
    ):
        one = Recording(*place, mbid)
        fate = draw(st.sampled_from(["stays"] * 5 + ["moves", "is renamed", "goes", "comes"]))
        if fate != "comes":
            before[name] = one
        if fate == "moves":
            after[name] = Recording(*draw(PLACES), mbid)
        elif fate == "is renamed":
            after[name] = Recording(*place, new_mbid)
        elif fate != "goes":
            after[name] = one
    some = st.frozensets(st.sampled_from(names))
    return Change(before, after, draw(st.integers(1, 6)), draw(some), draw(some))


class Arrays:
    """A change as the arrays of a refresh: rows are the recordings after it, by name."""

    def __init__(self, change: Change) -> None:
        self.change = change
        self.names = sorted(change.after)
        self.row = {name: row for row, name in enumerate(self.names)}
        recordings = [change.after[name] for name in self.names]
        self.vectors = np.array([[each.x, each.y] for each in recordings], np.float32)
        self.vectors = self.vectors.reshape(-1, 2)
        mbids = [each.mbid for each in recordings]
        self.order = np.argsort(np.argsort(mbids)).astype(np.int32)
        changed = [name for name in self.names if change.before.get(name) != change.after[name]]
        self.changed = np.array([self.row[name] for name in changed], np.intp)
        # Who has changed has no list to change: a new one is made.
        self.unchanged = [name for name in self.names if name not in changed]
        self.owners = [name for name in self.unchanged if name not in change.unlisted]

    def stored(self, name: str) -> Listed:
        state = self.change.after if name in self.change.ahead else self.change.before
        return nearest(state, name, self.change.k)

    def radius(self, name: str) -> float:
        """How near a recording must be to enter the list that is stored before the change."""
        found = nearest(self.change.before, name, self.change.k)
        return found[-1][0] if len(found) == self.change.k else inf

    def lists(self) -> StoredLists:
        k = self.change.k
        stored = [self.stored(name) for name in self.owners]
        neighbours = np.full((len(stored), k), -1, np.int32)
        apart = np.full((len(stored), k), np.inf, np.float32)
        for line, found in enumerate(stored):
            for place, (distance, other) in enumerate(found):
                neighbours[line, place] = self.row.get(other, GONE)
                apart[line, place] = distance
        return StoredLists(
            np.array([self.row[name] for name in self.owners], np.int32),
            neighbours,
            apart,
            np.array([len(found) for found in stored], np.intp),
        )

    def entrants(self) -> Entrants:
        """By a plain scan: also those of lists that are not stored any more."""
        pairs = []
        for owner in self.unchanged:
            for distance, other in nearest(self.change.after, owner, len(self.names)):
                if self.row[other] in self.changed and distance <= self.radius(owner):
                    pairs.append((self.row[owner], self.row[other], distance))
        owner, entrant, distance = zip(*pairs, strict=True) if pairs else ((), (), ())
        return Entrants(
            np.array(owner, np.intp), np.array(entrant, np.intp), np.array(distance, np.float32)
        )

    def decide(self) -> Decision:
        rows = inverse(self.order)
        return decide(self.lists(), self.entrants(), self.changed, self.vectors, self.order, rows)

    def named(self, neighbours: NDArray[np.int32], apart: NDArray[np.float32]) -> Listed:
        """One list of arrays, its end cut off."""
        assert ((neighbours < 0) == np.isinf(apart)).all()
        return [
            (float(distance), self.names[row])
            for row, distance in zip(neighbours, apart, strict=True)
            if row >= 0
        ]


@settings(max_examples=100, deadline=None)
@given(change=changes())
def test_every_list_that_is_not_searched_anew_becomes_the_true_one(change: Change) -> None:
    arrays = Arrays(change)
    decision = arrays.decide()
    written = {
        arrays.names[owner]: arrays.named(decision.neighbours[line], decision.distances[line])
        for line, owner in enumerate(decision.owner)
    }
    refill = {arrays.names[row] for row in decision.refill}
    event(f"written: {bool(written)}, refill: {bool(refill)}")
    assert not refill & written.keys()
    for name in arrays.owners:
        if name not in refill:
            found = written.get(name, arrays.stored(name))
            assert found == nearest(change.after, name, change.k), name
    assert refill | written.keys() <= set(arrays.owners)


@settings(max_examples=60, deadline=None)
@given(change=changes())
def test_only_lists_that_have_lost_members_beyond_their_known_part_are_searched_anew(
    change: Change,
) -> None:
    arrays = Arrays(change)
    for row in arrays.decide().refill:
        name = arrays.names[row]
        stored = arrays.stored(name)
        true = {other: distance for distance, other in nearest(change.after, name, 20)}
        changed = {arrays.names[each] for each in arrays.changed}
        assert len(stored) == change.k  # a shorter list held all others: it lacks none of them
        assert any(
            other not in true or (other in changed and true[other] >= distance)
            for distance, other in stored
        )
        _, last = stored[-1]
        assert last in changed or nearest(change.after, name, change.k)[-1][1] != last


@settings(max_examples=60, deadline=None)
@given(change=changes())
def test_the_links_name_every_entrant_and_every_holder(change: Change) -> None:
    arrays = Arrays(change)
    if not arrays.names:
        return
    exact = Exact(arrays.vectors, arrays.order, change.k, threads=1)
    radii = np.full(len(arrays.names), np.nan, np.float32)
    for name in arrays.unchanged:
        radii[arrays.row[name]] = arrays.radius(name)
    moved = [each for name, each in change.before.items() if change.after.get(name) != each]
    before = np.array([[each.x, each.y] for each in moved], np.float32).reshape(-1, 2)
    links = find_links(exact, arrays.vectors, radii, arrays.changed, before)

    wanted, found = arrays.entrants(), links.entrants
    assert pairs(found) == pairs(wanted)
    assert (np.diff(found.owner) >= 0).all()
    for line, row in enumerate(links.changed):
        own = arrays.named(links.neighbours[line], links.distances[line])
        assert own == nearest(change.after, arrays.names[row], change.k)
    holders = {arrays.names[row] for row in links.holders}
    for name in arrays.unchanged:
        listed = {other for _, other in nearest(change.before, name, change.k)}
        if any(change.before[other] != change.after.get(other) for other in listed):
            assert name in holders


def test_entrants_are_within_the_radius_though_the_product_selects_with_a_margin() -> None:
    """Far from the origin the product's rounding is larger than the distances."""
    rng = np.random.default_rng(3)
    vectors = (300 + rng.normal(size=(400, 8)) * 0.01).astype(np.float32)
    exact = Exact(vectors, np.arange(400, dtype=np.int32), 10, threads=1)
    changed = np.arange(20)
    radii = exact.search(np.arange(400))[1][:, -1]
    radii[changed] = np.nan
    entrants = find_links(exact, vectors, radii, changed, vectors[:0]).entrants
    assert 0 < len(entrants.owner) < len(exact.search_and_link(changed, radii)[3])
    assert (entrants.distance <= radii[entrants.owner]).all()


def pairs(entrants: Entrants) -> set[tuple[int, int, float]]:
    return set(
        zip(
            entrants.owner.tolist(),
            entrants.entrant.tolist(),
            entrants.distance.tolist(),
            strict=True,
        )
    )


def test_a_list_keeps_its_place_when_nobody_in_it_changes() -> None:
    """On a line at 0, 1, 2, …: a recording comes that is beyond the end of the only list."""
    lists = StoredLists(
        np.array([0], np.int32),
        np.array([[1, 2]], np.int32),
        np.array([[1, 2]], np.float32),
        np.array([2]),
    )
    vectors = np.array([[0], [1], [2], [2]], np.float32)
    order = np.arange(4, dtype=np.int32)
    entrants = Entrants(np.array([0]), np.array([3]), np.array([2], np.float32))
    decision = decide(lists, entrants, np.array([3]), vectors, order, inverse(order))
    assert decision.owner.tolist() == decision.refill.tolist() == []
    # With the first MBID of its ties it pushes the last member out.
    order = np.array([1, 2, 3, 0], np.int32)
    decision = decide(lists, entrants, np.array([3]), vectors, order, inverse(order))
    assert decision.neighbours.tolist() == [[1, 3]]
    assert decision.distances.tolist() == [[1, 2]]


def test_a_list_that_lost_its_last_member_is_searched_anew_unless_an_entrant_is_nearer() -> None:
    lists = StoredLists(
        np.array([0], np.int32),
        np.array([[1, -1]], np.int32),
        np.array([[1, 2]], np.float32),
        np.array([2]),
    )
    vectors = np.array([[0], [1], [3], [1.5]], np.float32)
    order = np.arange(4, dtype=np.int32)
    none = Entrants(np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0, np.float32))
    changed = np.empty(0, np.intp)
    decision = decide(lists, none, changed, vectors, order, inverse(order))
    assert decision.refill.tolist() == [0]
    nearer = Entrants(np.array([0]), np.array([3]), np.array([1.5], np.float32))
    decision = decide(lists, nearer, np.array([3]), vectors, order, inverse(order))
    assert decision.refill.tolist() == []
    assert decision.neighbours.tolist() == [[1, 3]]


def test_a_list_whose_last_member_comes_nearer_has_lost_nobody() -> None:
    """Its other members tie at the distance where the last one was."""
    lists = StoredLists(
        np.array([0], np.int32),
        np.array([[1, 2]], np.int32),
        np.array([[2, 2]], np.float32),
        np.array([2]),
    )
    vectors = np.array([[0], [2], [1], [2]], np.float32)
    order = np.array([0, 1, 2, 3], np.int32)
    entrants = Entrants(np.array([0]), np.array([2]), np.array([1], np.float32))
    decision = decide(lists, entrants, np.array([2]), vectors, order, inverse(order))
    assert decision.refill.tolist() == []
    assert decision.neighbours.tolist() == [[2, 1]]
