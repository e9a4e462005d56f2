"""A healthy collection, and what check finds in one."""

import re
import shlex

import psycopg

from pgsim.cli import run
from pgsim.postgres.connection import redact
from pgsim.store.check import check_database
from pgsim.store.finding import OK, Finding

FILL = """
    INSERT INTO pgsim.submission (mbid, source, number, features, documents)
    SELECT
        gen_random_uuid(), 'acousticbrainz', 0, ARRAY[i % 17, sqrt(i)]::real[], '{"lowlevel": {}}'
    FROM generate_series(1, 120) AS i
"""


def wrongs(conninfo: str) -> dict[str, Finding]:
    """What a new session finds to be not as it should, by the name of the check."""
    return {each.check: each for each in check_database(conninfo) if each.level != OK}


def execute(conninfo: str, *statements: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement.encode())


def follow(conninfo: str, cure: str) -> None:
    """Do what a hint says, as far as it is commands of pgsim's (for this database) or SQL."""
    for step in re.split(", then |; where |, as the ", cure):
        if step.startswith("pgsim "):
            assert step.startswith(f"pgsim --database {shlex.quote(redact(conninfo))} ")
            assert run(shlex.split(step)[1:]) == 0
        elif step[:4].isupper():
            execute(conninfo, step)
