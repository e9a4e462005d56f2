"""Profiles: the shipped ones, and the errors for wrong ones."""

from dataclasses import replace
from pathlib import Path

import pytest

from pgsim.errors import UsageError
from pgsim.features.profile import SHIPPED, Profile, read_profile

HEAD = 'name = "mine"\nextractor = "essentia"\ngenre_scheme = "tag"\n'
LOUDNESS = """
[[set]]
name = "loudness"
path = "lowlevel.average_loudness"
length = 1
transform = "zscore"
aggregate = "median"
weight = 1
"""


def read(folder: Path, text: str) -> Profile:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return read_profile(str(path))


def test_the_acousticbrainz_profile_is_the_67_dimensions_of_the_metrics_and_the_log_onset_rate():
    profile = read_profile("acousticbrainz")
    assert profile.dimensions == 68
    assert [(each.name, each.length) for each in profile.sets] == [
        ("mfccs", 13),
        ("gfccs", 13),
        ("key", 2),
        ("bpm", 2),
        ("onsetrate", 2),
        ("logonsetrate", 1),
        ("moods", 5),
        ("instruments", 3),
        ("rosamerica", 8),
        ("dortmund", 9),
        ("tzanetakis", 10),
    ]


def test_the_acousticbrainz_profile_keeps_two_dimensional_sets_small():
    weight = {each.name: each.weight for each in read_profile("acousticbrainz").sets}
    small = {"key": 0.02, "bpm": 0.05, "onsetrate": 0.001, "logonsetrate": 0.029}
    assert all(weight[name] <= most + 1e-9 for name, most in small.items())
    assert sum(share for name, share in weight.items() if name not in small) >= 0.9


def test_the_profile_of_harmony_has_two_more_sets_and_the_others_weigh_alike():
    plain, harmony = read_profile("acousticbrainz"), read_profile("acousticbrainz_harmony")
    *shared, hpcp, chords = harmony.sets
    assert [(hpcp.name, hpcp.length), (chords.name, chords.length)] == [
        ("hpcp", 36),
        ("chords", 24),
    ]
    assert [replace(each, weight=0) for each in shared] == [
        replace(each, weight=0) for each in plain.sets
    ]
    left = 1 - hpcp.weight - chords.weight
    assert [each.weight / left for each in shared] == pytest.approx(
        [each.weight for each in plain.sets], abs=5e-4
    )


@pytest.mark.parametrize("name", sorted(path.stem for path in SHIPPED.glob("*.toml")))
def test_every_shipped_profile_reads_and_is_named_for_its_file(name: str):
    profile = read_profile(name)
    assert profile.name == name
    assert sum(each.weight for each in profile.sets) == pytest.approx(1)


def test_sets_lie_side_by_side():
    profile = read_profile("acousticbrainz")
    end = 0
    for each in profile.sets:
        assert each.slice == slice(end, end + each.length)
        end = each.slice.stop
    assert end == profile.dimensions


def test_weights_become_shares_that_sum_to_1(tmp_path: Path):
    profile = read(tmp_path, HEAD + LOUDNESS + LOUDNESS.replace("loudness", "more") + "")
    assert [each.weight for each in profile.sets] == [0.5, 0.5]


def test_an_unknown_set_is_named_beside_the_known_ones():
    with pytest.raises(UsageError, match=r"unknown feature set 'x'; known: mfccs, gfccs, key"):
        read_profile("acousticbrainz").set("x")


