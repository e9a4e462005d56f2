"""A document says what made it; AcousticBrainz's documents and today's Essentia's differ."""

import gzip
import json
from dataclasses import replace
from importlib.resources import files

import pytest

from pgsim.features.profile import read_profile
from pgsim.sources.provenance import OriginError, origin, require_origin
from tests.support.documents import low_level
from tests.support.genuine import ACOUSTICBRAINZ, needs_genuine

PROFILE = read_profile("acousticbrainz")


@needs_genuine
def test_every_genuine_document_is_acousticbrainzs():
    paths = sorted(ACOUSTICBRAINZ.rglob("*.json"))
    assert len(paths) > 100
    assert {origin(json.loads(path.read_bytes())) for path in paths} == {"acousticbrainz"}


def test_every_recording_in_the_box_is_essentias():
    packed = (files("pgsim.demo") / "recordings.ndjson.gz").read_bytes()
    lines = gzip.decompress(packed).splitlines()
    assert {origin(json.loads(line)) for line in lines} == {"essentia"}


@pytest.mark.parametrize(
    ("document", "extractor"),
    [
        ({}, None),
        ({"metadata": None}, None),
        ({"metadata": {"version": "2"}}, None),
        ({"metadata": {"version": {"extractor": "music 1.0"}}}, "acousticbrainz"),
        ({"metadata": {"version": {"extractor": "music 3.0"}}}, "music 3.0"),
        (
            {
                "metadata": {
                    "version": {
                        "highlevel": {"extractor": "music 1.0"},
                        "lowlevel": {"extractor": "music 2.0"},
                    }
                }
            },
            "essentia",
        ),
        (
            {"extractor": "mine", "metadata": {"version": {"extractor": "music 1.0"}}},
            "mine",
        ),
        ({"extractor": 7}, None),
    ],
)
def test_the_origin_is_the_documents_own_word(document: dict[str, object], extractor: str | None):
    assert origin(document) == extractor


def test_documents_of_the_profiles_extractor_and_those_that_do_not_say_are_welcome():
    require_origin(low_level(1).body, PROFILE, "here")
    require_origin({"extractor": "acousticbrainz"}, PROFILE, "here")
    require_origin({"extractor": "mine"}, replace(PROFILE, extractor="mine"), "here")


@pytest.mark.parametrize(("extractor", "profile"), [("librosa", "librosa"), ("mine", "FILE")])
def test_a_document_of_another_extractor_is_refused_with_a_cure(extractor: str, profile: str):
    with pytest.raises(OriginError) as raised:
        require_origin({"extractor": extractor}, PROFILE, "all.ndjson:7")
    assert str(raised.value) == (
        f"all.ndjson:7 was made by extractor '{extractor}', and profile 'acousticbrainz' is for"
        " 'acousticbrainz': their numbers are not comparable; load it into a database of its own,"
        f" made by: pgsim --database NAME init --profile {profile}"
    )


@pytest.mark.parametrize("extractor", ["x" * 5000, "\0", "../profiles/librosa"])
def test_what_is_no_name_of_a_profile_is_another_extractor_too(extractor: str):
    with pytest.raises(OriginError, match="init --profile FILE$") as raised:
        require_origin({"extractor": extractor}, PROFILE, "all.ndjson:7")
    assert len(str(raised.value)) < 400
