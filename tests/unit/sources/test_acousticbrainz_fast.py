"""The wanted part of a document says the same as the whole of it."""

import json
import random
from copy import deepcopy
from pathlib import Path
from typing import Any

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


def told(data: bytes, profile: Profile = PROFILE) -> object:
    """What is stored of a document, or the reason why it is rejected."""
    try:
        found = acousticbrainz.submission(Member("x.ndjson:1", data), profile)
    except PgsimError as error:
        return str(error)
    metadata = orjson.dumps(found.metadata, option=orjson.OPT_SORT_KEYS)
    return found.mbid, found.number, found.document, found.features.tobytes(), metadata


def told_whole(data: bytes, profile: Profile = PROFILE) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(acousticbrainz, "read_wanted", lambda *_: None)
        return told(data, profile)


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
def test_the_wanted_part_of_a_document_says_what_the_whole_says(
    seed: int, values: list[Any]
) -> None:
    data = changed(seed, values)
    assert told(data) == told_whole(data)


@pytest.mark.parametrize("document", WHOLE[:1] + WHOLE[-1:])
def test_what_is_not_wanted_is_passed_over(document: dict[str, Any]) -> None:
    data = orjson.dumps(document | {"odd": [1]})
    assert read_wanted(data, PROFILE) is not None
    assert told(data) == told_whole(data)


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
def test_the_whole_tells_where_the_wanted_part_cannot(data: bytes) -> None:
    assert read_wanted(data, PROFILE) is None


@pytest.mark.parametrize(
    "paths",
    [
        {"one": "embedding"},
        {"one": "highlevel.gender.all.male"},
        {"one": "rhythm.bpm", "two": "highlevel.gender.all.male", "three": "a.b-c.d"},
        {"one": "lowlevel.average_loudness", "two": "embedding"},
    ],
)
def test_any_path_can_be_wanted(tmp_path: Path, paths: dict[str, str]) -> None:
    profile = own_profile(tmp_path, **paths)
    high, low = WHOLE[0], WHOLE[-1]
    own = {"embedding": 0, "a": {"b-c": {"d": [7]}}}
    for document in (high | low | own, high | own, low | own, high, low):
        data = orjson.dumps({"mbid": MBID, **document})
        assert told(data, profile) == told_whole(data, profile)


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
def test_the_whole_tells_what_is_wanted_in_two_ways(tmp_path: Path, paths: dict[str, str]) -> None:
    profile = own_profile(tmp_path, **paths)
    data = orjson.dumps(WHOLE[0] | {"a": {"b": 1}, "rhythm": [1]})
    assert read_wanted(data, profile) is None
