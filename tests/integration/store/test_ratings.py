"""Ratings: one verdict a person, kept whatever becomes of the recordings; and who may rate."""

import csv
import json
from typing import Any

import psycopg
import pytest

import pgsim
from pgsim.cli import run
from pgsim.errors import PgsimError
from pgsim.loading.recordings import refit
from pgsim.postgres.connection import Connection
from tests.support.documents import mbid
from tests.support.roles import AsRole
from tests.support.rows import one

PAIR = mbid(1), mbid(2)


def rate(conn: Connection, *values: Any) -> None:
    conn.execute("SELECT pgsim.rate(%s, %s, %s, %s)", values)


def verdicts(conn: Connection) -> list[tuple[Any, ...]]:
    return conn.execute(
        "SELECT seed, answer, verdict, by_whom FROM pgsim.ratings() ORDER BY 1, 2, 4"
    ).fetchall()


@pytest.fixture
def rated(as_role: AsRole) -> Connection:
    """30 recordings, of which Anna has rated one answer."""
    conn = as_role("owner")
    rate(conn, *PAIR, 1, "anna")
    return conn


def test_a_person_has_one_verdict_on_an_answer_which_is_the_last(rated: Connection) -> None:
    before = one(rated, "SELECT rated_at FROM pgsim.rating")
    rate(rated, *PAIR, -1, "ben")
    rate(rated, *PAIR, -1, "anna")
    assert verdicts(rated) == [(*PAIR, -1, "anna"), (*PAIR, -1, "ben")]
    assert one(rated, "SELECT rated_at FROM pgsim.rating WHERE by_whom = 'anna'") > before
    rate(rated, *PAIR, 0, "anna")
    assert verdicts(rated) == [(*PAIR, -1, "ben")]
    assert one(rated, "SELECT count(*) FROM pgsim.ratings('anna')") == 0
    # The other way round it is another question.
    rate(rated, *PAIR[::-1], 1, "ben")
    assert one(rated, "SELECT count(*) FROM pgsim.ratings('ben')") == 2


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((*PAIR, 2, "anna"), "verdict is 2, but must be from -1 to 1"),
        ((*PAIR, None, "anna"), "verdict is NULL, but must be from -1 to 1"),
        ((*PAIR, 1, " "), "by_whom is empty"),
        ((*PAIR, 1, None), "by_whom is empty"),
        ((*PAIR, 1, "ä" * 201), "by_whom has 201 characters, but may have 200"),
        ((mbid(1), mbid(1), 1, "anna"), "is the seed and the answer"),
        ((mbid(1), mbid(999), 1, "anna"), f"unknown recording {mbid(999)}"),
    ],
)
def test_what_is_no_verdict_is_refused(
    rated: Connection, values: tuple[Any, ...], said: str
) -> None:
    with pytest.raises(psycopg.Error, match=said):
        rate(rated, *values)
    assert verdicts(rated) == [(*PAIR, 1, "anna")]


def test_verdicts_follow_recordings_that_are_merged(rated: Connection) -> None:
    rate(rated, mbid(1), mbid(3), 1, "anna")
    rate(rated, mbid(3), mbid(2), -1, "anna")
    rated.execute("INSERT INTO pgsim.redirect VALUES (%s, %s)", (mbid(2), mbid(3)))
    rated.execute("DELETE FROM pgsim.recording WHERE mbid = %s", (mbid(2),))
    # Anna's later verdict on what is one recording now; it is no answer to itself.
    rate(rated, mbid(1), mbid(3), -1, "anna")
    assert verdicts(rated) == [(mbid(1), mbid(3), -1, "anna"), (mbid(3), mbid(3), -1, "anna")]
    rate(rated, mbid(1), mbid(2), 1, "ben")  # by the old MBID
    assert (mbid(1), mbid(3), 1, "ben") in verdicts(rated)


