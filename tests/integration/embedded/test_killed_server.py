"""Servers and clients that are killed, race, or leave remains."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from pgsim import embedded
from pgsim.embedded.account import account
from tests.support.servers import START, answers, postmaster_pid, wait_until

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


def test_a_killed_client_leaves_the_server_running(
    home: Path, in_process: Callable[..., subprocess.Popen[str]]
) -> None:
    with in_process(START + "input()", stdin=subprocess.PIPE) as client:
        assert client.stdout is not None
        pid = int(client.stdout.readline())
        client.kill()
    server = embedded.start(home)
    assert postmaster_pid(server) == pid
    assert answers(server)


@pytest.mark.parametrize("delay", [0.05, 0.35])  # in initdb, and in pg_ctl or about there
def test_a_client_killed_while_it_makes_the_server_does_no_harm(
    home: Path,
    in_process: Callable[..., subprocess.Popen[str]],
    fast_settings: dict[str, str],
    delay: float,
) -> None:
    with in_process(START) as client:
        wait_until((home / "lock").exists)
        time.sleep(delay)
        client.kill()
    server = embedded.start(home, settings=fast_settings)
    assert answers(server)
    assert not list(home.glob("data.*"))


@linux_only
def test_a_killed_postmaster_is_replaced_though_a_statement_of_it_still_runs(
    home: Path, fast_settings: dict[str, str], server: embedded.Server
) -> None:
    untouched, bystander = server, postmaster_pid(server)
    server = embedded.start(home, settings=fast_settings)
    shell = subprocess.Popen(["sleep", "60"], cwd=server.data)
    pid = postmaster_pid(server)
    conn = psycopg.connect(server.conninfo("postgres"), autocommit=True)
    conn.execute("SET synchronous_commit = on")
    conn.execute("CREATE TABLE kept AS SELECT 1 AS one")
    # A loop in plpgsql does not look whether its postmaster lives.
    conn.pgconn.send_query(b"DO $$ BEGIN LOOP END LOOP; END $$")
    backend = conn.info.backend_pid
    wait_until(lambda: process_state(backend) == "R")
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: process_state(pid) in ("", "Z"))
    assert process_state(backend) == "R"
    assert not server.is_running
    began = time.monotonic()
    embedded.start(home)
    assert time.monotonic() - began < 10
    conn.close()
    # Neither another server nor another program in that folder was signalled.
    assert postmaster_pid(untouched) == bystander
    assert answers(untouched)
    assert shell.poll() is None
    shell.kill()
    shell.wait()
    assert postmaster_pid(server) != pid
    with psycopg.connect(server.conninfo("postgres")) as conn:
        assert conn.execute("SELECT one FROM kept").fetchone() == (1,)


ADOPT = """
import ctypes
PR_SET_CHILD_SUBREAPER = 36  # prctl.h: orphans below this process become its children
assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
"""


@linux_only
def test_a_killed_postmaster_that_stays_a_zombie_is_replaced(
    home: Path, in_process: Callable[..., subprocess.Popen[str]]
) -> None:
    with in_process(ADOPT + START + "input()", stdin=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: process_state(pid) == "Z")
        server = embedded.start(home)
        assert process_state(pid) == "Z"
        assert postmaster_pid(server) != pid
        assert answers(server)
        assert embedded.stop(home)
        parent.kill()


@linux_only
def test_stopping_a_zombie_says_that_nothing_ran(
    home: Path, in_process: Callable[..., subprocess.Popen[str]]
) -> None:
    with in_process(ADOPT + START + "input()", stdin=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: process_state(pid) == "Z")
        assert not embedded.stop(home)
        assert not (home / "data" / "postmaster.pid").exists()
        parent.kill()


def process_state(pid: int) -> str:
    """R, S, Z …, or nothing when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


@pytest.mark.parametrize("whose", ["nobody's", "an unrelated process's", "empty"])
def test_a_stale_pid_file_does_not_keep_the_server_from_starting(
    home: Path, fast_settings: dict[str, str], whose: str
) -> None:
    server = embedded.start(home, settings=fast_settings)
    left = (server.data / "postmaster.pid").read_text().split("\n", 1)[1]
    embedded.stop(home)
    owner = account()
    # A process of the same user is what PostgreSQL itself takes for a running server.
    other = subprocess.Popen(["sleep", "60"], user=owner.uid if os.geteuid() == 0 else None)
    try:
        if whose == "nobody's":
            other.kill()
            other.wait()
        text = "" if whose == "empty" else f"{other.pid}\n{left}"
        locks = [server.data / "postmaster.pid", server.socket_folder / ".s.PGSQL.5432.lock"]
        for lock in locks:
            lock.write_text(text)
            os.chown(lock, owner.uid, owner.gid)
        assert not server.is_running
        assert answers(embedded.start(home))
        assert other.poll() is None or whose == "nobody's"
    finally:
        other.kill()
        other.wait()


def test_two_processes_that_race_to_start_share_one_server(
    home: Path, in_process: Callable[..., subprocess.Popen[str]]
) -> None:
    racers = [in_process(START) for _ in range(2)]
    ends = [racer.communicate(timeout=60) for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0], ends
    assert len({pid for pid, _ in ends}) == 1
    assert answers(embedded.start(home))
