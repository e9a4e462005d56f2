"""What a monitor watches: the view pgsim.metrics, and measure_recall()."""

import time
from typing import Any

import psycopg
import pytest

from pgsim.matrix.refresh import refresh
from pgsim.postgres.connection import Connection
from pgsim.store import schema
from pgsim.store.runs import recorded
from tests.support.audio import needs_program
from tests.support.lists import fill_reaches
from tests.support.monitoring import EXPORTER, exporter, page
from tests.support.plane import insert
from tests.support.rows import one

COUNT = 70
PENDING = ("pending_changes", "pending_recordings")


def metrics(conn: Connection) -> dict[str, Any]:
    """The value of each metric; by the values of its labels too, where it has any."""
    rows = conn.execute("SELECT name, labels, value FROM pgsim.metrics").fetchall()
    found = {
        name + "".join(f" {label}" for label in labels.values() if label != 10): value
        for name, labels, value in rows
    }
    assert len(found) == len(rows)
    return found


@pytest.fixture
def listed(plane: Connection) -> Connection:
    """70 recordings on a line, with their lists."""
    for number in range(1, COUNT + 1):
        insert(plane, number, number**1.5)
    refresh(plane)
    return plane


def test_an_empty_collection_has_metrics(plane: Connection) -> None:
    found = metrics(plane)
    names = ("recordings", "submissions", "redirects", "rejects", "ratings", "lists", *PENDING)
    assert [found[name] for name in (*names, "pending_age_seconds")] == [0] * 9
    assert found["list_length"] == 100
    assert "fitted_recordings" not in found


def test_changes_that_wait_have_a_number_and_an_age(listed: Connection) -> None:
    found = metrics(listed)
    assert (found["recordings"], found["lists"]) == (COUNT, COUNT)
    assert [found[name] for name in PENDING] == [0, 0]
    assert found["size_bytes recording"] > 0 < found["size_bytes matrix"]
    for x in (3, 4):
        listed.execute("UPDATE pgsim.recording SET vector = %s WHERE id = 1", (f"[{x},0]",))
    time.sleep(0.2)
    listed.execute("UPDATE pgsim.recording SET vector = '[9,9]' WHERE id = 2")
    found = metrics(listed)
    assert [found[name] for name in PENDING] == [3, 2]
    assert 0.2 <= found["pending_age_seconds"] < 60
    refresh(listed)
    assert metrics(listed)["pending_age_seconds"] == 0


def test_the_last_run_of_each_command_is_there_and_how_it_ended(listed: Connection) -> None:
    with recorded(listed, "refresh"):
        found = metrics(listed)
        assert found["run_active refresh"] == 1
        assert "run_succeeded refresh" not in found
    assert metrics(listed)["run_succeeded refresh"] == 1
    done = metrics(listed)["run_last_success_timestamp_seconds refresh"]
    assert abs(done - time.time()) < 60
    with pytest.raises(ZeroDivisionError), recorded(listed, "refresh"):
        raise ZeroDivisionError
    found = metrics(listed)
    assert (found["run_active refresh"], found["run_succeeded refresh"]) == (0, 0)
    assert found["run_last_success_timestamp_seconds refresh"] == done
    assert found["run_duration_seconds refresh"] >= 0
    listed.execute("INSERT INTO pgsim.run (command) VALUES ('load')")  # nobody holds its lock
    found = metrics(listed)
    assert (found["run_active load"], found["run_succeeded load"]) == (0, 0)
    assert "run_last_success_timestamp_seconds load" not in found


def test_a_rebuild_says_how_far_it_has_come(listed: Connection) -> None:
    parts = ("rebuild_parts_done", "rebuild_parts")
    listed.execute("SELECT pgsim.begin_rebuild(100, 'exact', 1, 20)")
    before, all_ = (metrics(listed)[name] for name in parts)
    assert (before, all_ > 1) == (0, True)
    listed.execute("UPDATE pgsim.rebuild_part SET done_at = now() WHERE first_id = 1")
    assert [metrics(listed)[name] for name in parts] == [1, all_]
    listed.execute("UPDATE pgsim.rebuild_part SET done_at = now()")
    listed.execute("UPDATE pgsim.rebuild SET finished_at = now()")
    assert [metrics(listed)[name] for name in parts] == [0, 0]


