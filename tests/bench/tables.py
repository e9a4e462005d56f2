"""make bench-tables: a CSV to committed rows, by pgsim and by Polars with COPY.

Both read the same table of 20 columns, 13 of them features, on one server:

- `copy`: `polars.read_csv`, and its rows by COPY into a table of typed columns: what one writes
  instead, without vectors, without an account of each row, and without an index;
- `submissions`: pgsim load up to the last committed row of `submission`;
- `recordings`: the whole load, with fitted sets, fused vectors, the HNSW index and VACUUM; beside
  it, what the index takes when it is built once more by itself.

Then the width: tables of as many cells, 1,000 to 100,000 columns wide, described and read. The time
a cell takes must not grow with the number of columns.
"""

import argparse
import io
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import numpy as np
import polars

from pgsim import embedded
from pgsim.errors import PgsimError
from pgsim.features.profile import parse_profile
from pgsim.loading.chunks import LIMITS
from pgsim.loading.load import load
from pgsim.postgres.connection import connect
from pgsim.sources import tables
from pgsim.sources.description.proposal import propose_profile
from pgsim.sources.row_blocks import RowBlock
from pgsim.sources.table_columns import submissions
from pgsim.store import schema
from pgsim.store.index import build_index, drop_indexes

FEATURES = 13
PROFILE = """
name = "wide"
extractor = "none"
genre_scheme = "tag"
[columns]
id = "track_id"
[[set]]
name = "some"
path = ["note 1 of many", "note 999 of many"]
length = 2
transform = "zscore"
aggregate = "mean"
weight = 1
"""
CELLS = 2_000_000  # of each wide table


def seconds(work: Callable[[], object]) -> float:
    """How long something takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def write_table(path: Path, rows: int) -> None:
    """Write recordings with titles, artists, albums, years, genres, lengths and features."""
    numbers = np.random.default_rng(1).random((rows, FEATURES)).round(4)
    count = np.arange(rows)
    frame = polars.DataFrame(
        {
            "track_id": [f"t{at:08}" for at in count],
            "title": [f"Tune {at}" for at in count],
            "artist": [f"Artist {at % 50_000}" for at in count],
            "album": [f"Album {at % 200_000}" for at in count],
            "year": 1960 + count % 60,
            "genre": [f"genre {at % 100}" for at in count],
            "duration_ms": 120_000 + count * 7919 % 240_000,
            **{f"f{at}": numbers[:, at] for at in range(FEATURES)},
        }
    )
    frame.write_csv(path)


def copied(conninfo: str, path: Path) -> None:
    """Read the table by Polars into PostgreSQL by COPY."""
    frame = polars.read_csv(path)
    kinds = {"String": "text", "Int64": "bigint", "Float64": "double precision"}
    columns = ", ".join(f"{name} {kinds[str(kind)]}" for name, kind in frame.schema.items())
    with connect(conninfo) as conn:
        conn.execute(f"CREATE TABLE public.plain ({columns})".encode())
        with conn.cursor().copy("COPY public.plain FROM STDIN (FORMAT csv)") as copy:
            for part in frame.iter_slices(100_000):
                buffer = io.BytesIO()
                part.write_csv(buffer, include_header=False)
                copy.write(buffer.getvalue())


def compare(rows: int, folder: Path) -> None:
    """Print how long both take for a table of so many rows."""
    path = folder / "songs.csv"
    write_table(path, rows)
    home = folder / "home"
    server = embedded.start(home)
    try:
        for name in ("plain", "mine"):
            embedded.ensure_database(server, name)
        plain = seconds(lambda: copied(server.conninfo("plain"), path))
        with closing(connect(server.conninfo("mine"), autocommit=True)) as conn:
            schema.install(conn, parse_profile(propose_profile(path), path))
            steps: list[float] = []
            start = time.perf_counter()
            report = load(conn, [path], say=lambda _: steps.append(time.perf_counter() - start))
            whole = time.perf_counter() - start
            assert (report.new, report.rejected) == (rows, 0), report
            drop_indexes(conn)
            index = seconds(lambda: build_index(conn))
    finally:
        embedded.stop(home)
    print(f"{rows:,} rows of 20 columns, {path.stat().st_size >> 20} MiB")
    for name, taken in (
        ("copy", plain),
        ("submissions", steps[0]),
        ("recordings", whole),
        ("of it the index", index),
    ):
        print(f"  {name:16} {taken:8.1f} s  {taken / plain:6.1f} × copy")


def read(path: Path) -> None:
    """Read all rows of a wide table, as a load does."""
    profile = parse_profile(PROFILE, path)
    for block in tables.blocks(path, LIMITS.documents):
        assert isinstance(block, RowBlock), block
        submissions(block, profile)


def describe(path: Path) -> None:
    """Propose a profile; that it would have too many dimensions for an index is an answer too."""
    with suppress(PgsimError):
        propose_profile(path)


def widen(folder: Path) -> None:
    """Print how long a cell takes in tables of more and more columns."""
    first = None
    for columns in (1_000, 10_000, 100_000):
        rows = CELLS // columns
        path = folder / f"wide{columns}.csv"
        numbers = np.random.default_rng(1).random((rows, columns)).round(3)
        frame = polars.DataFrame(numbers, schema=[f"note {at} of many" for at in range(columns)])
        text = frame.with_columns(polars.Series("track_id", [f"t{at}" for at in range(rows)]))
        text.write_csv(path)
        taken = {
            "read": seconds(partial(read, path)),
            "describe": seconds(partial(describe, path)),
        }
        first = first or taken
        shown = ", ".join(
            f"{name} {value / CELLS * 1e6:.2f} µs a cell ({value / first[name]:.1f} ×)"
            for name, value in taken.items()
        )
        print(f"  {columns:7,} columns, {rows:5,} rows: {shown}")


def main() -> None:
    """Run both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="pgsim-bench-") as folder:
        Path(folder).chmod(0o755)
        compare(rows, Path(folder))
        widen(Path(folder))


if __name__ == "__main__":
    main()
