"""make bench-trust: recall and time of questions with filters near the seeds and far from them.

No seed has a stored list, so each question searches the HNSW index or scans. Parallel workers are
off: the times are those of one core. The bar: recall@10 of at least 0.99 for every filter.
"""

import argparse
import sys
import time

import numpy as np

from pgsim.planning.synthetic import make_vectors
from pgsim.store.index import build_index
from tests.bench.common import fresh_database, show
from tests.support.graphs import Graphs, ask

LEAST_RECALL = 0.99
SEEDS = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, nargs="+", default=[100_000])
    rows, missed = [], []
    for n in parser.parse_args().recordings:
        graphs = Graphs(make_vectors(n), SEEDS)
        with fresh_database(graphs.vectors.shape[1]) as conn:
            graphs.write(conn, 1)
            build_index(conn)
            conn.execute("VACUUM ANALYZE pgsim.recording")
            conn.execute("SET max_parallel_workers_per_gather = 0")
            ask(conn, graphs, "")  # the index comes into memory
            for chosen in graphs.filters:
                found, taken = 0, []
                for place, seed in enumerate(graphs.seeds.tolist()):
                    started = time.perf_counter()
                    (answer,) = ask(conn, graphs, chosen.words, seeds=[seed])
                    taken.append((time.perf_counter() - started) * 1000)
                    found += chosen.found(place, answer)
                recall = found / np.isfinite(chosen.truth).sum()
                if recall < LEAST_RECALL:
                    missed.append(f"{n:,}, {chosen.words or 'all'}: {recall:.4f}")
                rows.append(
                    {
                        "recordings": n,
                        "filter": chosen.words or "all",
                        "matching": len(chosen.rows),
                        "recall@10": recall,
                        "median ms": float(np.median(taken)),
                        "worst ms": max(taken),
                    }
                )
    show(rows)
    if missed:
        sys.exit(f"a bar is missed: {'; '.join(missed)}")


if __name__ == "__main__":
    main()
