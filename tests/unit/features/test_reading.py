"""Features: the genuine values, what coincides, what is missing, what is rejected."""

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pgsim.errors import Rejected
from pgsim.features.forms import FORMS
from pgsim.features.metrics import GENRE_LABELS, METRICS
from pgsim.features.profile import FeatureSet, Profile, read_profile
from pgsim.features.reading import extract
from tests.support.genuine import ACOUSTICBRAINZ, needs_genuine

PROFILE = read_profile("acousticbrainz")
KEYS = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]


def genuine(level: str, mbid: str) -> dict[str, Any]:
    path = ACOUSTICBRAINZ / level / mbid[:2] / mbid[2] / f"{mbid}-0.json"
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document


def features(name: str, document: dict[str, Any]) -> NDArray[np.float32]:
    return extract(document, PROFILE)[PROFILE.set(name).slice]


def tonal(key: object, scale: object) -> dict[str, Any]:
    return {"tonal": {"key_key": key, "key_scale": scale}}


def classified(model: str, probabilities: object) -> dict[str, Any]:
    return {"highlevel": {model: {"all": probabilities}}}


def one_set(transform: str, form: str = "numbers", length: int = 2) -> Profile:
    """A profile of one set, at the path `x`."""
    each = FeatureSet("x", ("x",), form, length, transform, "mean", 1.0, 0)
    return Profile("one", "any", "tag", (each,))


@needs_genuine
@pytest.mark.parametrize(
    ("level", "mbid", "name", "values"),
    [
        ("lowlevel", "0dad432b-16cc-4bf0-8961-fd31d124b01b", "key", [0.5, 0.8660254]),
        ("lowlevel", "0dad432b-16cc-4bf0-8961-fd31d124b01b", "bpm", [0.69130100, 0.72256690]),
        ("lowlevel", "0dad432b-16cc-4bf0-8961-fd31d124b01b", "onsetrate", [0.82319608, 0.56775717]),
        ("lowlevel", "0dad432b-16cc-4bf0-8961-fd31d124b01b", "logonsetrate", [1.06887590885]),
        (
            "highlevel",
            "0dad432b-16cc-4bf0-8961-fd31d124b01b",
            "moods",
            [0.0581060946, 0.953247070, 0.0500397794, 0.995198727, 0.0156338010],
        ),
        (
            "highlevel",
            "0dad432b-16cc-4bf0-8961-fd31d124b01b",
            "instruments",
            [0.988367856, 0.0248921476, 0.965500116],
        ),
        ("lowlevel", "e8afe383-1478-497e-90b1-7885c7f37f6e", "bpm", [0.33141968, 0.94348344]),
        ("lowlevel", "e8afe383-1478-497e-90b1-7885c7f37f6e", "onsetrate", [0.28764505, 0.95773708]),
    ],
)
def test_genuine_documents_give_the_known_values(
    level: str, mbid: str, name: str, values: list[float]
):
    assert features(name, genuine(level, mbid)) == pytest.approx(values, abs=1e-6)


@needs_genuine
@pytest.mark.parametrize(("name", "weighted"), [("mfccs", "mfccsw"), ("gfccs", "gfccsw")])
def test_z_scores_of_two_genuine_recordings_are_1_and_decay(name: str, weighted: str):
    rows = np.array(
        [
            features(name, genuine("lowlevel", mbid)).astype(np.float64)
            for mbid in (
                "0dad432b-16cc-4bf0-8961-fd31d124b01b",
                "e8afe383-1478-497e-90b1-7885c7f37f6e",
            )
        ]
    )
    scores = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    assert np.abs(scores) == pytest.approx(1, abs=1e-6)
    decayed = scores * METRICS[weighted].decay ** np.arange(METRICS[weighted].length)
    assert np.abs(decayed[0]) == pytest.approx([0.95**i for i in range(13)], abs=1e-6)


@needs_genuine
def test_classes_come_in_the_order_of_their_labels():
    document = genuine("highlevel", "0dad432b-16cc-4bf0-8961-fd31d124b01b")
    classes = document["highlevel"]["genre_dortmund"]["all"]
    assert list(classes) != sorted(classes)
    assert features("dortmund", document) == pytest.approx([classes[i] for i in sorted(classes)])


