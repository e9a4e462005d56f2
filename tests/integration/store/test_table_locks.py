"""Work that needs tables for itself waits for their readers, and holds no other reader up."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from pgsim.errors import PgsimError
from pgsim.loading.profile_change import change_profile
from pgsim.loading.recordings import refit
from pgsim.postgres.connection import Connection
from pgsim.progress import Say, still
from pgsim.store import schema, table_locks
from pgsim.store.index import build_index
from tests.support.definition import opened
from tests.support.profiles import profile_of, text_of
from tests.support.rows import contents, one
from tests.support.waiting import wait_until

ASK = (
    "SELECT count(*) FROM pgsim.recording AS r, pgsim.similar_recordings(r.mbid) AS s"
    " WHERE r.id = (SELECT min(id) FROM pgsim.recording)"
)
WORK: dict[str, Callable[[Connection, Say], object]] = {
    "an upgrade": schema.upgrade,
    "a refit": lambda conn, say: refit(conn, still, say),
    "another profile": lambda conn, say: change_profile(
        conn, profile_of(text_of(without=("bpm",))), say=say
    ),
}


@pytest.fixture
def filled(new_database: Callable[..., str], filled_template: str) -> str:
    return new_database(filled_template)


@pytest.mark.parametrize("work", WORK.values(), ids=WORK.keys())
def test_an_idle_reader_holds_the_work_up_but_no_question(
    filled: str, work: Callable[[Connection, Say], object]
) -> None:
    said: list[str] = []
    with opened(filled) as conn, opened(filled) as reader, opened(filled) as asker:
        asker.execute("SET statement_timeout = '5s'")  # a question that waits fails
        with ThreadPoolExecutor(1) as pool, reader.transaction():
            assert one(reader, ASK) == 10
            working = pool.submit(work, conn, said.append)
            wait_until(lambda: any("uses tables" in line for line in said))
            for _ in range(30):
                assert one(asker, ASK) == 10
            assert not working.done()
        working.result()
        assert one(asker, ASK) == 10
        waited = f"waiting for process {reader.info.backend_pid} of role 'postgres'"
    assert any(line.startswith(waited) for line in said)


def test_an_open_writer_holds_an_index_up_but_no_other_writer(filled: str) -> None:
    said: list[str] = []
    change = "UPDATE pgsim.recording SET title = title WHERE id = %s"
    with opened(filled) as conn, opened(filled) as writer, opened(filled) as another:
        conn.execute("DROP INDEX pgsim.recording_vector")
        another.execute("SET statement_timeout = '5s'")
        with ThreadPoolExecutor(1) as pool, writer.transaction():
            writer.execute(change, (1,))
            working = pool.submit(build_index, conn, said.append)
            wait_until(lambda: bool(said))
            for _ in range(30):
                another.execute(change, (2,))
            assert not working.done()
        assert working.result()
        (line,) = said
        assert line.startswith(f"waiting for process {writer.info.backend_pid} of role 'postgres'")


def test_the_work_gives_up_and_changes_nothing(
    filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_locks, "PATIENCE", 2)
    with opened(filled) as conn, opened(filled) as reader, reader.transaction():
        assert one(reader, ASK) == 10
        before = contents(conn)
        with pytest.raises(PgsimError, match="end its transaction, and run this again"):
            refit(conn)
        assert contents(conn) == before
        assert one(conn, ASK) == 10


def test_many_short_readers_do_not_keep_the_work_from_its_tables(filled: str) -> None:
    def ask(reader: Connection) -> int:
        asked = 0
        while not working.done():
            assert one(reader, ASK) == 10
            asked += 1
        return asked

    with (
        opened(filled) as conn,
        opened(filled) as reader,
        opened(filled) as another,
        ThreadPoolExecutor(3) as pool,
    ):
        working = pool.submit(schema.upgrade, conn)
        asking = [pool.submit(ask, each) for each in (reader, another)]
        working.result()
        assert all(each.result() > 0 for each in asking)
