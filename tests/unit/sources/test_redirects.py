"""Pairs of MBIDs in texts: any separator, and which column is the old one."""

import io
from itertools import permutations
from pathlib import Path

import pytest

from pgsim.sources.redirects import RedirectError, read_pairs
from pgsim.sources.streams.parts import Part
from tests.support.documents import mbid

OLD, NEW, THIRD = str(mbid(1)), str(mbid(2)), str(mbid(3))


def pairs(*lines: str) -> list[tuple[str, str]]:
    text = "".join(f"{line}\n" for line in lines).encode()
    return list(
        read_pairs(
            Part(Path("redirects.csv"), "redirects.csv", "redirects.csv", io.BytesIO(text))
        ).each
    )


@pytest.mark.parametrize(
    "separator", [",", ", ", ";", "; ", "\t", "|", " | ", " ", "   "], ids=repr
)
@pytest.mark.parametrize("header", [(), ("old", "new")], ids=["plain", "header"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_any_separator_will_do(separator: str, header: tuple[str, ...], quote: str) -> None:
    rows = [row for row in (header, (OLD, NEW), (NEW, THIRD)) if row]
    lines = [separator.join(f"{quote}{cell}{quote}" for cell in row) for row in rows]
    assert pairs("# merged", "", *lines) == [(OLD, NEW), (NEW, THIRD)]


@pytest.mark.parametrize("line", [f"{OLD}{NEW}", f"{OLD}:{NEW}", f"{OLD}/{NEW}", OLD, f"a,{OLD}"])
def test_a_line_that_nothing_separates_is_no_pair(line: str) -> None:
    with pytest.raises(RedirectError, match=r"^redirects.csv:1: .* is not a pair of MBIDs"):
        pairs(line)


@pytest.mark.parametrize("old", [OLD.upper(), OLD.replace("-", "")])
def test_an_mbid_may_be_written_in_capitals_or_without_hyphens(old: str) -> None:
    assert pairs(f"{old};{NEW}") == [(old, NEW)]


@pytest.mark.parametrize(
    "header",
    [
        *("new,old", "canonical_recording_mbid,recording_mbid", "new_gid,gid", "redirect_to,mbid"),
        *("target,source", "to,from", "merged_into,merged", "newMbid,oldMbid", "redirect,gid"),
        *("mbid,redirect_source", "recording_mbid,duplicate_mbid", "Redirected to,MBID"),
        *("current_mbid,former_mbid", "original,redirected_from", '"NEW MBID","OLD MBID"'),
    ],
)
def test_a_header_says_which_column_is_old(header: str) -> None:
    assert pairs(header, f"{NEW},{OLD}") == [(OLD, NEW)]
    turned = ",".join(reversed(header.split(",")))
    assert pairs(turned, f"{OLD},{NEW}") == [(OLD, NEW)]


def test_a_header_finds_its_columns_among_others() -> None:
    cells = {"id": "17", "release_mbid": THIRD, "title": '"A, B"', "new_mbid": NEW, "gid": OLD}
    for order in permutations(cells):
        found = pairs(",".join(order), ",".join(cells[name] for name in order))
        assert found == [(OLD, NEW)], order


@pytest.mark.parametrize(
    "header",
    [
        *("a,b", "mbid,gid", "mbid1,mbid2", "old,source", "new,target", "gid,merged_mbid"),
        *("old_new,x", "redirected,mbid", "from_to,mbid"),
    ],
)
def test_a_header_that_tells_no_direction_is_refused(header: str) -> None:
    with pytest.raises(RedirectError, match=r"header '\w+, \w+' does not tell .* name them old"):
        pairs(header, f"{OLD},{NEW}")


def test_a_quotation_mark_that_is_not_closed_ends_with_its_line() -> None:
    lines = ["old,new,title", f'{OLD},{NEW},"A', f"{NEW},{THIRD},B"]
    assert pairs(*lines) == [(OLD, NEW), (NEW, THIRD)]


def test_the_table_of_the_dump_has_numbers_of_rows() -> None:
    line = f"{OLD}\t17\t2011-05-16 14:57:06.530063+00\n".encode()
    found = read_pairs(Part(Path("merged"), "merged", "merged", io.BytesIO(line)))
    assert found.are_rows
    assert list(found.each) == [(OLD, "17")]
