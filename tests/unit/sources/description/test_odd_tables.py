"""Forms of cells and names that are rarer, and that would load wrong if they were not known."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pgsim.errors import PgsimError
from pgsim.sources.description.proposal import propose_profile
from tests.support.described import (
    ENERGY,
    ROWS,
    Table,
    columns,
    features,
    loaded,
    numbers,
    proposed,
    texts,
)

SONGS = [f"{2.5 + at * 0.137:.3f}" for at in range(ROWS)]


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("duration", SONGS),
        ("length", [f"{float(each):.1f}" for each in SONGS]),
        ("Track Length", [repr(float(each)) for each in SONGS]),
        ("durata", ["", *SONGS[1:]]),
    ],
)
def test_fractions_of_the_size_of_minutes_are_minutes_and_said(
    table: Table, name: str, cells: list[str]
) -> None:
    path = table({"track_id": texts("t{}"), name: cells})
    assert columns(path)["length_unit"] == "minutes"
    assert loaded(path)[2].metadata["length"] == pytest.approx(float(cells[2]) * 60)
    assert "taken for minutes, since few songs last" in propose_profile(path)


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("duration_s", SONGS),
        ("length", [3 + at % 5 for at in range(ROWS)]),
        ("duration", [29.97 + at / 1000 for at in range(ROWS)]),
        ("duration", [5.01] * 20 + [4.2] * 4),
    ],
)
def test_seconds_by_name_whole_numbers_and_clips_are_no_minutes(
    table: Table, name: str, cells: list[Any]
) -> None:
    path = table({"track_id": texts("t{}"), name: cells})
    assert "length_unit" not in columns(path)
    assert loaded(path)[2].metadata["length"] == pytest.approx(float(cells[2]))


def test_minutes_that_may_be_minutes_and_seconds_are_asked_about(table: Table) -> None:
    path = table({"track_id": texts("t{}"), "duration": texts("3.{:02}")})
    assert "3.45 may be minutes and seconds" in propose_profile(path)


@pytest.mark.parametrize("name", ["publishedAt", "published_at", "date_added", "Upload Date"])
def test_the_date_of_an_upload_is_no_year_of_a_recording(table: Table, name: str) -> None:
    path = table({"track_id": texts("t{}"), name: ["2021-03-04T10:00:00Z"] * ROWS})
    assert columns(path) == {"id": "track_id"}
    assert f'"{name}": the date of an upload' in propose_profile(path)


@pytest.mark.parametrize(
    "header", ["mfcc,mfcc,mfcc", "mfcc,mfcc.1,mfcc.2", "mfcc,mfcc_2,mfcc_3", "a1,a1.1,a1.2"]
)
def test_columns_of_one_name_are_one_set(tmp_path: Path, header: str) -> None:
    rows = zip(numbers(1), numbers(2), numbers(3), strict=True)
    lines = [f"t{at},{','.join(row)}" for at, row in enumerate(rows)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join([f"track_id,{header}", *lines]), encoding="utf-8")
    [only] = proposed(path).sets
    assert only.length == 3
    assert loaded(path)[4].features.tolist() == pytest.approx(
        [float(numbers(seed)[4]) for seed in (1, 2, 3)]
    )


@pytest.mark.parametrize(
    ("form", "middle"),
    [
        ("({0}.1, {0}.2]", 3.15),
        ("[{0}.0,{0}.5)", 3.25),
        ("({0}.999, {0}e1]", 16.9995),
        ("(-{0}.5, 7]", 1.75),
    ],
)
def test_of_an_interval_the_middle_is_taken_and_said(
    table: Table, form: str, middle: float
) -> None:
    cells = [form.replace("{0}", str(at)) for at in range(ROWS)]
    path = table({"track_id": texts("t{}")}, {"energy": cells})
    assert loaded(path)[3].features.tolist() == pytest.approx([middle])
    assert f"of intervals such as {cells[0]} the middle is taken" in propose_profile(path)


def test_an_interval_without_end_has_no_middle_and_is_named(table: Table) -> None:
    cells = ["(0.9, inf]", *texts("({}, 50]")[1:]]
    path = table({"track_id": texts("t{}"), "tempo": cells})
    assert "numbers, but for 1 of 24 cells, such as '(0.9, inf]'" in propose_profile(path)


def test_fields_within_fields_are_columns_and_known_by_their_last_part(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    rows = [
        {
            "meta": {"title": f"T{at}", "tags": {"artist": f"A{at % 5}"}, "track_id": f"t{at}"},
            "album": {"title": f"Album {at % 3}"},
            "audio": {"rhythm": {"bpm": 90.0 + at}},
        }
        for at in range(ROWS)
    ]
    path = tmp_path / "t.parquet"
    pytest.importorskip("pyarrow.parquet").write_table(pyarrow.Table.from_pylist(rows), path)
    assert columns(path) == {
        **{"id": "meta.track_id", "title": "meta.title"},
        **{"artist": "meta.tags.artist", "album": "album.title"},
    }
    assert features(path) == ["audio.rhythm.bpm"]
    assert loaded(path)[3].metadata["title"] == "T3"


def test_lists_of_lists_are_one_list_or_refused_with_the_cure(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    values = np.arange(ROWS * 6.0).reshape(ROWS, 3, 2)
    path = tmp_path / "t.parquet"
    cells = {"track_id": texts("t{}"), "frames": values.tolist()}
    parquet.write_table(pyarrow.table(cells), path)
    assert loaded(path)[1].features.tolist() == [6, 7, 8, 9, 10, 11]
    cells["frames"] = [each[: 1 + at % 3] for at, each in enumerate(values.tolist())]
    parquet.write_table(pyarrow.table(cells), path)
    with pytest.raises(PgsimError, match=r"if they are frames, write their mean, or an \.npy"):
        propose_profile(path)


def test_ordinary_numbers_beside_such_forms_stay(table: Table) -> None:
    assert set(features(table({"track_id": texts("t{}")}))) == {*ENERGY}


@pytest.mark.parametrize("cell", ["Dec-69", "12/31/69", "31.12.69", "'69"])
def test_a_year_of_two_digits_is_read_and_said(table: Table, cell: str) -> None:
    path = table({"track_id": texts("t{}"), "release_date": [cell] * ROWS})
    assert {each.metadata["year"] for each in loaded(path)} == {1969}
    assert "is the last such year up to next year, as 1969 in" in propose_profile(path)


def test_years_of_two_digits_that_may_be_days_are_left_out_and_said(table: Table) -> None:
    cells = ["02-03-04", *["1999-03-04"] * 23]
    path = table({"track_id": texts("t{}"), "release_date": cells})
    assert "'release_date': 1 of 24 rows have a date without a year" in propose_profile(path)


FILES = [f"music/song{at // 6}.wav" for at in range(ROWS)]
TIMES = [f"{at % 6 * 0.01:.2f}" for at in range(ROWS)]


@pytest.mark.parametrize("name", ["name", "file", "title", "instance"])
@pytest.mark.parametrize("time", ["frameTime", "start", "time"])
def test_rows_of_a_file_are_frames_whose_mean_is_taken(table: Table, name: str, time: str) -> None:
    path = table({name: FILES, time: TIMES})
    assert columns(path) == {"id": name, "number": "row"}
    text = propose_profile(path)
    assert "24 rows have 4 ids: the rows of one id are its frames, of which the mean is" in text
    assert f'# No feature: "{time}": ' in text
    assert {each.aggregate for each in proposed(path).sets} == {"mean"}
    assert set(features(path)) == {*ENERGY}


def test_frames_without_a_name_of_their_recording_are_pointed_at(table: Table) -> None:
    path = table({"name": ["unknown"] * ROWS, "frameTime": [f"{at}.5" for at in range(ROWS)]})
    assert "'frameTime' rises with the rows as in the frames of one rec" in propose_profile(path)
    assert set(features(path)) == {*ENERGY}


def test_titles_that_several_rows_have_are_said_once_and_without_contradiction(
    table: Table,
) -> None:
    text = propose_profile(table({"title": [f"T{at // 6}" for at in range(ROWS)]}))
    assert "20 rows have the title of another row: they are taken for the same recording" in text
    assert "each row is a submission" in text


@pytest.mark.parametrize(
    ("header", "first"),
    [("", "/music/song{}.wav"), ("file,start,pitch\n", "song{}.mp3"), ("track_id,a,b\n", "x{}")],
)
def test_an_id_in_the_first_row_of_a_group_is_that_of_all_its_rows(
    tmp_path: Path, header: str, first: str
) -> None:
    path = tmp_path / "t.csv"
    lines = [
        f"{first.format(at // 6) if at % 6 == 0 else ''},{at % 6 * 0.01:.2f},{number}"
        for at, number in enumerate(numbers(1))
    ]
    path.write_text(header + "\n".join(lines) + "\n", encoding="utf-8")
    found = loaded(path)
    assert [each.metadata["source_id"] for each in found] == [
        first.format(at // 6) for at in range(ROWS)
    ]
    assert "an empty first cell means the one above it" in propose_profile(path)


@pytest.mark.parametrize("name", ["comment", "mbid", "isrc", "old_id"])
def test_a_first_column_that_is_often_empty_is_no_id_by_that(tmp_path: Path, name: str) -> None:
    path = tmp_path / "t.csv"
    lines = [f"{f'x{at}' if at % 6 == 0 else ''},t{at},{n}" for at, n in enumerate(numbers(1))]
    path.write_text(f"{name},track_id,energy\n" + "\n".join(lines), encoding="utf-8")
    assert "an empty first cell" not in propose_profile(path)


def test_lists_of_labels_of_which_most_are_empty_are_not_called_numbers(table: Table) -> None:
    cells = ["[]" if at % 3 else '["rock", "pop"]' for at in range(ROWS)]
    path = table({"track_id": texts("t{}"), "genres": cells})
    assert "Look at this" not in propose_profile(path)
    assert loaded(path)[0].metadata["labels"] == {"tag": ["rock", "pop"]}
