"""make bench-refresh: what a refresh costs, by the size of the collection and the newcomers.

In one run, on one server: a collection with its whole matrix, then newcomers (recordings like those
that are there) in growing numbers, each refreshed by itself. Every refresh reads the collection
once; what follows is the newcomers' own. The bar: 1,000 newcomers cost at most 3 % of a rebuild.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from pgsim.matrix.rebuild import rebuild
from pgsim.matrix.refresh import refresh
from pgsim.planning.synthetic import DIMENSIONS, make_vectors
from pgsim.threads import cores
from tests.bench.common import fresh_database, save, show, write


def run(n: int, counts: list[int]) -> list[dict[str, Any]]:
    """Figures of one collection."""
    vectors = make_vectors(n + sum(counts))
    # The generator makes artists block by block: newcomers are drawn from all over.
    order = np.random.default_rng(3).permutation(len(vectors))
    rows = []
    with fresh_database(DIMENSIONS) as conn:
        write(conn, vectors[order[:n]], 1)
        conn.execute("VACUUM ANALYZE pgsim.recording")
        whole = rebuild(conn, threads=cores())
        first = n
        for count in counts:
            write(conn, vectors[order[first : first + count]], first + 1)
            first += count
            started = time.monotonic()
            report = refresh(conn)
            seconds = time.monotonic() - started
            rows.append(
                {
                    "recordings": n,
                    "newcomers": count,
                    "refresh s": seconds,
                    "lists": report.lists,
                    "rebuild s": whole.seconds,
                    "share": seconds / whole.seconds,
                }
            )
            print(" ", rows[-1], file=sys.stderr, flush=True)
    return rows


def plot(rows: list[dict[str, Any]], path: Path) -> None:
    """Seconds by newcomers for each collection, and by collection for each count."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, 2, figsize=(10, 4), layout="constrained", sharey=True)
    for panel, along, line in (
        (panels[0], "newcomers", "recordings"),
        (panels[1], "recordings", "newcomers"),
    ):
        for value in sorted({row[line] for row in rows}):
            own = [row for row in rows if row[line] == value]
            panel.plot(
                [row[along] for row in own],
                [row["refresh s"] for row in own],
                marker="o",
                label=f"{value:,} {line}",
            )
        panel.set_xscale("log")
        panel.set_yscale("log")
        panel.set_xlabel(along)
        panel.legend(frameon=False)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("seconds of a refresh")
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", default="30000,100000", help="sizes, comma-separated")
    parser.add_argument("--newcomers", default="10,100,1000", help="counts, comma-separated")
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--plot", type=Path, help="draw them there")
    words = parser.parse_args()
    counts = [int(count) for count in words.newcomers.split(",")]
    results = []
    for n in words.recordings.split(","):
        results += run(int(n), counts)
        save(results, words.json)
    show(results)
    if words.plot:
        plot(results, words.plot)


if __name__ == "__main__":
    main()
