"""make bench-matrix: the whole matrix by pgsim and by its peers.

One run, the same vectors, the same number of threads, k = 100. pgsim goes from vectors in
PostgreSQL to a committed table in PostgreSQL; the peers from RAM to an .npy file, their index built
in the time that is counted. Each peer is set to the least effort that reaches recall@100 >= 0.99 on
a sample (ties count as found), or to the most that was tried. So that a million do not take a day,
a peer answers at most QUERIES recordings, drawn at random, and the time is multiplied.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgsim.matrix.engines import make_searcher
from pgsim.matrix.rebuild import rebuild
from pgsim.planning.synthetic import make_vectors
from pgsim.postgres.connection import Connection
from pgsim.store.index import build_index
from pgsim.threads import cores
from tests.bench.common import fresh_database, save, show, write
from tests.bench.peers import PEERS

K, RECALL, SAMPLE, QUERIES = 100, 0.99, 500, 100_000


def recall_of(distances: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    """Share found: neighbours no farther than the true kth, one part in a million allowed."""
    return float((distances <= truth[:, -1:] * (1 + 1e-6)).sum(axis=1).clip(max=K).mean() / K)


def true_distances(
    vectors: NDArray[np.float32], found: NDArray[np.integer], rows: NDArray[np.intp]
) -> NDArray[np.float32]:
    difference = vectors[rows][:, None].astype(np.float64) - vectors[found]
    return np.sqrt((difference**2).sum(axis=2)).astype(np.float32)


# The peers that build a graph or a forest in memory; Faiss's inverted file is tuned as pgsim does.
COMPARED = ("hnswlib", "Annoy", "nmslib", "Faiss HNSW")
EFFORTS = (150, 200, 300, 400, 600, 800, 1200, 1600, 2400)


def run_peer(
    name: str,
    vectors: NDArray[np.float32],
    sample: NDArray[np.intp],
    truth: NDArray[np.float32],
    threads: int,
) -> dict[str, Any]:
    """Build, find the least effort that reaches the recall, and search all with it."""
    started = time.monotonic()
    index = PEERS[name](vectors, "l2")
    index.build(threads)
    built = time.monotonic() - started
    for effort in EFFORTS:
        found = index.search(vectors[sample], K + 1, effort, threads)
        recall = recall_of(without_self(vectors, found, sample), truth)
        if recall >= RECALL:
            break
    asked = vectors
    if len(vectors) > QUERIES:
        asked = vectors[np.random.default_rng(2).choice(len(vectors), QUERIES, replace=False)]
    started = time.monotonic()
    with tempfile.TemporaryFile() as file:
        for at in range(0, len(asked), 50_000):
            np.save(file, index.search(asked[at : at + 50_000], K + 1, effort, threads))
    searched = (time.monotonic() - started) * len(vectors) / len(asked)
    return {
        "engine": name,
        "setting": f"effort {effort}",
        "build s": built,
        "search s": searched,
        "total s": built + searched,
        "recall": recall,
    }


def without_self(
    vectors: NDArray[np.float32], found: NDArray[np.integer], rows: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Distances (m, K) of what was found, the query itself left out."""
    distances = true_distances(vectors, found, rows)
    distances[(found == rows[:, None]) | (found < 0)] = np.inf
    return np.sort(distances, axis=1)[:, :K]


