"""make bench-map: what a map costs, from lists that are there, beside openTSNE's own first step.

openTSNE without lists begins with a search of its own for the ten nearest, which pgsim spares.
`found` is what `pgsim evaluate --map` measures: the share of a recording's ten nearest on the map
that are among its hundred nearest in sound. `--steps` tells what fewer or more steps would give.
"""

import argparse
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from openTSNE.affinity import Uniform

from pgsim.evaluation.places import evaluate_map
from pgsim.mapping import layout
from pgsim.mapping.map import make_map
from pgsim.matrix.rebuild import rebuild
from pgsim.threads import cores
from tests.bench.common import fresh_database, show, write
from tests.support.clustered import make_collection

DIMENSIONS = 68


def measure(n: int, steps: list[int]) -> Iterator[dict[str, Any]]:
    """Figures of maps of n recordings, and of openTSNE's search."""
    vectors = make_collection(n, DIMENSIONS).vectors
    with fresh_database(DIMENSIONS) as conn:
        write(conn, vectors, 1)
        rebuild(conn)
        whole = layout.STEPS
        phases = layout.PHASES
        for wanted in steps:
            layout.PHASES = tuple((pull, part * wanted // whole) for pull, part in phases)
            layout.STEPS = sum(part for _, part in layout.PHASES)
            started, worked = time.monotonic(), time.process_time()
            make_map(conn)
            taken = {"s": time.monotonic() - started, "CPU s": time.process_time() - worked}
            found = evaluate_map(conn).found
            yield {"what": f"map, {layout.STEPS} steps", "recordings": n, **taken, "found": found}
        layout.PHASES, layout.STEPS = phases, whole
    yield {"what": "openTSNE's search alone", "recordings": n, **_search(vectors)}


def _search(vectors: NDArray[np.float32]) -> dict[str, Any]:
    started, worked = time.monotonic(), time.process_time()
    Uniform(vectors, k_neighbors=layout.NEAREST, n_jobs=cores(), random_state=0)
    return {"s": time.monotonic() - started, "CPU s": time.process_time() - worked}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--steps", type=int, nargs="+", default=[layout.STEPS])
    given = parser.parse_args()
    rows = [row for n in given.recordings for row in measure(n, given.steps)]
    show(rows)
    for n in given.recordings:
        *maps, search = (row for row in rows if row["recordings"] == n)
        ratio = maps[-1]["CPU s"] / search["CPU s"]
        print(f"{n:,}: {maps[-1]['what']} / openTSNE's search: {ratio:.2f} of the CPU seconds")


if __name__ == "__main__":
    main()
