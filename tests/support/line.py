"""80 recordings on a line, and their exported matrix."""

import csv
from collections.abc import Callable
from pathlib import Path

from pgsim.postgres.connection import Connection

COUNT = 80
HEADER = "mbid,rank,similar_mbid,distance\n"


def fill(conn: Connection, *, without: tuple[int, ...] = ()) -> None:
    """Recordings on a line, further and further apart: each list is one order of them."""
    conn.execute(
        "INSERT INTO pgsim.recording (mbid, title, vector)"
        " SELECT lpad(to_hex(n), 32, '0')::uuid, 'number ' || n,"
        " ARRAY[n ^ 1.5::float8, 0]::public.vector"
        f" FROM generate_series(1, {COUNT}) AS n WHERE n <> ALL(%s::integer[]) ORDER BY n".encode(),
        (list(without),),
    )


def change(path: Path, function: Callable[[list[dict[str, str]]], list[dict[str, str]]]) -> None:
    """Change the rows of a CSV file."""
    rows = function(list(csv.DictReader(path.read_text().splitlines())))
    path.write_text(HEADER + "".join(",".join(row.values()) + "\n" for row in rows))
