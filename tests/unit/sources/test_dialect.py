"""What is asked of a file of text before it is read as a table."""

import codecs
import gzip
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from pgsim.sources.dialect import Dialect, Sample, dialect_in, dialect_of
from pgsim.sources.streams.files import SourceError
from pgsim.sources.tables import members

NAMES = ("id", "title", "tempo")


def table(separator: str = ",", row: str = "id{0},Señor {0},{0}.5", header: bool = True) -> str:
    """A table of nine rows, its cells apart by the separator."""
    rows = [row.format(number).replace(",", separator) for number in range(1, 10)]
    return "\n".join([*([separator.join(NAMES)] if header else []), *rows, ""])


def found(text: str | bytes) -> Dialect:
    data = text if isinstance(text, bytes) else text.encode()
    return dialect_in(Sample(data, is_whole=True))


def noted(text: str | bytes) -> str:
    return "; ".join(found(text).notes)


def test_a_plain_table_has_nothing_to_be_said_of() -> None:
    assert found(table()) == Dialect(
        columns=NAMES, head=NAMES, start=1, kinds=((0, "a9"), (2, "number"))
    )


@pytest.mark.parametrize(
    ("data", "encoding", "note"),
    [
        (table().encode(), "utf-8", ""),
        (table().encode("utf-8-sig"), "utf-8-sig", ""),
        (table().encode("utf-16"), "utf-16", "read as UTF-16"),
        (codecs.BOM_UTF16_BE + table().encode("utf-16-be"), "utf-16", "read as UTF-16"),
        (table().encode("utf-32"), "utf-32", "read as UTF-32"),
        (table().encode("utf-16-le"), "utf-16-le", "read as UTF-16-LE"),
        (table().encode("utf-16-be"), "utf-16-be", "read as UTF-16-BE"),
        (table().encode("cp1252"), "cp1252", "not UTF-8: read as Windows-1252"),
        (table(row="x{0},“{0}” – Björk,1").encode("cp1252"), "cp1252", "Windows-1252"),
        (table().encode("latin-1") + b"z,\x81\xf1,3\n", "latin-1", "ISO 8859-1"),
        # One wrong byte among right letters is a fault of its row.
        (table().encode() + b"z,caf\xe9,3\n", "utf-8", ""),
        # A character that the sample cuts off is none.
        (table().encode() + "z,é".encode()[:-1], "utf-8", ""),
    ],
)
def test_the_encoding_is_asked_of_the_bytes(data: bytes, encoding: str, note: str) -> None:
    dialect = found(data)
    assert (dialect.encoding, dialect.columns, dialect.start) == (encoding, NAMES, 1)
    assert note in "; ".join(dialect.notes)
    assert bool(note) == bool([each for each in dialect.notes if "read as" in each])


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        (table(), ","),
        (table(";"), ";"),
        (table("\t"), "\t"),
        (table("|"), "|"),
        (table("|").replace("Señor", "A, B"), "|"),
        (table(";").replace(".5", ",5"), ";"),
        # Decimal commas alone, and no header that would tell.
        (table(";", "{0},{0}.5,1").replace(".5", ",5"), ";"),
        ("".join(f"{n};{n},5;1,{n}\n" for n in range(1, 9)), ";"),
        # Lists in cells are no columns.
        (table().replace("Señor", "Rock|Pop|Folk"), ","),
        (table("\t").replace("Señor", "Rock, Pop; Folk"), "\t"),
        ("sep=;\n" + table(";"), ";"),
        ('"sep=|"\r\n' + table("|"), "|"),
        ("sep=\t\n" + table("\t"), "\t"),
        ("id tempo energy\n" + "".join(f"x{n}  {n}.5   {n}\n" for n in range(9)), " "),
        ("1.5e+00 2.5e+00\n3.5e+00 4.5e+00\n5.5e+00 0.5e+00\n", " "),
        # Titles have blanks too.
        ("title\nSo What\nBlue Train\nGiant Steps\n", ","),
    ],
)
def test_the_separator_is_the_one_that_makes_rows_alike(text: str, separator: str) -> None:
    assert found(text).separator == separator


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        (table(), '"'),
        (table().replace("Señor 1", '"Señor, 1"'), '"'),
        (table("\t").replace("Señor 1", '"Tis a song'), ""),
        (table("|").replace("Señor 2", '"Heroes" (live)'), ""),
        (table("\t").replace("Señor", '"Heroes').replace("\t1.5", '"\t1.5'), ""),
        (table().replace("Señor 7", '"Señor'), ""),
        # One that lacks among many that are closed is a fault of its row.
        (table().replace("Señor 7", '"Señor').replace("Señor 1", '"Señor, 1"'), '"'),
        (
            "".join(f'"x{n}","T","{n}"\n' for n in range(30)) + '"x","T,"3"\n',
            '"',
        ),
        # In the middle of a cell it is a mark of inches.
        (table().replace("Señor 1", '7" mix'), '"'),
    ],
)
def test_quotes_are_quotes_if_they_are_closed(text: str, quote: str) -> None:
    dialect = found(text)
    assert dialect.quote == quote
    assert any("a quote is a character like any other" in n for n in dialect.notes) == (not quote)


