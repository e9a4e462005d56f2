"""Metadata: titles, artists, years and genres out of tags as they are."""

import datetime
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgsim.sources.metadata import extract_metadata, year_of
from tests.support.genuine import ACOUSTICBRAINZ, needs_genuine

ONE = "78f15956-c5e1-46d6-a46b-fa6f46681ec8"
TWO = "c3cb973f-c613-41f8-816f-c331f9ab4eb3"


def of_tags(**tags: object) -> dict[str, Any]:
    return extract_metadata({"metadata": {"tags": tags}})[0]


@needs_genuine
def test_of_423_genuine_objects_almost_all_have_title_artist_and_year():
    lines = (ACOUSTICBRAINZ / "metadata-423.ndjson").read_bytes().splitlines()
    found = [extract_metadata({"metadata": json.loads(line)})[0] for line in lines]
    has = Counter(key for each in found for key in each)
    assert len(found) == 423
    assert {key: has[key] for key in ("title", "artist", "album", "year", "artist_mbids")} == {
        "title": 422,
        "artist": 422,
        "album": 417,
        "year": 396,
        "artist_mbids": 287,
    }
    assert has["length"] == 423
    assert has["recording_mbid"] == 423
    assert all(1900 < each["year"] < 2020 for each in found if "year" in each)


@pytest.mark.parametrize(
    ("date", "year"),
    [
        ("1998", 1998),
        ("1998-02", 1998),
        ("1998-02-23", 1998),
        ("1998-02-23T00:00:00Z", 1998),
        ("1998-02-23 12:30:00", 1998),
        ("1998.02.23", 1998),
        ("1998/02/23", 1998),
        ("19980223", 1998),
        ("23 February 1998", 1998),
        ("23rd of February 1998", 1998),
        ("23.02.1998", 1998),
        ("00-00-1998", 1998),
        ("c 1998", 1998),
        (" 1998 ", 1998),
        ("1860", 1860),
        ("1859", None),
        ("0000", None),
        ("0000-00-00", None),
        ("00-00", None),
        ("9999", None),
        ("98", None),
        ("19981", None),
        ("19989999", None),
        ("rigi", None),
        ("", None),
        ("١٩٩٨", None),
    ],
)
def test_each_shape_of_date_gives_its_year(date: str, year: int | None):
    assert year_of(date) == year


def test_next_year_is_the_last_that_is_believed():
    this_year = datetime.date.today().year
    assert year_of(str(this_year + 1)) == this_year + 1
    assert year_of(str(this_year + 2)) is None


def test_the_original_date_is_preferred():
    dates: dict[str, object] = {
        "originaldate": ["1971-05"],
        "originalyear": ["1972"],
        "date": ["1973"],
        "releasedate": ["1974"],
    }
    for year in range(1971, 1975):
        assert of_tags(**dates)["year"] == year
        del dates[next(iter(dates))]


@pytest.mark.parametrize(
    "name", ["year", "Year", "YEAR", "TYER", "TDRC", "TORY", "releaseyear", "Release Year", "tdrl"]
)
def test_a_year_by_any_of_its_names_is_read(name: str):
    assert of_tags(**{name: ["1987"]})["year"] == 1987
    assert of_tags(**{name: ["1987"], "originaldate": ["1972-04"]})["year"] == 1972


def test_the_year_counts_after_the_date_and_before_that_of_the_release():
    assert of_tags(year=["1987"], date=["1986-12-31"])["year"] == 1986
    assert of_tags(year=["1987"], releaseyear=["1999"], releasedate=["1999"])["year"] == 1987
    assert of_tags(originalreleaseyear=["1972"], year=["1987"])["year"] == 1972


@pytest.mark.parametrize("name", ["yearbook", "years", "tagging year", "purchaseyear", "year 2"])
def test_a_year_of_something_else_is_none(name: str):
    assert "year" not in of_tags(**{name: ["1987"]})


def test_a_junk_year_gives_way_to_the_next_date():
    assert of_tags(originalyear=["rigi"], date=["0000", "1990-06-06"])["year"] == 1990
    assert "year" not in of_tags(originalyear=["rigi"])


def test_artist_ids_are_split_checked_and_lower_case():
    found = of_tags(
        musicbrainz_artistid=[f"{ONE.upper()}/{TWO}", f"{TWO};{ONE}", "usicBrainz Artist Id"]
    )
    assert found["artist_mbids"] == [ONE, TWO]
    assert "artist_mbids" not in of_tags(musicbrainz_artistid=["usicBrainz Artist Id", ONE[1:]])


def test_artists_and_their_ids_need_not_be_as_many():
    found = of_tags(artist=["A feat. B"], musicbrainz_artistid=[ONE, TWO])
    assert found == {"artist": "A feat. B", "artist_mbids": [ONE, TWO]}
    assert of_tags(artist=["A", "B"])["artist"] == "A, B"


