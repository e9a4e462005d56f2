"""An exported matrix in another database: the same where it has the same recordings, else true."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pgsim.cli import run
from pgsim.errors import PgsimError
from pgsim.matrix.rebuild import rebuild
from pgsim.matrix.refresh import refresh
from pgsim.postgres.connection import Connection, connect
from pgsim.transfer import import_matrix as importer
from pgsim.transfer.export import export
from pgsim.transfer.import_matrix import import_matrix
from pgsim.transfer.pairs import PairsError
from tests.support.line import COUNT, change, fill
from tests.support.lists import exact, matrix
from tests.support.plane import insert, mbid, numbers
from tests.support.rows import one

pytestmark = pytest.mark.usefixtures("small_chunks")


def by_mbid(conn: Connection) -> list[Any]:
    """The matrix without the numbers that recordings have in one database."""
    return conn.execute(
        "SELECT m.*, s.reach FROM pgsim.similarity_matrix AS m"
        " INNER JOIN pgsim.recording AS r USING (mbid) INNER JOIN pgsim.similarity AS s USING (id)"
        " ORDER BY m.mbid, m.rank"
    ).fetchall()


@pytest.mark.parametrize("name", ["m.csv", "m.parquet"])
def test_a_round_trip_is_equal(
    rebuilt: Connection, other: Connection, exported: Path, name: str
) -> None:
    if name == "m.parquet":
        pytest.importorskip("pyarrow", reason="needs pgsim[parquet]")
        export(rebuilt, exported.with_name(name))
    other.execute("SELECT nextval('pgsim.recording_id_seq') FROM generate_series(1, 1000)")
    fill(other)
    report = import_matrix(other, exported.with_name(name))
    assert (report.lists, report.stored) == (COUNT, COUNT)
    assert (report.unknown_mbids, report.named, report.pending) == (0, [], 0)
    assert report.list_length == one(other, "SELECT list_length FROM pgsim.collection") == 60
    assert by_mbid(other) == by_mbid(rebuilt)
    assert one(other, "SELECT count(*) FROM pgsim.stale") == 0
    again = exported.with_name("again.csv")
    export(other, again)
    assert again.read_bytes() == exported.read_bytes()


def test_recordings_that_the_file_does_not_know_are_pending_and_found_at_once(
    other: Connection, exported: Path
) -> None:
    fill(other)
    insert(other, 500, 20**1.5 + 0.001)
    refresh(other)
    report = import_matrix(other, exported)
    assert (report.stored, report.pending) == (COUNT, 1)
    assert numbers(other, 20, 1) == [500]
    refresh(other)
    assert matrix(other) == exact(other)


def test_unknown_mbids_are_counted_and_named_and_their_lists_made_anew(
    other: Connection, exported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(other, without=(7, 80))
    assert run(["--database", other.info.dsn, "import", str(exported), "--json"]) == 0
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert (report["unknown"], report["unknown_mbids"]) == (2, 2)
    assert report["named"] == [str(mbid(7)), str(mbid(80))]
    assert f"2 MBIDs are not here with a vector: {mbid(7)}, {mbid(80)}" in err
    # 7 was in most lists of 60: they have 59 now, and are not whole.
    assert report["short"] > 20
    assert report["stored"] == COUNT - report["unknown"] - report["short"]
    assert report["stored"] == one(other, "SELECT count(*) FROM pgsim.similarity") > 0
    assert numbers(other, 20, 2, ", ranking => 'distance'") == [19, 21]
    refresh(other)
    assert matrix(other) == exact(other)


def test_a_list_is_kept_only_where_its_distances_are_those_of_the_vectors_here(
    other: Connection, exported: Path
) -> None:
    fill(other)
    refresh(other)
    # The file knows it where it was: its own list is wrong, and every list that it is in.
    other.execute("UPDATE pgsim.recording SET vector = '[10,0]' WHERE mbid = %s", (mbid(80),))
    report = import_matrix(other, exported)
    assert report.different > 10
    assert report.stored == COUNT - report.different > 0
    assert report.pending == 1
    assert numbers(other, 5, 1, ", ranking => 'distance'") == [80]
    assert numbers(other, 39, 1, ", ranking => 'distance'") == [38]
    refresh(other)
    assert matrix(other) == exact(other)


def test_what_changes_during_an_import_is_stale_after_it(other: Connection, exported: Path) -> None:
    fill(other)
    refresh(other)
    seen = []

    def write(_: int) -> None:
        if not seen:
            seen.append(one(other, "SELECT pgsim.shown_similarity()"))
            with closing(connect(other.info.dsn, autocommit=True)) as conn:
                insert(conn, 900, 20**1.5 + 0.001)
                refresh(conn)
                conn.execute("DELETE FROM pgsim.recording WHERE mbid = %s", (mbid(3),))

    import_matrix(other, exported, advance=write)
    assert one(other, "SELECT pgsim.shown_similarity()") != seen[0]
    assert numbers(other, 20, 1) == [900]
    assert 3 not in numbers(other, 4, 10)
    refresh(other)
    assert matrix(other) == exact(other)
    assert one(other, "SELECT count(*) FROM pgsim.rebuild_event") == 0


def test_readers_see_the_old_matrix_until_the_new_one_is_whole(
    other: Connection, exported: Path
) -> None:
    fill(other)
    rebuild(other, engine="exact", k=50)
    before = matrix(other)
    with closing(connect(other.info.dsn, autocommit=True)) as reader:

        def look(_: int) -> None:
            assert matrix(reader) == before

        import_matrix(other, exported, advance=look)
    assert matrix(other) != before


def test_a_failed_import_leaves_the_matrix_and_its_changes(
    other: Connection, exported: Path
) -> None:
    fill(other)
    refresh(other)
    insert(other, 500, 3)
    before = matrix(other)
    change(exported, lambda rows: [*rows[:-1], {**rows[-1], "rank": "none"}])
    with pytest.raises(PairsError, match=r"m.csv, line 4801: rank is 'none'$"):
        import_matrix(other, exported)
    assert matrix(other) == before
    assert one(other, "SELECT count(*) FROM pgsim.stale") == 1
    assert one(other, "SELECT count(*) FROM pgsim.rebuild WHERE finished_at IS NULL") == 0
    refresh(other)
    assert matrix(other) == exact(other)


def test_a_rebuild_begins_anew_after_a_killed_import(other: Connection) -> None:
    fill(other)
    other.execute("SELECT pgsim.begin_rebuild(1000, %s, 1, 2000000000)", (importer.ENGINE,))
    assert rebuild(other, engine="exact").lists == COUNT
    assert one(other, "SELECT list_length FROM pgsim.collection") == 100


def test_an_unfinished_rebuild_is_not_given_up(other: Connection, exported: Path) -> None:
    other.execute("SELECT pgsim.begin_rebuild(100, 'exact', 1, 1000)")
    with pytest.raises(PgsimError, match="a rebuild is unfinished: end it with pgsim rebuild, or"):
        import_matrix(other, exported)
    assert one(other, "SELECT count(*) FROM pgsim.rebuild") == 1


def test_two_imports_are_not_at_work_at_once(other: Connection, exported: Path) -> None:
    fill(other)
    messages: list[str] = []

    def try_too(_: int) -> None:
        if len(messages) < 2:
            conn = connect(other.info.dsn, autocommit=True)
            with closing(conn), pytest.raises(PgsimError) as caught:
                import_matrix(conn, exported)
            messages.append(str(caught.value))

    assert import_matrix(other, exported, advance=try_too).stored == COUNT
    assert len(messages) == 2
    assert all("another" in message for message in messages)


def test_a_list_may_hold_all_others_of_a_small_collection(
    plane: Connection, other: Connection, tmp_path: Path
) -> None:
    for conn in (plane, other):
        for number, x in enumerate((0, 1, 3, 7), start=1):
            insert(conn, number, x)
    rebuild(plane, engine="exact")
    export(plane, tmp_path / "m.csv")
    assert import_matrix(other, tmp_path / "m.csv").list_length == 100
    assert matrix(other) == exact(other)
    insert(other, 5, 4)
    refresh(other)
    assert matrix(other) == exact(other)


def test_rows_within_a_list_may_stand_in_any_order(
    rebuilt: Connection, other: Connection, exported: Path
) -> None:
    fill(other)
    change(exported, lambda rows: rows[::-1])
    import_matrix(other, exported)
    assert matrix(other) == matrix(rebuilt)


def test_a_matrix_of_other_recordings_leaves_the_one_that_is_there(
    other: Connection, exported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(501, 601):
        insert(other, number, number)
    rebuild(other, engine="exact", k=50)
    before = matrix(other)
    assert run(["--database", other.info.dsn, "import", str(exported)]) == 1
    said = capsys.readouterr().err
    assert "none of its 80 lists is one of this collection (80 of unknown recordings" in said
    assert matrix(other) == before
    assert one(other, "SELECT list_length FROM pgsim.collection") == 50
    assert one(other, "SELECT count(*) FROM pgsim.stale") == 0


def test_how_many_recordings_have_no_list_is_said(
    other: Connection, exported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(other)
    exported.write_text("".join(exported.read_text().splitlines(keepends=True)[: 1 + 12 * 60]))
    assert run(["--database", other.info.dsn, "import", str(exported)]) == 0
    said = capsys.readouterr().err
    assert "68 of 80 recordings have no list: pgsim refresh" in said
    assert "a list has 60 neighbours from now on, and had 100 before" in said
    refresh(other)
    assert matrix(other) == exact(other)