def test_a_backslash_before_a_quote_is_seen_where_it_makes_rows_whole() -> None:
    escaped = table(row='id{0},"say \\"hi\\", {0}",{0}.5')
    assert found(escaped).is_escaped
    assert not found(table(row='id{0},"AC\\DC, {0}",{0}.5')).is_escaped


@pytest.mark.parametrize(
    ("text", "header", "columns"),
    [
        (table(), 1, NAMES),
        # Texts alone: the first line has the names.
        ("a,b\nx,y\nz,w\n", 1, ("a", "b")),
        # Without a header.
        (table(header=False), 0, ("column_1", "column_2", "column_3")),
        ("".join(f"{1980 + n},41.9,-{n}.9\n" for n in range(9)), 0, None),
        (f"{'1' * 8}-1111-4111-8111-{'1' * 12},rock\n" * 2, 0, None),
        ("Abba;1974-05-01;pop\nQueen;1975-10-31;rock\nAbba;1976-08-15;pop\n", 0, None),
        ("So What\tMiles\tjazz\nNaima\tTrane\tjazz\nAll Blues\tMiles\tjazz\n", 0, None),
        ("x1;?;0,5\nx2;3;0,25\nx3;4;0,125\n", 0, None),
        # Names that are numbers.
        ("id,0,1,2\n" + "".join(f"x{n},{n % 3},{n * 7 % 5},{n % 4}\n" for n in range(9)), 1, None),
        (",0,1,2\n" + "".join(f"{n},{n % 3}.5,{n * 7 % 5}.5,.5\n" for n in range(9)), 1, None),
        (
            "Lied;1990;1995;2000\n" + "".join(f"L{n};{n * 3 % 7};{n % 3};1\n" for n in range(9)),
            1,
            ("Lied", "1990", "1995", "2000"),
        ),
        ("track,2019\n" + "".join(f"x{n},{n}\n" for n in range(9)), 1, ("track", "2019")),
        # A value that lacks does not make a row of names.
        ("tempo,energy,mode\n?,NaN,\n90,0.5,1\n91,0.6,0\n92,0.7,1\n93,0.8,1\n", 1, None),
        # Three rows, as in FMA's features.csv.
        (
            "feature,cens,cens,mfcc\nstatistics,max,max,mean\nnumber,01,02,01\ntrack_id,,,\n"
            "2,0.4,0.7,0.1\n3,0.1,0.5,0.4\n",
            3,
            ("track_id", "cens.max.01", "cens.max.02", "mfcc.mean.01"),
        ),
        # Two rows, as in FMA's tracks.csv.
        (
            ",album,album,track\n,comments,title,title\ntrack_id,,,\n"
            '2,0,"A, B",Food\n3,1,C,\n5,2,D,E\n',
            2,
            ("track_id", "album.comments", "album.title", "track.title"),
        ),
        # Two rows without the row of the id, as pandas writes them.
        (
            ",mfcc,mfcc\n,mean,std\n0,1.5,2.5\n1,1.5,2.5\n2,3.5,2.5\n",
            2,
            ("unnamed_1", "mfcc.mean", "mfcc.std"),
        ),
        # Cells of a spreadsheet that are merged.
        (
            ",mfcc,,chroma,\nid,mean,std,mean,std\nx1,1,2,3,4\nx2,1,2,3,4\nx3,1,2,3,4\n",
            2,
            ("id", "mfcc.mean", "mfcc.std", "chroma.mean", "chroma.std"),
        ),
        # A row of units.
        ("id;tempo;loudness\n;bpm;dB\nx1;90;3\nx2;91;4\nx3;92;5\n", 2, None),
        # The name of the columns' index, as pandas writes it.
        ("feature,a,b\ntrack_id,,\n2,0.5,1\n3,0.7,2\n", 1, ("track_id", "a", "b")),
        # A first recording without values is none.
        ("track,a,b\nx0,,\nx1,0.5,1\nx2,0.7,2\n", 1, ("track", "a", "b")),
        ("title,a,b\nLove,,\n1999,0.5,1\n7,0.7,2\n", 1, ("title", "a", "b")),
        ("title|a\nLove|\n1999|0.5\n7|0.7\n", 1, ("title", "a")),
    ],
)
def test_a_header_has_as_many_rows_as_have_names(
    text: str, header: int, columns: tuple[str, ...] | None
) -> None:
    dialect = found(text)
    assert dialect.header == header
    if columns:
        assert dialect.columns == columns
    said = "; ".join(dialect.notes)
    assert ("the first line looks like data: columns are named column_1" in said) == (not header)
    assert (f"joined from {header} rows" in said) == (header > 1)


