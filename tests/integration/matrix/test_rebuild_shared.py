"""A rebuild among others: workers, coordinators, readers, and dumps of an unfinished one."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgsim.errors import PgsimError
from pgsim.matrix import rebuild as module
from pgsim.matrix.rebuild import rebuild
from pgsim.matrix.refresh import refresh
from pgsim.postgres.connection import Connection, client_program, connect
from pgsim.store.check import run_checks
from tests.support.clustered import copy_in, make_collection
from tests.support.crowd import RECORDINGS, lists, shown
from tests.support.exactness import assert_lists_are_exact
from tests.support.lists import exact, matrix
from tests.support.plane import insert, numbers


@pytest.fixture
def short_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 2)
    monkeypatch.setattr(module, "PAUSE", 0.05)
    monkeypatch.setattr(module, "TRY", 0.3)


def test_a_killed_worker_leaves_its_part_to_others(crowd: Connection, small_parts: None) -> None:
    script = (
        "import os, signal, sys\n"
        "from pgsim.matrix import rebuild\n"
        "from pgsim.postgres.connection import connect\n"
        "rebuild.PART = 100\n"
        "rebuild.write_lists = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "rebuild.rebuild(connect(sys.argv[1], autocommit=True), engine='exact')\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, crowd.info.dsn], check=False)
    assert killed.returncode == -9
    assert rebuild(crowd, engine="exact").lists == RECORDINGS


def test_a_second_coordinator_is_told_to_join(crowd: Connection, small_parts: None) -> None:
    with closing(connect(crowd.info.dsn, autocommit=True)) as other:
        messages: list[str] = []

        def try_too(_: int) -> None:
            if len(messages) < 2:
                with pytest.raises(PgsimError) as caught:
                    rebuild(other, engine="exact")
                messages.append(str(caught.value))

        rebuild(crowd, engine="exact", advance=try_too)
    assert len(messages) == 2
    assert all("pgsim rebuild --join" in message for message in messages)


def test_workers_that_join_share_the_parts(crowd: Connection, small_parts: None) -> None:
    reports = []

    def help_out() -> None:
        with closing(connect(crowd.info.dsn, autocommit=True)) as other:
            reports.append(rebuild(other, join=True))

    helpers: list[threading.Thread] = []

    def invite(_: int) -> None:
        if not helpers:
            helpers.append(threading.Thread(target=help_out))
            helpers[0].start()
            helpers[0].join()

    own = rebuild(crowd, engine="exact", advance=invite)
    assert own.lists + reports[0].lists == RECORDINGS
    assert reports[0].lists >= 100
    assert len(matrix(crowd)) == RECORDINGS


def test_there_is_nothing_to_join_where_nothing_was_begun(plane: Connection) -> None:
    with pytest.raises(PgsimError, match="no rebuild to join"):
        rebuild(plane, join=True)


def test_what_changes_during_a_rebuild_is_stale_after_it(
    plane: Connection, small_parts: None
) -> None:
    for number in range(1, 251):
        insert(plane, number, number)
    refresh(plane)
    seen = []
    with closing(connect(plane.info.dsn, autocommit=True)) as other:

        def change(_: int) -> None:
            if seen:
                return
            seen.append(True)
            insert(other, 900, 10.5)
            other.execute("UPDATE pgsim.recording SET vector = '[500,0]' WHERE id = 20")
            other.execute("DELETE FROM pgsim.recording WHERE id = 30")
            # Applied to the old matrix alone: it has to come back for the new one.
            refresh(other)
            other.execute("UPDATE pgsim.recording SET vector = '[600,0]' WHERE id = 20")
            other.execute("DELETE FROM pgsim.recording WHERE id = 200")

        rebuild(plane, engine="exact", advance=change)
    assert numbers(plane, 10, 2, ", ranking => 'distance'") == [900, 9]
    assert 30 not in numbers(plane, 29, 40)
    refresh(plane)
    assert matrix(plane) == exact(plane)
    assert plane.execute("SELECT count(*) FROM pgsim.rebuild_event").fetchone() == (0,)


def test_a_question_in_a_long_transaction_holds_up_the_switch_not_the_answers(
    plane: Connection, short_tries: None
) -> None:
    insert(plane, 1, 0)
    insert(plane, 2, 1)
    said: list[str] = []
    with closing(connect(plane.info.dsn)) as reader:
        assert numbers(reader, 1) == [2]

        def hear(line: str) -> None:
            said.append(line)
            if "waiting" in line:
                reader.rollback()

        rebuild(plane, engine="exact", say=hear)
    assert any("waiting" in line for line in said)
    assert shown(plane) == "similarity_b"


def test_a_collection_that_is_emptied_during_a_rebuild_has_no_matrix(
    crowd: Connection, small_parts: None
) -> None:
    with (
        closing(connect(crowd.info.dsn, autocommit=True)) as other,
        pytest.raises(psycopg.Error, match="the collection was emptied, or"),
    ):
        rebuild(
            crowd,
            engine="exact",
            advance=lambda _: other.execute("TRUNCATE pgsim.recording") and None,
        )
    assert matrix(crowd) == []
    copy_in(crowd, make_collection(300, 68, seed=6))
    rebuild(crowd, engine="exact")
    assert len(matrix(crowd)) == 300


def test_a_worker_on_a_rebuild_that_was_given_up_ends(crowd: Connection, small_parts: None) -> None:
    reports = []

    def give_up(_: int) -> None:
        if not reports:
            reports.append(rebuild(crowd, engine="exact", k=60, restart=True))

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with (
        closing(connect(crowd.info.dsn, autocommit=True)) as begun,
        pytest.raises(KeyboardInterrupt),
    ):
        rebuild(begun, engine="exact", advance=stop)
    with closing(connect(crowd.info.dsn, autocommit=True)) as worker:
        joined = rebuild(worker, join=True, advance=give_up)
    assert joined.lists == 100
    assert reports[0].lists == RECORDINGS
    assert {len(row[1]) for row in lists(crowd, "similarity")} == {60}


@pytest.fixture
def elsewhere(
    crowd: Connection,
    small_parts: None,
    new_database: Any,
    tmp_path: Path,
) -> Iterator[Connection]:
    """A plain dump of an interrupted rebuild, as on a younger server, where a recording changed."""

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    rebuild(crowd, engine="exact")
    with (
        pytest.raises(KeyboardInterrupt),
        closing(connect(crowd.info.dsn, autocommit=True)) as begun,
    ):
        rebuild(begun, engine="exact", k=60, advance=stop)
    file, conninfo = str(tmp_path / "unfinished.dump"), new_database()
    for program, *words in (
        ("pg_dump", "-Fc", "-n", "pgsim", "-f", file, crowd.info.dsn),
        ("pg_restore", "-d", conninfo, file),
    ):
        subprocess.run([client_program(program), *words], check=True)
    with closing(connect(conninfo, autocommit=True)) as conn:
        # There every transaction has a lower number than those of the snapshot.
        conn.execute("UPDATE pgsim.rebuild SET snapshot = '4000000000:4000000000:'")
        moved = "(SELECT vector FROM pgsim.recording WHERE id = 1000)"
        conn.execute(f"UPDATE pgsim.recording SET vector = {moved} WHERE id = 1".encode())
        yield conn


def test_a_rebuild_that_began_elsewhere_is_given_up_and_that_is_said(elsewhere: Connection) -> None:
    said: list[str] = []
    report = rebuild(elsewhere, engine="exact", say=said.append)
    assert report.lists == RECORDINGS
    assert any("giving up the rebuild that began at" in line for line in said)
    refresh(elsewhere)
    assert {len(row[1]) for row in lists(elsewhere, "similarity")} == {100}
    assert_lists_are_exact(elsewhere)


def test_nothing_else_goes_on_with_a_rebuild_that_began_elsewhere(elsewhere: Connection) -> None:
    with pytest.raises(PgsimError, match="there is no rebuild to join"):
        rebuild(elsewhere, join=True)
    elsewhere.execute("UPDATE pgsim.rebuild_part SET done_at = now()")
    with pytest.raises(psycopg.Error, match="given up or began elsewhere"):
        elsewhere.execute("SELECT pgsim.finish_rebuild()")
    found = {each.check: each.wrong for each in run_checks(elsewhere)}
    assert "began on another server or in another database" in str(
        found["unfinished_rebuild_is_of_this_database"]
    )
    refresh(elsewhere)
    assert_lists_are_exact(elsewhere)
    rows = elsewhere.execute(
        "SELECT pgsim.begin_rebuild(100, 'exact', 1, 1000) <> max(id) FROM pgsim.rebuild"
    ).fetchall()
    assert rows == [(True,)]


def test_who_reads_the_table_that_a_rebuild_fills_holds_nobody_else_up(
    crowd: Connection, short_tries: None
) -> None:
    """Else a reader's idle transaction would stop every refresh, without a word."""
    rebuild(crowd, engine="exact")
    said: list[str] = []
    with (
        closing(connect(crowd.info.dsn, autocommit=True)) as reader,
        closing(connect(crowd.info.dsn, autocommit=True)) as other,
    ):
        hidden = {"similarity_a", "similarity_b"} - {shown(crowd)}
        crowd.execute("SET statement_timeout = '30s'")
        crowd.execute("DELETE FROM pgsim.similarity WHERE id <= 2")

        def say(text: str) -> None:
            said.append(text)
            other.execute("INSERT INTO pgsim.stale (id) VALUES (%s)", (len(said),))
            assert refresh(other).lists >= 1

        with reader.transaction():
            reader.execute(f"SELECT FROM pgsim.{hidden.pop()}".encode())
            with pytest.raises(PgsimError, match="the table for the new matrix is in use: end the"):
                rebuild(crowd, engine="exact", say=say)
    assert said == [module._HIDDEN[0]] * 2
    assert rebuild(crowd, engine="exact").lists == RECORDINGS
