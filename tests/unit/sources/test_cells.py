"""What a cell says: numbers, lists, texts, lengths, and marks of nothing."""

from typing import Any

import pytest

from pgsim.sources.cells import seconds_of, text_of, texts_of, value_of


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1.5", 1.5),
        (" -2e3 ", -2000.0),
        (7, 7),
        ("3_4", "3_4"),  # Python reads it as 34
        ("1_000.5", "1_000.5"),
        ("4/4", "4/4"),
        ("12,5", "12,5"),  # rather one number with a decimal comma than two
        ("[0.1, 2]", [0.1, 2.0]),
        ("[0.1 2.\n 3]", [0.1, 2.0, 3.0]),
        ("array([1., 2.], dtype=float32)", [1.0, 2.0]),
        ("(1;2)", [1.0, 2.0]),
        ("[[1, 2], [3, 4]]", [1.0, 2.0, 3.0, 4.0]),
        ("0.1 0.2 0.3", [0.1, 0.2, 0.3]),
        ("1,2,3", [1.0, 2.0, 3.0]),
        ("[0.1 ... 0.9]", "[0.1 ... 0.9]"),  # cut short when it was printed
        ("[1_0, 2]", "[1_0, 2]"),
        ("1999-01-02", "1999-01-02"),
    ],
)
def test_a_cell_is_a_number_or_a_list_of_numbers_only_if_it_is_meant_so(
    cell: Any, value: Any
) -> None:
    assert value_of(cell) == value


@pytest.mark.parametrize(
    "cell",
    ["", " ", "NaN", "nan", "NA", "N/A", "null", "None", "\\N", "<NA>", "#N/A", "?", "-", "--"],
)
def test_marks_of_nothing_are_no_numbers(cell: str) -> None:
    assert value_of(cell) is None
    assert seconds_of(cell) is None


@pytest.mark.parametrize("cell", ["", "\\N", "<NA>", "#N/A", None, float("nan")])
def test_some_marks_of_nothing_are_never_texts(cell: Any) -> None:
    assert text_of(cell) == ""
    assert texts_of(cell) == []


@pytest.mark.parametrize("cell", ["None", "?", "-", "NA", "Null"])
def test_other_marks_of_nothing_can_be_titles_unless_a_profile_names_them(cell: str) -> None:
    assert text_of(cell) == cell
    assert text_of(cell, {cell.lower()}) == ""
    assert value_of(f" {cell} ", {cell.lower()}) is None


@pytest.mark.parametrize(
    ("cell", "texts"),
    [
        ("Rock", ["Rock"]),
        ("['Band 0', 'Guest']", ["Band 0", "Guest"]),
        ('["a", "b"]', ["a", "b"]),
        ("['a' 'b']", ["a", "b"]),  # NumPy's; Python reads it as one text
        ("['It\\'s' \"so\"]", ["It's", "so"]),
        ("('a',)", ["a"]),
        ("{'a', 'b'}", ["a", "b"]),
        ("[]", []),
        (["a", None, "b"], ["a", "b"]),
        ("[{'genre_id': '21', 'genre_title': 'Hip-Hop'}]", ["Hip-Hop"]),
        ('{"id": 1, "name": "Folk"}', ["Folk"]),
        ("[unknown]", ["[unknown]"]),  # an artist of MusicBrainz
        ("(What's the Story) Morning Glory?", ["(What's the Story) Morning Glory?"]),
        ("[" * 3000 + "]" * 3000, ["[" * 3000 + "]" * 3000]),
        (5.0, ["5"]),
    ],
)
def test_the_texts_of_a_list_are_apart(cell: Any, texts: list[str]) -> None:
    assert texts_of(cell) == texts


@pytest.mark.parametrize(
    ("cell", "units", "seconds"),
    [
        ("225", 1, 225),
        (225000, 1000, 225),
        ("9922500", 44100, 225),
        ("3.75", 1 / 60, 225),
        ("3:45", 1, 225),
        ("3:45", 1000, 225),  # it says its own unit
        ("0:03:45", 1, 225),
        ("1:02:03.5", 1, 3723.5),
        ("0 days 00:03:45", 1, 225),
        ("PT3M45S", 1, 225),
        ("3m45s", 1, 225),
        ("3 min 45 sec", 1, 225),
        ("3 min 45", 1000, 225),
        ("3m45", 1, 225),
        ("225 s", 1000, 225),
        ("225000 ms", 1, 225),
    ],
)
def test_a_length_is_in_seconds_whatever_its_form(cell: Any, units: float, seconds: float) -> None:
    assert seconds_of(cell, units) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("b'Casual'", "Casual"),
        ('b"Tune\'s"', "Tune's"),
        ("b'Bj\\xc3\\xb6rk'", "Björk"),
        ("b'\\xff'", "b'\\xff'"),
        ("b''", ""),
        ("b'n' roll'", "b'n' roll'"),
    ],
)
def test_bytes_as_python_prints_them_are_their_text(cell: str, text: str) -> None:
    assert text_of(cell) == text
    assert text_of(cell, {"unknown"}) == text


def test_what_is_no_length_is_left_as_it_is() -> None:
    assert seconds_of("long") == "long"
    assert seconds_of("3:75:1") == "3:75:1"
