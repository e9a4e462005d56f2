"""Ids of a collection's own, `source_id`: every question takes them, and answers show them."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

import pgsim
from pgsim import embedded
from pgsim.cli import run
from pgsim.postgres.connection import Connection, connect
from tests.support.plane import mbid
from tests.support.rows import one

DIGITS = "9e107d9d372bb6826bd81d3542a419d6"  # of a file's hash: UUIDs have as many
LONG = "a/very/long/path/" * 300 + "song.ogg"  # longer than an entry of a B-tree
OWN_IDS = ["track 17", "songs/a b.mp3", "5", "5", DIGITS, LONG, None, "7é'"]


@pytest.fixture(scope="module")
def conn(server: embedded.Server, plane_template: str) -> Iterator[Connection]:
    """Recordings on a line, whose MBIDs are 0, 1, 2, … and whose own ids are those above."""
    name = "own_ids"
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {plane_template}".encode())
    with closing(connect(server.conninfo(name), autocommit=True)) as conn:
        conn.execute("SET search_path = public, pgsim")  # a user's
        conn.cursor().executemany(
            "INSERT INTO recording (mbid, artist, title, source_id, url, vector)"
            " VALUES (%s, 'An artist', %s, %s, %s, %s::public.vector)",
            [
                (mbid(at), f"Title {at}", own, f"https://e.org/{at}", f"[{at * at},0]")
                for at, own in enumerate(OWN_IDS)
            ],
        )
        conn.execute("CALL refresh_similarity()")
        yield conn


@pytest.fixture
def db(conn: Connection) -> Iterator[pgsim.Database]:
    with pgsim.connect(conn.info.dsn) as db:
        yield db


@pytest.mark.parametrize("at", [0, 1, 4, 5, 7])
def test_an_own_id_names_its_recording(conn: Connection, db: pgsim.Database, at: int) -> None:
    assert one(conn, "SELECT mbid_of(%s)", OWN_IDS[at]) == mbid(at)
    assert db.mbid_of(OWN_IDS[at] or "") == mbid(at)


@pytest.mark.parametrize("text", [str(mbid(1)), str(mbid(9)), mbid(1).hex])
def test_an_mbid_as_text_names_itself(conn: Connection, db: pgsim.Database, text: str) -> None:
    assert one(conn, "SELECT mbid_of(%s)::text", text) == str(db.mbid_of(text))
    assert one(conn, "SELECT mbid_of(%s) = %s::uuid", text, text)


def test_an_own_id_is_found_by_the_index(conn: Connection) -> None:
    with conn.transaction():
        conn.execute("SET LOCAL enable_seqscan = off")
        plan = conn.execute(
            "EXPLAIN SELECT mbid FROM recording WHERE source_id = 'track 17'"
        ).fetchall()
    assert any("recording_source_id" in line for (line,) in plan), plan


@pytest.mark.parametrize(
    ("own_id", "kind", "message"),
    [
        ("5", pgsim.UsageError, f"is the own id of several .* one of them: {mbid(2)}, {mbid(3)}$"),
        ("unheard", pgsim.PgsimError, "'unheard' is neither an MBID nor the own id .*; an MBID"),
        ("", pgsim.PgsimError, "'' is neither an MBID nor the own id of a recording"),
    ],
)
def test_an_id_of_several_recordings_or_of_none_is_an_error(
    db: pgsim.Database, own_id: str, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        db.similar(own_id)
    with pytest.raises(kind, match=message):
        db.similar(mbid(0), exclude=[mbid(1), own_id])


def test_null_is_no_id(conn: Connection) -> None:
    with pytest.raises(psycopg.errors.NoDataFound, match="the id is NULL"):
        conn.execute("SELECT mbid_of(NULL)")


def test_every_question_takes_own_ids(db: pgsim.Database) -> None:
    own, other = "track 17", "songs/a b.mp3"
    assert db.similar(own) == db.similar(mbid(0))
    assert db.similar(own, exclude=[other]) == db.similar(mbid(0), exclude=[mbid(1)])
    assert db.similar(own, exclude=other) == db.similar(mbid(0), exclude=mbid(1))
    assert db.dissimilar(own) == db.dissimilar(mbid(0))
    assert db.similar_to_all([own, other]) == db.similar_to_all([mbid(0), mbid(1)])
    assert db.batch([own, other]) == db.batch([mbid(0), mbid(1)])
    assert db.statistics(own) == db.statistics(mbid(0))
    assert db.distances(own, other) == db.distances(mbid(0), mbid(1))
    assert db.explain(own, other) == db.explain(mbid(0), mbid(1))


def test_what_is_stored_comes_in_the_order_of_its_names(db: pgsim.Database) -> None:
    found = db.recordings(["songs/a b.mp3", mbid(6), str(mbid(0))])
    assert [each.mbid for each in found] == [mbid(1), mbid(6), mbid(0)]
    assert [each.source_id for each in found] == ["songs/a b.mp3", None, "track 17"]
    assert found[0].url == "https://e.org/1"


def test_a_search_finds_own_ids_and_addresses(db: pgsim.Database) -> None:
    [found] = db.find("title 0", 1)
    assert (found.mbid, found.source_id, found.url) == (mbid(0), "track 17", "https://e.org/0")


def asked(conn: Connection, *arguments: str) -> int:
    return run(["--database", conn.info.dsn, "similar", *arguments])


@pytest.mark.parametrize("own_id", ["track 17", "songs/a b.mp3", "7é'"])
def test_the_shell_takes_an_own_id_and_its_json_has_id_and_address(
    conn: Connection, capsys: pytest.CaptureFixture[str], own_id: str
) -> None:
    assert asked(conn, own_id, "-k", "3", "--json") == 0
    by_own_id: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert asked(conn, str(mbid(OWN_IDS.index(own_id))), "-k", "3", "--json") == 0
    assert by_own_id == json.loads(capsys.readouterr().out)
    for row in by_own_id:
        at = int(row["mbid"].replace("-", ""))
        assert (row["source_id"], row["url"]) == (OWN_IDS[at], f"https://e.org/{at}")


def test_the_table_shows_what_to_go_on_with(
    conn: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(conn, "track 17", "-k", "7") == 0
    shown = capsys.readouterr().out
    assert f"    {mbid(1)}  songs/a b.mp3\n" in shown
    assert f"    {mbid(6)}\n" in shown
    assert f"    {mbid(5)}\n" in shown  # its own id is too long
    assert max(map(len, shown.splitlines())) <= 80


def test_a_terminal_of_40_columns_shows_titles_and_whole_mbids(conn: Connection) -> None:
    mine, theirs = pty.openpty()
    command = [sys.executable, "-m", "pgsim", "--database", conn.info.dsn, "similar", "track 17"]
    environment = {**os.environ, "COLUMNS": "40", "LINES": "50"}
    subprocess.run([*command, "-k", "2"], stdout=theirs, env=environment, check=True, timeout=60)
    os.close(theirs)
    lines = os.read(mine, 10_000).decode().splitlines()
    os.close(mine)
    assert max(map(len, lines)) <= 40
    assert any(f"    {mbid(1)}" == line.rstrip() for line in lines)
    assert any("Title" in line for line in lines)
