"""The whole matrix at once: right, resumable, shared, and switched in an instant."""

import sys
from contextlib import closing
from typing import Any

import pytest

from pgsim.errors import PgsimError, UsageError
from pgsim.matrix import rebuild as module
from pgsim.matrix.rebuild import rebuild
from pgsim.matrix.refresh import refresh
from pgsim.postgres.connection import Connection, connect
from pgsim.store import schema
from pgsim.store.index import build_index
from tests.support.crowd import RECORDINGS, lists, shown
from tests.support.lists import exact, matrix
from tests.support.plane import insert, numbers


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
