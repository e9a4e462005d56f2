"""What the benchmarks share: a server of their own, a collection in it, figures as a table."""

import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from pgsim import embedded
from pgsim.features.profile import read_profile
from pgsim.postgres.connection import Connection, connect
from pgsim.store import schema

PROFILE = """
name = "bench"
extractor = "none"
genre_scheme = "tag"

[[set]]
name = "all"
path = "all"
length = {dimensions}
transform = "isotropic"
aggregate = "mean"
weight = 1.0
"""


@contextmanager
def fresh_database(dimensions: int) -> Iterator[Connection]:
    """An empty database of a server that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="pgsim-bench-") as folder:
        Path(folder).chmod(0o755)
        home = Path(folder, "home")
        server = embedded.start(home)
        try:
            embedded.ensure_database(server, "bench")
            profile = Path(folder, "bench.toml")
            profile.write_text(PROFILE.format(dimensions=dimensions))
            with closing(connect(server.conninfo("bench"), autocommit=True)) as conn:
                schema.install(conn, read_profile(str(profile)))
                yield conn
        finally:
            embedded.stop(home)


@contextmanager
def apart(servers: Iterable[int]) -> Iterator[None]:
    """This process on the machine's first core, and servers, by their process ids, on its last."""
    everywhere = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []
    if len(everywhere) < 2:
        yield
        return
    first, *_, last = everywhere
    for pid in servers:
        os.sched_setaffinity(pid, {last})
    os.sched_setaffinity(0, {first})
    try:
        yield
    finally:
        os.sched_setaffinity(0, everywhere)


def write(conn: Connection, vectors: NDArray[np.float32], first: int) -> None:
    """Recordings with these vectors, their MBIDs made of numbers from `first` on."""
    with conn.cursor().copy(
        "COPY pgsim.recording (mbid, vector) FROM STDIN (FORMAT binary)"
    ) as copy:
        copy.set_types(["uuid", "vector"])
        for number, vector in enumerate(vectors, start=first):
            copy.write_row((UUID(int=number * 0x9E3779B97F4A7C15 % (1 << 128)), vector))


def show(rows: list[dict[str, Any]]) -> None:
    """Figures as a table, a column for each key of the first row."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    table = [columns, *([_text(row.get(column)) for column in columns] for row in rows)]
    widths = [max(len(line[at]) for line in table) for at in range(len(columns))]
    for line in table:
        cells = [line[0].ljust(widths[0])]
        cells += [text.rjust(width) for text, width in zip(line[1:], widths[1:], strict=True)]
        print("  ".join(cells).rstrip(), flush=True)


def save(rows: list[dict[str, Any]], path: Path | None) -> None:
    """Figures as JSON."""
    if path:
        path.write_text(json.dumps(rows, indent=1) + "\n")


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}" if value < 1 else f"{value:,.1f}"
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