def test_mp3_and_vorbis_names_are_one():
    spaced = {"musicbrainz artist id": [ONE], "original date": ["1971"]}
    assert extract_metadata({"metadata": {"tags": spaced}})[0] == of_tags(
        musicbrainz_artistid=[ONE], originaldate=["1971"]
    )


def test_the_recording_id_is_lower_case_and_well_formed():
    assert of_tags(musicbrainz_recordingid=[ONE.upper()])["recording_mbid"] == ONE
    assert of_tags(musicbrainz_trackid=[ONE])["recording_mbid"] == ONE
    assert "recording_mbid" not in of_tags(musicbrainz_recordingid=["1234"])


def test_free_text_genres_are_lower_case_single_and_no_junk():
    genres = [
        "Rock",
        " rock",
        "Neofolk; Industrial",
        "null",
        "Unknown",
        "",
        " ",
        "(20)",
        "R&B/Soul",
    ]
    assert of_tags(genre=genres)["tags"] == ["rock", "neofolk", "industrial", "r&b/soul"]
    assert "tags" not in of_tags(genre=["null"])


def test_an_untitled_track_keeps_its_title():
    assert of_tags(title=["[untitled]"])["title"] == "[untitled]"


def test_every_classifier_is_a_genre_scheme():
    models = {
        "genre_rosamerica": {"value": "roc", "probability": 0.75, "all": {}},
        "genre_electronic": {"value": "house", "probability": 1},
        "mood_electronic": {"value": "electronic", "probability": 1.0000001},
        "moods_mirex": {"value": "Cluster2", "probability": 2},
        "timbre": {"value": None, "probability": 0.5},
        "gender": None,
    }
    assert extract_metadata({"highlevel": models, "metadata": None})[0]["genres"] == {
        "rosamerica": ["roc", 0.75],
        "electronic": ["house", 1.0],
        "mood_electronic": ["electronic", 1.0],
    }


@pytest.mark.parametrize("length", [0, -1, True, "200", None, 1e300, 1e-60, float("nan")])
def test_a_length_that_is_none_is_left_out(length: object):
    assert extract_metadata({"metadata": {"audio_properties": {"length": length}}}) == ({}, 0)


def test_what_an_envelope_says_is_kept():
    envelope = {"source_id": "a/b.ogg", "url": "https://example.org", "extra": {"licence": "CC0"}}
    assert extract_metadata(envelope) == (envelope, 0)


def test_text_that_postgresql_cannot_hold_is_repaired_and_counted():
    tags = {
        "title": ["A\0B "],
        "artist": ["\ud800C"],
        "album": ["é" * 4096],
        "genre": [" Folk "],
        "comment": ["\0"],
    }
    found, repairs = extract_metadata({"metadata": {"tags": tags}, "extra": {"x\0": ["\0y"]}})
    assert found == {
        "title": "AB",
        "artist": "\ufffdC",
        "album": "é" * 2048,
        "tags": ["folk"],
        "extra": {"x": ["y"]},
    }
    assert repairs == 5


def test_a_text_of_nothing_but_nul_is_no_text():
    assert extract_metadata({"metadata": {"tags": {"title": ["\0"]}}})[0] == {}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "metadata": JSON
            | st.fixed_dictionaries(
                {
                    "tags": st.dictionaries(
                        st.sampled_from(
                            ["title", "artist", "date", "genre", "musicbrainz_artistid"]
                        ),
                        JSON,
                    ),
                    "audio_properties": JSON,
                }
            ),
            "highlevel": JSON | st.dictionaries(st.text(max_size=3), JSON, max_size=3),
            "extra": JSON,
            "url": JSON,
        },
    )
)
def test_no_document_is_refused_and_all_that_is_found_is_text_that_postgresql_holds(
    document: dict[str, Any],
):
    found, repairs = extract_metadata(document)
    text = json.dumps(found, ensure_ascii=False)
    assert "\\u0000" not in text
    text.encode()
    assert repairs >= 0


@pytest.mark.parametrize(
    ("date", "year"),
    [
        *(("Dec-69", 1969), ("31-Dec-69", 1969), ("December '69", 1969), ("Mär. 03", 2003)),
        *(("12/31/69", 1969), ("1/5/02", 2002), ("31.12.69", 1969), ("12-31-69", 1969)),
        *(("69-12-31", 1969), ("'85", 1985), ("déc. 99", 1999)),
        *(("02-03-04", None), ("12/31", None), ("69", None), ("Side 12", None), ("May 7", None)),
    ],
)
def test_a_year_of_two_digits_is_the_last_such_year_where_it_can_be_nothing_else(
    date: str, year: int | None
) -> None:
    assert year_of(date) == year


def test_the_pivot_of_two_digits_is_next_year() -> None:
    last = datetime.date.today().year + 1
    assert year_of(f"Dec-{last % 100:02}") == last
    assert year_of(f"Dec-{(last + 1) % 100:02}") == last - 99