def test_verdicts_outlive_a_recording_and_a_fit(rated: Connection) -> None:
    refit(rated)
    assert verdicts(rated) == [(*PAIR, 1, "anna")]
    [kept] = rated.execute(
        "DELETE FROM pgsim.recording WHERE mbid = %s RETURNING title, vector", (mbid(2),)
    )
    gone = "SELECT answer_title IS NULL AND answer_artist IS NULL FROM pgsim.ratings()"
    assert verdicts(rated) == [(*PAIR, 1, "anna")]
    assert one(rated, gone)
    rated.execute(
        "INSERT INTO pgsim.recording (mbid, title, vector) VALUES (%s, %s, %s)", (mbid(2), *kept)
    )
    assert not one(rated, gone)


def test_a_listener_rates_and_changes_nothing_else(as_role: AsRole) -> None:
    owner, listener = as_role("owner"), as_role("listener")
    for verdict in (1, -1):
        rate(listener, *PAIR, verdict, "anna")
    assert verdicts(listener) == [(*PAIR, -1, "anna")]
    for statement in (
        "DELETE FROM pgsim.rating",
        "TRUNCATE pgsim.rating",
        "UPDATE pgsim.rating SET by_whom = 'ben'",
        "UPDATE pgsim.rating SET answer = seed",
        "INSERT INTO pgsim.rating (seed, answer, by_whom, verdict, rated_at)"
        " VALUES (gen_random_uuid(), gen_random_uuid(), 'ben', 1, '2000-01-01')",
        "ALTER TABLE pgsim.rating DROP CONSTRAINT answer_is_not_the_seed",
        "CREATE TRIGGER mine AFTER INSERT ON pgsim.rating"
        " EXECUTE FUNCTION pgsim.recording_truncated()",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            listener.execute(statement.encode())
    # Without rate(), too, the table takes nothing but a verdict with a bounded name.
    columns = "INSERT INTO pgsim.rating (seed, answer, by_whom, verdict) VALUES"
    for values in (
        "(gen_random_uuid(), gen_random_uuid(), repeat('x', 201), 1)",
        "(gen_random_uuid(), gen_random_uuid(), '', 1)",
        "(gen_random_uuid(), gen_random_uuid(), 'x', 2)",
        f"('{mbid(1)}', '{mbid(1)}', 'x', 1)",
    ):
        with pytest.raises(psycopg.errors.CheckViolation):
            listener.execute(f"{columns} {values}".encode())
    assert verdicts(owner) == [(*PAIR, -1, "anna")]


def test_python_and_the_command_show_what_was_rated(
    rated: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    url = rated.info.dsn
    with pgsim.connect(url) as db:
        db.rate(mbid(3), str(mbid(1)), -1, 'Ben "B", Ü')
        with pytest.raises(PgsimError, match="verdict is 3, but must be from -1 to 1"):
            db.rate(*PAIR, 3, "anna")
        assert [each.by_whom for each in db.ratings()] == ["anna", 'Ben "B", Ü']
        [ben] = db.ratings('Ben "B", Ü')
    assert (ben.seed, ben.answer, ben.verdict) == (mbid(3), mbid(1), -1)
    assert run(["--database", url, "ratings", "--csv"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["by_whom"] for row in rows] == ["anna", 'Ben "B", Ü']
    assert rows[1]["seed"] == str(mbid(3))
    assert run(["--database", url, "ratings", "--json", "--by", "anna"]) == 0
    [row] = json.loads(capsys.readouterr().out)
    assert (row["answer"], row["verdict"]) == (str(mbid(2)), 1)
    assert run(["--database", url, "ratings"]) == 0
    shown = capsys.readouterr().out
    assert "not alike" in shown
    assert f"{mbid(3)}  {mbid(1)}" in shown
    assert run(["--database", url, "ratings", "--csv", "--json"]) == 2
    assert "--csv or --json, not both" in capsys.readouterr().err
