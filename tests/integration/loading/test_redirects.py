"""Redirects from every form they come in: each accounted for, and nothing of a bad file."""

import bz2
import gzip
import lzma
import tracemalloc
from pathlib import Path

import pytest
import zstandard

from pgsim.loading.redirects import RedirectReport, load_redirects
from pgsim.postgres.connection import Connection
from pgsim.sources.redirects import RedirectError
from pgsim.sources.streams.files import SourceError
from tests.support import musicbrainz
from tests.support.documents import mbid
from tests.support.musicbrainz import recording, redirect
from tests.support.rows import one


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def report(read: int, new: int, redirects: int, **others: int) -> RedirectReport:
    counts = dict.fromkeys(("updated", "unchanged", "to_itself", "unresolved"), 0) | others
    return RedirectReport(read=read, new=new, redirects=redirects, **counts)


def pairs(conn: Connection) -> dict[int, int]:
    """Redirects by the numbers of their MBIDs."""
    number = mbid(0).int
    rows = conn.execute("SELECT mbid, target FROM pgsim.redirect")
    return {old.int - number: new.int - number for old, new in rows}


def test_every_line_is_accounted_for(plane: Connection, tmp_path: Path) -> None:
    path = tmp_path / "redirects.csv"
    lines = [f"{mbid(old)},{mbid(new)}" for old, new in ((1, 2), (2, 3), (4, 5))]
    write(path, "gid,new_mbid", *lines)
    assert load_redirects(plane, [path]) == report(3, 3, 3)
    assert pairs(plane) == {1: 2, 2: 3, 4: 5}
    assert load_redirects(plane, [path]) == report(3, 0, 3, unchanged=3)
    # Without a header, an MBID twice, signs that CSV allows, and columns that MusicBrainz adds.
    write(
        path, f'"{mbid(1)}", {mbid(7)},2011-01-01', f"{mbid(6)},{mbid(8)}", f"{mbid(6)},{mbid(9)}"
    )
    assert load_redirects(plane, [path]) == report(3, 1, 4, updated=1, unchanged=1)
    assert pairs(plane) == {1: 7, 2: 3, 4: 5, 6: 9}


def test_of_several_files_the_last_one_counts(plane: Connection, tmp_path: Path) -> None:
    first = write(tmp_path / "1.csv", f"{mbid(1)},{mbid(2)}", f"{mbid(3)},{mbid(4)}")
    second = write(tmp_path / "2.tsv", "new\told", f"{mbid(5)}\t{mbid(1)}")
    assert load_redirects(plane, [first, second]) == report(3, 2, 2, unchanged=1)
    assert pairs(plane) == {1: 5, 3: 4}


def test_redirects_of_releases_are_none_of_recordings(plane: Connection, tmp_path: Path) -> None:
    name = "canonical_release_redirect.csv"
    path = tmp_path / name
    path.write_bytes(musicbrainz.with_header(name, [(mbid(1), mbid(2), mbid(3))]))
    with pytest.raises(
        RedirectError, match="release_group_mbid are not of recordings: name a file"
    ):
        load_redirects(plane, [path])
    (tmp_path / "release_gid_redirect").write_bytes(musicbrainz.copied([redirect(mbid(1), 2)]))
    with pytest.raises(RedirectError, match="no redirects of recordings: name recording_gid_redi"):
        load_redirects(plane, [tmp_path / "release_gid_redirect"])


def test_a_file_without_a_redirect_is_an_error(plane: Connection, tmp_path: Path) -> None:
    for lines in ([], [""], ["old,new"], ["# nothing", ""]):
        path = write(tmp_path / "redirects.csv", *lines)
        with pytest.raises(RedirectError, match=r"redirects.csv: there is no redirect in it"):
            load_redirects(plane, [path])


