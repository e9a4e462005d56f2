"""From documents to rows: every document counted, in any order, loaded once or again."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pgsim import embedded
from pgsim.loading.chunks import Limits
from pgsim.loading.load import load
from pgsim.loading.recordings import alone, fuse_recordings, refit
from pgsim.matrix.refresh import refresh
from pgsim.postgres.connection import Connection
from pgsim.store.checks import recordings_are_vacuumed
from pgsim.store.collection import read_collection, write_fit
from pgsim.store.donors import read_donors
from tests.support.databases import install_template
from tests.support.documents import (
    Document,
    collection,
    high_level,
    low_level,
    mbid,
    write_folder,
    write_lines,
)
from tests.support.genuine import ACOUSTICBRAINZ, needs_genuine
from tests.support.loading import Databases, counts, opened
from tests.support.rows import contents, one, versions


@needs_genuine
def test_each_of_the_genuine_documents_is_accounted_for(conn: Connection) -> None:
    report = load(conn, [ACOUSTICBRAINZ])
    # 101 low-level documents and 2 high-level ones of the same recordings; the 423 lines are
    # metadata alone.
    assert counts(report) == (526, 101, 2, 0, 423)
    assert report.recordings == one(conn, "SELECT count(*) FROM pgsim.recording") == 8
    assert report.without_vector == report.without_title == 0
    reasons = conn.execute("SELECT DISTINCT file, reason FROM pgsim.reject").fetchall()
    assert len(reasons) == 1
    assert reasons[0][0] == str(ACOUSTICBRAINZ)
    assert "no feature set of profile 'acousticbrainz' in it" in reasons[0][1]

    rows = conn.execute("SELECT mbid::text, submissions FROM pgsim.recording WHERE submissions > 1")
    assert rows.fetchall() == [("00c47ea6-3a10-4a32-b1f1-990ac756c6a0", 94)]
    both = "0dad432b-16cc-4bf0-8961-fd31d124b01b"
    assert one(conn, "SELECT missing FROM pgsim.recording WHERE mbid = %s", both) == []


@needs_genuine
def test_loading_the_genuine_documents_again_rewrites_no_row(conn: Connection) -> None:
    load(conn, [ACOUSTICBRAINZ])
    before = versions(conn)
    report = load(conn, [ACOUSTICBRAINZ])
    assert counts(report) == (526, 0, 0, 103, 423)
    after = versions(conn)
    assert [row[1:] for row in before.pop("reject")] != []
    after.pop("reject")
    assert after == before


def test_loading_twice_writes_nothing(conn: Connection, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "all.ndjson", collection(20))
    first = load(conn, [path])
    conn.execute("CALL pgsim.refresh_similarity()")
    before = versions(conn)
    second = load(conn, [path])
    assert second.unchanged == second.read == first.read
    assert versions(conn) == before
    assert one(conn, "SELECT count(*) FROM pgsim.stale") == 0


def test_a_later_load_leaves_its_recordings_vacuumed(conn: Connection, tmp_path: Path) -> None:
    conn.execute("SET synchronous_commit = on")  # as a user's is; this server's is off
    load(conn, [write_lines(tmp_path / "a.ndjson", [low_level(i) for i in range(50)])])
    load(conn, [write_lines(tmp_path / "b.ndjson", [low_level(i) for i in range(50, 1050)])])
    assert recordings_are_vacuumed(conn) is None


def test_ids_are_drawn_for_new_recordings_only(conn: Connection, tmp_path: Path) -> None:
    load(conn, [write_lines(tmp_path / "a.ndjson", [low_level(i) for i in range(8)])])
    changed = [low_level(i, title="Other") for i in range(8)]
    assert load(conn, [write_lines(tmp_path / "b.ndjson", changed)]).updated == 8
    refit(conn)
    load(conn, [write_lines(tmp_path / "c.ndjson", [low_level(99)])])
    assert one(conn, "SELECT id FROM pgsim.recording WHERE mbid = %s", mbid(99)) == 9


def test_documents_of_both_levels_meet_in_one_recording(conn: Connection, tmp_path: Path) -> None:
    path = write_folder(tmp_path, [low_level(1), high_level(1), low_level(2), high_level(2)])
    assert counts(load(conn, [path])) == (4, 2, 2, 0, 0)
    rows = conn.execute("SELECT mbid, submissions, missing FROM pgsim.recording ORDER BY 1")
    assert rows.fetchall() == [(mbid(1), 1, []), (mbid(2), 1, [])]


@pytest.fixture(scope="module")
def in_order(
    server: embedded.Server, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[Any]]:
    """What loading a collection in its own order in one batch comes to."""
    path = write_lines(tmp_path_factory.mktemp("in_order") / "all.ndjson", collection(30))
    name = install_template(server, "loaded_in_order", "acousticbrainz")
    with opened(server.conninfo(name)) as conn:
        load(conn, [path])
        return contents(conn)


@pytest.mark.parametrize("seed", range(3))
def test_the_order_and_the_batches_of_a_first_load_do_not_matter(
    conn: Connection,
    tmp_path: Path,
    in_order: dict[str, list[Any]],
    seed: int,
) -> None:
    shuffle = random.Random(seed)
    documents = collection(30)
    shuffle.shuffle(documents)
    limits = Limits(batch=shuffle.choice([1, 7, 20]))
    load(conn, [write_lines(tmp_path / "all.ndjson", documents)], limits=limits)
    assert contents(conn) == in_order


@pytest.mark.parametrize("levels", [(low_level, high_level), (high_level, low_level)])
def test_a_level_loaded_by_itself_and_then_the_other_make_the_same_rows(
    conn: Connection,
    new_database: Databases,
    acousticbrainz_template: str,
    tmp_path: Path,
    levels: tuple[Callable[[int], Document], ...],
) -> None:
    paths = [
        write_lines(tmp_path / f"{place}.ndjson", [level(i) for i in range(10)])
        for place, level in enumerate(levels)
    ]
    load(conn, paths[:1])
    later = load(conn, paths[1:])
    assert counts(later) == (10, 0, 10, 0, 0)
    with opened(new_database(acousticbrainz_template)) as at_once:
        load(at_once, paths)
        # The first load fitted the sets that it saw; now all of them are there.
        refit(conn)
        assert contents(conn) == contents(at_once)


@pytest.mark.parametrize("seed", range(2))
def test_loading_more_gives_what_loading_all_gives_with_the_same_fit(
    conn: Connection,
    new_database: Databases,
    acousticbrainz_template: str,
    tmp_path: Path,
    seed: int,
) -> None:
    documents = collection(24)
    random.Random(seed).shuffle(documents)
    load(conn, [write_lines(tmp_path / "first.ndjson", documents[:30])])
    fit = read_collection(conn).fit
    assert fit is not None
    donors = read_donors(conn, read_collection(conn).profile.dimensions)
    path = write_lines(tmp_path / "second.ndjson", documents[30:])
    load(conn, [path], limits=Limits(batch=4))

    with opened(new_database(acousticbrainz_template)) as fresh:
        load(fresh, [write_lines(tmp_path / "all.ndjson", documents)])
        with alone(fresh):
            write_fit(fresh, read_collection(fresh).profile, fit)
            fuse_recordings(fresh, read_collection(fresh), None, donors=donors)
        assert contents(conn, without=("id",)) == contents(fresh, without=("id",))


def test_a_later_load_touches_only_the_recordings_that_it_brings(
    conn: Connection, tmp_path: Path
) -> None:
    load(conn, [write_lines(tmp_path / "first.ndjson", [low_level(i) for i in range(10)])])
    conn.execute("CALL pgsim.refresh_similarity()")
    before = versions(conn)["recording"]
    more = [low_level(3, 1), low_level(20), low_level(4)]
    assert counts(load(conn, [write_lines(tmp_path / "second.ndjson", more)])) == (3, 2, 0, 1, 0)
    assert len(set(before) & set(versions(conn)["recording"])) == 9
    stale = conn.execute(
        "SELECT r.mbid, s.old_vector IS NULL"
        " FROM pgsim.stale AS s JOIN pgsim.recording AS r ON r.id = s.id ORDER BY r.mbid"
    ).fetchall()
    assert stale == [(mbid(3), False), (mbid(20), True)]


def test_a_changed_title_updates_the_recording_and_leaves_the_lists_alone(
    conn: Connection, tmp_path: Path
) -> None:
    load(conn, [write_lines(tmp_path / "a.ndjson", [low_level(i) for i in range(5)])])
    conn.execute("CALL pgsim.refresh_similarity()")
    report = load(conn, [write_lines(tmp_path / "b.ndjson", [low_level(1, title="Other")])])
    assert counts(report) == (1, 0, 1, 0, 0)
    assert one(conn, "SELECT title FROM pgsim.recording WHERE mbid = %s", mbid(1)) == "Other"
    assert one(conn, "SELECT count(*) FROM pgsim.stale") == 0


def test_a_document_that_stands_in_a_batch_more_than_once_is_new_once(
    conn: Connection, tmp_path: Path
) -> None:
    documents = [low_level(1), low_level(1), low_level(2), high_level(1), low_level(1)]
    report = load(conn, [write_lines(tmp_path / "a.ndjson", documents)])
    assert counts(report) == (5, 2, 1, 2, 0)
    assert one(conn, "SELECT count(*) FROM pgsim.submission") == 2


def test_of_two_documents_that_differ_the_later_counts(conn: Connection, tmp_path: Path) -> None:
    documents = [low_level(1, title="Early"), low_level(2), low_level(1, title="Late")]
    report = load(conn, [write_lines(tmp_path / "a.ndjson", documents)])
    assert counts(report) == (3, 2, 1, 0, 0)
    assert one(conn, "SELECT title FROM pgsim.recording WHERE mbid = %s", mbid(1)) == "Late"


def test_a_run_is_noted_with_its_report(conn: Connection, tmp_path: Path) -> None:
    load(conn, [write_lines(tmp_path / "a.ndjson", [low_level(1), low_level(2)])])
    report = one(
        conn, "SELECT report FROM pgsim.run WHERE command = 'load' AND finished_at > started_at"
    )
    assert (report["read"], report["new"], report["recordings"]) == (2, 2, 2)


def test_tables_of_the_users_with_the_names_of_temporary_ones_are_left_alone(
    conn: Connection, tmp_path: Path
) -> None:
    for schema in ("public", "pgsim"):
        for name in ("submission", "recording", "similarity"):
            conn.execute(f"CREATE TABLE {schema}.incoming_{name} (id integer)".encode())
            conn.execute(f"INSERT INTO {schema}.incoming_{name} VALUES (7)".encode())
    path = write_lines(tmp_path / "a.ndjson", collection(12))
    assert load(conn, [path]).recordings == 12
    assert refresh(conn).lists == 12
    for name in ("submission", "recording", "similarity"):
        assert one(conn, f"SELECT sum(id) FROM public.incoming_{name}") == 7


def test_progress_adds_up_to_the_documents(conn: Connection, tmp_path: Path) -> None:
    reports: list[tuple[int, float | None]] = []
    path = write_lines(tmp_path / "a.ndjson", [low_level(i) for i in range(9)])

    def advance(done: int, share: float | None = None) -> None:
        reports.append((done, share))

    load(conn, [path], advance, limits=Limits(batch=4))
    assert [done for done, _ in reports] == [4, 4, 1]
    shares = [share for _, share in reports if share is not None]
    assert shares == sorted(shares)
    assert shares[-1] == 1
