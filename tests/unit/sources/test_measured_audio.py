"""Documents without a number or an MBID are told apart by the audio that they measure."""

import copy
import json
import zlib
from typing import Any
from uuid import UUID, uuid5

import pytest

from pgsim.features.profile import read_profile
from pgsim.sources.acousticbrainz import submission
from pgsim.sources.measured_audio import audio_id, file_name
from pgsim.sources.streams.files import Member
from pgsim.sources.submission import NAMESPACE, Submission
from tests.support.documents import high_level, low_level

PROFILE = read_profile("acousticbrainz")
MBID = "0dad432b-16cc-4bf0-8961-fd31d124b01b"
MD5, OTHER = "41de5a3b21e83a7b6c1bc8cd25eba7f9", "352a1c6445c0752251e39afaeb7a3992"


def document(
    seed: int, md5: str | None = None, *, high: bool = False, **tags: Any
) -> dict[str, Any]:
    made = copy.deepcopy((high_level if high else low_level)(seed).body)
    made["metadata"]["tags"] = tags
    if md5 is not None:
        made["metadata"]["audio_properties"]["md5_encoded"] = md5
    return made


def loaded(name: str, document: object) -> Submission:
    data = json.dumps(document).encode()
    fast = submission(Member(name, data), PROFILE)
    whole = submission(Member(name, data), PROFILE, fast=False)
    assert (fast.mbid, fast.number, fast.metadata) == (whole.mbid, whole.number, whole.metadata)
    return fast


def number(name: str, document: object) -> int:
    return loaded(name, document).number


def test_two_documents_of_one_mbid_are_two_submissions_wherever_they_lie():
    tags = {"musicbrainz_recordingid": [MBID]}
    for first, second in (
        (document(1, **tags), document(2, **tags)),
        (document(1, MD5, **tags), document(1, OTHER, **tags)),
        (document(1, MD5, **tags), document(1, **tags)),
        ({"mbid": MBID, **document(1)}, {"mbid": MBID, **document(2)}),
    ):
        numbers = [number("01 album.json", first), number("07 best of.json", second)]
        assert numbers == [number("x.tar:a/1.json", first), number("x.ndjson:7", second)]
        assert numbers[0] != numbers[1]
        assert all(0 <= each < 2**31 for each in numbers)


def test_one_audio_tagged_anew_is_the_same_submission_and_its_levels_meet():
    number_of = zlib.crc32(MD5.encode()) >> 1
    for each in (
        document(1, MD5, musicbrainz_recordingid=[MBID], title=["Tune"]),
        document(1, MD5, musicbrainz_recordingid=[MBID], title=["Tune (single)"]),
        document(1, MD5, high=True, musicbrainz_recordingid=[MBID]),
        {"mbid": MBID, **document(1, MD5)},
        {"mbid": MBID, "number": None, **document(1, MD5)},
    ):
        found = loaded("a.json", each)
        assert (found.mbid, found.number) == (UUID(MBID), number_of)


def test_a_number_that_is_given_counts():
    tagged = document(1, MD5, musicbrainz_recordingid=[MBID])
    assert number(f"{MBID}-3.json", tagged) == 3
    assert number(f"{MBID}.json", tagged) == 0
    assert number("x.ndjson:1", {"number": 5, **tagged}) == 5


@pytest.mark.parametrize("high", [False, True])
def test_a_document_without_an_mbid_is_known_by_its_audio(high: bool):
    found = loaded("a.json", document(1, MD5, high=high, file_name="07 Tune.flac"))
    assert found.mbid == uuid5(NAMESPACE, f"acousticbrainz:{MD5}")
    assert found.number == zlib.crc32(MD5.encode()) >> 1
    assert (found.metadata["source_id"], found.metadata["title"]) == ("07 Tune.flac", "07 Tune")
    assert "recording_mbid" not in found.metadata


def test_what_the_document_says_itself_is_kept():
    one = document(1, MD5, file_name="07 Tune.flac", title=["Tune"])
    found = loaded("a.ndjson:1", {"source_id": "mine", "url": "https://x.org/7", **one})
    assert found.metadata["title"] == "Tune"
    assert (found.metadata["source_id"], found.metadata["url"]) == ("mine", "https://x.org/7")


def test_without_md5_and_file_name_the_document_itself_is_its_id():
    one, other = document(1, title=["Tune"]), document(1, title=["Another"])
    found = loaded("a.json", one)
    assert found.metadata["source_id"] == audio_id(one)
    assert found.mbid == uuid5(NAMESPACE, f"acousticbrainz:{audio_id(one)}")
    backwards = dict(reversed(one.items()))
    assert loaded("b.json", backwards).mbid == found.mbid
    assert loaded("a.json", other).mbid != found.mbid


@pytest.mark.parametrize(
    "md5", ["", "x" * 32, MD5[1:], MD5.upper(), "d41d8cd98f00b204e9800998ecf8427e", 7, [MD5], None]
)
def test_what_is_no_md5_of_any_audio_is_none(md5: object):
    first, second = document(1), document(2)
    for each in (first, second):
        each["metadata"]["audio_properties"]["md5_encoded"] = md5
    assert audio_id(first) != audio_id(second)


@pytest.mark.parametrize(
    ("given", "name"),
    [("a.mp3", "a.mp3"), (["a.mp3"], "a.mp3"), ([], ""), (7, ""), (None, ""), ("\0", "")],
)
def test_the_name_of_the_file_is_a_text(given: object, name: str):
    assert file_name({"metadata": {"tags": {"file_name": given}}}) == name
    assert file_name({"metadata": 7}) == ""


def test_half_a_surrogate_pair_and_a_number_of_any_size_have_an_id():
    data = b'{"rhythm": {"bpm": 1, "x": 99999999999999999999999}, "odd": "\\ud800"}'
    found = submission(Member("a.json", data), PROFILE)
    assert found.metadata["source_id"]
