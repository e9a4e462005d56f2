"""Names from MusicBrainz: given to recordings that lack them, and to these alone."""

import json
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import zstandard

from pgsim.loading.load import load
from pgsim.loading.names import NamesReport, load_names
from pgsim.loading.recordings import refit
from pgsim.postgres.connection import Connection, connect
from pgsim.sources.musicbrainz import NamesError
from pgsim.sources.streams.files import SourceError
from pgsim.transfer.dump import dump, restore
from tests.support import musicbrainz
from tests.support.documents import Document, low_level, mbid, write_lines
from tests.support.musicbrainz import recording
from tests.support.rows import one

DATA = "canonical_musicbrainz_data.csv"
REDIRECTS = "canonical_recording_redirect.csv"
COLUMNS = "title, artist, artist_mbids, album, year, length, named"


def artist(number: int) -> UUID:
    return mbid(900_000 + number)


def data_row(number: int, title: str, *artists: int, album: str = "Album") -> tuple[Any, ...]:
    """A row of the canonical data, about the recording of that number."""
    credit = " & ".join(f"Artist {each}" for each in artists)
    mbids = ",".join(str(artist(each)) for each in artists)
    return (number, 1, mbids, credit, mbid(800_000), album, mbid(number), title, "lookup", 7)


def write_data(path: Path, *rows: tuple[Any, ...]) -> Path:
    path.write_bytes(musicbrainz.with_header(DATA, rows))
    return path


def insert(conn: Connection, number: int, **values: Any) -> None:
    """A recording by plain SQL."""
    names = ", ".join(["mbid", *values])
    marks = ", ".join(["%s"] * (1 + len(values)))
    query = f"INSERT INTO pgsim.recording ({names}) VALUES ({marks})"
    conn.execute(query.encode(), [mbid(number), *values.values()])


def row(conn: Connection, number: int, columns: str = COLUMNS) -> tuple[Any, ...]:
    query = f"SELECT {columns} FROM pgsim.recording WHERE mbid = %s"
    found = conn.execute(query.encode(), [mbid(number)]).fetchone()
    assert found is not None
    return found


def nameless(recording: int, number: int = 0, **tags: Any) -> Document:
    """A document without a title and an artist, unless a tag says them."""
    document = low_level(recording, number, **tags)
    for tag in {"title", "artist"} - tags.keys():
        del document.body["metadata"]["tags"][tag]
    return document


def report(**counts: int) -> NamesReport:
    return NamesReport(**dict.fromkeys(NamesReport.__dataclass_fields__, 0) | counts)


def test_canonical_data_name_what_has_no_name(plane: Connection, tmp_path: Path) -> None:
    insert(plane, 1)
    insert(plane, 2, title="Mine", length=9.0)
    insert(plane, 3)
    path = write_data(
        tmp_path / "names.csv",
        data_row(1, 'A "quoted", \\ title\nof two lines', 4, 5),
        data_row(2, "Theirs", 6),
        data_row(7, "Unknown", 6),
    )
    assert load_names(plane, [path]) == report(
        read=3, lacking=3, matched=2, titles=1, artists=2, albums=2, without_title=1, recordings=3
    )
    mbids = [artist(4), artist(5)]
    named = ["title", "artist", "artist_mbids", "album"]
    title = 'A "quoted", \\ title\nof two lines'
    assert row(plane, 1) == (title, "Artist 4 & Artist 5", mbids, "Album", None, None, named)
    assert row(plane, 2) == ("Mine", "Artist 6", [artist(6)], "Album", None, 9.0, named[1:])
    assert row(plane, 3) == (None,) * 7
    # Again, there is nothing to give; a newer name is not taken for an older one.
    write_data(path, data_row(1, "Another", 4))
    assert load_names(plane, [path]) == report(
        read=1, lacking=3, matched=1, without_title=1, recordings=3
    )
    assert row(plane, 1)[0] == title


