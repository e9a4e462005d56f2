"""Work that goes on: woken, ended, cut off and connected again."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from pgsim.errors import PgsimError
from pgsim.matrix import follow, rebuild
from pgsim.matrix import refresh as refresh_module
from pgsim.matrix.follow import JoinReport, follow_changes, follow_rebuilds
from pgsim.matrix.refresh import RefreshReport
from pgsim.postgres.connection import Connection, connect
from pgsim.store import locks
from tests.support.databases import environment
from tests.support.lists import exact, matrix
from tests.support.plane import insert
from tests.support.rows import one
from tests.support.waiting import wait_until


def listens(conn: Connection, table: str) -> bool:
    """Whether a follower has looked into that table, and waits for a notification."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND query LIKE %s"
    query += " AND state = 'idle'"
    return bool(one(conn, query, conn.info.dbname, f"SELECT 1 FROM pgsim.{table}%"))


def is_refreshed(conn: Connection) -> bool:
    return bool(one(conn, "SELECT NOT EXISTS (SELECT FROM pgsim.stale)"))


@contextmanager
def following(
    follower: Callable[..., Any], conn: Connection, said: list[str]
) -> Iterator["Future[Any]"]:
    """A follower at work beside the test; its report afterwards."""
    end = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(follower, conn.info.dsn, end.is_set, said.append)
        try:
            yield running
        finally:
            end.set()


def test_a_change_is_refreshed_when_it_is_committed(plane: Connection) -> None:
    insert(plane, 1, 0)
    said: list[str] = []
    with following(follow_changes, plane, said) as running:
        wait_until(lambda: said != [])
        insert(plane, 2, 1)
        wait_until(lambda: len(said) == 2)
        plane.execute("DELETE FROM pgsim.recording WHERE vector OPERATOR(public.=) '[0,0]'")
        wait_until(lambda: len(said) == 3)
        assert matrix(plane) == exact(plane)
    assert said == [f"1 recordings had changed; {lists} lists written" for lists in (1, 2, 1)]
    assert running.result() == RefreshReport(3, 4)
    assert one(plane, "SELECT count(*) FROM pgsim.run WHERE finished_at IS NOT NULL") == 3


def test_what_changes_no_vector_wakes_nobody(plane: Connection) -> None:
    insert(plane, 1, 0)
    with closing(connect(plane.info.dsn, autocommit=True)) as listener:
        listener.execute("LISTEN pgsim_stale")
        plane.execute("UPDATE pgsim.recording SET title = 'another', vector = vector")
        plane.execute("DELETE FROM pgsim.recording WHERE title = 'none'")
        assert list(listener.notifies(timeout=0)) == []
        plane.execute("UPDATE pgsim.recording SET vector = '[1,1]'")
        assert [each.channel for each in listener.notifies(timeout=30, stop_after=1)] == [
            "pgsim_stale"
        ]


