"""What changes between two profiles of one collection."""

from dataclasses import replace
from pathlib import Path

from pgsim.features.change import ProfileChange
from pgsim.features.profile import Profile, parse_profile

HEAD = 'name = "p"\nextractor = "x"\ngenre_scheme = "tag"\n'


def profile(*sets: str, head: str = HEAD) -> Profile:
    """A profile of sets given as `name length weight transform`; by default 2, 1 and zscore."""
    text = head
    for each in sets:
        given = each.split()
        name, length, weight, transform = given + ["2", "1", "zscore"][len(given) - 1 :]
        text += (
            f'[[set]]\nname = "{name}"\npath = "{name}"\nlength = {length}\nweight = {weight}\n'
            f'transform = "{transform}"\naggregate = "mean"\n'
        )
    return parse_profile(text, Path("p.toml"))


def change(held: Profile, wanted: Profile) -> ProfileChange:
    return ProfileChange(held, wanted)


def test_a_learned_map_stays_where_the_values_mean_the_same() -> None:
    learned = ((2.0, 0.5), (0.5, 1.0))
    held = profile("a 2 1 rank", "b 2 1")
    held = replace(held, sets=tuple(replace(each, map=learned) for each in held.sets))
    same = ProfileChange.between(held, profile("a 2 1 rank", "b 2 1"))
    assert same.is_none
    other = ProfileChange.between(held, profile("a 2 1 rank", "b 2 1 rank", "c"))
    assert [each.map for each in other.wanted.sets] == [learned, None, None]
    assert list(other.retransformed) == ["b"]
    given = profile("a 2 1 rank", "b 2 1")
    first = replace(given.sets[0], map=((1.0, 0.0), (0.0, 1.0)))
    given = replace(given, sets=(first, given.sets[1]))
    assert list(ProfileChange.between(held, given).retransformed) == ["a"]


def test_the_same_profile_changes_nothing() -> None:
    same = change(profile("a", "b"), profile("a", "b"))
    assert same.is_none
    assert not any((same.moves, same.makes_vectors, same.added, same.removed))


def test_weights_that_are_the_same_shares_change_nothing() -> None:
    assert change(profile("a 2 1", "b 2 3"), profile("a 2 10", "b 2 30")).is_none


def test_an_added_set_takes_its_share_from_the_others() -> None:
    grown = change(profile("a", "b"), profile("a", "new 5 2", "b"))
    assert (grown.added, grown.removed) == (["new"], [])
    assert grown.reweighted == {"a": (0.5, 0.25), "b": (0.5, 0.25)}
    assert grown.moves
    assert [(length, old and old.position) for length, old in grown.parts()] == [
        *((2, 0), (5, None), (2, 2))
    ]


def test_a_set_at_the_end_moves_no_other_but_the_vector_grows() -> None:
    assert change(profile("a"), profile("a", "b")).moves


def test_a_removed_set_moves_those_behind_it() -> None:
    shrunk = change(profile("a", "b", "c"), profile("a", "c"))
    assert (shrunk.added, shrunk.removed) == ([], ["b"])
    assert [old and old.position for _, old in shrunk.parts()] == [0, 4]


def test_sets_in_another_order_move() -> None:
    turned = change(profile("a", "b"), profile("b", "a"))
    assert turned.moves
    assert not any((turned.added, turned.removed, turned.reweighted))


def test_weights_and_transforms_make_vectors_but_move_nothing() -> None:
    weighted = change(profile("a", "b"), profile("a 2 3", "b"))
    assert weighted.makes_vectors
    assert not weighted.moves
    assert weighted.reweighted == {"a": (0.5, 0.75), "b": (0.5, 0.25)}
    transformed = change(profile("a"), profile("a 2 1 rank"))
    assert transformed.retransformed == {"a": "rank, mean"}
    assert transformed.makes_vectors
    assert not transformed.moves


def test_a_set_of_another_length_or_path_is_another_set() -> None:
    longer = change(profile("a", "b"), profile("a 3", "b"))
    assert (longer.added, longer.removed) == (["a"], ["a"])
    assert [old and old.name for _, old in longer.parts()] == [None, "b"]


def test_columns_and_names_make_no_vectors() -> None:
    columns = HEAD + '[columns]\nmbid = "mbid"\n'
    by_table = change(profile("a"), profile("a", head=columns))
    assert not by_table.is_none
    assert not by_table.makes_vectors