@pytest.mark.parametrize(
    ("header", "columns", "note"),
    [
        (",title,tempo", ("unnamed_1", "title", "tempo"), "without a name: unnamed_1"),
        ("id, title , tempo", NAMES, ""),
        ('"id","title","tempo"', NAMES, ""),
        ("id,tempo,tempo", ("id", "tempo", "tempo_2"), "twice or more: 'tempo'"),
        ("id,id,id", ("id", "id_2", "id_3"), "twice or more: 'id'"),
        ("x,x,x_2", ("x", "x_3", "x_2"), "twice or more: 'x'"),
        ("unnamed_2,,x", ("unnamed_2", "unnamed_2_2", "x"), "without a name: unnamed_2_2"),
    ],
)
def test_every_column_has_a_name_of_its_own(
    header: str, columns: tuple[str, ...], note: str
) -> None:
    text = f"{header}\n" + table(header=False)
    assert found(text).columns == columns
    assert note in noted(text)


@pytest.mark.parametrize(
    ("text", "comment", "columns"),
    [
        ("# made in 2026\n\n" + table(), "#", NAMES),
        ("% one\n% two\n" + table(";"), "%", NAMES),
        ("# of many lines\n" * 30 + table(), "#", NAMES),
        ("// by, me, too\n" + table("\t"), "//", NAMES),
        (table().replace("id5,", "# half of it\nid5,"), "#", NAMES),
        # The names in a comment, as NumPy's savetxt and AudioSet write them.
        ("# a b c\n" + "1.5e+00 2.5e+00 3.5e+00\n" * 3, "#", ("a", "b", "c")),
        (
            "# made\n# YTID, start_seconds, labels\n"
            + "".join(f'--4g{n}, {n}.000, "/m/0,/m/1"\n' for n in range(9)),
            "#",
            ("YTID", "start_seconds", "labels"),
        ),
        ("#id\ttitle\n" + "".join(f"x{n}\tT {n}\n" for n in range(3)), "#", ("id", "title")),
        # Titles, and no comments.
        ("title,artist,tempo\n#1 Crush,Garbage,90\n#9 Dream,Lennon,91\n", "", None),
    ],
)
def test_comments_are_no_rows(text: str, comment: str, columns: tuple[str, ...] | None) -> None:
    dialect = found(text)
    assert dialect.comment == comment
    assert dialect.columns == columns or columns is None
    assert any(f"begin with {comment} are comments" in n for n in dialect.notes) == bool(comment)


@pytest.mark.parametrize(
    ("cells", "commas"),
    [
        (["x{0};90,5{0};A", "id;tempo;artist"], (1,)),
        (["x{0};0,62{0};3", "id;energy;n"], (1, 2)),
        (["x{0}\t-1,5e-3\tT, {0}", "id\ttempo\ttitle"], (1,)),
        (["x{0};1,234", "id;plays"], ()),  # may be thousands
        (["x{0};1,5;0.5", "id;a;b"], ()),  # points are there too
        (["x{0};1,2,3", "id;labels"], ()),
        (['x{0},"1,5"', "id,a"], ()),
    ],
)
def test_decimal_commas_are_seen_where_they_can_be_nothing_else(
    cells: list[str], commas: tuple[int, ...]
) -> None:
    row, header = cells
    dialect = found("\n".join([header, *map(row.format, range(1, 8))]))
    assert tuple(place for place, each in dialect.numerals if each.decimal == ",") == commas
    assert any("decimal commas" in each for each in dialect.notes) == bool(commas)