def test_an_unknown_profile_is_named_beside_the_shipped_ones():
    with pytest.raises(UsageError, match=r"unknown profile 'x'.*shipped: acousticbrainz"):
        read_profile("x")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name = ", "not TOML"),
        ("", "needs a 'name'"),
        (HEAD, "no feature set"),
        (HEAD + "colour = 1\n" + LOUDNESS, "unknown key 'colour' in the profile"),
        (HEAD + LOUDNESS + "colour = 1\n", "unknown key 'colour' in set 'loudness'"),
        (HEAD + LOUDNESS + LOUDNESS, "two sets are named 'loudness': rename one"),
        (HEAD + LOUDNESS.replace("zscore", "cube"), "unknown transform 'cube'; known: zscore"),
        (HEAD + LOUDNESS.replace("median", "mode"), "unknown aggregate 'mode'; known: median"),
        (
            HEAD + LOUDNESS.replace("weight = 1", "weight = 0"),
            "weight 0 is not a number from 0.001",
        ),
        (HEAD + LOUDNESS.replace("weight = 1", "weight = nan"), "weight nan is not a number"),
        (HEAD + LOUDNESS.replace("weight = 1", ""), "weight None is not a number"),
        (HEAD + LOUDNESS.replace("weight = 1", "weight = true"), "weight True is not a number"),
        (
            HEAD + LOUDNESS + LOUDNESS.replace("loudness", "more").replace("= 1\n", "= 2000\n"),
            "set 'loudness': its share of the weights is 0.0005, below 0.001",
        ),
        (HEAD + LOUDNESS.replace("length = 1", "length = 4001"), "at most 4000"),
        (HEAD + LOUDNESS.replace("length = 1", "length = 0"), "length 0 is not a number of dim"),
        (HEAD + LOUDNESS.replace("length = 1", ""), "length None is not a number of dim"),
        (HEAD + LOUDNESS.replace("length", "form = 'x'\nlength"), "unknown form 'x'; known: num"),
        (HEAD + LOUDNESS.replace("length", "form = 'octaves'\nlength"), "has 2 dimensions, not 1"),
        (HEAD + LOUDNESS.replace("length", "form = 'circle_of_fifths'\nlength"), "needs 2 paths"),
        (HEAD + LOUDNESS.replace("lowlevel.", "lowlevel.."), "is neither a dotted path"),
        (HEAD + LOUDNESS.replace('"lowlevel.average_loudness"', "[]"), "is neither a dotted path"),
        (HEAD + LOUDNESS.replace("path", "form"), "no 'path', and not one of the metrics mfccs"),
        (HEAD + LOUDNESS.replace('"loudness"', '"Loud ness"'), "lower-case letters, digits"),
        (HEAD + LOUDNESS.replace('"loudness"', "7"), "a set needs a 'name', a text; it is 7"),
        (HEAD + "set = [1]\n", "set 1 is not a table"),
        (
            HEAD + '[[set]]\nname = "mfccsw"\ntransform = "zscore"\naggregate = "mean"\nweight = 1',
            "set 'mfccsw': no 'path'",
        ),
        (
            HEAD + '[[set]]\nname = "key"\nlength = 2\ntransform = "isotropic"\n'
            'aggregate = "mean"\nweight = 1',
            "the metric defines 'length'",
        ),
        (HEAD + LOUDNESS + "map = [[1, 2]]\n", "the map is not 1 rows of 1 numbers"),
        (HEAD + LOUDNESS + "map = ['a']\n", "the map is not 1 rows of 1 numbers"),
        (HEAD + LOUDNESS + "map = [[nan]]\n", "the map is not symmetric"),
        (HEAD + LOUDNESS + "map = [[-1]]\n", "stretches one direction -1"),
    ],
)
def test_a_wrong_profile_is_refused_with_a_reason(tmp_path: Path, text: str, reason: str):
    with pytest.raises(UsageError) as raised:
        read(tmp_path, text)
    assert reason in str(raised.value)
    assert str(raised.value).startswith(f"profile {tmp_path / 'mine.toml'}")
    assert "\n" not in str(raised.value)


def test_a_profile_that_is_a_folder_or_no_utf_8_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="cannot read profile"):
        read_profile(str(tmp_path))
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    with pytest.raises(UsageError, match="is not UTF-8"):
        read_profile(str(tmp_path / "latin.toml"))


def test_a_set_can_have_a_map(tmp_path: Path):
    two = LOUDNESS.replace("length = 1", "length = 2")
    profile = read(tmp_path, HEAD + two + "map = [[2, 0.5], [0.5, 1]]\n")
    assert profile.sets[0].map == ((2.0, 0.5), (0.5, 1.0))  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="its row n must equal its column n"):
        read(tmp_path, HEAD + two + "map = [[2, 0.5], [0.4, 1]]\n")