def test_redirects_to_themselves_are_counted_and_left_out(
    plane: Connection, tmp_path: Path
) -> None:
    lines = [f"{mbid(1)},{mbid(1)}", f"{mbid(2)},{str(mbid(2)).upper()}", f"{mbid(3)},{mbid(4)}"]
    path = write(tmp_path / "redirects.csv", *lines)
    assert load_redirects(plane, [path]) == report(3, 1, 1, to_itself=2)
    assert pairs(plane) == {3: 4}
    with pytest.raises(RedirectError, match="every MBID redirects to itself; nothing was loaded"):
        load_redirects(plane, [write(path, *lines[:2])])


COMPRESSIONS = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.compress,
    ".GZ": gzip.compress,
}


def test_a_compressed_file_is_read(plane: Connection, tmp_path: Path) -> None:
    data = "".join(f"{mbid(at)};{mbid(at + 1)}\n" for at in range(3000)).encode()
    for suffix, compress in COMPRESSIONS.items():
        plane.execute("DELETE FROM pgsim.redirect")
        path = tmp_path / f"redirects.csv{suffix}"
        path.write_bytes(compress(data))
        assert load_redirects(plane, [path]) == report(3000, 3000, 3000)
        path.write_bytes(compress(data)[:-30])
        with pytest.raises(SourceError, match=r"redirects.csv\S*: broken after line [0-9]+: "):
            load_redirects(plane, [path])
        hidden = tmp_path / "redirects.csv"
        hidden.write_bytes(compress(data))
        with pytest.raises(RedirectError, match=r":1: not UTF-8: .* has to end in .gz"):
            load_redirects(plane, [hidden])


MERGED = {
    "artist": [(1, mbid(900), "Somebody")],
    "recording": [
        recording(7, mbid(1), 'A "quoted\ttitle\\', length=200_000),
        recording(8, mbid(2), "\\N"),
        recording(2_000_000_009, mbid(3), "Überall\nzwei"),
    ],
    "recording_gid_redirect": [
        redirect(mbid(11), 7),
        redirect(mbid(12), 2_000_000_009),
        redirect(mbid(13), 7),
    ],
    "release": [(1, mbid(901), "Album")],
}


def test_the_dump_of_musicbrainz_is_read_from_its_archive(
    plane: Connection, tmp_path: Path
) -> None:
    for suffix in musicbrainz.COMPRESSIONS:
        plane.execute("DELETE FROM pgsim.redirect")
        path = musicbrainz.write_dump(tmp_path / f"mbdump.tar{suffix}", MERGED)
        assert load_redirects(plane, [path]) == report(3, 3, 3)
        assert pairs(plane) == {11: 1, 12: 3, 13: 1}


def test_an_archive_is_read_no_further_than_it_has_to_be(plane: Connection, tmp_path: Path) -> None:
    path = musicbrainz.write_dump(tmp_path / "mbdump.tar", MERGED)
    with path.open("r+b") as file:
        data = file.read()
        file.truncate(data.index(b"mbdump/release\0") + 100)
    assert load_redirects(plane, [path]).new == 3


@pytest.mark.parametrize("inside", ["", "mbdump", "20260729-002209/mbdump"])
def test_the_tables_of_the_dump_are_read_from_a_folder(
    plane: Connection, tmp_path: Path, inside: str
) -> None:
    musicbrainz.write_tables(tmp_path / "dump" / inside, MERGED)
    assert load_redirects(plane, [tmp_path / "dump"]) == report(3, 3, 3)
    assert pairs(plane) == {11: 1, 12: 3, 13: 1}


def test_the_two_tables_are_named_in_any_order(plane: Connection, tmp_path: Path) -> None:
    for suffix, compress in musicbrainz.COMPRESSIONS.items():
        paths = [tmp_path / f"{name}{suffix}" for name in ("recording", "recording_gid_redirect")]
        for path, name in zip(paths, ("recording", "recording_gid_redirect"), strict=True):
            path.write_bytes(compress(musicbrainz.copied(MERGED[name])))
        for order in (paths, paths[::-1]):
            plane.execute("DELETE FROM pgsim.redirect")
            assert load_redirects(plane, order).new == 3
            assert pairs(plane) == {11: 1, 12: 3, 13: 1}


