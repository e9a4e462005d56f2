"""Names from MusicBrainz: given to recordings that lack them, and to these alone."""

from pathlib import Path

import pytest
import zstandard

from pgsim.loading.names import load_names
from pgsim.postgres.connection import Connection
from tests.support import musicbrainz
from tests.support.documents import mbid
from tests.support.musicbrainz import recording
from tests.support.names import (
    DATA,
    DUMP,
    REDIRECTS,
    artist,
    data_row,
    insert,
    report,
    row,
    write_data,
)


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