def test_the_twelve_metrics_are_67_dimensions_with_one_mfcc_and_one_gfcc_variant():
    assert len(METRICS) == 12
    assert sum(metric.length for metric in METRICS.values() if metric.of == metric.name) == 67
    assert {name: metric.of for name, metric in METRICS.items() if metric.decay != 1} == {
        "mfccsw": "mfccs",
        "gfccsw": "gfccs",
    }


@given(st.floats(1e-3, 1e4))
def test_a_tempo_and_its_double_coincide(bpm: float):
    one = features("bpm", {"rhythm": {"bpm": bpm}})
    double = features("bpm", {"rhythm": {"bpm": bpm * 2}})
    assert one == pytest.approx(double, abs=1e-6)
    assert np.linalg.norm(one) == pytest.approx(1, abs=1e-6)


@given(st.floats(1, 1.99), st.floats(1.001, 1.99))
def test_tempi_within_an_octave_differ(bpm: float, ratio: float):
    one = features("bpm", {"rhythm": {"bpm": bpm}})
    other = features("bpm", {"rhythm": {"bpm": bpm * ratio}})
    assert np.linalg.norm(one - other) > 1e-4


@given(st.integers(0, 11))
def test_a_minor_key_coincides_with_its_relative_major_and_no_other(place: int):
    minor = features("key", tonal(KEYS[place], "minor"))
    for other in range(12):
        distance = np.linalg.norm(minor - features("key", tonal(KEYS[other], "major")))
        assert (distance < 1e-6) == (other == (place + 3) % 12)


def test_neighbours_on_the_circle_of_fifths_are_30_degrees_apart():
    c, g = (features("key", tonal(key, "major")) for key in ("C", "G"))
    assert c == pytest.approx([1, 0])
    assert float(c @ g) == pytest.approx(math.cos(math.tau / 12))


@pytest.mark.parametrize(
    ("flat", "sharp"), [("Bb", "A#"), ("Eb", "D#"), ("Ab", "G#"), ("Db", "C#"), ("Gb", "F#")]
)
def test_a_flat_key_is_its_sharp(flat: str, sharp: str):
    assert (features("key", tonal(flat, "minor")) == features("key", tonal(sharp, "minor"))).all()


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("bpm", {"rhythm": {"bpm": 0}}),
        ("bpm", {"rhythm": {"bpm": 0.0}}),
        ("bpm", {"rhythm": {"bpm": None}}),
        ("bpm", {"rhythm": None}),
        ("bpm", {}),
        ("onsetrate", {"rhythm": {"onset_rate": 0}}),
        ("logonsetrate", {"rhythm": {"onset_rate": 0}}),
        ("logonsetrate", {"rhythm": {"onset_rate": 1e-60}}),
        ("key", tonal("H", "major")),
        ("key", tonal("C", "dorian")),
        ("key", {"tonal": {"key_key": "C"}}),
        ("mfccs", {"lowlevel": {"mfcc": {}}}),
        ("moods", classified("mood_happy", {"happy": 1, "not_happy": 0})),
        ("rosamerica", {"highlevel": {}}),
    ],
)
def test_a_value_that_means_nothing_is_missing(name: str, document: dict[str, Any]):
    assert np.isnan(features(name, document)).all()


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"lowlevel": {"mfcc": {"mean": [1.0] * 12}}}, "lowlevel.mfcc.mean: 12 numbers; 13 are"),
        ({"lowlevel": {"mfcc": {"mean": [1.0] * 12 + [math.nan]}}}, "nan is not a finite number"),
        ({"lowlevel": {"mfcc": {"mean": [1.0] * 12 + [-math.inf]}}}, "-inf is not a finite number"),
        ({"lowlevel": {"mfcc": {"mean": [1.0] * 12 + [1e39]}}}, "1e+39 is too large for a 4-byte"),
        ({"lowlevel": {"mfcc": {"mean": [1.0] * 12 + [10**400]}}}, "is too large for a 4-byte"),
        ({"lowlevel": {"mfcc": {"mean": [1.0] * 12 + ["1"]}}}, "'1' is not a number"),
        ({"lowlevel": {"mfcc": {"mean": [1.0] * 12 + [True]}}}, "True is not a number"),
        ({"lowlevel": {"mfcc": {"mean": [1.0] * 12 + [None]}}}, "None is not a number"),
        ({"lowlevel": {"mfcc": {"mean": {"0": 1}}}}, "an object of 1 keys is not a number"),
        ({"lowlevel": {"mfcc": [1, 2]}}, "lowlevel.mfcc: a list of 2 is not an object"),
        ({"rhythm": {"bpm": -120}}, "rhythm.bpm: -120 is negative"),
        ({"rhythm": {"bpm": [120]}}, "rhythm.bpm: a list of 1 is not a number"),
        ({"rhythm": {"onset_rate": "fast"}}, "rhythm.onset_rate: 'fast' is not a number"),
        (tonal(3, "major"), "tonal.key_key and 1 more: 3 is not the text of a key or scale"),
        (classified("genre_rosamerica", {"roc": 1.0}), "missing or unknown: ['cla', 'dan', 'hip',"),
        (
            classified("genre_rosamerica", dict.fromkeys("abcdefgh", 0.125)),
            "not the labels of this classifier",
        ),
        (
            classified("genre_rosamerica", [0.125] * 7 + [1.5]),
            "highlevel.genre_rosamerica.all: a list of 8 is not a number",
        ),
    ],
)
def test_a_wrong_value_is_rejected_with_its_path(document: dict[str, Any], reason: str):
    with pytest.raises(Rejected) as raised:
        extract(document, PROFILE)
    assert reason in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan, 2])
