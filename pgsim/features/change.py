"""What changes in a collection when its profile becomes another one."""

from dataclasses import dataclass, replace
from math import isclose

from pgsim.features.profile import FeatureSet, Profile

# The transforms that need the numbers of a set to be so, and what they need.
NEEDS = {"hellinger": ("< 0", "0 or more"), "log": ("<= 0", "more than 0")}


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """The difference between the profile that a collection has and the one that it gets.

    A set is kept where both have it by the same name, from the same paths, in the same form and
    length: only then are stored values its own.
    """

    held: Profile
    wanted: Profile

    @classmethod
    def between(cls, held: Profile, wanted: Profile) -> "ProfileChange":
        """Return the change that leaves a set its learned map, where its values mean the same."""
        maps = {new.name: old.map for old, new in cls(held, wanted).kept if _scores(old, new)}
        sets = tuple(
            replace(each, map=each.map or maps.get(each.name, each.map)) for each in wanted.sets
        )
        return cls(held, replace(wanted, sets=sets))

    @property
    def kept(self) -> list[tuple[FeatureSet, FeatureSet]]:
        """Return the sets that keep their values, as they were and as they become."""
        before = {each.name: each for each in self.held.sets}
        pairs = [(before.get(each.name), each) for each in self.wanted.sets]
        return [(old, new) for old, new in pairs if old and _values(old) == _values(new)]

    @property
    def added(self) -> list[str]:
        """Return the sets that no submission has values of yet."""
        names = {new.name for _, new in self.kept}
        return [each.name for each in self.wanted.sets if each.name not in names]

    @property
    def removed(self) -> list[str]:
        """Return the sets whose values go; one that is read from elsewhere is added again."""
        names = {old.name for old, _ in self.kept}
        return [each.name for each in self.held.sets if each.name not in names]

    @property
    def reweighted(self) -> dict[str, tuple[float, float]]:
        """Return the kept sets with another share of the weights, before and after."""
        return {
            new.name: (old.weight, new.weight)
            for old, new in self.kept
            if not isclose(old.weight, new.weight, rel_tol=1e-9)
        }

    @property
    def retransformed(self) -> dict[str, str]:
        """Return the kept sets that are transformed, aggregated or mapped otherwise, and how.

        A map over all sets that comes or goes is one of "all sets".
        """
        across = {"all sets": "one map" if self.wanted.map else "each by itself again"}
        return (across if self.held.map != self.wanted.map else {}) | {
            new.name: f"{new.transform}, {new.aggregate}"
            for old, new in self.kept
            if (old.transform, old.aggregate, old.map) != (new.transform, new.aggregate, new.map)
        }

    @property
    def moves(self) -> bool:
        """Return whether values come, go, or move to other places."""
        places = [(old.position, new.position) for old, new in self.kept]
        is_all = len(places) == len(self.held.sets) == len(self.wanted.sets)
        return not is_all or any(old != new for old, new in places)

    @property
    def makes_vectors(self) -> bool:
        """Return whether vectors have to be made anew."""
        return bool(self.moves or self.reweighted or self.retransformed)

    @property
    def is_none(self) -> bool:
        """Return whether nothing changes: no vector, no way to read tables, and not the name."""
        same = (self.held.name, self.held.columns) == (self.wanted.name, self.wanted.columns)
        return same and not self.makes_vectors

    def parts(self) -> list[tuple[int, FeatureSet | None]]:
        """Return the length of each set in its new order, and the old set whose values it has."""
        old_of = {new.name: old for old, new in self.kept}
        return [(each.length, old_of.get(each.name)) for each in self.wanted.sets]


def _scores(old: FeatureSet, new: FeatureSet) -> bool:
    return (old.transform, old.aggregate) == (new.transform, new.aggregate)


def _values(each: FeatureSet) -> tuple[tuple[str, ...], str, int]:
    return each.paths, each.form, each.length