def test_a_lost_notification_is_made_up_for_by_the_poll(
    plane: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert(plane, 1, 0)
    monkeypatch.setattr(follow, "POLL", 1)
    said: list[str] = []
    with following(follow_changes, plane, said):
        wait_until(lambda: said != [] and listens(plane, "stale"))
        plane.execute("INSERT INTO pgsim.stale (id) SELECT id FROM pgsim.recording")
        wait_until(lambda: len(said) == 2)


def test_while_others_rebuild_it_waits_for_their_end(
    plane: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild, "GRACE", 0.05)
    monkeypatch.setattr(refresh_module, "REBUILD_ABOVE", 0)  # all is made anew, always
    insert(plane, 1, 0)
    said: list[str] = []
    with following(follow_changes, plane, said):
        with rebuild.coordinating(plane):
            wait_until(lambda: "0 recordings had changed; 0 lists written" in said)
            time.sleep(1)
            assert len(said) == 3  # it does not ask again and again
        rebuild.rebuild(plane, engine="exact")
        insert(plane, 2, 1)
        wait_until(lambda: is_refreshed(plane))
    assert matrix(plane) == exact(plane)


def test_a_worker_has_no_part_in_an_import(plane: Connection) -> None:
    insert(plane, 1, 0)
    plane.execute("SELECT pgsim.begin_rebuild(100, 'import', 1, 10)")
    assert plane.execute(follow._FREE_PARTS.encode()).fetchone() is None
    with pytest.raises(PgsimError, match="no rebuild to join"):
        rebuild.rebuild(plane, join=True)


def test_it_ends_after_the_part_it_is_at(
    plane: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 6):
        insert(plane, number, number)
    monkeypatch.setattr(refresh_module, "PART", 1)
    asked: list[int] = []

    def is_ended() -> bool:
        # Asked twice before the work begins, and then after each part.
        asked.append(one(plane, "SELECT count(*) FROM pgsim.stale"))
        return asked[-1] < 4

    assert follow_changes(plane.info.dsn, is_ended, lambda _: None) == RefreshReport(0, 0)
    assert asked == [5, 5, 4, 3]
    assert one(plane, "SELECT count(*) FROM pgsim.similarity") == 2


@pytest.mark.parametrize("is_at_work", [False, True])
def test_a_lost_connection_is_made_again_and_that_is_said(
    plane: Connection, is_at_work: bool
) -> None:
    said: list[str] = []
    insert(plane, 1, 0)
    with following(follow_changes, plane, said):
        wait_until(lambda: said != [] and listens(plane, "stale"))
        if is_at_work:
            # It waits for its turn while another changes the matrix.
            plane.execute("SELECT pg_advisory_lock(hashtext('pgsim.similarity'))")
            insert(plane, 2, 1)
            wait_until(lambda: locks.is_wanted(plane, locks.MATRIX))
        ended = plane.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
        assert ended == [(True,)]
        if is_at_work:
            plane.execute("SELECT pg_advisory_unlock(hashtext('pgsim.similarity'))")
        else:
            insert(plane, 2, 1)
        wait_until(lambda: len(said) == 4)
    assert re.fullmatch("[^\n]*connection[^\n]*; trying again in 1 s", said[1])
    assert said[2:] == ["connected again", "1 recordings had changed; 2 lists written"]


def test_pauses_grow_while_the_database_cannot_be_reached(
    plane: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = follow._pause
    monkeypatch.setattr(follow, "_pause", lambda seconds, ended: pause(seconds / 10, ended))
    said: list[str] = []
    name = plane.info.dbname
    insert(plane, 1, 0)
    with (
        following(follow_changes, plane, said),
        closing(connect(plane.info.dsn.replace(name, "postgres"), autocommit=True)) as admin,
    ):
        wait_until(lambda: len(said) == 1)
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )
        wait_until(lambda: len(said) == 3)
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())
        wait_until(lambda: said[-1] == "connected again")
    assert [line.rsplit("; ")[-1] for line in said[1:3]] == [
        f"trying again in {seconds} s" for seconds in (1, 2)
    ]
    assert "is not currently accepting connections" in said[2]


def test_the_first_connection_has_to_be_there(new_database: Callable[..., str]) -> None:
    with pytest.raises(PgsimError, match="holds no collection yet: run pgsim init"):
        follow_changes(new_database(), lambda: False, lambda _: None)


def test_a_worker_joins_a_rebuild_that_begins_later(
    plane: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 41):
        insert(plane, number, number)
    monkeypatch.setattr(rebuild, "PART", 10)
    monkeypatch.setattr(rebuild, "PAUSE", 0.05)
    said: list[str] = []

    def is_shared(_: int) -> None:
        wait_until(lambda: any("lists in" in line for line in said))

    with following(follow_rebuilds, plane, said) as running:
        wait_until(lambda: listens(plane, "rebuild_part"))
        own = rebuild.rebuild(plane, engine="exact", advance=is_shared)
    helped = running.result()
    assert helped == JoinReport(1, 40 - own.lists)
    assert helped.lists >= 10
    assert matrix(plane) == exact(plane)


def test_sigterm_ends_it_with_0_and_one_json_document(plane: Connection, tmp_path: Path) -> None:
    insert(plane, 1, 0)
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "pgsim", "--database", plane.info.dsn),
            "refresh",
            "--follow",
            "--json",
        ],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: is_refreshed(plane) and listens(plane, "stale"))
    os.kill(process.pid, signal.SIGTERM)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 0, stderr
    assert json.loads(stdout) == {"changed": 1, "lists": 1}
    assert stderr == "1 recordings had changed; 1 lists written\n"