def test_rows_of_a_large_table_are_estimated(listed: Connection) -> None:
    listed.execute(
        "UPDATE pg_class SET reltuples = 4000000 WHERE oid = 'pgsim.recording'::regclass"
    )
    assert metrics(listed)["recordings"] == 4_000_000


def test_recall_is_measured_for_answers_searches_and_lists(listed: Connection) -> None:
    question = "SELECT found_by, seeds, recall, low, high FROM measure_recall(1000)"
    exact = [(way, COUNT, 1, 1, 1) for way in ("answer", "live", "matrix")]
    assert listed.execute(question.encode()).fetchall() == exact
    assert metrics(listed)["recall matrix"] == 1
    # Every list loses its nearest: nine of the ten nearest are left.
    listed.execute(
        "UPDATE pgsim.similarity SET neighbours = neighbours[2:], distances = distances[2:]"
    )
    fill_reaches(listed)
    rows = {way: numbers for way, *numbers in listed.execute(question.encode())}
    assert rows["live"] == [COUNT, 1, 1, 1]
    assert rows["answer"] == rows["matrix"] == [COUNT, *[pytest.approx(0.9)] * 3]
    found = metrics(listed)
    assert found["recall matrix"] == found["recall answer"] == pytest.approx(0.9)
    assert one(listed, "SELECT report ->> 'sample' FROM pgsim.run ORDER BY id DESC LIMIT 1") == "70"
    listed.execute("DELETE FROM pgsim.similarity WHERE id > 7")
    assert {way: seeds for way, seeds, *_ in listed.execute(question.encode())} == {
        "answer": COUNT, "live": COUNT, "matrix": 7
    }  # fmt: skip


def test_a_sample_is_of_that_size_and_a_small_collection_has_no_recall(plane: Connection) -> None:
    question = "SELECT found_by, seeds, recall FROM measure_recall(2, 3)"
    insert(plane, 1, 0)
    assert plane.execute(question.encode()).fetchall() == []
    assert "recall answer" not in metrics(plane)
    for number in range(2, 5):
        insert(plane, number, number)
    assert plane.execute(question.encode()).fetchall() == [("answer", 2, 1), ("live", 2, 1)]
    for wrong in ("0", "100001", "NULL", "5, 0", "5, 1001"):
        with pytest.raises(psycopg.Error, match=r"(sample|k) is .*, but must be from 1 to 100"):
            plane.execute(f"SELECT * FROM measure_recall({wrong})".encode())


def test_a_reader_measures_and_watches_without_a_trace(listed: Connection) -> None:
    schema.grant_roles(listed)
    before = one(listed, "SELECT count(*) FROM pgsim.run")
    with listed.transaction():
        listed.execute("SET LOCAL ROLE pgsim_reader")
        assert len(listed.execute("SELECT * FROM pgsim.measure_recall(5)").fetchall()) == 3
        assert metrics(listed)["recordings"] == COUNT
    with listed.transaction():
        listed.execute("SET TRANSACTION READ ONLY")
        assert len(listed.execute("SELECT * FROM pgsim.measure_recall(5)").fetchall()) == 3
    assert one(listed, "SELECT count(*) FROM pgsim.run") == before


@needs_program(EXPORTER)
def test_prometheus_reads_the_metrics_through_its_exporter(listed: Connection) -> None:
    listed.execute("UPDATE pgsim.recording SET vector = '[9,9]' WHERE id = 2")
    with exporter(listed) as address:
        text = page(f"http://{address}/metrics")
    lines = [line for line in text.splitlines() if line.startswith("pgsim_metric_value{")]
    assert len(lines) == len(metrics(listed))
    [pending] = [line for line in lines if 'name="pending_changes"' in line]
    assert pending.endswith(" 1")
