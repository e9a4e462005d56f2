"""One recording out of what its submissions say."""

from typing import Any
from uuid import UUID

import pytest

from pgsim.loading.recording import recording_columns
from pgsim.store.recording import RECORDING_COLUMNS

A, B = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"


def described(*submissions: dict[str, Any], scheme: str = "rosamerica") -> dict[str, Any]:
    """Described from the low-level metadata of each submission."""
    return recording_columns([{"lowlevel": each} for each in submissions], scheme)


@pytest.mark.parametrize("column", ["title", "artist", "album", "year", "source_id", "url"])
def test_a_column_is_the_most_frequent_value_over_submissions(column: str) -> None:
    row = described({column: "x"}, {column: "y"}, {}, {column: "y"})
    assert row[column] == "y"


def test_of_equally_frequent_values_the_earliest_wins() -> None:
    assert described({"title": "z"}, {"title": "a"}, {"title": "a"}, {"title": "z"})["title"] == "z"


def test_what_no_submission_says_is_null() -> None:
    row = described({}, {})
    empty = {"genres": [], "extra": {}, "submissions": 2}
    assert {key: value for key, value in row.items() if value is not None} == empty


def test_all_columns_but_those_of_the_vector_are_described() -> None:
    assert described({}).keys() == RECORDING_COLUMNS.keys() - {"mbid", "missing", "vector"}


def test_artist_ids_are_taken_as_a_whole() -> None:
    row = described({"artist_mbids": [A, B]}, {"artist_mbids": [A]}, {"artist_mbids": [A, B]})
    assert row["artist_mbids"] == [UUID(A), UUID(B)]


def test_a_length_is_the_median_over_submissions() -> None:
    assert described({"length": 9.0}, {"length": 1.0}, {"length": 2.0})["length"] == 2.0


def test_a_genre_is_the_most_frequent_label_with_the_mean_of_its_own_probabilities() -> None:
    row = described(
        {"genres": {"rosamerica": ["roc", 0.5]}},
        {"genres": {"rosamerica": ["pop", 1.0]}},
        {"genres": {"rosamerica": ["roc", 0.75]}},
    )
    assert (row["genre"], row["genre_probability"]) == ("roc", 0.625)


def test_labels_of_every_scheme_go_by_scheme_and_label() -> None:
    genres = {"dortmund": ["rock", 0.5], "rosamerica": ["roc", 0.5]}
    row = described({"genres": genres, "tags": ["grunge", "rock"]}, {"tags": ["rock"]})
    assert row["genres"] == ["dortmund:rock", "rosamerica:roc", "tag:rock", "tag:grunge"]


def test_a_recording_whose_default_scheme_says_nothing_has_no_genre() -> None:
    row = described({"genres": {"dortmund": ["rock", 0.5]}})
    assert (row["genre"], row["genre_probability"]) == (None, None)


def test_the_scheme_of_file_tags_gives_a_genre_without_probability() -> None:
    row = described({"tags": ["rock"]}, scheme="tag")
    assert (row["genre"], row["genre_probability"]) == ("rock", None)


def test_a_label_too_long_for_the_index_is_left_out() -> None:
    row = described({"tags": ["x" * 4000, "rock"], "genres": {"rosamerica": ["y" * 4000, 0.5]}})
    assert row["genres"] == ["tag:rock"]
    assert row["genre"] is None


def test_ten_tags_at_most_are_kept_the_most_frequent() -> None:
    tags = [f"tag {i}" for i in range(20)]
    row = described({"tags": tags}, {"tags": tags[10:]})
    assert row["genres"] == [f"tag:{tag}" for tag in tags[10:]]


@pytest.mark.parametrize("kinds", [["lowlevel", "highlevel"], ["highlevel", "lowlevel"]])
def test_where_the_documents_of_a_submission_differ_the_low_level_one_wins(
    kinds: list[str],
) -> None:
    said = {
        "lowlevel": {"title": "low", "tags": ["a"]},
        "highlevel": {"title": "high", "album": "high", "tags": ["b"]},
    }
    row = recording_columns([{kind: said[kind] for kind in kinds}], "rosamerica")
    assert (row["title"], row["album"], row["genres"]) == ("low", "high", ["tag:a"])
    assert row["submissions"] == 1


def test_documents_of_other_kinds_follow_by_name() -> None:
    documents = {"b": {"title": "b", "album": "b"}, "a": {"title": "a"}, "highlevel": {"year": 1}}
    row = recording_columns([documents], "rosamerica")
    assert (row["title"], row["album"], row["year"]) == ("a", "b", 1)


def test_extra_is_that_of_the_first_submission_that_has_any() -> None:
    assert described({}, {"extra": {"a": 1}}, {"extra": {"a": 2}})["extra"] == {"a": 1}
