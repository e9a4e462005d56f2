"""Texts within single quotes, as WEKA and openSMILE write them, and ARFF."""

from pathlib import Path

import pytest

from pgsim.sources.dialect import dialect_of
from pgsim.sources.streams.files import SourceError
from tests.support.described import columns, features, loaded

NUMBERS = ("0.5,1", "0.25,2", "0.75,3", "0.125,4", "0.625,5", "0.375,6")


def written(tmp_path: Path, cells: list[str], name: str = "t.csv", head: str = "") -> Path:
    path = tmp_path / name
    head = head or "track_id,energy,tempo"
    lines = [f"{cell},{rest}" for cell, rest in zip(cells, NUMBERS, strict=True)]
    path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("form", "own"),
    [
        ("'song{}.wav'", "song3.wav"),
        ("'a, song {}'", "a, song 3"),
        (r"'it\'s {}'", "it's 3"),
        ("'it''s {}'", "it's 3"),
        ("'12\" mix {}'", '12" mix 3'),
    ],
)
def test_single_quotes_around_texts_are_quotes(tmp_path: Path, form: str, own: str) -> None:
    path = written(tmp_path, [form.format(at) for at in range(6)])
    assert loaded(path)[3].metadata["source_id"] == own
    assert "texts are within single quotes" in dialect_of(path).notes


def test_weka_quotes_only_the_texts_that_need_it(tmp_path: Path) -> None:
    path = written(tmp_path, ["One", "'Two more'", "'a, b'", "Four", "'Five five'", "Six"])
    own = [each.metadata["source_id"] for each in loaded(path)]
    assert own == ["One", "Two more", "a, b", "Four", "Five five", "Six"]


@pytest.mark.parametrize(
    "titles",
    [
        ["Low", "'Heroes'", "Lodger", "Station to Station", "'Helden'", "Blackout"],
        ["'Round Midnight", "'Til Dawn", "Don't", "'S Wonderful", "Rockin'", "x"],
        ["Rock 'n' Roll", "'Tis", "b", "c", "d", "e"],
        ["Low", "'Heroes'", "Lodger", "'Helden'", "Five", "Six"],
    ],
)
def test_single_quotes_of_titles_belong_to_them(tmp_path: Path, titles: list[str]) -> None:
    assert [each.metadata["source_id"] for each in loaded(written(tmp_path, titles))] == titles


ARFF = """% made by a test
@relation 'openSMILE features'

@ATTRIBUTE name string
@attribute 'pcm energy' numeric
@attribute tempo REAL
@attribute class {'hip hop', rock}

@DATA
"""


def test_arff_is_a_table_with_the_names_of_its_attributes(tmp_path: Path) -> None:
    labels = ["'hip hop'", "rock"]
    lines = [f"'song {at}.wav', {rest}, {labels[at % 2]}" for at, rest in enumerate(NUMBERS)]
    path = tmp_path / "t.arff"
    path.write_text(ARFF + "% six rows\n" + "\n".join(lines) + "\n'none.wav',?,7,?\n")
    assert columns(path) == {"id": "name", "genre": "class"}
    assert set(features(path)) == {"pcm energy", "tempo"}
    found = loaded(path)
    assert [each.metadata["source_id"] for each in found[:2]] == ["song 0.wav", "song 1.wav"]
    assert [each.metadata["labels"]["tag"] for each in found[:2]] == [["hip hop"], ["rock"]]
    assert len(found) == 7


def test_arff_that_is_sparse_or_has_no_data_is_refused_with_the_cure(tmp_path: Path) -> None:
    path = tmp_path / "t.arff"
    path.write_text(ARFF + "{0 a, 2 3}\n")
    with pytest.raises(SourceError, match="SparseToNonSparse"):
        dialect_of(path)
    path.write_text(ARFF.replace("@DATA", ""))
    with pytest.raises(SourceError, match="without a line @data"):
        dialect_of(path)


def test_opensmiles_csv_has_a_file_and_frames(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    lines = [
        f"'{file}';{at * 0.01:.6f};{100 + at * 3.5}"
        for file in ("song1.wav", "song 2.wav")
        for at in range(5)
    ]
    path.write_text("\n".join(["name;frameTime;F0_sma", *lines]) + "\n")
    assert columns(path) == {"id": "name", "number": "row"}
    assert [each.metadata["source_id"] for each in loaded(path)][4:6] == ["song1.wav", "song 2.wav"]
