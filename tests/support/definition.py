"""A database's schema as text, so that two of them can be compared."""

import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager

from pgsim.postgres.connection import Connection, client_program, connect


@contextmanager
def opened(conninfo: str) -> Iterator[Connection]:
    """A connection in autocommit mode, closed at the end."""
    with closing(connect(conninfo, autocommit=True)) as conn:
        yield conn


def definition(conninfo: str, *options: str) -> list[str]:
    """The lines of pg_dump for the schema, without those that differ each time."""
    dumped = subprocess.run(
        [
            *(str(client_program("pg_dump")), "--schema-only", "--schema=pgsim", *options),
            f"--dbname={conninfo}",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    lines = [line for line in dumped.stdout.splitlines() if "restrict" not in line]
    assert any(line.startswith("CREATE TABLE pgsim.recording ") for line in lines)
    return lines
