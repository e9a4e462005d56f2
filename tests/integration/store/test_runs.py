"""The log of runs: each says how it ended, and what nobody ended is seen as broken off."""

from contextlib import closing

import pytest
from psycopg.errors import LockNotAvailable

from pgsim.errors import PgsimError
from pgsim.postgres.connection import Connection, another
from pgsim.postgres.rows import one_row, one_value
from pgsim.store.runs import recorded

LAST = "SELECT outcome, error, finished_at >= started_at FROM pgsim.run ORDER BY id DESC LIMIT 1"


def status(conn: Connection, item: str) -> str | None:
    """The value of an item of status()."""
    value = one_value(
        conn, f"SELECT min(value) FROM pgsim.status() WHERE item = '{item}' HAVING count(*) = 1"
    )
    return None if value is None else str(value)


def unplug(conn: Connection) -> None:
    conn.close()
    raise PgsimError("the connection is closed")


def test_a_run_is_seen_while_it_runs_and_is_done_after_it(plane: Connection) -> None:
    with closing(another(plane)) as other:
        with recorded(plane, "refresh") as run:
            assert status(other, "running") == "refresh"
            assert one_row(other, LAST) == (None, None, None)
            run["lists"] = 7
        assert status(other, "running") is None
        assert status(other, "ended badly") is None
        assert status(other, "last refresh") is not None
        assert one_row(other, LAST) == ("done", None, True)
        assert one_value(other, "SELECT report FROM pgsim.run") == {"lists": 7}


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (PgsimError("no such thing"), "failed", "no such thing"),
        (ZeroDivisionError("by 0"), "failed", "ZeroDivisionError: by 0"),
        (KeyboardInterrupt(), "interrupted", None),
        (SystemExit(1), "interrupted", None),
    ],
)
def test_a_run_that_does_not_reach_its_end_says_why(
    plane: Connection, error: BaseException, outcome: str, reason: str | None
) -> None:
    with pytest.raises(type(error)), recorded(plane, "load"):
        raise error
    assert one_row(plane, LAST) == (outcome, reason, True)
    assert status(plane, "last load") is None
    shown = status(plane, "ended badly")
    assert shown is not None
    assert shown.startswith(f"load {outcome}, begun at ")
    assert shown.endswith(f": {reason}") is bool(reason)

    with recorded(plane, "load"):
        pass
    assert status(plane, "ended badly") is None


def test_an_error_of_the_server_is_noted_in_its_words(plane: Connection) -> None:
    with pytest.raises(Exception, match="nowhere"), recorded(plane, "index"):
        plane.execute("SELECT FROM nowhere")
    assert one_row(plane, LAST) == ("failed", 'relation "nowhere" does not exist', True)


def test_a_run_whose_session_is_gone_was_broken_off(plane: Connection) -> None:
    lost = another(plane)
    with pytest.raises(PgsimError, match="connection is closed"), recorded(lost, "rebuild"):
        unplug(lost)
    while one_value(plane, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"):
        pass  # the server ends the session a moment later
    assert status(plane, "running") is None
    shown = status(plane, "ended badly")
    assert shown is not None
    assert shown.startswith("rebuild broken off, begun at ")
    assert one_row(plane, LAST) == (None, None, None)

    with closing(another(plane)) as other, recorded(other, "load"), recorded(plane, "refresh"):
        found = plane.execute("SELECT command, outcome FROM pgsim.run ORDER BY id").fetchall()
    assert found == [("rebuild", "broken off"), ("load", None), ("refresh", None)]


def test_a_run_with_an_error_in_its_transaction_leaves_nothing_half_done(plane: Connection) -> None:
    with pytest.raises(Exception, match="nowhere"), plane.transaction(), recorded(plane, "index"):
        plane.execute("SELECT FROM nowhere")
    assert one_value(plane, "SELECT count(*) FROM pgsim.run") == 0


def test_the_newest_thousand_runs_stay_and_the_last_one_of_each_command(plane: Connection) -> None:
    plane.execute(
        "INSERT INTO pgsim.run (command, started_at, finished_at, outcome)"
        " SELECT CASE i WHEN 3 THEN 'load' WHEN 4 THEN 'load' ELSE 'refresh' END, now(), now(),"
        "  CASE i WHEN 4 THEN 'failed' ELSE 'done' END FROM generate_series(1, 1500) AS i"
    )
    with recorded(plane, "refresh"):
        pass
    assert one_value(plane, "SELECT count(*) FROM pgsim.run WHERE id > 501") == 1000
    assert plane.execute("SELECT id FROM pgsim.run WHERE id <= 501").fetchall() == [(3,)]
    assert status(plane, "last load") is not None


def test_nobody_waits_for_the_lock_of_a_run(plane: Connection) -> None:
    """Anybody may take it, in advance, too."""
    with closing(another(plane)) as other:
        other.execute(
            "SELECT pg_advisory_lock(hashtext('pgsim.run'), n) FROM generate_series(1, 100) AS n"
        )
        plane.execute("SET statement_timeout = '20s'")
        pid = other.info.backend_pid
        with (
            pytest.raises(LockNotAvailable, match=f"process {pid} holds the lock of run 1"),
            recorded(plane, "refresh"),
        ):
            pass
    assert one_value(plane, "SELECT count(*) FROM pgsim.run") == 0