@pytest.mark.parametrize(
    ("text", "columns", "start"),
    [
        # Separators that nothing follows.
        (table(row="x{0},T,{0},").replace("tempo", "tempo,"), NAMES, 1),
        (table(row="x{0},T,{0},"), NAMES, 1),
        (table(row="x{0},T,{0},,"), NAMES, 1),
        (table().replace("tempo", "tempo,"), NAMES, 1),
        # The names of rows, as R's write.table leaves them without a name.
        (
            '"tempo" "mode"\n' + "".join(f'"r {n}" {n}.5 1\n' for n in range(5)),
            ("unnamed_1", "tempo", "mode"),
            1,
        ),
        (
            '"title","tempo"\n' + "".join(f'"{n}","T",{n}.5\n' for n in range(1, 6)),
            ("unnamed_1", "title", "tempo"),
            1,
        ),
        # A column of numbers named #, as rekordbox names it, which no comment begins with.
        (
            "#\tTitle\tBPM\n" + "".join(f"{n}\tT\t{n}.5\n" for n in range(1, 6)),
            ("#", "Title", "BPM"),
            1,
        ),
        ("tempo\tmode\n" + "r1\t1.5\t1\n" * 5, ("unnamed_1", "tempo", "mode"), 1),
        # Lines of a spreadsheet above the table.
        ("My music\n\nof 2026\n" + table(), NAMES, 4),
        ("\n\n" + table(), NAMES, 3),
    ],
)
def test_what_surrounds_a_table_is_left_out(
    text: str, columns: tuple[str, ...], start: int
) -> None:
    dialect = found(text)
    assert (dialect.columns, dialect.start) == (columns, start)


def test_a_comma_more_in_every_row_is_no_name_that_lacks() -> None:
    dialect = found(table(row="x{0},May 1, 2020,{0}"))
    assert dialect.columns == NAMES
    assert "lines that will be rejected: 9 of the first 9; line 2: 4 cells, not 3" in noted(
        table(row="x{0},May 1, 2020,{0}")
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no header: the first line has to name the columns"),
        (b"\n \n", "no header"),
        (b"PK\x03\x04..[Content_Types].xml", "an Excel workbook: open it, save it as CSV UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook"),
        (b"PK\x03\x04..songs.csv", "a ZIP archive: unpack it"),
        (gzip.compress(b"a,b\n", mtime=0), "compressed by gzip: add .gz to its name"),
        (b"PAR1\x15\x04", "Parquet: name it .parquet"),
        (b"SQLite format 3\0\x10", "an SQLite database"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "run git lfs pull"),
        (b"\n<!DOCTYPE html>\n<html>", "a web page: download the file itself"),
        (bytes(range(256)) * 9, "binary data: it is full of zero bytes"),
        (b'id,"title\n1,2\n3,4\n', None),
        (b'"id\n' + b'"x, ""1""",2\n' * 9, "line 1, the header: a quote that is not closed"),
    ],
)
def test_what_is_no_table_of_text_is_named_with_the_cure(data: bytes, reason: str | None) -> None:
    if reason is None:
        assert found(data).quote == ""
        return
    with pytest.raises(SourceError) as raised:
        found(data)
    assert reason in str(raised.value)


def test_the_first_part_of_a_file_tells_and_compression_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgsim.sources.dialect.SAMPLE", 2**16)
    text = table() + "".join(f"id{n},Tune {n},{n}.25\n" for n in range(4_000))
    assert len(text) > 2**16
    plain, packed = tmp_path / "s.csv", tmp_path / "s.csv.gz"
    plain.write_text(text + '"' * 99, encoding="utf-8")
    packed.write_bytes(gzip.compress(text.encode()))
    expected = found(table())
    assert dialect_of(plain) == dialect_of(packed) == expected


def test_a_record_that_the_sample_cuts_off_says_nothing_against_quotes() -> None:
    data = (table() + 'z,"a song\nthat goes').encode()
    assert dialect_in(Sample(data, is_whole=False)).quote == '"'


@pytest.mark.parametrize("key", ["encoding", "separator", "quote", "header", "comment", "numerals"])
def test_a_dialect_says_by_name_what_it_is(key: str) -> None:
    values: dict[str, Any] = asdict(found(table()))
    assert key in values


def test_a_row_that_is_shorter_than_the_columns_of_decimals_is_read(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_bytes(b";\n2,5;")
    assert [member.fault for member in members(path)] == [""]


def test_what_orange_writes_of_the_kinds_of_columns_is_no_row_and_no_name() -> None:
    """As music21 10.5 writes features of scores: names, kinds, and what is meta or class."""
    head = "Identifier\tRange\tNote_Density\tComposer\nstring\tdiscrete\tcontinuous\tdiscrete\n"
    dialect = found(f"{head}meta\t\t\tclass\nbwv66.6\t34\t7.24\tBach\nbwv57.8\t33\t7.69\tBach\n")
    assert dialect.columns == ("Identifier", "Range", "Note_Density", "Composer")
    assert dialect.start == 3
