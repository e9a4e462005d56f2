"""Advisory locks: one registry of them, which SQL agrees with."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from pgsim.postgres.connection import Connection
from pgsim.store import locks
from pgsim.store.files import SQL
from tests.support.definition import opened
from tests.support.paths import CHECKOUT
from tests.support.rows import one
from tests.support.waiting import wait_until

_TAKEN = re.compile(r"pg_(?:try_)?advisory\w*\(hashtext(?:extended)?\('([^']+)'")


@pytest.fixture
def url(new_database: Callable[..., str], acousticbrainz_template: str) -> str:
    return new_database(acousticbrainz_template)


def test_every_lock_has_a_name_of_its_own_and_a_sentence() -> None:
    assert len({each.name for each in locks.LOCKS}) == len(locks.LOCKS)
    assert {each for each in vars(locks).values() if isinstance(each, locks.Lock)} == {*locks.LOCKS}
    for each in locks.LOCKS:
        assert re.fullmatch(r"pgsim\.[a-z]+", each.name)
        assert re.fullmatch(r"[A-Z].+\.", each.purpose)


def test_sql_takes_the_locks_of_the_matrix_and_of_runs_alone() -> None:
    taken = {
        path.stem: _TAKEN.findall(path.read_text())
        for path in SQL.rglob("*.sql")
        if "pg_try_advisory" in path.read_text() or "pg_advisory" in path.read_text()
    }
    assert taken == {
        "try_refresh_lock": [locks.MATRIX.name, locks.MATRIX.queue],
        "begin_run": [locks.RUN],
    }


def test_python_takes_locks_by_the_registry_alone() -> None:
    modules = [
        path.name for path in (CHECKOUT / "pgsim").rglob("*.py") if "advisory_" in path.read_text()
    ]
    assert modules == ["locks.py"]


def test_refresh_lock_waits_a_while_for_the_lock_of_the_matrix_and_names_its_holder(
    url: str,
) -> None:
    notices: list[str] = []
    with opened(url) as conn, opened(url) as other:
        # For ten seconds; here ten times as fast.
        text = one(conn, "SELECT pg_get_functiondef('pgsim.refresh_lock'::regproc)")
        assert "1 .. 100 LOOP" in text
        assert "pg_sleep(0.1)" in text
        conn.execute(text.replace("pg_sleep(0.1)", "pg_sleep(0.01)").encode())
        other.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
        pid = conn.info.backend_pid
        with (
            locks.held(conn, locks.MATRIX),
            pytest.raises(
                psycopg.errors.LockNotAvailable, match=f"by process {pid} of role 'postgres'"
            ),
        ):
            other.execute("SELECT pgsim.refresh_lock()")
        other.execute("SELECT pgsim.refresh_lock()")
    assert [notice.split(" at work")[0] for notice in notices] == [
        f"waiting for process {pid} of role 'postgres' (pgsim)"
    ]


def test_a_transaction_that_fails_gives_its_lock_back_and_keeps_its_error(url: str) -> None:
    def fail(conn: Connection) -> None:
        with conn.transaction(), locks.held(conn, locks.MATRIX):
            assert locks.holder(other, locks.MATRIX) is not None
            conn.execute("SELECT 1 / 0")

    with opened(url) as conn, opened(url) as other:
        with pytest.raises(psycopg.errors.DivisionByZero):
            fail(conn)
        assert locks.holder(other, locks.MATRIX) is None


@pytest.mark.parametrize("lock", locks.LOCKS, ids=lambda lock: lock.name)
def test_a_lock_is_held_by_one_session_and_given_back(url: str, lock: locks.Lock) -> None:
    with opened(url) as conn, opened(url) as other:
        with (
            locks.held(conn, lock),
            pytest.raises(locks.LockTaken, match=lock.name),
            locks.held(other, lock, within=0),
        ):
            pass
        with pytest.raises(ZeroDivisionError), locks.held(conn, lock):
            raise ZeroDivisionError
        with locks.held(other, lock, within=0), locks.held(other, lock, within=0):
            pass
        with locks.held(conn, lock, within=0):
            pass


@pytest.mark.parametrize("lock", locks.LOCKS, ids=lambda lock: lock.name)
def test_a_lock_is_waited_for_without_a_statement_or_a_snapshot_and_its_holder_is_named(
    url: str, lock: locks.Lock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "FIRST_WORD", 0.3)
    said: list[str] = []
    seen = set()

    def wait(conn: Connection) -> None:
        with locks.held(conn, lock, say=said.append):
            seen.add(locks.holder(watcher, lock))

    state = "SELECT state = 'idle' AND backend_xmin IS NULL FROM pg_stat_activity WHERE pid = %s"
    with opened(url) as conn, opened(url) as other, opened(url) as watcher:
        assert locks.holder(watcher, lock) is None
        assert not locks.is_wanted(conn, lock)
        with ThreadPoolExecutor(1) as pool:
            with locks.held(conn, lock):
                assert not locks.is_wanted(conn, lock)
                working = pool.submit(wait, other)
                wait_until(lambda: bool(said))
                assert locks.is_wanted(conn, lock)
                # A try takes a moment of each tenth of a second.
                idle = [one(watcher, state, other.info.backend_pid) for _ in range(200)]
                assert sum(idle) > 150
                assert not working.done()
            working.result()
        assert not locks.is_wanted(conn, lock)
        mine, its = conn.info.backend_pid, other.info.backend_pid
    (who,) = seen
    assert who is not None
    assert who.startswith(f"process {its} of role 'postgres' (pgsim) at work since 20")
    (line,) = said
    assert line.startswith(f"waiting for process {mine} of role 'postgres' (pgsim) at work since")
    assert line.endswith(f", which holds the lock {lock.name}")


def test_a_lock_that_is_given_back_for_others_goes_to_one_that_waits(url: str) -> None:
    order: list[str] = []

    def wait(conn: Connection) -> None:
        with locks.held(conn, locks.MATRIX):
            order.append("waiter")

    def call(conn: Connection) -> None:
        conn.execute("CALL pgsim.refresh_similarity()")
        order.append("caller")

    for work in (wait, call):
        order.clear()
        with opened(url) as conn, opened(url) as other, ThreadPoolExecutor(1) as pool:
            with locks.held(conn, locks.MATRIX):
                working = pool.submit(work, other)
                wait_until(lambda: locks.is_wanted(conn, locks.MATRIX))
            locks.let_others(conn, locks.MATRIX)
            with locks.held(conn, locks.MATRIX):
                order.append("first")
            working.result()
        assert order[-1] == "first"


def test_a_procedure_that_waits_says_for_whom_and_holds_no_old_snapshot(url: str) -> None:
    notices: list[str] = []
    horizon = "SELECT backend_xmin::text::bigint FROM pg_stat_activity WHERE pid = %s"
    with opened(url) as conn, opened(url) as other, opened(url) as writer:
        other.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
        with ThreadPoolExecutor(1) as pool:
            with locks.held(conn, locks.MATRIX):
                working = pool.submit(other.execute, "CALL pgsim.refresh_similarity()")
                wait_until(lambda: one(conn, horizon, other.info.backend_pid) is not None)
                for _ in range(3):
                    now = one(writer, "SELECT pg_current_xact_id()::text::bigint")
                    wait_until(
                        lambda now=now: (
                            (one(conn, horizon, other.info.backend_pid) or now + 1) > now
                        )
                    )
                wait_until(lambda: bool(notices))
            working.result()
        assert notices[0].startswith(f"waiting for process {conn.info.backend_pid} of role")
