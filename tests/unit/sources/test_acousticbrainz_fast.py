"""The fast reader of documents has the same result as parsing them whole."""

import json
import random
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgsim.errors import PgsimError
from pgsim.features.profile import Profile, read_profile
from pgsim.sources import acousticbrainz
from pgsim.sources.acousticbrainz_fast import read_wanted
from pgsim.sources.streams.files import Member
from tests.support.archives import documents

PROFILE = read_profile("acousticbrainz")
MBID = "0dad432b-16cc-4bf0-8961-fd31d124b01b"
WHOLE = [
    orjson.loads(data)
    for level in ("highlevel", "lowlevel")
    for _, data in documents(level, 5, seed=1)
]
VALUES: list[Any] = [
    None, 0, 1, 0.5, -1, 2**64, 1e30, True, "x", "roc", "\0y", "\ud800", [], ["x", 2], {}, {"a": 1},
    {"a": "b"}, {"a": {"b": 2**70}}, MBID,
]  # fmt: skip
ENVELOPE = ["mbid", "number", "source_id", "url", "extra", "rhythm", "tonal", "highlevel"]


def read(data: bytes, profile: Profile = PROFILE, *, fast: bool = True) -> object:
    """What is stored of a document, or the reason why it is rejected."""
    try:
        found = acousticbrainz.submission(Member("x.ndjson:1", data), profile, fast=fast)
    except PgsimError as error:
        return str(error)
    metadata = orjson.dumps(found.metadata, option=orjson.OPT_SORT_KEYS)
    return found.mbid, found.number, found.document, found.features.tobytes(), metadata


def test_harmony_is_read_alike_by_both_readers() -> None:
    profile = read_profile("acousticbrainz_harmony")
    for body in WHOLE:
        data = orjson.dumps({"mbid": MBID, "number": 1, **body})
        assert read(data, profile) == read(data, profile, fast=False)
        features = acousticbrainz.submission(Member("x.ndjson:1", data), profile).features
        is_there = not np.isnan(features[PROFILE.dimensions :]).any()
        assert is_there == ("tonal" in body)


def own_profile(folder: Path, **paths: str) -> Profile:
    """A profile of sets of one dimension each, read from these paths."""
    sets = "".join(
        f'[[set]]\nname = "{name}"\npath = "{path}"\nlength = 1\n'
        f'form = "{"probabilities" if path.startswith("highlevel") else "numbers"}"\n'
        'transform = "zscore"\naggregate = "mean"\nweight = 0.5\n'
        for name, path in paths.items()
    )
    path = folder / "own.toml"
    path.write_text(f'name = "own"\nextractor = "acousticbrainz"\ngenre_scheme = "tag"\n{sets}')
    return read_profile(str(path))


def changed(seed: int, values: list[Any]) -> bytes:
    """A document in which some values were exchanged or left out."""
    chance = random.Random(seed)
    document: Any = json.loads(json.dumps(chance.choice(WHOLE)))
    for value in values:
        at = document
        while True:
            keys = list(at) if isinstance(at, dict) else range(len(at))
            key = chance.choice(keys)
            if not isinstance(at[key], dict | list) or not at[key] or chance.random() < 0.2:
                break
            at = at[key]
        at[key] = deepcopy(value)
        if chance.random() < 0.2:
            document[chance.choice(ENVELOPE)] = deepcopy(value)
    return json.dumps(document).encode()


@settings(deadline=None)
@given(seed=st.integers(0, 10**6), values=st.lists(st.sampled_from(VALUES), max_size=3))
def test_the_fast_reader_finds_what_parsing_the_whole_finds(seed: int, values: list[Any]) -> None:
    data = changed(seed, values)
    assert read(data) == read(data, fast=False)


@pytest.mark.parametrize("document", WHOLE[:1] + WHOLE[-1:])
def test_what_is_not_wanted_is_passed_over(document: dict[str, Any]) -> None:
    data = orjson.dumps(document | {"odd": [1]})
    assert read_wanted(data, PROFILE) is not None
    assert read(data) == read(data, fast=False)


def test_the_fast_reader_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    def unexpected(*_: object) -> None:
        raise AssertionError("the fast reader was used")

    data = orjson.dumps(WHOLE[0] | {"mbid": MBID})
    assert read(data) == read(data, fast=False)
    monkeypatch.setattr(acousticbrainz, "read_wanted", unexpected)
    read(data, fast=False)
    with pytest.raises(AssertionError, match="was used"):
        read(data)


@pytest.mark.parametrize(
    "data",
    [
        b'{"odd": "\xff"}',
        b'{"odd": NaN}',
        b'{"odd": 01}',
        b'{"odd": ' + b"[" * 100_000,
        b'{"number": 18446744073709551616}',
        b'{"rhythm": {"odd": 1}}',
        b"[]",
    ],
)
def test_an_unusual_document_is_left_to_be_parsed_whole(data: bytes) -> None:
    assert read_wanted(data, PROFILE) is None


@pytest.mark.parametrize(
    "paths",
    [
        {"one": "embedding"},
        {"one": "highlevel.gender.all.male"},
        {"one": "rhythm.bpm", "two": "highlevel.gender.all.male", "three": "a.b-c.d"},
        {"one": "lowlevel.average_loudness", "two": "embedding"},
        {"one": "a.__import__('os').b", "two": "x,y).z"},  # no text of a path is compiled
    ],
)
def test_any_path_can_be_wanted(tmp_path: Path, paths: dict[str, str]) -> None:
    profile = own_profile(tmp_path, **paths)
    high, low = WHOLE[0], WHOLE[-1]
    own = {"embedding": 0, "a": {"b-c": {"d": [7]}, "__import__('os')": {"b": 3}}}
    own |= {"x,y)": {"z": 4}}
    for document in (high | low | own, high | own, low | own, high, low):
        data = orjson.dumps({"mbid": MBID, **document})
        assert read(data, profile) == read(data, profile, fast=False)


@pytest.mark.parametrize(
    "paths",
    [
        {"one": "a.b", "two": "a.b.c"},
        {"one": "a.b.c", "two": "a.b"},
        {"one": "highlevel.gender.probability"},
        {"one": "metadata.audio_properties.length"},
        {"one": "rhythm"},
    ],
)
def test_a_path_within_another_is_left_to_the_whole(tmp_path: Path, paths: dict[str, str]) -> None:
    profile = own_profile(tmp_path, **paths)
    data = orjson.dumps(WHOLE[0] | {"a": {"b": 1}, "rhythm": [1]})
    assert read_wanted(data, profile) is None