def test_a_probability_outside_0_to_1_is_rejected(p: float):
    labels = GENRE_LABELS["highlevel.genre_rosamerica.all"]
    with pytest.raises(Rejected, match=r"highlevel\.genre_rosamerica\.all: "):
        extract(classified("genre_rosamerica", dict.fromkeys(labels, 0.0) | {"roc": p}), PROFILE)


def test_a_probability_beyond_1_by_float_noise_is_1():
    labels = GENRE_LABELS["highlevel.genre_rosamerica.all"]
    sure = dict.fromkeys(labels, -1e-9) | {"roc": 1.0000001}
    assert list(features("rosamerica", classified("genre_rosamerica", sure))) == [0] * 6 + [1, 0]


def test_integers_are_numbers():
    document = {"lowlevel": {"mfcc": {"mean": list(range(13))}}}
    assert list(features("mfccs", document)) == list(range(13))


def test_numbers_lay_nested_lists_flat():
    nested = {"x": [[1, 2], [3, [4.5]]]}
    assert list(extract(nested, one_set("zscore", length=4))) == [1, 2, 3, 4.5]


def test_a_zero_vector_has_no_direction():
    assert np.isnan(extract({"x": [0, 0.0]}, one_set("unit"))).all()
    assert list(extract({"x": [0, 0.5]}, one_set("unit"))) == [0, 0.5]


@pytest.mark.parametrize("transform", ["log", "hellinger"])
def test_a_negative_number_is_rejected_where_the_transform_is_not_defined(transform: str):
    with pytest.raises(Rejected, match=rf"x: -1 is negative; the transform '{transform}'"):
        extract({"x": [1, -1]}, one_set(transform))


def test_two_profiles_of_one_name_are_not_confused():
    one = one_set("zscore")
    other = replace(one, sets=(replace(one.sets[0], paths=("y",)),))
    document = {"x": [1, 2], "y": [3, 4]}
    assert list(extract(document, one)) == [1, 2]
    assert list(extract(document, other)) == [3, 4]


@given(
    st.sampled_from(sorted(FORMS)),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    ),
)
def test_any_value_gives_stored_numbers_or_nothing_or_a_reason(form: str, value: object):
    length = FORMS[form].length or 2
    paths = ("x",) * (FORMS[form].paths or 1)
    profile = one_set("zscore", form, length)
    profile = replace(profile, sets=(replace(profile.sets[0], paths=paths),))
    try:
        numbers = extract({"x": value}, profile)
    except Rejected:
        return
    assert numbers.shape == (length,)
    assert numbers.dtype == np.float32
    assert np.isfinite(numbers).all() or np.isnan(numbers).all()
