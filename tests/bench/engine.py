"""make bench-engine: what the compiled loops of `cells` cost beside its passes over tables.

One run, the same vectors, k = 100, recall@100 >= 0.99 on a sample for each. Both searchers are made
and tuned; then they search the same recordings in turn. Figures are microseconds of processor time
a recording; making and tuning are shared out among all recordings.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pgsim.matrix.engines.cells import Cells
from pgsim.matrix.engines.exact import Exact
from pgsim.matrix.engines.fused import FusedCells
from pgsim.matrix.engines.tuning import found_share, tune
from pgsim.planning.synthetic import make_vectors
from pgsim.threads import cores
from tests.bench.common import save, show

K, RECALL, SAMPLE = 100, 0.99, 2000


def measured(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """What the work returns, and the processor and wall time that it takes, in seconds."""
    processor, wall = time.process_time(), time.monotonic()
    result = work()
    return result, time.process_time() - processor, time.monotonic() - wall


def run(n: int, asked: int, turns: int, threads: int) -> list[dict[str, Any]]:
    """A row for each kind of searcher over n recordings."""
    vectors = make_vectors(n)
    order = np.arange(n, dtype=np.int32)
    sample = np.sort(np.random.default_rng(1).choice(n, min(n, SAMPLE), replace=False))
    truth = Exact(vectors, order, K, threads).search(sample)[1]
    # Compiling is not counted: the next process finds what this one has kept.
    FusedCells(vectors[:2000], order[:2000], K, 1).search(np.arange(100))
    rows, searchers = [], []
    for kind in (Cells, FusedCells):
        searcher, made, _ = measured(lambda kind=kind: kind(vectors, order, K, threads))
        _, tuned, _ = measured(
            lambda it=searcher: tune(it, vectors, order, K, RECALL, threads, lambda _: None)
        )
        share = found_share(searcher.search(sample)[1], truth)
        rows.append(
            {
                "recordings": n,
                "loops": "compiled" if kind is FusedCells else "passes",
                "index": searcher.description,
                "recall": float(share.mean()),
                "recall of the worst hundredth": float(np.percentile(share, 1)),
                "make": made / n * 1e6,
                "tune": tuned / n * 1e6,
            }
        )
        searchers.append(searcher)
    part = np.random.default_rng(2).permutation(n)[:asked]
    times = [
        [measured(lambda it=searcher: it.search(part))[1:] for searcher in searchers]
        for _ in range(turns)
    ]
    for row, (processor, wall) in zip(rows, np.median(times, axis=0) / len(part), strict=True):
        row["search"], row["search, wall"] = processor * 1e6, wall * 1e6
        row["all"] = row["make"] + row["tune"] + row["search"]
    for row in rows:
        row["to passes"] = row["all"] / rows[0]["all"]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", default="100000", help="sizes, comma-separated")
    parser.add_argument("--asked", type=int, default=65_536, help="recordings searched in a turn")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--threads", type=int, default=cores())
    parser.add_argument("--json", type=Path, help="write the figures there")
    words = parser.parse_args()
    rows = []
    for n in words.recordings.split(","):
        rows += run(int(n), words.asked, words.turns, words.threads)
        show(rows[-2:])
        save(rows, words.json)


if __name__ == "__main__":
    main()
