"""Names that are read: they are kept; what cannot be read is counted; a run can be repeated."""

import json
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pgsim.loading.load import load
from pgsim.loading.names import load_names
from pgsim.loading.recordings import refit
from pgsim.postgres.connection import Connection, connect
from pgsim.sources.musicbrainz import NamesError
from pgsim.sources.streams.files import SourceError
from pgsim.transfer.dump import dump, restore
from tests.support import musicbrainz
from tests.support.documents import Document, low_level, mbid, write_lines
from tests.support.names import (
    COLUMNS,
    DUMP,
    artist,
    data_row,
    insert,
    report,
    row,
    write_data,
)
from tests.support.rows import one


def nameless(recording: int, number: int = 0, **tags: Any) -> Document:
    """A document without a title and an artist, unless a tag says them."""
    document = low_level(recording, number, **tags)
    for tag in {"title", "artist"} - tags.keys():
        del document.body["metadata"]["tags"][tag]
    return document


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
