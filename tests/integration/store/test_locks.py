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


def test_sql_takes_the_lock_of_the_matrix_alone_and_in_one_place() -> None:
    taken = {
        path.stem: _TAKEN.findall(path.read_text())
        for path in SQL.rglob("*.sql")
        if "advisory" in path.read_text()
    }
    assert taken == {"refresh_lock": [locks.MATRIX.name]}


def test_python_takes_locks_by_the_registry_alone() -> None:
    modules = [
        path.name for path in (CHECKOUT / "pgsim").rglob("*.py") if "advisory_" in path.read_text()
    ]
    assert modules == ["locks.py"]


def test_refresh_lock_waits_for_the_lock_of_the_matrix(url: str) -> None:
    with opened(url) as conn, opened(url) as other:
        other.execute("SET lock_timeout = '100ms'")
        with locks.held(conn, locks.MATRIX), pytest.raises(psycopg.errors.LockNotAvailable):
            other.execute("SELECT pgsim.refresh_lock()")
        other.execute("SELECT pgsim.refresh_lock()")


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
        with other.transaction():
            locks.take(other, lock)
            with pytest.raises(locks.LockTaken), locks.held(conn, lock, within=0):
                pass
        with locks.held(conn, lock, within=0):
            pass


@pytest.mark.parametrize("lock", locks.LOCKS, ids=lambda lock: lock.name)
def test_a_lock_is_waited_for_and_only_one_that_polls_without_a_statement(
    url: str, lock: locks.Lock
) -> None:
    def wait(conn: Connection) -> None:
        with conn.transaction():
            locks.take(conn, lock)

    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with opened(url) as conn, opened(url) as other, ThreadPoolExecutor(1) as pool:
        with locks.held(conn, lock):
            working = pool.submit(wait, other)
            if not lock.polls:
                while conn.execute(waiting.encode()).fetchone() == (0,):
                    assert not working.done()
            else:
                for _ in range(20):
                    assert conn.execute(waiting.encode()).fetchone() == (0,)
            assert not working.done()
        working.result()
