"""The rows of tables: which ones there are, what is in them, and what is said of the others."""

import csv
import datetime
import decimal
import io
import math
import random
import time
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgsim.sources.delimited.kinds import Shape
from pgsim.sources.delimited.records import MOST_LINES, Form, records
from pgsim.sources.dialect import Sample, dialect_in
from pgsim.sources.streams.files import Member, SourceError
from pgsim.sources.table_rows import TABLE_READERS, notes_of
from pgsim.sources.tables import members


def read(path: Path) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The rows of a table, and the reasons why lines are none, by where these stand."""
    found = list(members(path))
    rows = [orjson.loads(each.data) for each in found if not each.fault]
    return rows, {each.name: each.fault for each in found if each.fault}


def csv_of(text: str | bytes, name: str = "s.csv") -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The rows of a text, read as a file of that name."""
    data = text if isinstance(text, bytes) else text.encode()
    found: list[Member] = list(TABLE_READERS[name.rpartition(".")[2]](io.BytesIO(data), name))
    rows = [orjson.loads(each.data) for each in found if not each.fault]
    return rows, {each.name: each.fault for each in found if each.fault}


def table(count: int = 9, row: str = "x{0},Tune {0},{0}.5") -> str:
    return "id,title,tempo\n" + "".join(row.format(n) + "\n" for n in range(count))


def test_cells_stay_as_they_stand_and_rows_have_their_number() -> None:
    rows, faults = csv_of('id,title,tempo\n007, a b ,1.50\n8,"say ""hi"", you",\n\n9,7" mix,1e3\n')
    assert rows == [
        {"row": 0, "id": "007", "title": " a b ", "tempo": "1.50"},
        {"row": 1, "id": "8", "title": 'say "hi", you', "tempo": ""},
        {"row": 2, "id": "9", "title": '7" mix', "tempo": "1e3"},
    ]
    assert not faults


@pytest.mark.parametrize(
    ("data", "titles"),
    [
        (table().encode("utf-16"), ["Tune 0", "Tune 1"]),
        (table(row="x{0},Canción {0},1").encode("cp1252"), ["Canción 0", "Canción 1"]),
        (table(row="x{0},Bär {0},1").encode("utf-16-be"), ["Bär 0", "Bär 1"]),
        (table(row="x{0},“{0}”,1").encode("cp1252"), ["“0”", "“1”"]),
        (table().replace("\n", "\r").encode(), ["Tune 0", "Tune 1"]),
        (table().replace("\n", "\r\n").encode() + b"\x1a", ["Tune 0", "Tune 1"]),
        (table().strip("\n").encode(), ["Tune 0", "Tune 1"]),
        (table().replace("\n", "\n\n").encode(), ["Tune 0", "Tune 1"]),
        (b"sep=;\r\n" + table().replace(",", ";").encode(), ["Tune 0", "Tune 1"]),
        (table(row="x{0}, Tune {0}, 1").replace(",t", ", t").encode(), ["Tune 0", "Tune 1"]),
        (table(row='x{0},"\\"T\\", {0}",1').encode(), ['"T", 0', '"T", 1']),
        (table(row="x{0},Tune {0},1,").encode(), ["Tune 0", "Tune 1"]),
    ],
)
def test_every_form_of_text_gives_its_rows(data: bytes, titles: list[str]) -> None:
    rows, faults = csv_of(data)
    assert [len(rows), faults] == [9, {}]
    assert [each["title"] for each in rows[:2]] == titles
    assert rows[0].keys() == {"row", "id", "title", "tempo"}


