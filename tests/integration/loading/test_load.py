"""From documents to rows: every document accounted for, whatever the order, twice, or killed."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgsim import embedded
from pgsim.errors import UsageError
from pgsim.loading import chunks, parsing
from pgsim.loading import load as loader
from pgsim.loading.accounts import write_rejects
from pgsim.loading.load import LoadReport, load
from pgsim.loading.recordings import alone, fuse_recordings
from pgsim.matrix.refresh import refresh
from pgsim.postgres.connection import Connection, connect
from pgsim.processes import WorkerDied
from pgsim.sources.streams.files import SourceError
from pgsim.store.check import recordings_are_vacuumed
from pgsim.store.collection import read_collection, write_fit
from tests.support.archives import write_archives
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
from tests.support.rows import contents, one, versions

# Prints a line for each batch, so that it can be killed at a moment of one's choice.
LOAD = """
import sys
from pathlib import Path
from pgsim.loading import load as loader
from pgsim.postgres import connection as database
loader.BATCH = int(sys.argv[3])
print("begun", flush=True)
conn = database.connect(sys.argv[1], autocommit=True)
loader.load(conn, [Path(sys.argv[2])], lambda done, share: print(done, flush=True))
"""

Databases = Callable[..., str]

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


@contextmanager
def opened(conninfo: str) -> Iterator[Connection]:
    with closing(connect(conninfo, autocommit=True)) as conn:
        yield conn


def loading(conninfo: str, path: Path, batch: int) -> subprocess.Popen[str]:
    """A load in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", LOAD, conninfo, str(path), str(batch)],
        stdout=subprocess.PIPE,
        text=True,
    )


def counts(report: LoadReport) -> tuple[int, int, int, int, int]:
    assert report.read == report.new + report.updated + report.unchanged + report.rejected
    return report.read, report.new, report.updated, report.unchanged, report.rejected


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


def test_a_path_given_twice_is_marked_as_far_as_it_was_read(
    conn: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_lines(tmp_path / "all.ndjson", [low_level(i) for i in range(30)])
    os.utime(path, (0, 0))
    monkeypatch.setattr(chunks, "DOCUMENTS", 10)
    monkeypatch.setattr(loader, "DOCUMENTS", 10)
    monkeypatch.setattr(loader, "BATCH", 40)
    marks = []
    load(
        conn,
        [path, tmp_path],
        lambda _, __: marks.append(one(conn, "SELECT documents FROM pgsim.archive")),
    )
    assert marks == [30, 30]


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


def test_ids_are_drawn_for_new_recordings_only(conn: Connection, tmp_path: Path) -> None:
    load(conn, [write_lines(tmp_path / "a.ndjson", [low_level(i) for i in range(8)])])
    changed = [low_level(i, title="Other") for i in range(8)]
    assert load(conn, [write_lines(tmp_path / "b.ndjson", changed)]).updated == 8
    loader.refit(conn)
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
    monkeypatch: pytest.MonkeyPatch,
    in_order: dict[str, list[Any]],
    seed: int,
) -> None:
    shuffle = random.Random(seed)
    documents = collection(30)
    shuffle.shuffle(documents)
    monkeypatch.setattr(loader, "BATCH", shuffle.choice([1, 7, 20]))
    load(conn, [write_lines(tmp_path / "all.ndjson", documents)])
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
        loader.refit(conn)
        assert contents(conn) == contents(at_once)


