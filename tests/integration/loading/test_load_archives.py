"""Files that were loaded: what is committed of them is not read again while they do not change."""

import os
from pathlib import Path

from pgsim.loading.chunks import Limits
from pgsim.loading.load import load
from pgsim.postgres.connection import Connection
from tests.support.archives import write_archives
from tests.support.documents import (
    collection,
    low_level,
    write_lines,
)
from tests.support.loading import counts, settled
from tests.support.rows import one, versions


def test_a_path_given_twice_is_marked_as_far_as_it_was_read(
    conn: Connection, tmp_path: Path
) -> None:
    path = write_lines(tmp_path / "all.ndjson", [low_level(i) for i in range(30)])
    os.utime(path, (0, 0))
    marks = []
    load(
        conn,
        [path, tmp_path],
        lambda _, __: marks.append(one(conn, "SELECT documents FROM pgsim.archive")),
        limits=Limits(documents=10, batch=40),
    )
    assert marks == [30, 30]


def spoil(path: Path) -> None:
    """Make a file unreadable without its size and time telling."""
    status = path.stat()
    path.write_bytes(b"\xff" * status.st_size)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_file_that_was_loaded_and_has_not_changed_is_not_read_again(
    conn: Connection, tmp_path: Path
) -> None:
    lines = [each.line for each in collection(12)]
    path = tmp_path / "all.ndjson"
    path.write_text("no JSON\n" + "\n".join(lines) + "\n")
    first = load(conn, [settled(path)])
    before = versions(conn)
    spoil(path)
    second = load(conn, [tmp_path])
    assert counts(second) == (first.read, 0, 0, first.read - 1, 1)
    assert versions(conn) == before
    assert second.recordings == first.recordings
    assert counts(load(conn, [path], again=True)) == (1, 0, 0, 0, 1)


def test_a_file_that_has_changed_is_read_again(conn: Connection, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.ndjson", [low_level(i) for i in range(4)])
    load(conn, [settled(path)])
    write_lines(path, [low_level(i) for i in range(6)])
    assert counts(load(conn, [settled(path)])) == (6, 2, 0, 4, 0)
    path.write_bytes(path.read_bytes().replace(b"Title 5", b"Other 5"))
    os.utime(path, (0, 0))
    assert counts(load(conn, [path])) == (6, 0, 1, 5, 0)


def test_a_file_that_was_written_just_now_is_not_trusted_to_be_the_same(
    conn: Connection, tmp_path: Path
) -> None:
    path = write_lines(tmp_path / "a.ndjson", [low_level(i) for i in range(4)])
    load(conn, [path])
    assert one(conn, "SELECT count(*) FROM pgsim.archive") == 0


def test_a_broken_archive_is_read_on_from_where_it_broke_and_stays_a_reject(
    conn: Connection, tmp_path: Path
) -> None:
    (archive,) = write_archives(tmp_path, "highlevel", 300, seed=1)
    archive.write_bytes(archive.read_bytes()[:-20_000])
    first = load(conn, [settled(archive)])
    assert first.rejected == 1 + one(conn, "SELECT rejected FROM pgsim.archive")
    assert not one(conn, "SELECT is_finished FROM pgsim.archive")
    second = load(conn, [archive])
    assert counts(second) == (first.read, 0, 0, first.new, first.rejected)
    rejects = one(conn, "SELECT count(*) FROM pgsim.reject")
    assert rejects == first.rejected
    member = one(conn, "SELECT member FROM pgsim.reject WHERE starts_with(reason, 'broken after ')")
    assert member == archive.name


def test_every_document_of_archives_is_accounted_for(conn: Connection, tmp_path: Path) -> None:
    folder = tmp_path / "dumps"
    folder.mkdir()
    paths = write_archives(folder, "highlevel", 1500, archives=3)
    paths += write_archives(folder, "lowlevel", 20, seed=9)
    for path in paths:
        settled(path)
    first = load(conn, [folder])
    assert first.read == 1520
    assert first.new + first.updated + first.unchanged + first.rejected == 1520
    assert first.rejected == one(conn, "SELECT count(*) FROM pgsim.reject") > 0
    # Submissions of one MBID lie in several archives.
    assert first.recordings < first.new
    submissions = "SELECT sum(submissions) FROM pgsim.recording"
    assert one(conn, submissions) == first.new == one(conn, "SELECT count(*) FROM pgsim.submission")
    again = load(conn, [folder])
    assert (again.unchanged, again.rejected) == (first.new, first.rejected)
