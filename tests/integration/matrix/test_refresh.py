"""Refresh at a size where batches, tiles and the choice of a rebuild matter."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
import pytest

from pgsim import embedded
from pgsim.errors import PgsimError
from pgsim.matrix import refresh as module
from pgsim.matrix.rebuild import rebuild
from pgsim.matrix.refresh import RefreshReport, refresh
from pgsim.postgres.connection import Connection, connect
from tests.support.clustered import copy_in, make_collection
from tests.support.databases import install_template
from tests.support.lists import assert_reaches_are_those_of_the_lists

RECORDINGS = 2000
SQUARE = "UPDATE pgsim.recording SET vector = vector OPERATOR(public.*) vector"


@pytest.fixture(scope="module")
def grown_template(server: embedded.Server) -> str:
    """2,000 recordings with their exact lists."""
    name = install_template(server, "grown", "acousticbrainz")
    with closing(connect(server.conninfo(name), autocommit=True)) as conn:
        copy_in(conn, make_collection(RECORDINGS, 68, seed=7))
        rebuild(conn, engine="exact")
    return name


@pytest.fixture
def grown(new_database: Callable[..., str], grown_template: str) -> Iterator[Connection]:
    with closing(connect(new_database(grown_template), autocommit=True)) as conn:
        yield conn


def change(conn: Connection) -> int:
    """Grow by 5 %, change 1 %, delete 1 %; how many recordings have changed."""
    newcomers = make_collection(RECORDINGS // 20, 68, seed=8)
    # Among the old ones, not in clusters of their own.
    newcomers.vectors[:] = make_collection(RECORDINGS, 68, seed=7).vectors[::20] * np.float32(1.01)
    copy_in(conn, newcomers)
    conn.execute(f"{SQUARE} WHERE id % 100 = 3".encode())
    conn.execute("DELETE FROM pgsim.recording WHERE id % 100 = 4")
    return waiting(conn)


def waiting(conn: Connection) -> int:
    """How many recordings have changed and are not refreshed."""
    row = conn.execute("SELECT count(DISTINCT id) FROM pgsim.stale").fetchone()
    assert row is not None
    return int(row[0])


def matrix(conn: Connection) -> dict[int, tuple[list[int], Any]]:
    assert_reaches_are_those_of_the_lists(conn)
    rows = conn.execute("SELECT id, neighbours, distances FROM pgsim.similarity")
    return {id_: (neighbours, np.array(distances)) for id_, neighbours, distances in rows}


def assert_same(found: dict[int, Any], wanted: dict[int, Any]) -> None:
    """The same lists, but for the last bit of a distance, which can turn two near ties round."""
    assert found.keys() == wanted.keys()
    assert [len(found[id_][1]) for id_ in wanted] == [len(each) for _, each in wanted.values()]
    np.testing.assert_allclose(
        np.concatenate([found[id_][1] for id_ in wanted]),
        np.concatenate([each for _, each in wanted.values()]),
        rtol=1e-6,
    )
    for id_, (neighbours, _) in wanted.items():
        assert len(set(found[id_][0]) ^ set(neighbours)) <= 2
        assert id_ not in found[id_][0]
        assert len(set(found[id_][0])) == len(neighbours)


def test_after_growth_change_and_deletion_every_list_is_the_exact_one(
    grown: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Several blocks of several parts, each over several tiles.
    monkeypatch.setattr(module, "BLOCK", 100)
    monkeypatch.setattr(module, "PART", 30)
    monkeypatch.setattr("pgsim.matrix.engines.exact._BLOCK", 500)
    assert refresh(grown).changed == 0
    changes = change(grown)
    report = refresh(grown)
    assert report.changed == changes
    assert report.lists > changes
    refreshed = matrix(grown)
    rebuild(grown, engine="exact")
    assert_same(refreshed, matrix(grown))


def test_a_list_that_an_earlier_part_refilled_keeps_who_changes_in_a_later_one(
    grown: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART", 1)
    nearest = "SELECT neighbours FROM pgsim.similarity WHERE id = 1"
    row = grown.execute(nearest.encode()).fetchone()
    assert row is not None
    # Its list loses half, and is made anew; then those beyond its old end move a little.
    grown.execute("DELETE FROM pgsim.recording WHERE id = ANY(%s)", (row[0][:50],))
    seed = "(SELECT vector FROM pgsim.recording WHERE id = 1)"
    grown.execute(
        "UPDATE pgsim.recording"
        " SET vector = vector OPERATOR(public.+) array_fill(0.0001::real, ARRAY[68])::public.vector"
        f" WHERE id IN (SELECT id FROM pgsim.recording ORDER BY pgsim.l2(vector, {seed})"
        " OFFSET 60 LIMIT 80)".encode()
    )
    refresh(grown)
    refreshed = matrix(grown)
    rebuild(grown, engine="exact")
    assert_same(refreshed, matrix(grown))


def test_refresh_in_sql_alone_ends_with_the_same_lists(grown: Connection) -> None:
    change(grown)
    grown.execute("CALL pgsim.refresh_similarity()")
    assert grown.execute("SELECT count(*) FROM pgsim.stale").fetchone() == (0,)
    refreshed = matrix(grown)
    rebuild(grown, engine="exact")
    assert_same(refreshed, matrix(grown))


def test_reach_is_kept_true_with_the_lists(grown: Connection) -> None:
    change(grown)
    refresh(grown)
    row = grown.execute(
        "SELECT count(*) FROM pgsim.similarity AS s,"
        " LATERAL (SELECT avg(d) AS mean"
        " FROM unnest(s.distances[:pgsim.reach_length()]) AS d) AS a"
        " WHERE abs(s.reach - a.mean) > 1e-6 * a.mean"
    ).fetchone()
    assert row == (0,)


def test_two_refreshers_and_a_writer_at_once_miss_nothing(
    grown: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK", 40)
    monkeypatch.setattr(module, "PART", 15)
    stop = threading.Event()
    failures: list[BaseException] = []

    def work(step: Callable[[Connection], Any]) -> None:
        try:
            with closing(connect(grown.info.dsn, autocommit=True)) as conn:
                while not stop.is_set():
                    step(conn)
        except BaseException as error:
            failures.append(error)
            raise

    def ask(conn: Connection) -> None:
        rows = conn.execute(
            "SELECT count(*) FROM similar_recordings("
            "(SELECT mbid FROM pgsim.recording ORDER BY random() LIMIT 1), 10)"
        ).fetchone()
        assert rows == (10,)

    def call(conn: Connection) -> None:
        conn.execute("SELECT pgsim.refresh_batch(5)")

    threads = [
        threading.Thread(target=work, args=(step,)) for step in (refresh, refresh, ask, call)
    ]
    for thread in threads:
        thread.start()
    change(grown)
    stop.wait(2)
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures
    refresh(grown)
    assert grown.execute("SELECT count(*) FROM pgsim.stale").fetchone() == (0,)
    refreshed = matrix(grown)
    rebuild(grown, engine="exact")
    assert_same(refreshed, matrix(grown))


def test_two_refreshers_do_not_miss_each_others_newcomers(grown: Connection) -> None:
    """101 and 102 arrive together; the refresher of the one must not overlook the other."""
    vector = "(SELECT vector FROM pgsim.recording WHERE id = 7)"
    insert = f"INSERT INTO pgsim.recording (mbid, vector) VALUES (gen_random_uuid(), {vector})"
    ids = []
    with (
        closing(connect(grown.info.dsn)) as first,
        closing(connect(grown.info.dsn)) as second,
    ):
        for conn in (first, second):
            ids += conn.execute(f"{insert} RETURNING id".encode()).fetchall()
            conn.commit()
        first.execute("SELECT pgsim.refresh_batch(1)")
        other_one = threading.Thread(target=lambda: second.execute("SELECT pgsim.refresh_batch(1)"))
        other_one.start()
        other_one.join(0.5)
        assert other_one.is_alive()  # it takes its snapshot only when the first has committed
        first.commit()
        other_one.join()
        second.commit()
    found = matrix(grown)
    (one,), (other,) = ids
    assert other in found[one][0]
    assert one in found[other][0]


def test_little_change_is_refreshed_and_much_is_rebuilt(grown: Connection) -> None:
    said: list[str] = []
    rebuild(grown)
    grown.execute("DELETE FROM pgsim.recording WHERE id % 100 = 4")
    refresh(grown, say=said.append)
    assert said == []
    grown.execute(f"{SQUARE} WHERE id % 4 > 0".encode())
    refresh(grown, say=said.append)
    assert "more than 1,000 + 1,980 / 30 = 1,066: making all lists anew" in said[0]
    assert grown.execute("SELECT count(*) FROM pgsim.stale").fetchone() == (0,)


def test_a_matrix_that_was_asked_to_be_exact_stays_exact(grown: Connection) -> None:
    said: list[str] = []
    grown.execute(f"{SQUARE} WHERE id % 4 > 0".encode())
    refresh(grown, say=said.append)
    assert said == []
    refreshed = matrix(grown)
    rebuild(grown, engine="exact")
    assert_same(refreshed, matrix(grown))


def test_a_refresh_leaves_much_to_a_rebuild_that_is_under_way(
    grown: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgsim.matrix.rebuild.GRACE", 0.2)
    said: list[str] = []
    rebuild(grown)
    grown.execute(f"{SQUARE} WHERE id % 4 > 0".encode())
    reports = []
    with closing(connect(grown.info.dsn, autocommit=True)) as other:
        rebuild(grown, advance=lambda _: reports.append(refresh(other, say=said.append)))
    assert reports == [RefreshReport(0, 0)]
    assert "a rebuild is under way already" in said[1]
    assert waiting(grown) == 0


def test_a_refresh_inside_a_transaction_is_refused(grown: Connection) -> None:
    with pytest.raises(PgsimError, match="refresh commits as it goes"), grown.transaction():
        refresh(grown)
    with closing(connect(grown.info.dsn)) as conn, pytest.raises(PgsimError, match="autocommit"):
        rebuild(conn)


def test_the_matrix_changes_under_read_committed_alone(grown: Connection) -> None:
    grown.execute("SET default_transaction_isolation = 'repeatable read'")
    for call in (
        "SELECT pgsim.refresh_batch(1)",
        "CALL pgsim.refresh_similarity()",
        "SELECT pgsim.fill_reaches('pgsim.similarity')",
    ):
        with pytest.raises(psycopg.Error, match="in a READ COMMITTED transaction only"):
            grown.execute(call.encode())


@pytest.mark.parametrize("in_sql", [False, True])
def test_a_new_mbid_takes_its_new_place_among_its_ties(grown: Connection, in_sql: bool) -> None:
    vector = "(SELECT vector FROM pgsim.recording WHERE id = 7)"
    for number in range(150):
        grown.execute(
            f"INSERT INTO pgsim.recording (mbid, vector) VALUES (%s, {vector})".encode(),
            (UUID(int=number + 1),),
        )
    refresh(grown)
    grown.execute(
        "UPDATE pgsim.recording SET mbid = %s WHERE mbid = %s", (UUID(int=1 << 127), UUID(int=3))
    )
    assert waiting(grown) == 1
    if in_sql:
        grown.execute("CALL pgsim.refresh_similarity()")
    else:
        refresh(grown)
    refreshed = matrix(grown)
    rebuild(grown, engine="exact")
    found = matrix(grown)
    for id_ in (7, 2001, 2003, 2050, 2150):
        assert refreshed[id_][0] == found[id_][0]


def test_lists_deleted_by_hand_during_a_refresh_are_made_by_the_next(
    grown: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART", 30)
    change(grown)
    times = []
    with closing(connect(grown.info.dsn, autocommit=True)) as other:

        def delete(_: int) -> None:
            if not times:
                times.append(other.execute("DELETE FROM pgsim.similarity WHERE id % 3 = 1"))

        refresh(grown, delete)
    refresh(grown)
    refreshed = matrix(grown)
    rebuild(grown, engine="exact")
    assert_same(refreshed, matrix(grown))


def test_an_interrupted_refresh_goes_on_where_it_was(
    grown: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART", 30)
    change(grown)
    before = waiting(grown)
    done = []

    def stop(count: int) -> None:
        done.append(count)
        if len(done) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        refresh(grown, stop)
    left = waiting(grown)
    assert before - sum(done) <= left <= before - sum(done[:-1]) < before
    assert refresh(grown).changed == left


def test_a_collection_that_is_emptied_during_a_refresh_stays_empty(
    grown: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART", 30)
    change(grown)
    with closing(connect(grown.info.dsn, autocommit=True)) as other:
        refresh(grown, lambda _: other.execute("TRUNCATE pgsim.recording") and None)
    assert matrix(grown) == {}
    assert waiting(grown) == 0


def test_recordings_without_a_list_get_one_though_nothing_has_changed(grown: Connection) -> None:
    whole = matrix(grown)
    grown.execute("DELETE FROM pgsim.similarity WHERE id % 50 = 0")
    assert refresh(grown).changed == RECORDINGS // 50
    assert_same(matrix(grown), whole)
    grown.execute("DELETE FROM pgsim.similarity WHERE id % 50 = 1")
    grown.execute("CALL pgsim.refresh_similarity()")
    assert_same(matrix(grown), whole)


def test_a_large_refresh_gives_the_space_of_its_changes_back(grown: Connection) -> None:
    for _ in range(3):
        grown.execute(f"{SQUARE} WHERE id <= 1500".encode())
    size = "SELECT pg_relation_size('pgsim.stale')"
    before = grown.execute(size).fetchone()
    assert before is not None
    assert before[0] > 1 << 20
    with closing(connect(grown.info.dsn)) as asking:
        asking.execute("SELECT pgsim.pending_recordings()")
        refresh(grown)  # which waits for nobody
    assert grown.execute(size).fetchone() != (0,)
    refresh(grown)
    assert grown.execute(size).fetchone() == (0,)


def test_a_refreshed_list_takes_at_most_11_bytes_a_neighbour_and_its_updates_are_hot(
    grown: Connection,
) -> None:
    row = grown.execute(
        "SELECT pg_total_relation_size('pgsim.' || pgsim.shown_similarity())"
        " / (SELECT sum(cardinality(neighbours)) FROM pgsim.similarity)"
    ).fetchone()
    assert row is not None
    assert row[0] <= 11
    hot = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname = %s"
    with grown.transaction():
        table = grown.execute("SELECT pgsim.shown_similarity()").fetchone()
        grown.execute("UPDATE pgsim.similarity SET reach = reach + 1 WHERE id % 50 = 0")
        counts = grown.execute(hot, table).fetchone()
    assert counts is not None
    assert counts[0] == RECORDINGS // 50
    assert counts[1] / counts[0] > 0.9
