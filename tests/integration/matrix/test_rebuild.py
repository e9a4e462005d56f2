"""The whole matrix at once: right, resumable, shared, and switched in an instant."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgsim import embedded
from pgsim.errors import PgsimError, UsageError
from pgsim.matrix import rebuild as module
from pgsim.matrix.rebuild import rebuild
from pgsim.matrix.refresh import refresh
from pgsim.postgres.connection import Connection, client_program, connect
from pgsim.store import schema
from pgsim.store.check import run_checks
from pgsim.store.index import build_index
from tests.support.clustered import copy_in, make_collection
from tests.support.databases import install_template
from tests.support.exactness import assert_lists_are_exact
from tests.support.lists import exact, matrix
from tests.support.plane import insert, numbers

RECORDINGS = 1500


@pytest.fixture(scope="module")
def crowd_template(server: embedded.Server) -> str:
    name = install_template(server, "crowd", "acousticbrainz")
    with closing(connect(server.conninfo(name), autocommit=True)) as conn:
        copy_in(conn, make_collection(RECORDINGS, 68, seed=5))
    return name


@pytest.fixture
def crowd(new_database: Any, crowd_template: str) -> Iterator[Connection]:
    """1,500 recordings in clusters, copies among them, and no lists yet."""
    with closing(connect(new_database(crowd_template), autocommit=True)) as conn:
        yield conn


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PART", 100)
    monkeypatch.setattr(module, "PARTS", {})
    monkeypatch.setattr(module, "PAUSE", 0.05)
    monkeypatch.setattr(module, "GRACE", 0.2)


@pytest.fixture
def short_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 2)
    monkeypatch.setattr(module, "PAUSE", 0.05)
    monkeypatch.setattr(module, "TRY", 0.3)


def shown(conn: Connection) -> str:
    row = conn.execute("SELECT pgsim.shown_similarity()").fetchone()
    assert row is not None
    return str(row[0])


def lists(conn: Connection, table: str) -> list[Any]:
    return conn.execute(
        f"SELECT id, neighbours, distances, reach FROM pgsim.{table} ORDER BY id".encode()
    ).fetchall()


def test_the_exact_engine_makes_the_lists_that_sql_makes(crowd: Connection) -> None:
    report = rebuild(crowd, engine="exact")
    assert (report.recordings, report.lists, report.recall) == (RECORDINGS, RECORDINGS, 1)
    rows = crowd.execute(
        """
        SELECT count(*), count(*) FILTER (WHERE s.neighbours = e.neighbours), max(d.apart)
        FROM pgsim.similarity AS s
        INNER JOIN pgsim.exact_neighbours(
            ARRAY(SELECT id FROM pgsim.recording WHERE id % 5 = 0), 100
        ) AS e ON s.id = e.id,
        LATERAL (
            SELECT max(abs(a - b) / greatest(b, 1e-9)) AS apart
            FROM unnest(s.distances, e.distances) AS u (a, b)
        ) AS d
        """
    ).fetchone()
    assert rows is not None
    wanted, same, apart = rows
    assert wanted == RECORDINGS // 5
    # float32's last bit can turn two near ties round.
    assert same / wanted > 0.99
    assert apart < 1e-6
    assert crowd.execute("SELECT count(*) FROM pgsim.stale").fetchone() == (0,)


def test_a_rebuild_of_few_recordings_is_exact_and_whole(plane: Connection) -> None:
    for number, x in enumerate((0, 1, 3, 7), start=1):
        insert(plane, number, x)
    plane.execute("INSERT INTO pgsim.recording (mbid) VALUES (gen_random_uuid())")
    rebuild(plane, engine="exact")
    assert matrix(plane) == exact(plane)


@pytest.mark.parametrize("count", [0, 1])
def test_a_collection_of_none_or_one_can_be_rebuilt(plane: Connection, count: int) -> None:
    for number in range(count):
        insert(plane, number + 1, 0)
    assert rebuild(plane, engine="exact").lists == count
    assert matrix(plane) == exact(plane)


def test_the_view_switches_to_the_other_table_each_time(plane: Connection) -> None:
    insert(plane, 1, 0)
    insert(plane, 2, 1)
    seen = [shown(plane)]
    for _ in range(2):
        rebuild(plane, engine="exact", k=50)
        seen.append(shown(plane))
        assert numbers(plane, 1) == [2]
    assert seen == ["similarity_a", "similarity_b", "similarity_a"]


def test_an_upgrade_leaves_the_view_on_its_table(plane: Connection) -> None:
    insert(plane, 1, 0)
    insert(plane, 2, 1)
    rebuild(plane, engine="exact")
    schema.upgrade(plane)
    assert shown(plane) == "similarity_b"
    assert matrix(plane) == exact(plane)


def test_readers_see_the_old_matrix_until_the_new_one_is_whole(
    crowd: Connection, small_parts: None
) -> None:
    rebuild(crowd, engine="exact")
    before = lists(crowd, "similarity")
    with closing(connect(crowd.info.dsn, autocommit=True)) as reader:

        def look(_: int) -> None:
            row = reader.execute("SELECT count(*) FROM pgsim.similarity").fetchone()
            assert row == (RECORDINGS,)
            assert shown(reader) == "similarity_b"

        rebuild(crowd, engine="exact", advance=look)
    assert lists(crowd, "similarity") == before
    assert shown(crowd) == "similarity_a"


def test_an_interrupted_rebuild_goes_on_and_ends_as_an_uninterrupted_one(
    crowd: Connection, small_parts: None
) -> None:
    rebuild(crowd, engine="exact")
    whole = lists(crowd, "similarity_b")
    done = []

    def stop(count: int) -> None:
        done.append(count)
        if len(done) == 4:
            raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        closing(connect(crowd.info.dsn, autocommit=True)) as other,
    ):
        rebuild(other, engine="exact", advance=stop)
    said: list[str] = []
    report = rebuild(crowd, engine="exact", say=said.append)
    assert report.lists == RECORDINGS - sum(done)
    assert any("going on with the rebuild" in line for line in said)
    assert lists(crowd, "similarity_a") == whole


def test_a_restart_begins_anew(crowd: Connection, small_parts: None) -> None:
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        closing(connect(crowd.info.dsn, autocommit=True)) as other,
    ):
        rebuild(other, engine="exact", advance=stop)
    assert rebuild(crowd, engine="exact", k=60, restart=True).lists == RECORDINGS
    assert {len(row[1]) for row in lists(crowd, "similarity")} == {60}


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


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"engine": "annoy"}, "unknown engine 'annoy'"),
        ({"k": 10}, "k is 10"),
        ({"recall": 2}, "recall is 2"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    plane: Connection, words: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        rebuild(plane, **words)


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


def test_ties_go_by_mbid(plane: Connection) -> None:
    for number in (9, 2, 7):
        insert(plane, number, 1)
    insert(plane, 5, 0)
    rebuild(plane, engine="exact")
    assert numbers(plane, 5, 3, ", ranking => 'distance'") == [2, 7, 9]


@pytest.fixture
def indexed(crowd: Connection) -> Connection:
    build_index(crowd)
    return crowd


def test_postgres_shares_the_parts_among_connections(
    indexed: Connection, small_parts: None
) -> None:
    backends = set()

    def look(_: int) -> None:
        rows = watcher.execute(
            "SELECT pid FROM pg_stat_activity WHERE query LIKE 'UPDATE pgsim.rebuild_part%'"
            " OR query LIKE 'INSERT INTO pgsim.similarity%'"
        )
        backends.update(pid for (pid,) in rows)

    with closing(connect(indexed.info.dsn, autocommit=True)) as watcher:
        report = rebuild(indexed, engine="postgres", threads=3, advance=look)
    assert report.lists == RECORDINGS
    assert report.index.startswith("HNSW, ef_search")
    assert len(backends) > 1


def test_postgres_without_an_index_names_the_cure(crowd: Connection) -> None:
    crowd.execute("DROP INDEX IF EXISTS pgsim.recording_vector")
    with pytest.raises(PgsimError, match="run pgsim index"):
        rebuild(crowd, engine="postgres")


def test_postgres_makes_whole_lists_where_copies_hide_each_other(plane: Connection) -> None:
    for number in range(1, 41):
        insert(plane, number, 0)
    insert(plane, 41, 1)
    build_index(plane)
    rebuild(plane, engine="postgres")
    assert matrix(plane) == exact(plane)


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


def test_a_rebuild_whose_parts_are_all_done_only_switches(
    crowd: Connection, small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, "switch", interrupted)
        with pytest.raises(KeyboardInterrupt):
            rebuild(crowd, engine="exact")
    said: list[str] = []
    assert rebuild(crowd, say=said.append).lists == 0
    assert not any("reading" in line for line in said)
    assert len(matrix(crowd)) == RECORDINGS


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


def test_the_old_matrix_gives_its_space_back(plane: Connection) -> None:
    insert(plane, 1, 0)
    insert(plane, 2, 1)
    refresh(plane)
    rebuild(plane, engine="exact")
    assert plane.execute("SELECT pg_relation_size('pgsim.similarity_a')").fetchone() == (0,)


@pytest.mark.parametrize("engine", ["cells", "faiss", "postgres"])
def test_an_engine_reaches_the_recall_that_is_asked_for(indexed: Connection, engine: str) -> None:
    crowd = indexed
    if engine == "faiss":
        pytest.importorskip("faiss", reason="needs pgsim[bulk]")
    report = rebuild(crowd, engine=engine, recall=0.99)
    assert report.recall is not None
    assert report.recall >= 0.99
    found = {row[0]: row for row in lists(crowd, "similarity")}
    rebuild(crowd, engine="exact")
    hits = wanted = 0
    for id_, _, distances, _ in lists(crowd, "similarity"):
        hits += sum(d <= distances[-1] for d in found[id_][2])
        wanted += len(distances)
    assert hits / wanted >= 0.985


def test_an_engine_that_is_not_installed_begins_no_rebuild(
    crowd: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "faiss", None)
        with pytest.raises(UsageError, match="'faiss' is not installed"):
            rebuild(crowd, engine="faiss")
        with pytest.raises(UsageError, match="unknown engine ''; known"):
            rebuild(crowd, engine="")
        assert crowd.execute("SELECT FROM pgsim.rebuild").fetchall() == []
        module.begin(crowd, 100, "faiss", 0.99, 100)
        with pytest.raises(UsageError, match="unfinished rebuild was begun .*`restart=True`"):
            rebuild(crowd)
    assert rebuild(crowd, restart=True).engine == "cells"


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
