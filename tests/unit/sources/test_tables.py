"""Tables by a profile's columns, from CSV, Parquet and NumPy, and their cells."""

import gzip
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pgsim.errors import Rejected, UsageError
from pgsim.features.profile import Profile, read_profile
from pgsim.sources.submission import Submission, own_mbid
from pgsim.sources.tables import matching, members, submission

HEAD = """
name = "mine"
extractor = "none"
genre_scheme = "tag"
[columns]
mbid = "mbid"
id = "song"
title = "title"
year = "year"
date = "date"
genre = "style"
length = "seconds"
"""
SET = """
[[set]]
name = "timbre"
path = "t*"
length = 2
transform = "zscore"
aggregate = "median"
weight = 0.5
"""
MBID = "0dad432b-16cc-4bf0-8961-fd31d124b01b"


@pytest.fixture
def profile(tmp_path: Path) -> Callable[..., Profile]:
    """A profile of these lines; by default with columns, and the set `timbre` of t1 and t2."""

    def make(text: str = HEAD.replace('title = "title"\n', 'title = "name"\n') + SET) -> Profile:
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return read_profile(str(path))

    return make


def loaded(path: Path, profile: Profile) -> list[Submission | str]:
    """The submissions in a table, and the reasons why there is none."""
    found: list[Submission | str] = []
    for member in members(path):
        try:
            found.append(submission(member, profile))
        except Rejected as error:
            found.append(str(error))
    return found


def every(path: Path, profile: Profile) -> list[Submission]:
    """The submissions of a table of which no row is refused."""
    return [submission(member, profile) for member in members(path)]


def one(path: Path, profile: Profile) -> Submission:
    [found] = every(path, profile)
    return found


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_row_is_a_submission_by_the_columns_of_the_profile(
    tmp_path: Path, profile: Callable[..., Profile]
) -> None:
    path = written(
        tmp_path / "songs.csv",
        "song,name,year,style,seconds,t1,t2\n7,Ágætis,1999.0,Post-Rock; indie,491.5,1,-2e3\n",
    )
    found = one(path, profile())
    assert (found.mbid, found.source, found.number) == (
        own_mbid("table:mine", "7"),
        "table:mine",
        0,
    )
    assert found.features.tolist() == [1.0, -2000.0]
    assert found.metadata == {
        "source_id": "7",
        "title": "Ágætis",
        "year": 1999,
        "length": 491.5,
        "labels": {"tag": ["post-rock", "indie"]},
    }


def test_an_mbid_is_taken_before_an_id_and_a_date_for_a_year(
    tmp_path: Path, profile: Callable[..., Profile]
) -> None:
    path = written(
        tmp_path / "s.csv", f"mbid,song,year,date,t1,t2\n{MBID},7,,May 1971,1,2\n,8,,,1,2\n"
    )
    first, second = loaded(path, profile())
    assert isinstance(first, Submission)
    assert isinstance(second, Submission)
    assert (str(first.mbid), first.metadata) == (MBID, {"year": 1971})
    assert (second.mbid, second.metadata) == (own_mbid("table:mine", "8"), {"source_id": "8"})


def test_a_pattern_takes_columns_in_the_order_of_their_numbers() -> None:
    columns = ["t10", "t9", "other", "t1", "9"]
    assert matching(columns, "t*") == ["t1", "t9", "t10"]
    assert matching([*columns, "t*"], "t*") == ["t*"]
    assert matching(columns, "x*") == matching(columns, "x") == []


def test_an_empty_cell_makes_the_set_missing_and_nothing_else(
    tmp_path: Path, profile: Callable[..., Profile]
) -> None:
    path = written(tmp_path / "s.csv", "song,name,t1,t2\n7,None,1,NaN\n")
    found = one(path, profile())
    assert all(math.isnan(value) for value in found.features)
    assert found.metadata["title"] == "None"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("song,t1,t2\n7,1\n", "2 cells; the header has 3"),
        ("song,t1,t2\n7,1,x\n", "t1 and 1 more: 'x' is not a number"),
        ("song,t1,t2\n7,1,inf\n", "t1 and 1 more: inf is not a finite number"),
        ("song,t1,t2,t3\n7,1,2,3\n", "t1 and 2 more: 3 numbers; 2 are needed"),
        ("song,t1,t2\n,1,2\n", "no id: nothing in column 'mbid' nor 'song'; its columns: 'song'"),
        ("mbid,t1,t2\nx,1,2\n", "mbid 'x' is not a UUID"),
        ("song,tempo\n7,1\n", "tempo: 1 numbers; 2 are needed"),
        (
            "song,colour\n7,red\n",
            "nothing in it for profile 'mine'; its columns: 'song', 'colour'",
        ),
        ("song,t1,t2\n", "no document in it"),
        ("", "no header: the first line has to name the columns"),
    ],
)
def test_a_row_that_cannot_be_read_is_rejected_with_a_reason(
    tmp_path: Path, profile: Callable[..., Profile], text: str, reason: str
) -> None:
    [found] = loaded(written(tmp_path / "s.csv", text), profile())
    assert isinstance(found, str)
    assert found.startswith(reason)


