"""Everything at once: loads, a follower, refreshes in SQL, rebuilds, writers and askers."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pgsim.loading.load import load
from pgsim.matrix.rebuild import rebuild
from pgsim.postgres.connection import Connection, connect
from tests.support.clustered import copy_in, make_collection
from tests.support.databases import environment
from tests.support.documents import Document, low_level, mbid, write_lines
from tests.support.rows import one

LOADED = 200  # recordings that a load changes again and again
_SIZES = "SELECT pg_total_relation_size('pgsim.similarity_a')"
_SIZES += " + pg_total_relation_size('pgsim.similarity_b')"


@dataclass(slots=True)
class Campaign:
    """What came of it: bytes of both tables of lists over time, and how often each work was done.

    `before` are the bytes when it began. `longest` is the longest time of each work in seconds.
    """

    before: int
    bytes: list[int] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    longest: dict[str, float] = field(default_factory=dict)

    def note(self, work: str, seconds: float) -> None:
        """Count one work that took so long."""
        self.done[work] += 1
        self.longest[work] = max(seconds, self.longest.get(work, 0))


def prepare(conn: Connection, recordings: int, folder: Path) -> None:
    """Write so many recordings with their exact lists, and load the documents of others."""
    copy_in(conn, make_collection(recordings, 68, seed=11))
    load(conn, [write_lines(folder / "first.ndjson", _documents(range(2 * LOADED), 0))])
    rebuild(conn, engine="exact")


def run(url: str, seconds: float, folder: Path) -> Campaign:
    """Let all work at once for so long; AssertionError, with the words, for work that failed."""
    with closing(connect(url, autocommit=True)) as conn:
        result = Campaign(one(conn, _SIZES))
        works: list[tuple[str, Callable[[int], None]]] = [
            ("load", lambda turn: _load(url, folder, 0, turn)),
            ("load", lambda turn: _load(url, folder, 1, turn)),
            ("rebuild", lambda _: _command(url, "rebuild", "--engine", "exact", "--threads", "1")),
            *[("call", lambda _: _execute(url, "CALL pgsim.refresh_similarity()"))] * 3,
            ("write", lambda turn: _write(url, turn)),
            ("write", lambda turn: _write(url, -turn)),
            ("ask", lambda turn: _ask(url, turn)),
            ("ask", lambda turn: _ask(url, -turn)),
        ]
        end = threading.Event()
        with _following(url) as follower, ThreadPoolExecutor(len(works)) as pool:
            running = [pool.submit(_repeat, *work, end, result) for work in works]
            until = time.monotonic() + seconds
            while time.monotonic() < until and all(not each.done() for each in running):
                result.bytes.append(one(conn, _SIZES))
                assert follower.poll() is None, "the follower has ended"
                time.sleep(1)
            end.set()
            for each in running:
                each.result()
        result.bytes.append(one(conn, _SIZES))
    return result


def _repeat(work: str, do: Callable[[int], None], end: threading.Event, result: Campaign) -> None:
    turn = 0
    while not end.is_set():
        turn += 1
        started = time.monotonic()
        do(turn)
        result.note(work, time.monotonic() - started)
        end.wait(0.05)


def _documents(recordings: Iterable[int], turn: int) -> list[Document]:
    """The documents of these recordings, other ones each turn."""
    return [Document(mbid(each), 0, low_level(each, turn).body) for each in recordings]


def _load(url: str, folder: Path, loader: int, turn: int) -> None:
    changed = random.Random(f"{loader} {turn}").sample(range(LOADED), 20)
    path = folder / f"load-{loader}-{turn}.ndjson"
    write_lines(path, _documents([loader * LOADED + each for each in changed], turn))
    _command(url, "load", str(path), "--workers", "1")
    path.unlink()


def _write(url: str, turn: int) -> None:
    """Change some vectors, delete some recordings and insert as many, in a transaction each."""
    numbers = random.Random(turn)
    with closing(connect(url, autocommit=True)) as conn:
        for _ in range(20):
            one_of = "(SELECT id FROM pgsim.recording OFFSET %s LIMIT 1)"
            place, other = numbers.randrange(1000), numbers.randrange(1000)
            conn.execute(
                "UPDATE pgsim.recording SET vector = (SELECT vector FROM pgsim.recording"
                f" WHERE id = {one_of}) WHERE id = {one_of}".encode(),
                (other, place),
            )
            time.sleep(0.2)
        row = conn.execute(
            f"DELETE FROM pgsim.recording WHERE id = {one_of} RETURNING vector".encode(),
            (numbers.randrange(1000),),
        ).fetchone()
        if row is not None:
            conn.execute(
                "INSERT INTO pgsim.recording (mbid, title, vector)"
                " VALUES (gen_random_uuid(), 'new', %s)",
                row,
            )


def _ask(url: str, turn: int) -> None:
    """Ask about random recordings."""
    with closing(connect(url, autocommit=True)) as conn:
        for _ in range(20):
            rows = conn.execute(
                "SELECT count(*) FROM (SELECT mbid FROM pgsim.recording TABLESAMPLE SYSTEM (1)"
                " WHERE vector IS NOT NULL LIMIT 1) AS seed,"
                " LATERAL pgsim.similar_recordings(seed.mbid, 10)"
            ).fetchall()
            assert rows in ([(10,)], [(0,)]), rows  # no page was sampled
            time.sleep(0.05)


def _execute(url: str, statement: str) -> None:
    with closing(connect(url, autocommit=True)) as conn:
        conn.execute(statement.encode())


def _command(url: str, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pgsim", "--database", url, *words],
        env=environment(),
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{words[0]}: {done.stdout} {done.stderr}"


@contextmanager
def _following(url: str) -> Iterator["subprocess.Popen[Any]"]:
    process = subprocess.Popen(
        [sys.executable, "-m", "pgsim", "--database", url, "refresh", "--follow"],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(120) == 0
    finally:
        process.kill()
        process.wait()
