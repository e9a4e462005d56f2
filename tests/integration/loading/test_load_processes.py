"""A load with worker processes, several loads at once, and loads that are killed and run again."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from pgsim.loading.chunks import LIMITS, Limits
from pgsim.loading.load import load
from pgsim.loading.recordings import alone, fuse_recordings, refit
from pgsim.postgres.connection import Connection
from pgsim.processes import WorkerDied
from pgsim.store.collection import read_collection
from tests.support.archives import write_archives
from tests.support.documents import (
    collection,
    write_lines,
)
from tests.support.loading import Databases, loading, opened
from tests.support.rows import contents, one


# What does not fit into the memory that the processes share goes through a pipe.
@pytest.mark.parametrize(
    ("workers", "slot"),
    [(1, 9999), (3, 150_000), pytest.param(3, LIMITS.slot, marks=pytest.mark.slow)],
)
def test_any_number_of_workers_makes_the_same_rows(
    conn: Connection,
    new_database: Databases,
    acousticbrainz_template: str,
    tmp_path: Path,
    workers: int,
    slot: int,
) -> None:
    paths = write_archives(tmp_path, "highlevel", 400, archives=2, seed=2)
    load(conn, paths, workers=1)
    limits = Limits(documents=30, slot=slot, batch=70)
    with opened(new_database(acousticbrainz_template)) as other:
        report = load(other, paths, workers=workers, limits=limits)
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
) -> None:
    paths = write_archives(tmp_path, "highlevel", 400, archives=2, seed=2)
    load(conn, paths, workers=1)

    def kill(_: int, share: float | None = None) -> None:
        for worker in worker_processes()[:1]:
            os.kill(worker, signal.SIGKILL)

    with opened(new_database(acousticbrainz_template)) as other:
        with pytest.raises(WorkerDied, match="ended by SIGKILL, perhaps for lack of memory"):
            load(other, paths, kill, workers=2, limits=Limits(documents=10, batch=30))
        assert not worker_processes()
        assert 0 < one(other, "SELECT count(*) FROM pgsim.submission") < 400
        assert load(other, paths, workers=2).read == 400
        assert contents(other, without=("id",)) == contents(conn, without=("id",))


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


@pytest.mark.slow
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
        refit(conn)
        assert contents(conn, without=("id",)) == contents(alone_, without=("id",))
