"""make bench-small: what many small refreshes cost, beside those of an older build, in one run.

A collection with its whole matrix and index; then, again and again, a few recordings get vectors of
others, and a refresh follows. Counted: bytes of write-ahead log a refresh, and how much the tables
of lists and reaches and the HNSW index have grown, with autovacuum at its defaults. The bars: at
most half of the older build's log, and at most 1.5 times the size.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.common import fresh_database, show, write

OLDER = "5322e81"  # the build before small changes were made cheap
MOST_LOG, MOST_GROWTH = 0.5, 1.5

try:
    from pgsim.matrix.rebuild import rebuild
    from pgsim.matrix.refresh import refresh
    from pgsim.planning.synthetic import DIMENSIONS, make_vectors
    from pgsim.store.index import build_index
except ImportError:  # the older build
    from pgsim.generator import DIMENSIONS, make_vectors  # type: ignore[import-not-found,no-redef]
    from pgsim.index import build_index  # type: ignore[import-not-found,no-redef]
    from pgsim.rebuild import rebuild  # type: ignore[import-not-found,no-redef]
    from pgsim.refresh import refresh  # type: ignore[import-not-found,no-redef]

_SIZES = """
    SELECT
        pg_total_relation_size('pgsim.' || pgsim.shown_similarity()),
        pg_total_relation_size('pgsim.reach'),
        pg_relation_size('pgsim.recording_vector')
"""
_LOG = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint"


def measure(n: int, refreshes: int, rows: int) -> dict[str, Any]:
    """Figures of this build."""
    rng = np.random.default_rng(5)
    vectors = make_vectors(n + refreshes * rows)[rng.permutation(n + refreshes * rows)]
    with fresh_database(DIMENSIONS) as conn:
        write(conn, vectors[:n], 1)
        build_index(conn)
        rebuild(conn, engine="exact")
        conn.execute("VACUUM ANALYZE pgsim.recording")
        sizes = [conn.execute(_SIZES.encode()).fetchone()]
        log, started, lists = _one(conn, _LOG), time.monotonic(), 0
        for turn in range(refreshes):
            ids = rng.choice(n, rows, replace=False) + 1
            first = n + turn * rows
            with conn.transaction():
                for id_, vector in zip(ids, vectors[first : first + rows], strict=True):
                    conn.execute(
                        "UPDATE pgsim.recording SET vector = %s WHERE id = %s", (vector, int(id_))
                    )
            lists += refresh(conn).lists
            if (turn + 1) % 100 == 0:
                sizes.append(conn.execute(_SIZES.encode()).fetchone())
                print(f"  {turn + 1}: {sizes[-1]}", file=sys.stderr, flush=True)
        seconds = time.monotonic() - started
        report: dict[str, Any] = {
            "log kB a refresh": (_one(conn, _LOG) - log) / refreshes / 1000,
            "ms a refresh": seconds / refreshes * 1000,
            "lists a refresh": lists / refreshes,
        }
        table = np.array(sizes, float)
        for name, column in zip(("lists", "reaches", "index"), table.T, strict=True):
            report[f"{name} MB"] = column[0] / 1e6
            report[f"{name} grown"] = column.max() / column[0]
    return report


def _one(conn: Any, query: str) -> int:
    return int(conn.execute(query).fetchone()[0])


def _of_older(words: list[str]) -> dict[str, Any]:
    """Figures of the older build, by this script in a checkout of it."""
    with tempfile.TemporaryDirectory(prefix="pgsim-older-") as folder:
        Path(folder).chmod(0o755)
        archive = subprocess.run(["git", "archive", OLDER], check=True, stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
        script = Path(folder, "tests", "bench", "small.py")
        script.write_text(Path(__file__).read_text(encoding="utf-8"), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.small", "--only", *words],
            check=True,
            stdout=subprocess.PIPE,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": folder},
        )
    return dict(json.loads(done.stdout))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, default=20_000)
    parser.add_argument("--refreshes", type=int, default=2_000)
    parser.add_argument("--rows", type=int, default=8, help="recordings that change before each")
    parser.add_argument("--only", action="store_true", help="this build, as JSON")
    words = parser.parse_args()
    figures = measure(words.recordings, words.refreshes, words.rows)
    if words.only:
        print(json.dumps(figures))
        return
    older = _of_older([word for word in sys.argv[1:] if word != "--only"])
    show([{"build": OLDER, **older}, {"build": "this", **figures}])
    share = figures["log kB a refresh"] / older["log kB a refresh"]
    print(f"log of this build / of {OLDER}: {share:.3f}, at most {MOST_LOG}")
    grown = {name: figures[f"{name} grown"] for name in ("lists", "reaches", "index")}
    print(f"grown: {grown}, at most {MOST_GROWTH}")
    if share > MOST_LOG or max(grown.values()) > MOST_GROWTH:
        sys.exit("a bar is missed")


if __name__ == "__main__":
    main()