def test_decimal_commas_become_points_in_columns_of_numbers_alone() -> None:
    rows, _ = csv_of("id;title;tempo;n\n" + "".join(f"x{n};1,5 T;{n},25;{n}\n" for n in range(9)))
    assert rows[3] == {"row": 3, "id": "x3", "title": "1,5 T", "tempo": "3.25", "n": "3"}


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        # A quote that opens a title is a character, in a file that has no others.
        (table(row="x{0},Tune {0},{0}").replace("Tune 4", '"Tis a song'), {}),
        (table(row="x{0}\tTune {0}\t{0}").replace(",", "\t").replace("Tune 4", '"Tis'), {}),
        (table(row="x{0}|Tune {0}|{0}").replace(",", "|").replace("Tune 4", '"Tis'), {}),
        (
            table(row="x{0};Tune {0};{0}").replace(",", ";").replace("Tune 4", '"a" b'),
            {},
        ),
        # Among quotes that are closed it costs its line, and no other.
        (
            table(row='x{0},"Tune, {0}",{0}').replace(', 4"', ", 4"),
            {"s.csv:6": "a quote that is not closed: close it, or double it and quote the whole"},
        ),
        (
            table(row='"x{0}","Tune","{0}"', count=40) + '"y","Tune,"7"\n"z","T","8"\n',
            {"s.csv:42": "text after a quote that closes a cell: double the quotes within quoted"},
        ),
        (
            table(row='x{0},"Tune, {0}",{0}').replace('"Tune, 8"', '"Tune'),
            {"s.csv:10": "a quote that is not closed"},
        ),
        # It would be closed in a later row.
        (
            table(row='x{0},"Tune, {0}",{0}')
            .replace('"Tune, 2"', '"Tune')
            .replace('"Tune, 5"', '"'),
            {"s.csv:4": "a quote that is not closed", "s.csv:7": "a quote that is not closed"},
        ),
        # Other widths than the header's.
        (table() + "x,T\n", {"s.csv:11": "2 cells; the header has 3: complete the line"}),
        (table() + "x,T,1,2\n", {"s.csv:11": "4 cells; the header has 3: quote a cell that"}),
        (table().replace(",", "\t") + "x\tT\t1\t2\n", {"s.csv:11": "4 cells; the header has 3"}),
        (table(row="x{0},T,1,") + "x,T,1,2\n", {"s.csv:11": "4 cells; the header has 3"}),
        # The header of another file that was appended, and a comment that may be a row.
        (table() + table(), {"s.csv:11": "the header once more"}),
        (
            "# made\n" + table() + "# x,T,3\n",
            {"s.csv:12": "begins with '#' as comments do, but has 3 cells as rows do"},
        ),
        ("# made\n" + table() + "# no, more\n", {}),
        (
            table(row='x{0},"Tune, {0}",{0}') + 'x,"a, b",3\r4\n',
            {"s.csv:11": "a carriage return within a cell: quote the cell"},
        ),
        (table(row="x{0},T,1,").replace("tempo", "tempo,") * 2, {"s.csv:11": "the header once"}),
    ],
)
def test_no_line_is_lost_without_a_word(text: str, lost: dict[str, str]) -> None:
    rows, faults = csv_of(text)
    assert faults.keys() == lost.keys()
    assert all(faults[where].startswith(reason) for where, reason in lost.items())
    lines = sum(bool(line.strip()) and not line.startswith("#") for line in text.split("\n"))
    comments = sum(where.endswith(":12") for where in lost if "made" in text)
    assert len(rows) + len(faults) == lines - 1 + comments


