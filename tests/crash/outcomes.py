"""What a command has made, in a form that can be compared with an undisturbed run."""

import hashlib
import json
import subprocess
from typing import Any

import psycopg

from pgsim.postgres.connection import Connection, client_program
from pgsim.store.check import run_checks
from tests.crash.room import Room, Running
from tests.support.exactness import assert_lists_are_exact
from tests.support.lists import assert_reaches_are_those_of_the_lists
from tests.support.rows import contents

Outcome = dict[str, Any]

NEAR = 0.98  # recall of lists for which 0.99 was asked, on a sample
_TABLES = {
    "archive": "SELECT path, size, modified, documents, rejected, is_finished FROM pgsim.archive"
    " ORDER BY path",
    "redirect": "SELECT mbid::text, target::text FROM pgsim.redirect ORDER BY mbid",
    "sampled pairs": "SELECT count(*) FROM pgsim.sampled_pair",
    "last run": "SELECT command, finished_at IS NOT NULL FROM pgsim.run ORDER BY id DESC LIMIT 1",
    "indexes": "SELECT indexrelid::regclass::text, indisvalid FROM pg_index AS i"
    " JOIN pg_class AS c ON c.oid = i.indexrelid"
    " WHERE c.relnamespace = 'pgsim'::regnamespace ORDER BY 1",
}


def rows_alone(room: Room, _: Running) -> Outcome:
    """All rows but the matrix's."""
    with room.connection() as conn:
        return _rows(conn)


def rows_and_lists(room: Room, _: Running) -> Outcome:
    """All rows, and the matrix, which has to be exact."""
    with room.connection() as conn:
        return _rows(conn) | _matrix(conn)


def rows_and_near_lists(room: Room, _: Running) -> Outcome:
    """All rows, and the matrix of an engine that may miss some neighbours."""
    with room.connection() as conn:
        return _rows(conn) | _matrix(conn, NEAR)


def rows_and_schema(room: Room, _: Running) -> Outcome:
    """All rows, the exact matrix, the schema's definition and the search path of new sessions."""
    url = room.campaign.server.conninfo(room.name)
    dumped = subprocess.run(
        [client_program("pg_dump"), "--schema-only", "--schema=pgsim", f"--dbname={url}"],
        capture_output=True,
        text=True,
        check=True,
    )
    with psycopg.connect(url) as conn:
        path = conn.execute("SHOW search_path").fetchall()
    with room.connection() as conn:
        found = _rows(conn) | _matrix(conn)
    return found | {"schema": _without_keys(dumped.stdout), "search path": path}


def accounts(room: Room, running: Running) -> Outcome:
    """All rows after a load; its report has to account for every document."""
    report = _printed(running)
    parts = [report[name] for name in ("new", "updated", "unchanged", "rejected")]
    assert report["read"] == sum(parts), f"{report['read']} documents read, but {parts} in parts"
    same = {name: report[name] for name in ("read", "rejected", "recordings")}
    with room.connection() as conn:
        return _rows(conn) | {"report": same}


def extracted(room: Room, running: Running) -> Outcome:
    """The lines and the rejects of an extraction, in alphabetical order."""
    report = _printed(running)
    parts = [report[name] for name in ("extracted", "unchanged", "rejected")]
    assert report["found"] == sum(parts), f"{report['found']} files found, but {parts} in parts"
    return {
        "lines": sorted((room.out / "all.ndjson").read_text().splitlines()),
        "rejects": sorted((room.out / "all.ndjson.rejects").read_text().splitlines()),
        "names": _names(room),
        "report": {name: report[name] for name in ("found", "rejected")},
    }


def files(room: Room, _: Running) -> Outcome:
    """All files that were written, byte by byte."""
    return {
        f"file {path.relative_to(room.out)}": hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(room.out.rglob("*"))
        if path.is_file()
    } | {"names": _names(room)}


def archive(room: Room, _: Running) -> Outcome:
    """The SQL of a dump; the archive itself says when it was made."""
    sql = subprocess.run(
        [client_program("pg_restore"), "-f", "-", room.out / "music.dump"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {"sql": _without_keys(sql.stdout), "names": _names(room)}


def script(room: Room, _: Running) -> Outcome:
    """The SQL of a dump that is SQL."""
    return {
        "sql": _without_keys((room.out / "music.sql").read_text()),
        "names": _names(room),
    }


def printed(_: Room, running: Running) -> Outcome:
    """The answer."""
    return {"printed": _printed(running)}


def plan(_: Room, running: Running) -> Outcome:
    """The answer, but for what is measured."""
    names = ("recordings", "dimensions", "vectors", "samples", "machines")
    return {name: _printed(running)[name] for name in names}


def _rows(conn: Connection) -> Outcome:
    """All that commands write, but for the matrix and the numbers of recordings."""
    found: Outcome = dict(contents(conn, without=("id",)))
    for name, query in _TABLES.items():
        found[name] = conn.execute(query.encode()).fetchall()
    found["check"] = [
        (each.check, each.level, each.wrong) for each in run_checks(conn) if each.wrong
    ]
    return found


def _matrix(conn: Connection, recall: float = 1.0) -> Outcome:
    """How many lists there are, all of which are right, and how many changes they do not know."""
    assert_reaches_are_those_of_the_lists(conn)
    stale = conn.execute("SELECT count(*) FROM pgsim.stale").fetchall()
    return {"lists": assert_lists_are_exact(conn, recall=recall), "stale": stale}


def _names(room: Room) -> list[str]:
    """The names of all that lies beside a command's output, hidden or not."""
    return sorted(path.name for path in room.out.iterdir())


def _printed(running: Running) -> Any:
    return json.loads(running.out)


def _without_keys(sql: str) -> list[str]:
    """The lines of pg_dump's SQL, but for the key that is another one each time."""
    return [line for line in sql.splitlines() if "restrict" not in line]