@pytest.mark.parametrize("seed", range(2))
def test_loading_more_gives_what_loading_all_gives_with_the_same_fit(
    conn: Connection,
    new_database: Databases,
    acousticbrainz_template: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    documents = collection(24)
    random.Random(seed).shuffle(documents)
    load(conn, [write_lines(tmp_path / "first.ndjson", documents[:30])])
    fit = read_collection(conn).fit
    assert fit is not None
    monkeypatch.setattr(loader, "BATCH", 4)
    load(conn, [write_lines(tmp_path / "second.ndjson", documents[30:])])

    with opened(new_database(acousticbrainz_template)) as fresh:
        load(fresh, [write_lines(tmp_path / "all.ndjson", documents)])
        with alone(fresh):
            write_fit(fresh, read_collection(fresh).profile, fit)
            fuse_recordings(fresh, read_collection(fresh), None)
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


def killed(conninfo: str, path: Path, batch: int, after: int, seconds: float) -> None:
    """Load, and kill the load so long after that many batches."""
    process = loading(conninfo, path, batch)
    assert process.stdout is not None
    for _ in range(1 + after):
        process.stdout.readline()
    time.sleep(seconds)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL, "it had ended before it could be killed"


def assert_killing_changes_nothing(
    first: str, second: str, tmp_path: Path, batches: list[int], seed: int
) -> None:
    wait = random.Random(seed)
    documents = collection(60)
    path = write_lines(tmp_path / "all.ndjson", documents)
    size = len(documents) // 10
    for after in batches:
        killed(first, path, size, after, wait.uniform(0, 0.03))
    with opened(first) as conn, opened(second) as uninterrupted:
        assert load(conn, [path]).recordings == 60
        load(uninterrupted, [path])
        assert contents(conn, without=("id",)) == contents(uninterrupted, without=("id",))


def test_a_load_killed_and_run_again_ends_with_the_same_rows(
    new_database: Databases, acousticbrainz_template: str, tmp_path: Path
) -> None:
    databases = [new_database(acousticbrainz_template) for _ in range(2)]
    assert_killing_changes_nothing(databases[0], databases[1], tmp_path, [0, 3, 3], seed=1)


def test_a_later_load_killed_and_run_again_ends_with_the_same_rows(
    new_database: Databases, acousticbrainz_template: str, tmp_path: Path
) -> None:
    documents = collection(40)
    first = write_lines(tmp_path / "first.ndjson", documents[:40])
    second = write_lines(tmp_path / "second.ndjson", documents[40:])
    databases = [new_database(acousticbrainz_template) for _ in range(2)]
    for conninfo in databases:
        with opened(conninfo) as conn:
            load(conn, [first])
    killed(databases[0], second, 4, 3, 0.0)
    with opened(databases[0]) as conn, opened(databases[1]) as uninterrupted:
        assert load(conn, [second]).recordings == 40
        load(uninterrupted, [second])
        assert contents(conn, without=("id",)) == contents(uninterrupted, without=("id",))


def test_two_loads_at_once_store_every_document_once(
    new_database: Databases, acousticbrainz_template: str, tmp_path: Path
) -> None:
    documents = collection(60)
    halves = [
        write_lines(tmp_path / "a.ndjson", documents[:80]),
        write_lines(tmp_path / "b.ndjson", documents[40:]),
    ]
    conninfo = new_database(acousticbrainz_template)
    processes = [loading(conninfo, half, 5) for half in halves]
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    whole = write_lines(tmp_path / "all.ndjson", documents)
    with opened(conninfo) as conn, opened(new_database(acousticbrainz_template)) as alone_:
        load(alone_, [whole])
        assert contents(conn)["submission"] == contents(alone_)["submission"]
        # Whichever fitted first: every recording is fused, and by that fit.
        with alone(conn):
            report = fuse_recordings(conn, read_collection(conn), None)
        assert (report.inserted, report.changed, report.unchanged) == (0, 0, 60)
        loader.refit(conn)
        assert contents(conn, without=("id",)) == contents(alone_, without=("id",))


def settled(path: Path) -> Path:
    """The file, as if it had been lying there for an hour: a new one is not known again."""
    hour_ago = time.time() - 3600
    os.utime(path, (hour_ago, hour_ago))
    return path


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


# What does not fit into the memory that the processes share goes through a pipe.
@pytest.mark.parametrize(("workers", "place"), [(1, 9999), (3, 150_000), (3, chunks.PLACE)])
def test_any_number_of_workers_makes_the_same_rows(
    conn: Connection,
    new_database: Databases,
    acousticbrainz_template: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    workers: int,
    place: int,
) -> None:
    paths = write_archives(tmp_path, "highlevel", 400, archives=2, seed=2)
    load(conn, paths, workers=1)
    monkeypatch.setattr(parsing, "PLACE", place)
    monkeypatch.setattr(chunks, "PLACE", place)
    monkeypatch.setattr(chunks, "DOCUMENTS", 30)
    monkeypatch.setattr(loader, "DOCUMENTS", 30)
    monkeypatch.setattr(loader, "BATCH", 70)
    with opened(new_database(acousticbrainz_template)) as other:
        report = load(other, paths, workers=workers)
        assert report.read == 400
        assert contents(other, without=("id",)) == contents(conn, without=("id",))


def worker_processes() -> list[int]:
    """The processes of this one's that work for it."""
    lists = [file.read_text() for file in Path("/proc/self/task").glob("*/children")]
    return [
        int(child)
        for child in " ".join(lists).split()
        if b"pgsim.processes" in Path("/proc", child, "cmdline").read_bytes()
    ]


def test_a_worker_that_dies_ends_the_load_which_goes_on_later(
    conn: Connection,
    new_database: Databases,
    acousticbrainz_template: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paths = write_archives(tmp_path, "highlevel", 400, archives=2, seed=2)
    load(conn, paths, workers=1)
    monkeypatch.setattr(loader, "DOCUMENTS", 10)
    monkeypatch.setattr(loader, "BATCH", 30)

    def kill(_: int, __: float) -> None:
        for worker in worker_processes()[:1]:
            os.kill(worker, signal.SIGKILL)

    with opened(new_database(acousticbrainz_template)) as other:
        with pytest.raises(WorkerDied, match="ended by SIGKILL, perhaps of too little memory"):
            load(other, paths, kill, workers=2)
        assert not worker_processes()
        assert 0 < one(other, "SELECT count(*) FROM pgsim.submission") < 400
        assert load(other, paths, workers=2).read == 400
        assert contents(other, without=("id",)) == contents(conn, without=("id",))


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


CSV = {
    "lowlevel": "average_loudness,dynamic_complexity,mfcc_zero_mean",
    "rhythm": "bpm,bpm_histogram_first_peak_bpm_mean,danceability,onset_rate",
    "tonal": "key_key,key_scale,tuning_frequency",
}


def write_csv(folder: Path, part: str, rows: Sequence[str]) -> Path:
    """A feature CSV as a dump holds it."""
    path = folder / f"acousticbrainz-lowlevel-features-20220623-{part}.csv"
    header = f"mbid,submission_offset,{CSV[part]}"
    path.write_bytes("".join(f"{line}\r\n" for line in (header, *rows)).encode())
    return path


def write_csvs(folder: Path) -> list[Path]:
    values = random.Random(3)
    rows: dict[str, list[str]] = {part: [] for part in CSV}
    for i in range(12):
        who = f"{mbid(i // 2)},{i % 2}"
        rows["lowlevel"].append(f"{who},{values.random()},{values.uniform(1, 9)},-{600 + i}.5")
        bpm = values.uniform(60, 180) if i else ""
        rows["rhythm"].append(f"{who},{bpm},120,{values.random()},{values.uniform(1, 5)}")
        rows["tonal"].append(f"{who},{values.choice('ACD')},minor,440.0")
    return [write_csv(folder, part, each) for part, each in rows.items()]


@pytest.fixture
def csv_database(server: embedded.Server, new_database: Databases) -> Callable[[], str]:
    name = install_template(server, "csv_template", "acousticbrainz_csv")
    return lambda: new_database(name)


def test_feature_csvs_in_any_order_make_the_same_rows(
    csv_database: Callable[[], str], tmp_path: Path
) -> None:
    paths = write_csvs(tmp_path)
    made = []
    for order in ([0, 1, 2], [2, 0, 1]):
        with opened(csv_database()) as conn:
            report = load(conn, [paths[i] for i in order])
            assert counts(report) == (36, 12, 24, 0, 0)
            assert (report.recordings, report.without_vector) == (6, 0)
            made.append(contents(conn))
    assert made[0] == made[1]
    assert len(made[0]["submission"]) == 12


def test_one_feature_csv_gives_what_it_has(csv_database: Callable[[], str], tmp_path: Path) -> None:
    with opened(csv_database()) as conn:
        assert load(conn, write_csvs(tmp_path)[1:2]).unfitted == ()
        missing = one(conn, "SELECT missing FROM pgsim.recording WHERE mbid = %s", mbid(0))
        assert missing == ["timbre", "key"]


def test_feature_csvs_meet_documents_and_keep_their_titles(
    conn: Connection, tmp_path: Path
) -> None:
    load(conn, [write_lines(tmp_path / "a.ndjson", [high_level(i) for i in range(6)])])
    _, rhythm, tonal = write_csvs(tmp_path)
    report = load(conn, [rhythm, tonal])
    assert counts(report) == (24, 6, 18, 0, 0)
    assert (report.recordings, report.without_title) == (6, 0)


def test_a_feature_csv_of_which_the_profile_has_nothing_is_refused(
    conn: Connection, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="none of its columns average_loudness, .*acousticbrainz_"):
        load(conn, write_csvs(tmp_path)[:1])


def test_rows_of_a_csv_that_cannot_be_loaded_are_told_one_by_one(
    conn: Connection, tmp_path: Path
) -> None:
    good = f"{mbid(1)},0,100,1,1,1"
    bad = {
        f"{mbid(2)},0,100,1": "4 fields; the header has 6",
        f"{mbid(2)},0,100,1,1,1,1": "7 fields",
        "no-uuid,0,100,1,1,1": "mbid 'no-uuid' is no UUID",
        f"{mbid(2)},x,100,1,1,1": "submission_offset 'x' is no number",
        f"{mbid(2)},0,fast,1,1,1": "bpm 'fast' is no number",
        f"{mbid(2)},0,nan,1,1,1": "nan is no finite number",
        f"{mbid(2)},0,inf,1,1,1": "inf is no finite number",
        f"{mbid(2)},0,-3,1,1,1": "-3.0 is negative",
        f"{mbid(2)},0,,1,1,": "no feature set of profile",
        f'{mbid(2)},0,"1,1,1,1': "not CSV",
    }
    path = write_csv(tmp_path, "rhythm", [good, *bad])
    assert counts(load(conn, [path])) == (1 + len(bad), 1, 0, 0, len(bad))
    told = dict(conn.execute("SELECT member, reason FROM pgsim.reject").fetchall())
    for line, reason in enumerate(bad.values(), start=3):
        assert reason in told[f"{path.name}:{line}"]


def test_rejects_are_written_to_a_file(conn: Connection, tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text("no JSON\n" + low_level(1).line + "\nnor this\n")
    load(conn, [path])
    write_rejects(conn, [path], tmp_path / "rejects.ndjson")
    lines = (tmp_path / "rejects.ndjson").read_text().splitlines()
    assert [json.loads(line)["member"] for line in lines] == ["a.ndjson:1", "a.ndjson:3"]
    assert json.loads(lines[0])["file"] == str(path)


@given(documents=st.lists(st.binary(max_size=30) | JSON_DOCUMENTS, min_size=1, max_size=8))
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
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
    loader.refit(conn)


def test_a_genre_too_long_for_the_index_does_not_stop_a_load(
    conn: Connection, tmp_path: Path
) -> None:
    letters = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz", k=4000))
    report = load(conn, [write_lines(tmp_path / "a.ndjson", [low_level(1, genre=letters)])])
    assert counts(report) == (1, 1, 0, 0, 0)


def test_a_set_that_no_recording_has_is_zero_in_every_vector_and_named_by_status(
    conn: Connection, tmp_path: Path
) -> None:
    documents = [low_level(i, lacks=["onset_rate"]) for i in range(6)]
    for each in documents:
        each.body["rhythm"]["bpm"] = 120
    report = load(conn, [write_lines(tmp_path / "a.ndjson", documents)])
    unfitted = "bpm, onsetrate, logonsetrate, moods, instruments, rosamerica, dortmund, tzanetakis"
    status = dict(conn.execute("SELECT item, value FROM pgsim.status()").fetchall())
    assert status["sets not fitted"] == unfitted
    # Of these only the tempo, the same everywhere, was brought.
    assert report.unfitted == ("bpm",)
    for name in unfitted.split(", "):
        each = read_collection(conn).profile.set(name)
        part = "subvector(vector, %s, %s)"
        zero = f"SELECT bool_and({part} = array_fill(0, ARRAY[%s])::vector) FROM pgsim.recording"
        assert one(conn, zero, each.position + 1, each.length, each.length)
    assert one(conn, "SELECT bool_or(vector_norm(vector) > 0.5) FROM pgsim.recording")


def test_a_load_that_brings_a_set_not_fitted_says_so(conn: Connection, tmp_path: Path) -> None:
    load(conn, [write_lines(tmp_path / "a.ndjson", [low_level(i) for i in range(5)])])
    high = write_lines(tmp_path / "b.ndjson", [high_level(i) for i in range(5)])
    classifiers = ("moods", "instruments", "rosamerica", "dortmund", "tzanetakis")
    assert load(conn, [high]).unfitted == classifiers
    assert load(conn, [high]).unfitted == ()
    loader.refit(conn)
    more = write_lines(tmp_path / "c.ndjson", [high_level(9)])
    assert load(conn, [more]).unfitted == ()


def test_a_load_of_one_recording_leaves_the_fitting_to_the_next(
    conn: Connection, new_database: Databases, acousticbrainz_template: str, tmp_path: Path
) -> None:
    one_, rest = [low_level(0)], [low_level(i) for i in range(1, 9)]
    report = load(conn, [write_lines(tmp_path / "one.ndjson", one_)])
    assert (report.recordings, report.without_vector) == (1, 1)
    report = load(conn, [write_lines(tmp_path / "rest.ndjson", rest)])
    assert (report.recordings, report.without_vector, report.unfitted) == (9, 0, ())
    with opened(new_database(acousticbrainz_template)) as at_once:
        load(at_once, [write_lines(tmp_path / "all.ndjson", one_ + rest)])
        assert contents(conn) == contents(at_once)


def test_a_load_in_which_all_is_rejected_leaves_the_collection_unfitted(
    conn: Connection, tmp_path: Path
) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text("{}\n")
    assert counts(load(conn, [path])) == (1, 0, 0, 0, 1)
    assert read_collection(conn).fit is None


def test_a_path_that_is_not_there_is_refused_before_anything_is_loaded(
    conn: Connection, tmp_path: Path
) -> None:
    good = write_lines(tmp_path / "a.ndjson", [low_level(1)])
    with pytest.raises(SourceError, match="missing not found"):
        load(conn, [good, tmp_path / "missing"])
    assert one(conn, "SELECT count(*) FROM pgsim.submission") == 0


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


def test_progress_adds_up_to_the_documents(
    conn: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "BATCH", 4)
    told: list[tuple[int, float]] = []
    path = write_lines(tmp_path / "a.ndjson", [low_level(i) for i in range(9)])
    load(conn, [path], lambda done, share: told.append((done, share)))
    assert [done for done, _ in told] == [4, 4, 1]
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1