def test_a_set_of_which_a_column_lacks_is_rejected_and_the_column_named(
    tmp_path: Path, profile: Callable[..., Profile]
) -> None:
    made = profile(HEAD + SET.replace('"t*"', '["tempo", "loudness"]'))
    [found] = loaded(written(tmp_path / "s.csv", "song,tempo\n7,1\n"), made)
    assert found == "set 'timbre': no column 'loudness'; there are: 'song', 'tempo'"


def test_bytes_that_are_no_utf_8_cost_their_row_alone(
    tmp_path: Path, profile: Callable[..., Profile]
) -> None:
    path = tmp_path / "s.csv"
    path.write_bytes(b"\xef\xbb\xbfsong;name;t1;t2\n7;caf\xe9;1;2\n8;caf\xc3\xa9;1;2\n")
    first, second = loaded(path, profile())
    assert first == "not UTF-8: save the file as UTF-8, or mend the letters of this row"
    assert isinstance(second, Submission)
    assert second.metadata["title"] == "café"


def test_every_form_of_a_table_says_the_same(
    tmp_path: Path, profile: Callable[..., Profile]
) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet").write_table(
        pyarrow.table({"song": [7], "name": ["A"], "t1": [0.5], "t2": [2]}),
        tmp_path / "s.parquet",
    )
    (tmp_path / "s.tsv.gz").write_bytes(gzip.compress(b"song\tname\tt1\tt2\n7\tA\t0.5\t2\n"))
    np.savez(tmp_path / "s.npz", song=np.array([7]), name=["A"], t1=[0.5], t2=[np.float32(2)])
    row = np.array([(7, "A", 0.5, 2)], [("song", "i8"), ("name", "U9"), ("t1", "f2"), ("t2", "i1")])
    np.save(tmp_path / "s.npy", row)
    texts = {
        "s.csv": "song,name,t1,t2\n7,A,0.5,2\n",
        "semicolon.csv": "song;name;t1;t2\n7;A;.5;2\n",
    }
    for name, text in texts.items():
        written(tmp_path / name, text)
    for path in sorted(tmp_path.glob("s*.*")):
        found = one(path, profile())
        assert found.metadata == {"source_id": "7", "title": "A"}, path
        assert found.features.tolist() == [0.5, 2.0], path


def test_a_list_in_a_cell_and_an_array_of_rows_are_numbers_side_by_side(
    tmp_path: Path, profile: Callable[..., Profile]
) -> None:
    made = profile(HEAD + SET.replace('"t*"', '"timbre"'))
    np.savez(tmp_path / "a.npz", song=["7", "8"], timbre=np.array([[[1], [2]], [[3], [math.nan]]]))
    first, second = loaded(tmp_path / "a.npz", made)
    assert isinstance(first, Submission)
    assert first.features.tolist() == [1.0, 2.0]
    assert second == "nothing in it for profile 'mine'; its columns: 'song', 'timbre'"


def test_an_array_without_ids_counts_its_rows(
    tmp_path: Path, profile: Callable[..., Profile]
) -> None:
    made = profile((HEAD + SET).replace('"song"', '"row"').replace('"t*"', '"timbre"'))
    np.save(tmp_path / "timbre.npy", np.arange(4.0).reshape(2, 2))
    ids = [each.metadata["source_id"] for each in every(tmp_path / "timbre.npy", made)]
    assert ids == ["0", "1"]


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        (
            {"a": [1, 2], "b": [1]},
            "the arrays of a table have the same length; these differ: a 2, b 1",
        ),
        ({"a": np.array([{}])}, "an array of Python objects, which could run code"),
        ({"song": ["7"], "t1": [1.0], "t2": [math.inf]}, "t2: infinity is not a number"),
    ],
)
def test_arrays_that_are_no_table_are_rejected_with_a_reason(
    tmp_path: Path, profile: Callable[..., Profile], arrays: dict[str, Any], reason: str
) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    [found] = loaded(tmp_path / "a.npz", profile())
    assert isinstance(found, str)
    assert found.startswith(reason)


@pytest.mark.parametrize("name", ["s.npz", "s.npy", "s.parquet"])
def test_a_file_of_another_kind_is_a_member_with_a_fault(
    tmp_path: Path, profile: Callable[..., Profile], name: str
) -> None:
    pytest.importorskip("pyarrow")
    [found] = loaded(written(tmp_path / name, "not that"), profile())
    assert isinstance(found, str)
    assert found.startswith("not ")


def test_a_profile_without_columns_says_where_to_get_them(tmp_path: Path) -> None:
    path = written(tmp_path / "s.csv", "song,t1\n7,1\n")
    with pytest.raises(UsageError, match=r"'acousticbrainz' has no \[columns\].*pgsim describe"):
        loaded(path, read_profile("acousticbrainz"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (HEAD.replace("title", "colour") + SET, "unknown key 'colour' in [columns]; known: album"),
        (HEAD.replace('mbid = "mbid"\nid = "song"\n', "") + SET, "[columns] needs the column of"),
        (HEAD.replace('"song"', "7") + SET, "[columns] needs a 'id', a text; it is 7"),
        ("columns = 1" + HEAD.partition("[columns]")[0] + SET, "columns 1 is not a table"),
        (HEAD + SET.replace('"t*"', '""'), "path '' is neither a column nor a list of them"),
    ],
)
def test_wrong_columns_are_refused_with_a_reason(
    profile: Callable[..., Profile], text: str, reason: str
) -> None:
    with pytest.raises(UsageError) as raised:
        profile(text)
    assert reason in str(raised.value)