def test_a_table_exported_with_a_header_names_rows_too(plane: Connection, tmp_path: Path) -> None:
    (tmp_path / "recording").write_bytes(musicbrainz.copied(MERGED["recording"]))
    lines = ["new_id,created,gid", f"7,{musicbrainz.CREATED},{mbid(11)}"]
    path = write(tmp_path / "merged.csv", *lines)
    load_redirects(plane, [path, tmp_path / "recording"])
    assert pairs(plane) == {11: 1}


def test_rows_that_recording_lacks_are_counted(plane: Connection, tmp_path: Path) -> None:
    few = MERGED | {"recording": MERGED["recording"][:1]}
    folder = musicbrainz.write_tables(tmp_path / "dump", few)
    assert load_redirects(plane, [folder]) == report(3, 2, 2, unresolved=1)
    other = MERGED | {"recording": MERGED["recording"][1:2]}
    folder = musicbrainz.write_tables(tmp_path / "other", other)
    with pytest.raises(RedirectError, match="take both from one dump; nothing was loaded"):
        load_redirects(plane, [folder])


def test_one_of_the_two_tables_is_not_enough(plane: Connection, tmp_path: Path) -> None:
    folder = musicbrainz.write_tables(tmp_path / "mbdump", MERGED)
    with pytest.raises(RedirectError, match=r"number of a row .* name the file mbdump/recording"):
        load_redirects(plane, [folder / "recording_gid_redirect"])
    (folder / "recording_gid_redirect").rename(tmp_path / "merged.tsv")
    with pytest.raises(RedirectError, match=r"number of a row .* name the file mbdump/recording"):
        load_redirects(plane, [tmp_path / "merged.tsv"])
    with pytest.raises(RedirectError, match="name the file mbdump/recording_gid_redirect too"):
        load_redirects(plane, [folder / "recording"])
    assert one(plane, "SELECT count(*) FROM pgsim.redirect") == 0


def test_a_folder_or_archive_without_redirects_is_refused(
    plane: Connection, tmp_path: Path
) -> None:
    others = {"artist": MERGED["artist"], "release": MERGED["release"]}
    path = musicbrainz.write_dump(tmp_path / "mbdump-derived.tar.bz2", others)
    for each in (path, tmp_path):
        with pytest.raises(
            SourceError, match="has none of .*recording_gid_redirect.*: name another"
        ):
            load_redirects(plane, [each])


def test_a_damaged_table_is_named_with_its_line(plane: Connection, tmp_path: Path) -> None:
    folder = musicbrainz.write_tables(tmp_path / "mbdump", MERGED)
    with (folder / "recording").open("ab") as file:
        file.write(b"no number\t1\n")
    with pytest.raises(RedirectError, match=r"recording:4: .* is not a row of MusicBrainz's table"):
        load_redirects(plane, [folder])
    (folder / "recording").write_text('{"id": "a"}\n')
    with pytest.raises(RedirectError, match=r"recording:1: .* but JSON: name MusicBrainz's mbdump"):
        load_redirects(plane, [folder])


CANONICAL = {
    "canonical_musicbrainz_data.csv": [
        (1, 1, mbid(900), "Somebody", mbid(901), "Album", mbid(2), "Song", "somebodysong", 5)
    ],
    "canonical_recording_redirect.csv": [
        (mbid(1), mbid(2), mbid(901)),
        (mbid(2), mbid(2), mbid(901)),
    ],
    "canonical_release_redirect.csv": [(mbid(902), mbid(901), mbid(903))],
}


