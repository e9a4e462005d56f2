"""Numbers as people and programs write them: in groups, with decimal commas, with units."""

from pathlib import Path

import pytest

from pgsim.sources.dialect import dialect_of
from pgsim.sources.tables import members, submission
from tests.support.described import proposed


def written(tmp_path: Path, separator: str, **columns: list[str]) -> Path:
    """A table with an id and these columns."""
    path = tmp_path / "songs.csv"
    names = ["track_id", *columns]
    rows = [[f"t{at}", *cells] for at, cells in enumerate(zip(*columns.values(), strict=True))]
    quote = '"' if separator == "," else ""
    lines = (separator.join(f"{quote}{cell}{quote}" for cell in line) for line in [names, *rows])
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def numbers(path: Path) -> list[list[float]]:
    """What is loaded of each column."""
    profile = proposed(path)
    rows = [submission(member, profile).features.tolist() for member in members(path)]
    return [list(column) for column in zip(*rows, strict=True)]


@pytest.mark.parametrize(
    ("separator", "cells", "values"),
    [
        (";", ["1.351,07", "284,5", "2.284.750,5"], [1351.07, 284.5, 2284750.5]),
        ("\t", ["-1.351,07", "0,75", "12"], [-1351.07, 0.75, 12]),
        (",", ["1,351.07", "284.5", "2,284,750"], [1351.07, 284.5, 2284750]),
        (",", ["1,351", "284", "12,750"], [1351, 284, 12750]),
        (";", ["1'351.07", "284.5", "2'284'750"], [1351.07, 284.5, 2284750]),
        (";", ["1’351,5", "284,5", "12"], [1351.5, 284.5, 12]),
        (",", ["1 351,07", "284,5", "2 284 750"], [1351.07, 284.5, 2284750]),
        (",", ["1\u202f351", "284", "2\u202f284\u202f750"], [1351, 284, 2284750]),
        (";", ["1\u00a0351,5", "284,5", "12"], [1351.5, 284.5, 12]),
    ],
)
def test_thousands_in_groups_are_numbers(
    tmp_path: Path, separator: str, cells: list[str], values: list[float]
) -> None:
    [found] = numbers(written(tmp_path, separator, centroid=cells))
    assert found == pytest.approx(values)


def test_a_point_groups_thousands_beside_decimal_commas_alone(tmp_path: Path) -> None:
    cells = ["284.750", "312.001", "97.5"]
    grouped = written(tmp_path, ";", energy=["0,5", "0,25", "0,75"], length=["284.750"] * 3)
    profile = proposed(grouped)
    lengths = [submission(member, profile).metadata["length"] for member in members(grouped)]
    assert lengths == [284.75] * 3  # 284,750 milliseconds
    points = written(tmp_path, ";", energy=["0.5", "0.25", "0.75"], centroid=cells)
    assert numbers(points)[1] == pytest.approx([284.75, 312.001, 97.5])


def test_a_comma_groups_thousands_beside_decimal_points(tmp_path: Path) -> None:
    table = written(tmp_path, ";", energy=["0.5", "0.25", "0.75"], plays=["1,234", "5,678", "9"])
    assert dict(dialect_of(table).numerals)[2].plain("1,234") == "1234"
    alone = written(tmp_path, ";", plays=["1,234", "5,678", "9,012"])
    assert not dialect_of(alone).numerals


@pytest.mark.parametrize("cells", [["3,17", "4,105", "9,12"], ["90 120", "80 140", "100 130"]])
def test_lists_of_two_numbers_are_no_numbers_in_groups(tmp_path: Path, cells: list[str]) -> None:
    assert not dialect_of(written(tmp_path, ",", pairs=cells)).numerals


def test_a_later_cell_that_is_no_number_of_its_column_costs_its_row(tmp_path: Path) -> None:
    path = written(tmp_path, ";", centroid=["1.351,07", "284,5", "12,5"])
    numerals = dict(dialect_of(path).numerals)[1]
    assert numerals.plain("1.5") is None
    assert numerals.plain("0.532") is None


@pytest.mark.parametrize(
    ("cells", "values", "unit"),
    [
        (["80 BPM", "120.5 BPM", "97bpm"], [80, 120.5, 97], "bpm"),
        (["12%", "3.5 %", "100%"], [12, 3.5, 100], "%"),
        (["-7.2 dB", "-11 dB", "0 dB"], [-7.2, -11, 0], "dB"),
        (["44100 Hz", "22,050 Hz", "48 kHz"], [44100, 22050, 48000], "Hz"),
        (["-14 LUFS", "-9.5 LUFS", "-8 LUFS"], [-14, -9.5, -8], "LUFS"),
        (["12,5 %", "3,25 %", "100 %"], [12.5, 3.25, 100], "%"),
    ],
)
def test_numbers_with_a_unit_are_numbers_and_the_unit_is_said(
    tmp_path: Path, cells: list[str], values: list[float], unit: str
) -> None:
    separator = "," if unit == "Hz" else ";"
    path = written(tmp_path, separator, measured=cells)
    [found] = numbers(path)
    assert found == pytest.approx(values)
    assert f"which are left out: measured in {unit}" in "; ".join(dialect_of(path).notes)


@pytest.mark.parametrize("cells", [["12%", "0.12", "15%"], ["80 BPM", "-7 dB", "3 dB"]])
def test_units_that_differ_in_a_column_are_not_left_out(tmp_path: Path, cells: list[str]) -> None:
    assert not dialect_of(written(tmp_path, ";", measured=cells)).numerals


@pytest.mark.parametrize("name", ["title", "catalog_id", "song"])
def test_ids_and_titles_stay_as_they_stand(tmp_path: Path, name: str) -> None:
    path = tmp_path / "t.csv"
    lines = [f"x{at};0,{at}5;10{at}.20{at}" for at in range(1, 8)]
    path.write_text("\n".join([f"track_id;energy;{name}", *lines]), encoding="utf-8")
    assert [*dict(dialect_of(path).numerals)] == [1]
