"""The submission in a document of AcousticBrainz's, or the reason why there is none."""

import json
import pickle
from collections import Counter
from itertools import chain
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgsim.errors import Rejected
from pgsim.features.profile import read_profile
from pgsim.sources import acousticbrainz, inputs
from pgsim.sources.acousticbrainz import submission
from pgsim.sources.streams.files import Member
from pgsim.sources.submission import Submission
from tests.support.genuine import ACOUSTICBRAINZ, needs_genuine

PROFILE = read_profile("acousticbrainz")
MBID = "0dad432b-16cc-4bf0-8961-fd31d124b01b"
DOCUMENT: dict[str, Any] = {"rhythm": {"bpm": 120.0}}


def loaded(name: str, document: object) -> Submission:
    return submission(Member(name, json.dumps(document).encode()), PROFILE)


def test_the_members_name_is_authoritative():
    other = "e8afe383-1478-497e-90b1-7885c7f37f6e"
    document = {
        **DOCUMENT,
        "mbid": other,
        "number": 7,
        "metadata": {"tags": {"musicbrainz_recordingid": [other]}},
    }
    found = loaded(f"dump.tar:highlevel/0d/a/{MBID.upper()}-93.json", document)
    assert (found.mbid, found.number, found.source) == (UUID(MBID), 93, "acousticbrainz")
    assert found.metadata["recording_mbid"] == other


def test_without_a_name_the_envelope_then_the_tag_says_which_recording_it_is():
    tagged = {**DOCUMENT, "metadata": {"tags": {"musicbrainz_recordingid": [MBID.upper()]}}}
    other = "e8afe383-1478-497e-90b1-7885c7f37f6e"
    assert loaded("x.ndjson:1", tagged).mbid == UUID(MBID)
    assert loaded("x.ndjson:1", {"mbid": other, **tagged}).mbid == UUID(other)
    assert loaded("x.ndjson:1", {"mbid": other, "number": 4, **tagged}).number == 4
    assert loaded("x.ndjson:1", {"mbid": other, "number": 0, **tagged}).number == 0
    assert loaded("x.ndjson:1", {"mbid": None, **tagged}).mbid == UUID(MBID)


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"rhythm": {"bpm": 1}}, "lowlevel"),
        ({"rhythm": {"bpm": 1}, "highlevel": {}}, "lowlevel"),
        ({"rhythm": {"bpm": 1}, "highlevel": {"gender": {}}}, "document"),
    ],
)
def test_a_submission_says_which_kind_of_document_it_was(document: object, kind: str):
    assert loaded(f"{MBID}-0.json", document).document == kind


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("0.json", b"", "empty"),
        ("0.json", b"{", "not JSON: Expecting property name"),
        ("0.json", b'{"a": NaN}', "not JSON: NaN is not a number in JSON"),
        ("0.json", b'{"a": -Infinity}', "not JSON: -Infinity is not a number in JSON"),
        ("0.json", b'{"a": "\xff"}', "not UTF-8: invalid start byte at byte 7"),
        ("0.json", b"[]", "not a JSON object: []"),
        ("0.json", b"null", "not a JSON object: None"),
        ("0.json", b"[" * 100_000, "nested too deep"),
        ("0.json", b'{"a":' * 100_000, "nested too deep"),
        ("0.json", b'{"highlevel": {}, "metadata": null}', "no feature set of profile 'acoustic"),
        ("0.json", b'{"tags": {}}', "in it; its keys: 'tags'"),
        ("0.json", b'{"rhythm": {"bpm": 1e999}}', "inf is not a finite number"),
        (f"x{MBID}-0.json", b'{"rhythm": {"bpm": 1}}', "no MBID: one is in the name, which is"),
        (f"a.tar:b/{MBID}.low.json", b'{"rhythm": {"bpm": 1}}', "no MBID: one is in the name"),
        (
            f"{MBID}-2147483648.json",
            b'{"rhythm": {"bpm": 1}}',
            "number 2147483648 is not an integer",
        ),
        ("x.ndjson:1", b'{"mbid": "1", "rhythm": {"bpm": 1}}', "mbid '1' is not a UUID"),
        (
            "x.ndjson:1",
            b'{"mbid": "%s", "number": true, "rhythm": {"bpm": 1}}' % MBID.encode(),
            "number True is not an integer",
        ),
    ],
)
def test_a_document_that_cannot_be_loaded_is_rejected_with_a_reason(
    name: str, data: bytes, reason: str
):
    with pytest.raises(Rejected) as raised:
        submission(Member(name, data), PROFILE)
    assert reason in str(raised.value)
    assert "\n" not in str(raised.value)


def test_half_a_surrogate_pair_is_repaired_and_a_byte_order_mark_is_no_reason():
    data = b'\xef\xbb\xbf{"rhythm": {"bpm": 1}, "metadata": {"tags": {"title": ["a\\ud800"]}}}'
    found = submission(Member(f"{MBID}-0.json", data), PROFILE)
    assert (found.metadata["title"], found.repairs) == ("a\ufffd", 1)


def test_a_submission_can_go_to_another_process():
    found = loaded(f"{MBID}-0.json", DOCUMENT)
    copy = pickle.loads(pickle.dumps(found))
    assert (copy.mbid, copy.metadata) == (found.mbid, found.metadata)
    assert np.array_equal(copy.features, found.features, equal_nan=True)
    assert pickle.loads(pickle.dumps(submission)) is submission


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=13)
        | st.dictionaries(
            st.sampled_from(
                "lowlevel mfcc mean rhythm bpm tonal key_key key_scale highlevel"
                " genre_rosamerica all metadata tags mbid number".split()
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(JSON.map(json.dumps).map(str.encode) | st.binary(max_size=50))
def test_any_document_is_a_submission_or_rejected(data: bytes):
    try:
        found = submission(Member(f"{MBID}-0.json", data), PROFILE)
    except Rejected:
        return
    assert found.features.shape == (PROFILE.dimensions,)
    assert not np.isinf(found.features).any()


@needs_genuine
def test_every_genuine_document_is_accounted_for():
    found: Counter[str] = Counter()
    of_one: set[int] = set()
    reasons = set()
    for member in chain.from_iterable(
        acousticbrainz.members(each.path) for each in inputs(ACOUSTICBRAINZ)
    ):
        try:
            read = submission(member, PROFILE)
        except Rejected as error:
            found["rejected"] += 1
            reasons.add(str(error))
            continue
        found[read.document] += 1
        if str(read.mbid).startswith("00c47ea6"):
            of_one.add(read.number)
    assert found == {"lowlevel": 101, "highlevel": 2, "rejected": 423}
    assert len(of_one) == 94
    assert [reason[:41] for reason in reasons] == ["no feature set of profile 'acousticbrainz"]
