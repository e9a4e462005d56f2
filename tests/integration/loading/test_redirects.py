"""Redirects from a CSV: each line accounted for, twice the same, and nothing of a bad file."""

from pathlib import Path

import pytest

from pgsim.loading.redirects import RedirectError, RedirectReport, load_redirects
from pgsim.postgres.connection import Connection
from pgsim.sources.streams.files import SourceError
from tests.support.documents import mbid
from tests.support.rows import one


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def pairs(conn: Connection) -> dict[int, int]:
    """Redirects by the numbers of their MBIDs."""
    number = mbid(0).int
    rows = conn.execute("SELECT mbid, target FROM pgsim.redirect")
    return {old.int - number: new.int - number for old, new in rows}


def test_every_line_is_accounted_for(plane: Connection, tmp_path: Path) -> None:
    path = tmp_path / "redirects.csv"
    lines = [f"{mbid(old)},{mbid(new)}" for old, new in ((1, 2), (2, 3), (4, 5))]
    write(path, "gid,new_mbid", *lines)
    assert load_redirects(plane, path) == RedirectReport(3, 3, 0, 0, 3)
    assert pairs(plane) == {1: 2, 2: 3, 4: 5}
    assert load_redirects(plane, path) == RedirectReport(3, 0, 0, 3, 3)
    # Without a header, an MBID twice, signs that CSV allows, and columns that MusicBrainz adds.
    write(
        path, f'"{mbid(1)}", {mbid(7)},2011-01-01', f"{mbid(6)},{mbid(8)}", f"{mbid(6)},{mbid(9)}"
    )
    assert load_redirects(plane, path) == RedirectReport(3, 1, 1, 1, 4)
    assert pairs(plane) == {1: 7, 2: 3, 4: 5, 6: 9}


def test_a_mark_of_byte_order_is_no_part_of_an_mbid(plane: Connection, tmp_path: Path) -> None:
    path = tmp_path / "redirects.csv"
    path.write_text(f"{mbid(1)},{mbid(2)}\r\n", encoding="utf-8-sig")
    assert load_redirects(plane, path).new == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("x,y", r":3: 'x,y' is not a pair of MBIDs: a line is old,new; nothing was loaded"),
        (f"{mbid(5)}", r":3: .* is not a pair of MBIDs"),
        (f"{mbid(5)},", r":3: .* is not a pair of MBIDs"),
        (f"{mbid(5)},{mbid(5)}", r":3: .* redirects to itself; nothing was loaded"),
        ("\xff", r":3: .* is not a pair of MBIDs"),
        (
            "a" * 200_000,
            ":3: (not CSV: field larger than field limit|'aaa.* is not a pair of MBIDs)",
        ),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_loaded(
    plane: Connection, tmp_path: Path, line: str, said: str
) -> None:
    path = write(tmp_path / "redirects.csv", "old,new", f"{mbid(1)},{mbid(2)}", line)
    with pytest.raises(RedirectError, match=said):
        load_redirects(plane, path)
    assert one(plane, "SELECT count(*) FROM pgsim.redirect") == 0


def test_bytes_that_are_no_text_are_named(plane: Connection, tmp_path: Path) -> None:
    path = tmp_path / "redirects.csv"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(RedirectError, match="not UTF-8"):
        load_redirects(plane, path)


def test_a_file_that_is_not_there_is_named(plane: Connection, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="missing.csv not found"):
        load_redirects(plane, tmp_path / "missing.csv")