def test_the_files_of_these_tests_are_as_postgresql_writes_them(plane: Connection) -> None:
    texts = ["plain", 'a "quote", \\N', "tab\tline\nreturn\r", "Ünï", "", None, "\\.", "a,b", " "]
    rows = [(number, text, number % 2 == 0) for number, text in enumerate(texts)]
    plane.execute("CREATE TEMP TABLE made (id integer, name text, video boolean)")
    plane.cursor().executemany("INSERT INTO made VALUES (%s, %s, %s)", rows)
    wanted = [(number, text, "t" if video else "f") for number, text, video in rows]
    with plane.cursor().copy("COPY made TO STDOUT") as copy:
        assert b"".join(bytes(block) for block in copy) == musicbrainz.copied(wanted)
    # The canonical data have no NULL; a CSV may quote more than PostgreSQL does.
    columns = ", ".join(f"'{name}' AS {name}" for name in musicbrainz.CANONICAL[REDIRECTS])
    with plane.cursor().copy(f"COPY (SELECT {columns}) TO STDOUT (FORMAT csv, HEADER)") as copy:
        written = b"".join(bytes(block) for block in copy)
    assert written == musicbrainz.with_header(REDIRECTS, [musicbrainz.CANONICAL[REDIRECTS]])


def test_what_a_recording_has_is_never_changed(plane: Connection, tmp_path: Path) -> None:
    values = {
        "title": "Mine",
        "artist": "Me",
        "artist_mbids": [artist(1)],
        "album": "My album",
        "year": 1950,
        "length": 9.0,
    }
    for number, column in enumerate(values):
        insert(plane, number, **{key: values[key] for key in values if key != column})
    before = [row(plane, number) for number in range(6)]
    tables = DUMP | {
        "recording": [recording(at, mbid(at), "Its", 1, 5000) for at in range(6)],
        "track": [
            (9 * at + medium, mbid(600), at, medium, 1, "A1", "Track", 1, None)
            for at in range(6)
            for medium in (2, 3, 4)
        ],
    }
    load_names(plane, [musicbrainz.write_tables(tmp_path / "mbdump", tables)])
    given = ("Its", "One feat. Two", [artist(1), artist(2)], "Album", 1985, 5.0)
    for number, column in enumerate(values):
        wanted = list(before[number])
        wanted[number], wanted[6] = given[number], [column]
        assert row(plane, number) == tuple(wanted)


def test_canonical_data_are_read_from_their_archive(plane: Connection, tmp_path: Path) -> None:
    """A recording that is not canonical gets title and artist of its song, and no album."""
    for number in (1, 2, 3):
        insert(plane, number)
    tables = {
        DATA: [data_row(1, "Song", 4), data_row(7, "Other song", 5)],
        REDIRECTS: [(mbid(2), mbid(1), mbid(800_000)), (mbid(9), mbid(7), mbid(800_000))],
    }
    name = "musicbrainz-canonical-dump-20220504-010000.tar.zst"
    path = musicbrainz.write_canonical(tmp_path / name, tables)
    assert load_names(plane, [path]) == report(
        read=2, lacking=3, matched=2, titles=2, artists=2, albums=1, without_title=1, recordings=3
    )
    assert row(plane, 1, "title, artist, album") == ("Song", "Artist 4", "Album")
    assert row(plane, 2, "title, artist, album") == ("Song", "Artist 4", None)


def test_canonical_files_are_read_bare_compressed_and_in_a_folder(
    plane: Connection, tmp_path: Path
) -> None:
    insert(plane, 1)
    insert(plane, 2)
    folder = tmp_path / "canonical"
    folder.mkdir()
    for name, rows in {DATA: [data_row(1, "Song", 4)], REDIRECTS: [(mbid(2), mbid(1), 0)]}.items():
        compressed = zstandard.compress(musicbrainz.with_header(name, rows))
        (folder / f"{name}.zst").write_bytes(compressed)
    for paths in ([folder], [folder / f"{DATA}.zst", folder / f"{REDIRECTS}.zst"]):
        plane.execute("UPDATE pgsim.recording SET title = NULL")
        load_names(plane, paths)
        assert [row(plane, number, "title") for number in (1, 2)] == [("Song",)] * 2


