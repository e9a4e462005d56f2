"""Documents that cannot be loaded, or not as they stand: each is counted, with its reason."""

import json
import os
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgsim.loading.file_accounts import write_rejects
from pgsim.loading.load import load
from pgsim.loading.recordings import refit
from pgsim.postgres.connection import Connection
from pgsim.sources.streams.files import SourceError
from tests.support.documents import (
    low_level,
    mbid,
    write_folder,
    write_lines,
)
from tests.support.loading import counts
from tests.support.rows import one

JSON_VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)


JSON_DOCUMENTS = st.builds(
    lambda title, bpm, number: json.dumps(
        {
            "mbid": str(mbid(7)),
            "number": number,
            "rhythm": {"bpm": bpm},
            "metadata": {"tags": {"title": [title]}},
        }
    ).encode(),
    *(JSON_VALUES, JSON_VALUES, st.integers(-1, 3) | JSON_VALUES),
)


@pytest.mark.parametrize("blank", [" ", "\t"])
def test_a_name_that_begins_with_a_blank_keeps_its_rejects(
    conn: Connection, tmp_path: Path, blank: str
) -> None:
    path = write_lines(tmp_path / f"{blank}all.ndjson", [low_level(1), low_level(2)])
    path.write_text(path.read_text() + "{\n")
    os.utime(path, (0, 0))
    for _ in range(2):
        assert load(conn, [tmp_path]).rejected == 1
        assert one(conn, "SELECT count(*) FROM pgsim.reject") == 1


def test_rejects_are_written_to_a_file(conn: Connection, tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text("no JSON\n" + low_level(1).line + "\nnor this\n")
    load(conn, [path])
    write_rejects(conn, [path], tmp_path / "rejects.ndjson")
    lines = (tmp_path / "rejects.ndjson").read_text().splitlines()
    assert [json.loads(line)["member"] for line in lines] == ["a.ndjson:1", "a.ndjson:3"]
    assert json.loads(lines[0])["file"] == str(path)


@given(documents=st.lists(st.binary(max_size=30) | JSON_DOCUMENTS, min_size=1, max_size=8))
@settings(max_examples=15, deadline=None)
def test_whatever_stands_in_a_file_every_line_is_counted(
    conn: Connection, tmp_path: Path, documents: list[bytes]
) -> None:
    lines = [each.replace(b"\n", b" ") for each in documents]
    path = tmp_path / "any.ndjson"
    path.write_bytes(b"\n".join(lines))
    report = load(conn, [path], again=True)
    assert report.read == max(1, sum(bool(line.strip()) for line in lines))
    counts(report)
    assert report.rejected == one(conn, "SELECT count(*) FROM pgsim.reject")


def test_rejects_are_kept_with_file_member_and_reason(conn: Connection, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "dump", [low_level(1), low_level(2)])
    folder.joinpath("lines.ndjson").write_text(low_level(3).line + "\nno JSON\n")
    odd = low_level(4)
    odd.body["rhythm"]["bpm"] = -1
    write_folder(folder, [odd])
    assert counts(load(conn, [folder])) == (5, 3, 0, 0, 2)
    name = f"{mbid(4)}-0.json"
    rows = conn.execute("SELECT file, member, reason FROM pgsim.reject ORDER BY member DESC")
    assert rows.fetchall() == [
        (
            str(folder),
            f"lowlevel/{name[:2]}/{name[2]}/{name}",
            "rhythm.bpm: -1 is negative; a rate is 0 or more",
        ),
        (
            str(folder),
            "lines.ndjson:2",
            "not JSON: Expecting value: line 1 column 1 (char 0)",
        ),
    ]


def test_a_document_that_has_been_mended_is_no_reject_any_more(
    conn: Connection, tmp_path: Path
) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text("no JSON\nnor this\n")
    other = tmp_path / "b.ndjson"
    other.write_text("no JSON\n")
    assert load(conn, [path, other]).rejected == 3
    path.write_text(low_level(1).line + "\nnor this\n")
    assert load(conn, [path]).rejected == 1
    rows = conn.execute("SELECT member FROM pgsim.reject ORDER BY member")
    assert rows.fetchall() == [("a.ndjson:2",), ("b.ndjson:1",)]


def test_rejects_of_files_of_one_name_in_two_folders_are_kept_apart(
    conn: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        folder.joinpath("x.json").write_text("[]")
        monkeypatch.chdir(folder)
        load(conn, [Path("x.json")])
    assert one(conn, "SELECT count(*) FROM pgsim.reject") == 2


def test_names_that_are_no_text_or_too_long_for_the_index_do_not_stop_a_load(
    conn: Connection, tmp_path: Path
) -> None:
    digits = random.Random(1)
    folder = tmp_path
    for _ in range(12):  # of random letters, so that the index cannot compress them
        folder = folder / "".join(digits.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=250))
        folder.mkdir()
    folder.joinpath("last.json").write_text("[]")
    odd = Path(str(tmp_path) + "/\udcff.json")
    odd.write_text("[]")
    assert counts(load(conn, [odd, folder, tmp_path])) == (4, 0, 0, 0, 4)
    members = [member for (member,) in conn.execute("SELECT member FROM pgsim.reject")]
    assert len(members) == 4
    assert sum(member.endswith("last.json") for member in members) == 2


def test_text_that_postgresql_cannot_hold_is_repaired_and_counted(
    conn: Connection, tmp_path: Path
) -> None:
    documents = [low_level(1, title="A\0B", artist="C\0"), low_level(2)]
    report = load(conn, [write_lines(tmp_path / "a.ndjson", documents)])
    assert report.repaired == 2
    row = conn.execute("SELECT title, artist FROM pgsim.recording ORDER BY mbid").fetchone()
    assert row == ("AB", "C")


@pytest.mark.parametrize(
    ("extra", "outcome"),
    [
        ('{"n": 1e308}', (1, 1, 0, 0, 0)),
        ('{"n": 1e999}', (1, 1, 0, 0, 0)),
        ('{"n": 1' + "0" * 400 + "}", (1, 0, 0, 0, 1)),
        ('{"n": ' + "[" * 400 + "]" * 400 + "}", (1, 0, 0, 0, 1)),
    ],
    ids=["a large number", "infinity", "an integer of 400 digits", "a deep list"],
)
def test_whatever_stands_in_extra_later_loads_go_on(
    conn: Connection, tmp_path: Path, extra: str, outcome: tuple[int, ...]
) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text(low_level(1).line.removesuffix("}") + f', "extra": {extra}}}\n')
    assert counts(load(conn, [path])) == outcome
    more = write_lines(tmp_path / "b.ndjson", [low_level(2), low_level(3)])
    assert load(conn, [more]).new == 2
    refit(conn)


def test_a_genre_too_long_for_the_index_does_not_stop_a_load(
    conn: Connection, tmp_path: Path
) -> None:
    letters = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz", k=4000))
    report = load(conn, [write_lines(tmp_path / "a.ndjson", [low_level(1, genre=letters)])])
    assert counts(report) == (1, 1, 0, 0, 0)


def test_a_path_that_is_not_there_is_refused_before_anything_is_loaded(
    conn: Connection, tmp_path: Path
) -> None:
    good = write_lines(tmp_path / "a.ndjson", [low_level(1)])
    with pytest.raises(SourceError, match="missing not found"):
        load(conn, [good, tmp_path / "missing"])
    assert one(conn, "SELECT count(*) FROM pgsim.submission") == 0