def test_canonical_redirects_are_read_from_their_archive_and_bare(
    plane: Connection, tmp_path: Path
) -> None:
    name = "musicbrainz-canonical-dump-20220504-010000.tar.zst"
    path = musicbrainz.write_canonical(tmp_path / name, CANONICAL)
    assert load_redirects(plane, [path]) == report(2, 1, 1, to_itself=1)
    assert pairs(plane) == {1: 2}
    plane.execute("DELETE FROM pgsim.redirect")
    name = "canonical_recording_redirect.csv"
    (tmp_path / name).write_bytes(musicbrainz.with_header(name, CANONICAL[name]))
    assert load_redirects(plane, [tmp_path / name]).new == 1
    assert pairs(plane) == {1: 2}


def test_temporary_tables_are_gone_afterwards(plane: Connection, tmp_path: Path) -> None:
    left = "SELECT count(*) FROM pg_class WHERE relpersistence = 't'"
    load_redirects(plane, [write(tmp_path / "1.csv", f"{mbid(1)},{mbid(2)}")])
    assert one(plane, left) == 0
    with pytest.raises(RedirectError):
        load_redirects(plane, [write(tmp_path / "2.csv", f"{mbid(1)},{mbid(2)}", "x")])
    assert one(plane, left) == 0


def test_progress_knows_the_share_of_the_bytes(plane: Connection, tmp_path: Path) -> None:
    told: list[tuple[int, float | None]] = []
    lines = [f"{mbid(at)},{mbid(at + 1)}" for at in range(70_000)]
    path = write(tmp_path / "redirects.csv", *lines)
    load_redirects(plane, [path], lambda done, share=None: told.append((done, share)))
    shares = [share for _, share in told]
    assert sum(done for done, _ in told) == 70_000
    assert shares == sorted(shares)
    assert shares[-1] == 1


@pytest.mark.slow
def test_memory_does_not_grow_with_the_files(plane: Connection, tmp_path: Path) -> None:
    peaks = []
    for rows in (21_000, 1_000_000):
        folder = tmp_path / f"dump of {rows}"
        gids = [mbid(at) for at in range(2 * rows)]
        musicbrainz.write_tables(
            folder,
            {
                "recording": [recording(at, gids[at], "Title") for at in range(rows)],
                "recording_gid_redirect": [redirect(gids[rows + at], at) for at in range(rows)],
            },
        )
        del gids
        tracemalloc.start()
        assert load_redirects(plane, [folder]).read == rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


def test_a_mark_of_byte_order_is_no_part_of_an_mbid(plane: Connection, tmp_path: Path) -> None:
    path = tmp_path / "redirects.csv"
    path.write_text(f"{mbid(1)},{mbid(2)}\r\n", encoding="utf-8-sig")
    assert load_redirects(plane, [path]).new == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("x,y", r":3: 'x,y' is not a pair of MBIDs: a line is old,new; nothing was loaded"),
        (f"{mbid(5)}", r":3: .* is not a pair of MBIDs"),
        (f"{mbid(5)},", r":3: .* is not a pair of MBIDs"),
        (f"{mbid(5)},7", r":3: .* is not a pair of MBIDs"),
        (f'"{mbid(5)},{mbid(6)}', r":3: .* is not a pair of MBIDs"),
        ("\xff", r":3: .* is not a pair of MBIDs"),
        ("a" * 200_000, ":3: 'aaa.* is not a pair of MBIDs"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_loaded(
    plane: Connection, tmp_path: Path, line: str, said: str
) -> None:
    path = write(tmp_path / "redirects.csv", "old,new", f"{mbid(1)},{mbid(2)}", line)
    with pytest.raises(RedirectError, match=said):
        load_redirects(plane, [path])
    assert one(plane, "SELECT count(*) FROM pgsim.redirect") == 0


def test_bytes_that_are_no_text_are_named(plane: Connection, tmp_path: Path) -> None:
    path = tmp_path / "redirects.csv"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(RedirectError, match="not UTF-8"):
        load_redirects(plane, [path])


def test_a_file_that_is_not_there_is_named(plane: Connection, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="missing.csv not found"):
        load_redirects(plane, [tmp_path / "missing.csv"])