def run_pgsim(
    conn: Connection, engines: list[str], threads: int, say: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Rebuilds, from PostgreSQL to PostgreSQL."""
    rows = []
    for engine in engines:
        if engine == "postgres":
            build_index(conn)
        report = rebuild(conn, engine=engine, recall=RECALL, threads=threads, say=say)
        rows.append(
            {
                "engine": f"pgsim, {engine}",
                "setting": report.index,
                "total s": report.seconds,
                "recall": report.recall,
            }
        )
    return rows


def run_bare(
    vectors: NDArray[np.float32], threads: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """Faiss's inverted file by itself, tuned as pgsim tunes it, from RAM to a file."""
    order = np.arange(len(vectors), dtype=np.int32)
    started = time.monotonic()
    searcher = make_searcher("faiss", vectors, order, K, RECALL, threads, say)
    built = time.monotonic() - started
    with tempfile.TemporaryFile() as file:
        for at in range(0, len(vectors), 16384):
            np.save(file, searcher.search(np.arange(at, min(at + 16384, len(vectors))))[0])
    return {
        "engine": "Faiss IVF, bare",
        "setting": searcher.description,
        "build s": built,
        "total s": time.monotonic() - started,
        "recall": searcher.recall,
    }


def run(
    vectors: NDArray[np.float32], words: argparse.Namespace, say: Callable[[str], None]
) -> list[dict[str, Any]]:
    """All engines on one set of vectors."""
    sample = np.sort(np.random.default_rng(1).choice(len(vectors), SAMPLE, replace=False))
    order = np.arange(len(vectors), dtype=np.int32)
    _, truth = make_searcher("exact", vectors, order, K, 1, words.threads, say).search(sample)
    with fresh_database(vectors.shape[1]) as conn:
        write(conn, vectors, 1)
        rows = run_pgsim(conn, words.engines.split(","), words.threads, say)
    for name in filter(None, words.peers.split(",")):
        say(name)
        try:
            if name == "Faiss IVF":
                rows.append(run_bare(vectors, words.threads, say))
            else:
                rows.append(run_peer(name, vectors, sample, truth, words.threads))
        except ImportError as error:
            say(f"{name}: not installed ({error})")
    for row in rows:
        row["to pgsim"] = row["total s"] / rows[0]["total s"]
    return rows


def plot(rows: list[dict[str, Any]], path: Path) -> None:
    """Time to the whole matrix, a panel for each collection."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    names = list(dict.fromkeys(row["collection"] for row in rows))
    figure, panels = plt.subplots(
        1, len(names), figsize=(5.2 * len(names), 4), layout="constrained", squeeze=False
    )
    for panel, name in zip(panels[0], names, strict=True):
        own = sorted((r for r in rows if r["collection"] == name), key=lambda r: -r["total s"])
        colours = ["#c44e52" if r["engine"].startswith("pgsim") else "#8c9bb0" for r in own]
        bars = panel.barh([r["engine"] for r in own], [r["total s"] for r in own], color=colours)
        panel.bar_label(
            bars,
            [
                f"{r['total s']:,.{0 if r['total s'] >= 10 else 1}f} s, recall {r['recall']:.3f}"
                for r in own
            ],
            padding=3,
        )
        panel.set_xlim(0, 1.55 * own[0]["total s"])
        panel.set_title(name)
        panel.set_xlabel("seconds to the 100 nearest of all recordings")
        panel.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", default="100000", help="sizes, comma-separated")
    parser.add_argument("--audioset", action="store_true", help="the genuine AudioSet clips too")
    parser.add_argument("--threads", type=int, default=cores())
    parser.add_argument("--engines", default="cells", help="pgsim's engines, comma-separated")
    parser.add_argument(
        "--peers", default=",".join(["Faiss IVF", *COMPARED]), help="empty for none"
    )
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--plot", type=Path, help="draw them there")
    words = parser.parse_args()

    def say(text: str) -> None:
        print(" ", text, file=sys.stderr, flush=True)

    collections = {f"{int(n):,} made": int(n) for n in filter(None, words.recordings.split(","))}
    results: list[dict[str, Any]] = []
    for name, n in collections.items():
        results += [{"collection": name, **row} for row in run(make_vectors(n), words, say)]
        save(results, words.json)
    if words.audioset:
        from tests.support.genuine import audioset_vectors

        vectors = audioset_vectors()
        name = f"{len(vectors):,} of AudioSet"
        results += [{"collection": name, **row} for row in run(vectors, words, say)]
    show(results)
    save(results, words.json)
    if words.plot:
        plot(results, words.plot)


if __name__ == "__main__":
    main()
