"""Which columns `describe` takes for ids, titles, lengths, years and labels."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pgsim.features.profile import read_profile
from pgsim.sources.description.proposal import propose_profile
from pgsim.sources.tables import members, submission
from tests.support.described import (
    ENERGY,
    ROWS,
    Table,
    columns,
    features,
    loaded,
    numbers,
    texts,
    uuids,
)


@pytest.mark.parametrize("name", ["spectral_centroid", "mid", "acid", "solid", "void", "liquid"])
def test_a_name_that_ends_in_id_is_no_id_by_that(table: Table, name: str) -> None:
    path = table({"track_id": texts("t{}"), name: numbers(3)})
    assert set(features(path)) == {name, *ENERGY}


@pytest.mark.parametrize(
    "name", ["artist_id", "albumId", "artistid", "release group id", "genre_ids", "userid"]
)
def test_ids_of_something_else_are_no_features_and_said_so(table: Table, name: str) -> None:
    path = table({"track_id": texts("t{}"), name: range(500, 500 + ROWS)})
    assert set(features(path)) == {*ENERGY}
    assert f'# No feature: "{name}": an id of something else.' in propose_profile(path)


@pytest.mark.parametrize(
    ("name", "first"),
    [("Unnamed: 0", 0), ("index", 500), ("level_0", 3), ("__index_level_0__", 7), ("rownum", 1)],
)
def test_a_counter_of_rows_is_no_feature(table: Table, name: str, first: int) -> None:
    path = table({name: range(first, first + ROWS), "track_id": texts("t{}")})
    assert columns(path) == {"id": "track_id"}
    assert set(features(path)) == {*ENERGY}
    assert f'"{name}": its name is that of a counter of rows' in propose_profile(path)


def test_a_first_column_that_counts_is_no_feature_whatever_its_name(table: Table) -> None:
    path = table({"key_": range(1, ROWS + 1), "filename": texts("{}.wav")})
    assert columns(path) == {"id": "filename"}
    assert set(features(path)) == {*ENERGY}


def test_consecutive_numbers_are_features_by_their_name(table: Table) -> None:
    path = table({"track_id": texts("t{}")}, {"tempo": range(90, 90 + ROWS), **ENERGY})
    assert "tempo" in features(path)


@pytest.mark.parametrize(
    ("others", "mbid"),
    [
        ({"artist_mbids": uuids(1), "release_mbid": uuids(2), "recording_mbid": uuids(3)}, None),
        ({"album_id": uuids(1, 3), "mb_trackid": uuids(3)}, "mb_trackid"),
        ({"musicbrainz_artistid": uuids(1), "mbid": uuids(3)}, "mbid"),
        ({"uuid": uuids(1, 4), "gid": uuids(3)}, "gid"),
        ({"mb_releasetrackid": uuids(1), "musicbrainz_trackid": uuids(3)}, "musicbrainz_trackid"),
    ],
)
def test_the_mbid_is_the_recordings_and_unique_before_repeated(
    table: Table, others: dict[str, Any], mbid: str | None
) -> None:
    path = table(others)
    assert columns(path)["mbid"] == (mbid or "recording_mbid")
    assert str(loaded(path)[5].mbid) == uuids(3)[5]


def test_artists_mbids_alone_are_no_recordings(table: Table) -> None:
    path = table({"artist_mbid": uuids(1, 4), "title": texts("Tune {}")})
    assert columns(path) == {"id": "title", "title": "title", "artist_mbid": "artist_mbid"}
    assert [each.metadata["artist_mbids"][0] for each in loaded(path)] == uuids(1, 4)


def test_an_mbid_may_stand_in_a_url_without_hyphens_or_only_in_some_rows(table: Table) -> None:
    forms = [
        f"https://musicbrainz.org/recording/{mbid}" if at % 3 else mbid.replace("-", "").upper()
        for at, mbid in enumerate(uuids(3))
    ]
    forms[4] = ""
    path = table({"recording": forms, "track_id": texts("t{}")})
    found = loaded(path)
    assert columns(path) == {"mbid": "recording", "id": "track_id"}
    assert [str(each.mbid) for each in found[:4]] == uuids(3)[:4]
    assert found[4].metadata["source_id"] == "t4"


@pytest.mark.parametrize(
    ("name", "cells", "unit", "low"),
    [
        ("duration_ms", [200_000 + at for at in range(ROWS)], "milliseconds", 200),
        ("duration", [200_000 + at for at in range(ROWS)], "milliseconds", 200),
        ("trackLengthMs", [200_000 + at for at in range(ROWS)], "milliseconds", 200),
        ("length", [200 + at for at in range(ROWS)], None, 200),
        ("duration_seconds", [12_000 + at for at in range(ROWS)], None, 12000),
        ("length", [f"{200 + at}.5" for at in range(ROWS)], None, 200),
        ("duration_min", [3.333 + at / 60 for at in range(ROWS)], "minutes", 200),
        ("duration", [200_000_000 + at for at in range(ROWS)], "microseconds", 200),
        ("length", [66_149] * ROWS, "22050 Hz", 3),
        ("length", [1_323_000 + at for at in range(ROWS)], "44100 Hz", 30),
        ("length", [29_976 + at for at in range(ROWS)], "milliseconds", 29.976),
    ],
)
def test_a_length_is_stored_in_seconds(
    table: Table, name: str, cells: list[Any], unit: str | None, low: float
) -> None:
    path = table({"track_id": texts("t{}"), name: cells})
    assert columns(path)["length"] == name
    assert columns(path).get("length_unit") == unit
    seconds = [each.metadata["length"] for each in loaded(path)]
    assert all(low - 0.1 <= each <= low + 30 for each in seconds)


@pytest.mark.parametrize("name", ["popularity", "track_popularity", "Play Count", "listeners"])
def test_how_often_a_recording_is_listened_to_is_its_popularity(table: Table, name: str) -> None:
    path = table({"track_id": texts("t{}"), name: [10 * at for at in range(ROWS)]})
    assert columns(path)["popularity"] == name
    found = [each.metadata.get("popularity") for each in loaded(path)]
    assert found == [None, *(10.0 * at for at in range(1, ROWS))]


def test_samples_become_seconds_by_the_sample_rate_beside_them(table: Table) -> None:
    path = table({"track_id": texts("t{}"), "frames": [4_410_000] * ROWS, "sr": [22050] * ROWS})
    assert columns(path)["length_unit"] == "22050 Hz"
    assert {each.metadata["length"] for each in loaded(path)} == {200.0}
    path = table({"track_id": texts("t{}"), "n_samples": [4_410_000] * ROWS})
    assert "write their rate as length_unit" in propose_profile(path)


@pytest.mark.parametrize(
    "form", ["3:{:02}", "0:03:{:02}", "PT3M{}S", "3m{}s", "0 days 00:03:{:02}"]
)
def test_minutes_and_seconds_are_a_length(table: Table, form: str) -> None:
    path = table({"track_id": texts("t{}"), "length": texts(form)})
    assert [each.metadata["length"] for each in loaded(path)] == [180 + at for at in range(ROWS)]


def test_rows_without_length_and_lengths_that_cannot_be_meant_are_said(table: Table) -> None:
    path = table({"track_id": texts("t{}"), "length": ["?", "", *texts("3:{:02}")[2:]]})
    assert "2 of 24 rows have no length" in propose_profile(path)
    path = table({"track_id": texts("t{}"), "length_s": [200_000 + at for at in range(ROWS)]})
    assert "is that their unit?" in propose_profile(path)


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("year", "1987"),
        ("year", "1987.0"),
        ("release_date", "1987-05-04"),
        ("track.album.release_date", "May 1987"),
        ("date", "19870504"),
        ("Released Year", "1987"),
    ],
)
def test_a_year_is_read_from_a_date_of_any_form(table: Table, name: str, cell: str) -> None:
    path = table({"track_id": texts("t{}"), name: [cell] * ROWS})
    assert {each.metadata["year"] for each in loaded(path)} == {1987}
    assert set(features(path)) == {*ENERGY}


@pytest.mark.parametrize("mark", ["\\N", "<NA>", "#N/A", "?", "-", "unk"])
def test_a_mark_of_nothing_leaves_a_column_one_of_numbers(table: Table, mark: str) -> None:
    cells = [mark if at in (0, 7) else str(90 + at) for at in range(ROWS)]
    path = table({"track_id": texts("t{}"), "tempo": cells})
    assert "tempo" in features(path)
    missing = [bool(np.isnan(each.features[0])) for each in loaded(path)]
    assert [at for at, is_missing in enumerate(missing) if is_missing] == [0, 7]
    assert "2 of 24 rows lack it" in propose_profile(path)


@pytest.mark.parametrize("mark", ["\\N", "<NA>", "#N/A", "nan", "None", "Unknown Artist", "-"])
def test_a_mark_of_nothing_that_is_repeated_is_no_artist(table: Table, mark: str) -> None:
    cells = [mark if at in (0, 7) else f"A{at}" for at in range(ROWS)]
    found = loaded(table({"track_id": texts("t{}"), "artist": cells}))
    assert [at for at, each in enumerate(found) if "artist" not in each.metadata] == [0, 7]


def test_a_text_among_numbers_is_named_with_its_column(table: Table) -> None:
    cells = ["fast", *(str(at) for at in range(1, ROWS))]
    path = table({"track_id": texts("t{}"), "tempo": cells})
    assert "'tempo': numbers, but for 1 of 24 cells, such as 'fast'" in propose_profile(path)


@pytest.mark.parametrize(
    "form",
    ["['Band {0}', 'Guest']", '["Band {0}", "Guest"]', "['Band {0}' 'Guest']", "Band {0}; Guest"],
)
def test_several_artists_of_a_cell_are_one_credit_without_brackets(table: Table, form: str) -> None:
    cells = [form.replace("{0}", str(at)) for at in range(ROWS)]
    found = loaded(table({"track_id": texts("t{}"), "artists": cells}))
    assert [each.metadata["artist"] for each in found] == texts("Band {}, Guest")


@pytest.mark.parametrize("between", [", ", "|", " / ", ";", "\\"])
def test_several_labels_of_a_cell_are_apart_where_they_stand_alone_too(
    table: Table, between: str
) -> None:
    cells = [
        ("Rock", f"Rock{between}Pop", "Pop", f"Folk{between}Rock")[at % 4] for at in range(ROWS)
    ]
    found = loaded(table({"track_id": texts("t{}"), "genre": cells}))
    labels = [each.metadata["labels"]["tag"] for each in found[:4]]
    assert labels == [["rock"], ["rock", "pop"], ["pop"], ["folk", "rock"]]


def test_a_sign_inside_one_label_does_not_separate_it(table: Table) -> None:
    cells = [
        ("R&B / Soul", "Rock", "Singer/Songwriter", "Folk, World, & Country")[at % 4]
        for at in range(ROWS)
    ]
    found = loaded(table({"track_id": texts("t{}"), "genre": cells}))
    labels = [each.metadata["labels"]["tag"] for each in found[:4]]
    assert labels == [["r&b / soul"], ["rock"], ["singer/songwriter"], ["folk, world, & country"]]


def test_without_ids_title_and_artist_together_are_the_id(table: Table, tmp_path: Path) -> None:
    path = table({"track_name": texts("Tune {}"), "artist_name": texts("Artist {}")})
    assert columns(path)["id"] == ["track_name", "artist_name"]
    found = loaded(path)
    assert len({each.mbid for each in found}) == ROWS
    profile = read_profile(str(tmp_path / "proposed.toml"))
    path = table({"track_name": ["Tune 3"] * ROWS, "artist_name": texts("Somebody Else {}")})
    others = [submission(member, profile) for member in members(path)]
    assert not {each.mbid for each in found} & {each.mbid for each in others}
    assert found[3].metadata == {
        "source_id": "Tune 3 | Artist 3",
        "title": "Tune 3",
        "artist": "Artist 3",
    }


def test_texts_of_an_id_of_several_columns_stay_apart(table: Table) -> None:
    path = table(
        {"title": ["a | b", "a", *texts("t{}")[2:]], "artist": ["c", "b | c", *["x"] * 22]}
    )
    first, second = loaded(path)[:2]
    assert first.mbid != second.mbid


def test_a_row_number_is_the_last_choice_of_an_id_and_said(table: Table) -> None:
    path = table({})
    assert columns(path) == {"id": "row"}
    assert "'row' counts the rows, and is the only id" in propose_profile(path)
    path = table({"index": range(ROWS)})
    assert columns(path) == {"id": "index"}
    assert "'index' counts the rows, and is the only id" in propose_profile(path)


def test_rows_of_one_id_with_other_genres_become_one_recording(table: Table) -> None:
    same = {name: [cells[at // 3] for at in range(ROWS)] for name, cells in ENERGY.items()}
    ids = [f"t{at // 3}" for at in range(ROWS)]
    path = table({"track_id": ids, "genre": ["acoustic", "folk", "pop"] * 8}, same)
    assert columns(path) == {"id": "track_id", "genre": "genre"}
    assert "24 rows have 8 ids" in propose_profile(path)


def test_rows_of_one_id_with_other_features_are_submissions(table: Table) -> None:
    ids = [f"t{at // 3}" for at in range(ROWS)]
    path = table({"track_id": ids})
    assert columns(path) == {"id": "track_id", "number": "row"}
    path = table({"recording_mbid": uuids(1, 8), "submission": [at // 8 for at in range(ROWS)]})
    assert columns(path) == {"mbid": "recording_mbid", "number": "submission"}
    assert [each.number for each in loaded(path)] == [at // 8 for at in range(ROWS)]


@pytest.mark.parametrize(
    ("title", "artist", "length", "year"),
    [("Titel", "Künstler", "Länge", "Jahr"), ("titre", "interprète", "durée", "Année")],
)
def test_names_in_other_languages_are_known(
    table: Table, title: str, artist: str, length: str, year: str
) -> None:
    cells = {title: texts("Stück {}"), artist: ["A"] * ROWS, length: ["3:20"] * ROWS}
    path = table({**cells, year: range(1980, 1980 + ROWS)})
    assert set(features(path)) == {*ENERGY}
    first = loaded(path)[0].metadata
    wanted = {"title": "Stück 0", "artist": "A", "length": 200, "year": 1980}
    assert {key: first[key] for key in wanted} == wanted


def test_a_list_is_no_id(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    cells = {"track": texts("T {}"), "two": [[[1.0, at]] for at in range(ROWS)]}
    path = tmp_path / "t.parquet"
    table = pyarrow.table({**cells, "energy": [float(each) for each in numbers(1)]})
    pytest.importorskip("pyarrow.parquet").write_table(table, path)
    assert columns(path)["id"] == "track"


def test_ids_that_a_spreadsheet_has_rounded_are_no_ids_and_said_so(table: Table) -> None:
    rounded = ["1.23457E+11" if at % 2 else "9.9E+12" for at in range(ROWS)]
    path = table({"track_id": rounded, "title": texts("T{}"), "artist": texts("A{}")})
    assert columns(path)["id"] == ["title", "artist"]
    assert "'track_id': a spreadsheet has rounded ids such as 9.9E+12" in propose_profile(path)