@pytest.mark.parametrize(
    "cell",
    ["two\nlines", "a, b\n\nc", 'say\n"hi"\n', "x,\r\ny", "\n", "x1,Tune\nx", "# no\n# comment"],
)
def test_a_quoted_cell_may_run_over_lines(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "s.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        write = csv.writer(file).writerow
        write(["id", "text", "n"])
        for number in range(9):
            write([f"x{number}", cell if number % 2 else "plain", number])
    rows, faults = read(path)
    assert not faults
    assert [each["text"] for each in rows] == ["plain", cell] * 4 + ["plain"]
    assert notes_of(path) == ("rows that run over lines in quoted cells: 4 of the first 9",)


def test_a_cell_runs_over_no_more_lines_than_memory_has_room_for() -> None:
    text = table(row='x{0},"a, b",{0}')
    long = "word\n" * (MOST_LINES - 1)
    assert not csv_of(f'{text}y,"{long}",3\n')[1]
    rows, faults = csv_of(f'{text}y,"{long}{long}",3\n')
    assert len(rows) == 9
    assert faults["s.csv:11"].startswith("a quote that is not closed")


def test_rows_count_the_same_each_time_with_those_that_are_rejected() -> None:
    text = table() + 'x,"T\n' + "x,T,5\n"
    first = [each.name for each in TABLE_READERS["csv"](io.BytesIO(text.encode()), "s.csv")]
    again = [each.name for each in TABLE_READERS["csv"](io.BytesIO(text.encode()), "s.csv")]
    assert first == again
    assert first == [f"s.csv:{line}" for line in range(2, 13)]
    assert csv_of(text)[0][-1] == {"row": 10, "id": "x", "title": "T", "tempo": "5"}


CELLS = st.text("ab1 ,;\t\n\"'|#", max_size=6)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(CELLS, CELLS), min_size=5, max_size=20),
    st.sampled_from(",;\t|"),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_pythons_csv_writes_is_read_as_it_was_written(
    cells: list[tuple[str, str]], separator: str, quoting: Any
) -> None:
    """Whatever the cells are, if the ids of rows tell where these begin."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, quoting=quoting)
    rows = [[f"id{number}", a, b, f"{number}.5"] for number, (a, b) in enumerate(cells)]
    writer.writerows([["key", "left", "right", "tempo"], *rows])
    form = Form(separator)
    shape = Shape(4, {0: "a9", 3: "number"})
    found = list(records(out.getvalue().split("\n"), form, shape))
    assert not [each.fault for each in found if each.fault]
    assert [each.cells for each in found[1:]] == rows


LINES = st.lists(st.text('ab,"# \t', max_size=9), max_size=30)


@given(LINES, st.sampled_from(['"', ""]), st.sampled_from(["", "#"]), st.integers(1, 4))
def test_every_line_is_in_one_record_or_says_nothing(
    lines: list[str], quote: str, comment: str, width: int
) -> None:
    form = Form(quote=quote, comment=comment)
    covered = [
        each.line + offset
        for each in records(lines, form, Shape(width))
        for offset in range(each.lines)
    ]
    assert covered == sorted(set(covered))
    for number in set(range(1, len(lines) + 1)) - set(covered):
        line = lines[number - 1]
        assert not line.strip() or (comment and line.startswith(comment))


PIECES = [
    *(b'"', b'""', b",", b";", b"\t", b"|", b" ", b"\n", b"\r", b"\r\n", b"#", b"\\"),
    *(b"\0", b"\xe9", b"\xc3\xa9", b"\xff\xfe", b"1", b"2,5", b"0.5", b"NaN"),
    *(b"id", b"track_id", b"x1,T,2\n"),
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=60).map(b"".join))
def test_whatever_the_bytes_are_a_table_is_read_or_its_fault_is_said(data: bytes) -> None:
    path = Path("s.csv")
    try:
        found = list(TABLE_READERS["csv"](io.BytesIO(data), path.name))
        dialect = dialect_in(Sample(data, is_whole=True))
    except SourceError:
        return
    assert len(set(dialect.columns)) == len(dialect.columns) > 0
    for each in found:
        row = (
            orjson.loads(each.data)
            if not each.fault
            else {"row": 0, **dict.fromkeys(dialect.columns)}
        )
        assert list(row) == ["row", *(name for name in dialect.columns if name != "row")]


@pytest.mark.slow
def test_four_times_the_columns_take_four_times_as_long(tmp_path: Path) -> None:
    def seconds(columns: int) -> float:
        path = tmp_path / f"{columns}.csv"
        header = "id," + ",".join(f"x{number}" for number in range(columns))
        rows = [f"r{row}," + ",".join(["0.25"] * columns) for row in range(30)]
        path.write_text("\n".join([header, *rows]), encoding="utf-8")
        start = time.process_time()
        assert sum(not each.fault for each in members(path)) == 30
        return time.process_time() - start

    seconds(1000)
    assert seconds(40_000) < 8 * seconds(10_000)


def written(path: Path, columns: dict[str, Any]) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet").write_table(pyarrow.table(columns), path)
    return path


MBID = uuid.UUID("0dad432b-16cc-4bf0-8961-fd31d124b01b")


def test_every_type_of_parquet_has_its_form(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    at = datetime.datetime(1971, 5, 1, 12, 30)
    columns = {
        "fixed": pyarrow.array([MBID.bytes], pyarrow.binary(16)),
        "bytes": pyarrow.array([MBID.bytes]),
        "other": pyarrow.array([b"\x01\xff"]),
        "uuid": pyarrow.ExtensionArray.from_storage(
            pyarrow.uuid(), pyarrow.array([MBID.bytes], pyarrow.binary(16))
        ),
        "nested": pyarrow.array([{"artist": "A", "years": [1971, 1972]}]),
        "word": pyarrow.array(["rock"]).dictionary_encode(),
        "at": pyarrow.array([at], pyarrow.timestamp("ns")),
        "zoned": pyarrow.array([at], pyarrow.timestamp("ns", "UTC")),
        "day": pyarrow.array([at.date()]),
        "length": pyarrow.array([datetime.timedelta(minutes=3.5)], pyarrow.duration("ns")),
        "clock": pyarrow.array([datetime.time(0, 3, 30)], pyarrow.time64("ns")),
        "price": pyarrow.array([decimal.Decimal("1.50")]),
        "list": pyarrow.array([[0.5, None]]),
        "nothing": pyarrow.array([math.nan]),
        "__index_level_0__": pyarrow.array([7]),
    }
    [row], faults = read(written(tmp_path / "s.parquet", columns))
    assert not faults
    assert row == {
        **{"row": 0, "fixed": str(MBID), "bytes": str(MBID), "other": "01ff", "uuid": str(MBID)},
        **{"nested.artist": "A", "nested.years": [1971, 1972], "word": "rock"},
        **{"at": "1971-05-01T12:30:00", "zoned": "1971-05-01T12:30:00+00:00"},
        **{"day": "1971-05-01", "length": 210.0, "clock": "00:03:30", "price": 1.5},
        **{"list": [0.5, None], "nothing": None, "__index_level_0__": 7},
    }


@pytest.mark.parametrize(
    "cell", [math.inf, [0.5, -math.inf], {"a": math.inf}, [[1.0], [math.inf]], {"a": [math.inf]}]
)
def test_an_infinity_costs_its_row_alone(tmp_path: Path, cell: Any) -> None:
    plain = {"a": 0.5} if cell == {"a": math.inf} else {"a": [0.5]} if "a" in str(cell) else None
    rows, faults = read(written(tmp_path / "s.parquet", {"id": ["x", "y"], "v": [cell, plain]}))
    assert [each["id"] for each in rows] == ["y"]
    assert faults["s.parquet:0"].endswith("infinity is not a number")


def test_columns_of_one_name_are_told_apart_and_said(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    path = tmp_path / "s.parquet"
    named = pyarrow.table([["x"], [1], [2]], names=["id", "t", "t"])
    pytest.importorskip("pyarrow.parquet").write_table(named, path)
    assert read(path)[0] == [{"row": 0, "id": "x", "t": 1, "t_2": 2}]
    assert "twice or more: 't'" in notes_of(path)[0]


MATRIX = np.arange(12.0).reshape(6, 2)


@pytest.mark.parametrize(
    ("arrays", "columns", "note"),
    [
        ({"x": MATRIX, "id": np.arange(6)}, {"x", "id"}, ""),
        ({"x": MATRIX, "classes": ["a", "b"]}, {"x"}, "left out, since the table has 6 rows: cla"),
        ({"x": MATRIX, "names": ["mean", "deviation"], "y": [0] * 6}, {"x", "y"}, "names (2)"),
        ({"x": MATRIX, "names": ["a", "b", "c"], "rate": [22050]}, {"x"}, "names (3), rate (1)"),
        ({"x": MATRIX, "y": [0] * 6, "basis": np.ones((2, 5))}, {"x", "y"}, "basis (2)"),
        ({"x": MATRIX, "config": np.array("v1")}, {"x"}, "config (a single value)"),
        ({"x": np.ones((2, 9)), "names": list("abcdefghi"), "y": [1, 2]}, {"x", "y"}, "names (9)"),
        ({"id": list("abcd"), "year": [1, 2, 3, 4], "genres": ["rock"]}, {"id", "year"}, "genres"),
    ],
)
def test_arrays_that_are_no_columns_are_left_out_and_said(
    tmp_path: Path, arrays: dict[str, Any], columns: set[str], note: str
) -> None:
    path = tmp_path / "s.npz"
    np.savez(path, **arrays)
    rows, faults = read(path)
    assert not faults
    assert {key for row in rows for key in row} == {"row", *columns}
    assert len(rows) == len(arrays["x" if "x" in arrays else "id"])
    assert note in "".join(notes_of(path))
    assert bool(note) == bool(notes_of(path))


@pytest.mark.parametrize(
    "arrays",
    [
        {"a": [1, 2], "b": [1]},
        # An id that lacks, two sets of recordings, and labels of which one is too many.
        {"x": MATRIX, "id": np.arange(5)},
        {"x_train": MATRIX, "y_train": [0] * 6, "x_test": MATRIX[:4], "y_test": [0] * 4},
        {"x_train": MATRIX, "y_train": [0] * 6, "id_train": np.arange(6), "x_test": MATRIX[:3]},
        {"x": MATRIX, "y": [0] * 6, "genre": [0] * 7},
    ],
)
def test_arrays_of_which_none_can_be_left_out_are_refused(
    tmp_path: Path, arrays: dict[str, Any]
) -> None:
    np.savez(tmp_path / "s.npz", **arrays)
    rows, faults = read(tmp_path / "s.npz")
    assert not rows
    assert faults["s.npz"].startswith("the arrays of a table have the same length; these differ:")
    assert faults["s.npz"].endswith("save those of one table in a file of their own")


def test_a_file_that_breaks_off_gives_the_rows_before(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_bytes(table().encode("utf-16-le") + b"x")
    rows, faults = read(path)
    assert len(rows) == 9
    assert "not UTF-16-LE throughout" in faults["s.csv"]


def test_the_notes_of_a_text_are_those_of_its_dialect(tmp_path: Path) -> None:
    path = tmp_path / "s.tsv"
    path.write_text(table(row="x{0}|T|1").replace(",", "|"), encoding="utf-8")
    expected = dialect_in(Sample(path.read_bytes(), is_whole=True)).notes
    assert notes_of(path) == expected == ("cells are separated by pipes",)
    np.save(tmp_path / "s.npy", MATRIX)
    assert notes_of(tmp_path / "s.npy") == ()


def test_random_tables_with_a_broken_quote_lose_that_row_alone() -> None:
    made = random.Random(20)
    for _ in range(50):
        broken = made.randrange(40)
        lines = ["id,title,artist,tempo"]
        for number in range(40):
            title = made.choice(["Plain", '"Quoted, here"', '"Two\nlines, a"', '"say ""hi"""'])
            title = '"Broken' if number == broken else title
            lines.append(f"x{number},{title},A,{number}.5")
        rows, faults = csv_of("\n".join(lines))
        ids = [each["id"] for each in rows]
        assert ids == [f"x{number}" for number in range(40) if number != broken]
        assert len(faults) == 1