def test_redirects_are_followed(plane: Connection, tmp_path: Path) -> None:
    for number in (1, 2, 3, 4):
        insert(plane, number)
    plane.execute(
        "INSERT INTO pgsim.redirect VALUES (%s, %s), (%s, %s), (%s, %s), (%s, %s)",
        [mbid(at) for at in (1, 11, 11, 12, 2, 3, 3, 2)],
    )
    path = write_data(tmp_path / "names.csv", data_row(12, "New", 5), data_row(3, "Circle", 5))
    assert load_names(plane, [path]).matched == 3
    titles = [row(plane, number, "title")[0] for number in (1, 2, 3, 4)]
    assert titles == ["New", "Circle", "Circle", None]
    # The recording's own name comes first.
    insert(plane, 5)
    plane.execute("INSERT INTO pgsim.redirect VALUES (%s, %s)", [mbid(5), mbid(6)])
    write_data(path, data_row(6, "Of the other", 5), data_row(5, "Its own", 5))
    load_names(plane, [path])
    assert row(plane, 5, "title") == ("Its own",)


def test_of_a_redirect_that_is_merely_canonical_no_album_comes(
    plane: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`pgsim redirects` has loaded the canonical redirects, too."""
    insert(plane, 2)
    plane.execute("INSERT INTO pgsim.redirect VALUES (%s, %s)", [mbid(2), mbid(1)])
    tables = {DATA: [data_row(1, "Song", 4)], REDIRECTS: [(mbid(2), mbid(1), mbid(800_000))]}
    path = musicbrainz.write_canonical(tmp_path / "canonical.tar.zst", tables)
    load_names(plane, [path])
    assert row(plane, 2, "title, album") == ("Song", None)
    # The dump knows the recording itself, be it in a later batch.
    monkeypatch.setattr("pgsim.loading.names.AT_ONCE", 1)
    rows = [recording(1, mbid(1), "Of another", 1, 1000), recording(2, mbid(2), "Its own", 2, 2000)]
    plane.execute("UPDATE pgsim.recording SET title = NULL")
    load_names(plane, [musicbrainz.write_tables(tmp_path / "mbdump", {"recording": rows})])
    assert row(plane, 2, "title, length") == ("Its own", 2.0)


DUMP: dict[str, Any] = {
    "artist": [(at, artist(at), f"Artist {at}", "Sort name") for at in range(1, 4)],
    "artist_credit": [
        (1, "One feat. Two", 2, 5, musicbrainz.CREATED, 0, mbid(1)),
        (2, "Three", 1, 5, musicbrainz.CREATED, 0, mbid(2)),
    ],
    "artist_credit_name": [
        (1, 1, 2, "Two", ""),
        (1, 0, 1, "One", " feat. "),
        (2, 0, 3, "Three", ""),
    ],
    "medium": [(at, at + 100, 1, 1, "", 0, musicbrainz.CREATED, 9, mbid(at)) for at in range(1, 6)],
    "recording": [
        recording(10, mbid(1), "Back\\slash\tand tab", 1, 215_500),
        recording(11, mbid(2), "Song", 2),
        recording(12, mbid(3), "Never released", 2, 1),
        recording(13, mbid(700), "Not in the database", 2, 1),
    ],
    "recording_gid_redirect": [musicbrainz.redirect(mbid(4), 11)],
    # A bootleg is the earliest release; among the official ones the one without a date is the last.
    "release": [
        (101, mbid(801), "Undated", 1, 1, 1, None),
        (102, mbid(802), "Bootleg", 1, 1, 3, None),
        (103, mbid(803), "Best of", 1, 1, 1, None),
        (104, mbid(804), "Album", 1, 1, 1, None),
        (105, mbid(805), "Unknown status", 2, 1, None, None),
    ],
    "release_country": [
        (103, 222, 1999, 1, None),
        (104, 222, 1987, None, None),
        (104, 81, 1986, 12, 1),
        (102, 81, 1985, 5, 5),
    ],
    "release_unknown_country": [(105, None, None, None)],
    "track": [
        *((at, mbid(600 + at), 10, at, 1, "A1", "Track", 1, None) for at in range(1, 5)),
        (5, mbid(605), 11, 5, 1, "A1", "Track", 1, None),
        (6, mbid(606), 13, 5, 1, "A2", "Track", 1, None),
    ],
}
NAMED_BY_DUMP = {
    1: ("Back\\slash\tand tab", "One feat. Two", [artist(1), artist(2)], "Album", 1985, 215.5),
    2: ("Song", "Three", [artist(3)], "Unknown status", None, None),
    3: ("Never released", "Three", [artist(3)], None, None, pytest.approx(0.001)),
    4: (None,) * 6,
}


def test_the_dump_of_musicbrainz_names_recordings(plane: Connection, tmp_path: Path) -> None:
    for number in NAMED_BY_DUMP:
        insert(plane, number)
    path = musicbrainz.write_dump(tmp_path / "mbdump.tar.bz2", DUMP)
    said: list[str] = []
    assert load_names(plane, [path], say=said.append) == report(
        **{"read": 4, "lacking": 4, "matched": 3, "titles": 3, "artists": 3, "albums": 2},
        **{"years": 1, "lengths": 2, "without_title": 1, "recordings": 4},
    )
    assert {number: row(plane, number)[:6] for number in NAMED_BY_DUMP} == NAMED_BY_DUMP
    assert said == ["not there, so that what they say is left out: recording_first_release_date"]


def test_tables_of_the_dump_are_read_in_any_order(plane: Connection, tmp_path: Path) -> None:
    for number in NAMED_BY_DUMP:
        insert(plane, number)
    tables = DUMP | {"recording_first_release_date": [(11, 1971, None, None), (10, 1985, 5, 5)]}
    folder = musicbrainz.write_tables(tmp_path / "mbdump", tables)
    load_names(plane, [folder / name for name in sorted(tables, reverse=True) if "gid" not in name])
    wanted = NAMED_BY_DUMP | {2: (*NAMED_BY_DUMP[2][:4], 1971, None)}
    assert {number: row(plane, number)[:6] for number in NAMED_BY_DUMP} == wanted


def test_some_tables_of_the_dump_name_what_they_can(plane: Connection, tmp_path: Path) -> None:
    insert(plane, 1)
    folder = musicbrainz.write_tables(tmp_path / "mbdump", DUMP)
    said: list[str] = []
    load_names(plane, [folder / "recording"], say=said.append)
    assert row(plane, 1)[:6] == (NAMED_BY_DUMP[1][0], None, None, None, None, 215.5)
    assert "left out: artist, artist_credit, artist_credit_name, medium" in said[0]
    load_names(plane, [folder / name for name in ("recording", "artist_credit")])
    assert row(plane, 1, "title, artist, named") == (
        *NAMED_BY_DUMP[1][:2],
        ["title", "length", "artist"],
    )


def test_names_outlast_a_load_and_a_refit(conn: Connection, tmp_path: Path) -> None:
    load(conn, [write_lines(tmp_path / "1.ndjson", [nameless(at) for at in range(4)])])
    rows = [data_row(at, f"Song {at}", at + 1) for at in range(3)]
    load_names(conn, [write_data(tmp_path / "names.csv", *rows)])
    columns = COLUMNS.replace(", length", "")  # each submission has its own
    named = {at: row(conn, at, columns) for at in range(4)}
    assert named[0][:2] == ("Song 0", "Artist 1")
    refit(conn)
    assert {at: row(conn, at, columns) for at in range(4)} == named
    # A second submission that has no title either, and one that has.
    more = [nameless(0, 1), low_level(1, 1, title="Loaded", artist="Me", album="Mine"), nameless(4)]
    load(conn, [write_lines(tmp_path / "2.ndjson", more)])
    assert row(conn, 0, columns) == named[0]
    loaded = ("Loaded", "Me", [artist(2)], "Mine", named[1][4], ["artist_mbids"])
    assert row(conn, 1, columns) == loaded
    assert row(conn, 2, columns) == named[2]
    refit(conn)
    assert row(conn, 0, columns) == named[0]
    assert row(conn, 1, "title, artist, named") == ("Loaded", "Me", ["artist_mbids"])
    # All that was given has been replaced.
    mine = nameless(2, 1, title="T", artist="A", album="B", musicbrainz_artistid=str(artist(9)))
    load(conn, [write_lines(tmp_path / "3.ndjson", [mine])])
    assert row(conn, 2, "title, artist, artist_mbids, album, named") == (
        *("T", "A", [artist(9)], "B", None),
    )


def test_names_change_neither_vectors_nor_counts(conn: Connection, tmp_path: Path) -> None:
    load(conn, [write_lines(tmp_path / "1.ndjson", [nameless(at) for at in range(6)])])
    conn.execute("CALL pgsim.refresh_similarity()")
    query = "SELECT mbid, vector::text, submissions, missing FROM pgsim.recording ORDER BY mbid"
    before = conn.execute(query.encode()).fetchall()
    rows = [data_row(at, f"Song {at}", at + 1) for at in range(6)]
    load_names(conn, [write_data(tmp_path / "names.csv", *rows)])
    assert conn.execute(query.encode()).fetchall() == before
    assert one(conn, "SELECT count(*) FROM pgsim.stale") == 0
    assert one(conn, "SELECT count(*) FROM pgsim.submission") == 6
    assert one(conn, "SELECT title FROM find_recordings('song 0', 1)") == "Song 0"


@pytest.mark.parametrize("matrix_only", [False, True], ids=["whole", "matrix"])
def test_names_are_in_a_dump(
    conn: Connection, tmp_path: Path, new_database: Callable[..., str], matrix_only: bool
) -> None:
    load(conn, [write_lines(tmp_path / "1.ndjson", [nameless(at) for at in range(3)])])
    conn.execute("CALL pgsim.refresh_similarity()")
    path = write_data(tmp_path / "names.csv", *(data_row(at, f"Song {at}", 1) for at in range(2)))
    load_names(conn, [path])
    dump(conn.info.dsn, tmp_path / "it.dump", matrix=matrix_only)
    url = new_database()
    restore(url, tmp_path / "it.dump")
    with closing(connect(url, autocommit=True)) as other:
        assert [row(other, at) for at in range(3)] == [row(conn, at) for at in range(3)]
        # And it can be named there.
        assert load_names(other, [write_data(path, data_row(2, "Third", 1))]).titles == 1
        load(other, [write_lines(tmp_path / "2.ndjson", [nameless(at, 1) for at in range(3)])])
        titles = [row(other, at, "title, vector IS NULL") for at in range(3)]
        assert titles == [("Song 0", False), ("Song 1", False), ("Third", False)]


def test_a_csv_of_ones_own_names_recordings(plane: Connection, tmp_path: Path) -> None:
    for number in range(1, 4):
        insert(plane, number)
    path = tmp_path / "mine.csv"
    path.write_text(
        f"year,Title,mbid\n1987,One,{mbid(1)}\n0,,{mbid(2)}\nunknown, Three ,{mbid(3)}\n",
        encoding="utf-8-sig",
    )
    load_names(plane, [path])
    assert [row(plane, number, "title, year, named") for number in range(1, 4)] == [
        ("One", 1987, ["title", "year"]),
        (None, None, None),
        ("Three", None, ["title"]),
    ]


def test_rows_that_cannot_be_read_are_counted_and_the_first_is_named(
    plane: Connection, tmp_path: Path
) -> None:
    insert(plane, 1)
    path = write_data(tmp_path / "names.csv", data_row(1, "Song", 1))
    with path.open("a") as file:
        file.write("1,2,3\n")
        file.write(",".join(["x"] * 10) + "\n")
    said: list[str] = []
    done = load_names(plane, [path], say=said.append)
    assert (done.read, done.unreadable, done.titles) == (3, 2, 1)
    assert said == [f"{path}:3: not a row of names; such lines were left out: 2"]


def test_where_nothing_lacks_a_name_nothing_is_read(plane: Connection, tmp_path: Path) -> None:
    path = write_data(tmp_path / "names.csv", data_row(1, "Song", 1))
    said: list[str] = []
    assert load_names(plane, [path], say=said.append) == report()
    assert said == ["no recording lacks a name: nothing is read"]
    with pytest.raises(SourceError, match=r"missing.csv not found"):
        load_names(plane, [tmp_path / "missing.csv"])


def test_rows_that_an_open_quotation_mark_swallows_are_counted(
    plane: Connection, tmp_path: Path
) -> None:
    for number in range(4):
        insert(plane, number)
    path = tmp_path / "names.csv"
    lines = [f'{mbid(0)},"Two\nlines"', f'{mbid(1)},"Open', f"{mbid(2)},Lost", f"{mbid(3)},Lost"]
    path.write_text("\n".join(["mbid,title", *lines, ""]))
    said: list[str] = []
    done = load_names(plane, [path], say=said.append)
    assert (done.read, done.unreadable, done.titles) == (4, 3, 1)
    assert said == [f"{path}:4: not a row of names; such lines were left out: 3"]
    assert [row(plane, number, "title")[0] for number in range(4)] == ["Two\nlines", *[None] * 3]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "does not name recordings: a CSV of names has the columns recording_mbid"),
        ("a,b\n1,2\n", "its header 'a, b' does not name recordings"),
        ("recording_mbid,canonical_recording_mbid\n", "does not name recordings"),
        ("recording_name,score\nSong,1\n", "does not name recordings"),
        ("recording_mbid,recording_name\n", "names.csv: there is no recording in it"),
        ("recording_mbid,recording_name\nx,Song\n", "names.csv: there is no recording in it"),
        ("recording_mbid,recording_name\n\xff\xfe,x\n", "there is no|not UTF-8"),
    ],
)
def test_what_has_no_names_is_refused(
    plane: Connection, tmp_path: Path, text: str, said: str
) -> None:
    insert(plane, 1)
    path = tmp_path / "names.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(NamesError, match=said):
        load_names(plane, [path])


def test_tables_without_the_recordings_are_refused(plane: Connection, tmp_path: Path) -> None:
    insert(plane, 1)
    folder = musicbrainz.write_tables(tmp_path / "mbdump", DUMP)
    with pytest.raises(NamesError, match=r"tables artist_credit, track name no recordings: name"):
        load_names(plane, [folder / "artist_credit", folder / "track"])
    (folder / "recording").write_text("1\t2\n")
    with pytest.raises(
        NamesError, match=r"recording:1: .* is not a row of MusicBrainz's table recording, whose"
    ):
        load_names(plane, [folder])
    (folder / "recording").write_text('{"id": "a"}\n')
    with pytest.raises(NamesError, match=r"recording:1: .* but JSON: name MusicBrainz's mbdump"):
        load_names(plane, [folder])
    for other in (tmp_path / "empty", musicbrainz.write_dump(tmp_path / "x.tar", {"area": []})):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(SourceError, match=r"has none of .*artist_credit.*: name another"):
            load_names(plane, [other])


def test_an_interrupted_run_is_repeated(plane: Connection, tmp_path: Path) -> None:
    for number in range(3):
        insert(plane, number)
    path = write_data(tmp_path / "names.csv", *(data_row(at, f"Song {at}", 1) for at in range(3)))

    def interrupt(_: int, share: float | None = None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_names(plane, [path], interrupt)
    assert one(plane, "SELECT count(*) FROM pg_class WHERE relpersistence = 't'") == 0
    load_names(plane, [path])
    assert [row(plane, at, "title")[0] for at in range(3)] == ["Song 0", "Song 1", "Song 2"]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_files(plane: Connection, tmp_path: Path) -> None:
    insert(plane, 1)
    peaks = []
    for rows in (21_000, 1_000_000):
        path = write_data(tmp_path / "names.csv", *(data_row(at, "Song", 1) for at in range(rows)))
        tracemalloc.start()
        assert load_names(plane, [path]).read == rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


def test_the_command_prints_the_report_and_notes_the_run(
    plane: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from pgsim.cli import run

    insert(plane, 1)
    path = write_data(tmp_path / "names.csv", data_row(1, "Song", 1))
    assert run(["--database", plane.info.dsn, "names", "--json", str(path)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["titles"] == printed["matched"] == printed["read"] == 1
    noted = plane.execute("SELECT command, outcome, report FROM pgsim.run").fetchall()
    assert noted == [("names", "done", printed)]
    assert run(["--database", plane.info.dsn, "names", str(path)]) == 0
    assert "without title" in capsys.readouterr().out
