"""Databases of a server with logical replication and two-phase commit."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from pgsim.cli import run
from pgsim.postgres.connection import connect
from pgsim.store.check import check_database
from pgsim.store.finding import OK, Finding

SETTINGS = {"wal_level": "logical", "max_prepared_transactions": "4"}
TEMPLATE = "odd_template"
RECORDINGS = 40

New = Callable[..., str]


def execute(conninfo: str, *statements: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement.encode())


def setting(conninfo: str, **values: str) -> None:
    """Set these for every session of the database."""
    name = conninfo_to_dict(conninfo)["dbname"]
    execute(conninfo, *(f"ALTER DATABASE {name} SET {key} = {values[key]}" for key in values))


def wrongs(conninfo: str) -> dict[str, Finding]:
    return {each.check: each for each in check_database(conninfo) if each.level != OK}


def contents(conninfo: str) -> list[Any]:
    """What every session sees alike: recordings, their vectors and their lists."""
    with closing(connect(conninfo, autocommit=True)) as conn:
        return conn.execute(
            "SELECT r.mbid, r.title, r.artist, r.year, r.vector::text, s.neighbours, s.distances"
            " FROM pgsim.recording AS r LEFT JOIN pgsim.similarity AS s ON r.id = s.id"
            " ORDER BY r.mbid"
        ).fetchall()


def commands(conninfo: str, folder: Path, *lines: str) -> None:
    for line in lines:
        arguments = line.replace("FOLDER", str(folder)).split()
        assert run(["--database", conninfo, *arguments]) == 0, line
