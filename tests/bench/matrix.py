"""make bench-matrix: the whole matrix by pgsim and by its peers; and what a refresh costs.

One run, the same vectors, the same number of threads, k = 100. pgsim goes from vectors in
PostgreSQL to a committed table in PostgreSQL; the peers from RAM to an .npy file, their index built
in the time that is counted. Each peer is set to the least effort that reaches recall@100 >= 0.99 on
a sample (ties count as found), or to the most that was tried.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from pgsim import embedded, schema
from pgsim.collection import Connection
from pgsim.database import connect
from pgsim.engines import make_searcher
from pgsim.profile import read_profile
from pgsim.rebuild import rebuild
from pgsim.refresh import refresh
from tests.bench.generator import DIMENSIONS, make_vectors

K, RECALL, SAMPLE = 100, 0.99, 500
PROFILE = f"""
name = "bench"
extractor = "none"
genre_scheme = "tag"

[[set]]
name = "all"
path = "all"
length = {DIMENSIONS}
transform = "isotropic"
aggregate = "mean"
weight = 1.0
"""


def write(conn: Connection, vectors: NDArray[np.float32], first: int) -> None:
    """Recordings with these vectors, their MBIDs made of numbers from `first` on."""
    with conn.cursor().copy(
        "COPY pgsim.recording (mbid, vector) FROM STDIN (FORMAT binary)"
    ) as copy:
        copy.set_types(["uuid", "vector"])
        for number, vector in enumerate(vectors, start=first):
            copy.write_row((UUID(int=number * 0x9E3779B97F4A7C15 % (1 << 128)), vector))


def fresh_database(server: embedded.Server, folder: Path, name: str) -> Connection:
    embedded.ensure_database(server, name)
    profile = folder / "bench.toml"
    profile.write_text(PROFILE)
    conn = connect(server.conninfo(name), autocommit=True)
    schema.install(conn, read_profile(str(profile)))
    return conn


def recall_of(distances: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    """Share found: neighbours no farther than the true kth, one part in a million allowed."""
    return float((distances <= truth[:, -1:] * (1 + 1e-6)).sum(axis=1).clip(max=K).mean() / K)


def true_distances(
    vectors: NDArray[np.float32], found: NDArray[np.integer], rows: NDArray[np.intp]
) -> NDArray[np.float32]:
    difference = vectors[rows][:, None].astype(np.float64) - vectors[found]
    return np.sqrt((difference**2).sum(axis=2)).astype(np.float32)


Search = Callable[[NDArray[np.float32], int], NDArray[np.integer]]


def hnswlib_index(vectors: NDArray[np.float32], threads: int) -> Search:
    import hnswlib

    index = hnswlib.Index("l2", vectors.shape[1])
    index.init_index(len(vectors), M=16, ef_construction=200)
    index.add_items(vectors, num_threads=threads)

    def search(queries: NDArray[np.float32], effort: int) -> NDArray[np.integer]:
        index.set_ef(max(effort, K + 1))
        found: NDArray[np.integer] = index.knn_query(queries, K + 1, num_threads=threads)[0]
        return found

    return search


def annoy_index(vectors: NDArray[np.float32], threads: int) -> Search:
    from concurrent.futures import ThreadPoolExecutor

    from annoy import AnnoyIndex

    index = AnnoyIndex(vectors.shape[1], "euclidean")
    index.set_seed(0)
    for row, vector in enumerate(vectors):
        index.add_item(row, vector)
    index.build(50, n_jobs=threads)

    def search(queries: NDArray[np.float32], effort: int) -> NDArray[np.integer]:
        def one(query: NDArray[np.float32]) -> list[int]:
            found = index.get_nns_by_vector(query, K + 1, search_k=effort * 100)
            return found + [-1] * (K + 1 - len(found))

        with ThreadPoolExecutor(threads) as pool:
            return np.array(list(pool.map(one, queries, chunksize=64)))

    return search


def nmslib_index(vectors: NDArray[np.float32], threads: int) -> Search:
    import nmslib

    index = nmslib.init(method="hnsw", space="l2")
    index.addDataPointBatch(vectors)
    index.createIndex({"M": 16, "efConstruction": 200, "indexThreadQty": threads})

    def search(queries: NDArray[np.float32], effort: int) -> NDArray[np.integer]:
        index.setQueryTimeParams({"ef": max(effort, K + 1)})
        rows = index.knnQueryBatch(queries, k=K + 1, num_threads=threads)
        return np.array([np.pad(ids, (0, K + 1 - len(ids)), constant_values=-1) for ids, _ in rows])

    return search


def faiss_hnsw_index(vectors: NDArray[np.float32], threads: int) -> Search:
    import faiss

    faiss.omp_set_num_threads(threads)
    index = faiss.IndexHNSWFlat(vectors.shape[1], 16)
    index.hnsw.efConstruction = 200
    index.add(vectors)

    def search(queries: NDArray[np.float32], effort: int) -> NDArray[np.integer]:
        index.hnsw.efSearch = max(effort, K + 1)
        found: NDArray[np.integer] = index.search(queries, K + 1)[1]
        return found

    return search


PEERS = {
    "hnswlib": hnswlib_index,
    "Annoy": annoy_index,
    "nmslib": nmslib_index,
    "Faiss HNSW": faiss_hnsw_index,
}
EFFORTS = (150, 200, 300, 400, 600, 800, 1200, 1600, 2400)


def run_peer(
    name: str,
    vectors: NDArray[np.float32],
    sample: NDArray[np.intp],
    truth: NDArray[np.float32],
    threads: int,
) -> dict[str, object]:
    """Build, find the least effort that reaches the recall, and search all with it."""
    started = time.monotonic()
    search = PEERS[name](vectors, threads)
    built = time.monotonic() - started
    for effort in EFFORTS:
        recall = recall_of(without_self(vectors, search(vectors[sample], effort), sample), truth)
        if recall >= RECALL:
            break
    started = time.monotonic()
    with tempfile.TemporaryFile() as file:
        np.save(file, np.concatenate([search(part, effort) for part in parts(vectors)]))
    searched = time.monotonic() - started
    return {
        "what": f"{name}, effort {effort}",
        "build": built,
        "search": searched,
        "total": built + searched,
        "recall": recall,
    }


def parts(vectors: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    return (vectors[at : at + 50_000] for at in range(0, len(vectors), 50_000))


def without_self(
    vectors: NDArray[np.float32], found: NDArray[np.integer], rows: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Distances (m, K) of what was found, the query itself left out."""
    distances = true_distances(vectors, found, rows)
    distances[(found == rows[:, None]) | (found < 0)] = np.inf
    return np.sort(distances, axis=1)[:, :K]


def run_pgsim(
    conn: Connection, vectors: NDArray[np.float32], threads: int, say: Callable[[str], None]
) -> list[dict[str, object]]:
    """rebuild from PostgreSQL to PostgreSQL, and bare Faiss from RAM to a file."""
    report = rebuild(conn, recall=RECALL, threads=threads, say=say)
    rows = [
        {
            "what": f"pgsim: {report.index}",
            "total": report.seconds,
            "recall": report.recall,
        }
    ]
    started = time.monotonic()
    order = np.arange(len(vectors), dtype=np.int32)
    searcher = make_searcher("faiss", vectors, order, K, RECALL, threads, say)
    built = time.monotonic() - started
    with tempfile.TemporaryFile() as file:
        for at in range(0, len(vectors), 16384):
            np.save(file, searcher.search(np.arange(at, min(at + 16384, len(vectors))))[0])
    rows.append(
        {
            "what": f"Faiss IVF, bare: {searcher.description}",
            "build": built,
            "total": time.monotonic() - started,
            "recall": searcher.recall,
        }
    )
    return rows


def run_refresh(conn: Connection, n: int, counts: list[int]) -> list[dict[str, object]]:
    """What newcomers cost, by their number."""
    rows = []
    first = n + 1
    for count in counts:
        write(conn, make_vectors(n, seed=0)[:: n // count][:count] * np.float32(1.001), first)
        first += count
        started = time.monotonic()
        report = refresh(conn)
        rows.append(
            {
                "what": f"refresh of {count:,}",
                "total": time.monotonic() - started,
                "lists": report.lists,
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, default=100_000)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--peers", default=",".join(PEERS), help="comma-separated; empty for none")
    parser.add_argument("--newcomers", default="10,100,1000")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    words = parser.parse_args()

    vectors = make_vectors(words.recordings)
    sample = np.sort(np.random.default_rng(1).choice(len(vectors), SAMPLE, replace=False))
    order = np.arange(len(vectors), dtype=np.int32)
    _, truth = make_searcher("exact", vectors, order, K, 1, words.threads, print).search(sample)
    results: list[dict[str, object]] = []

    def note(rows: list[dict[str, object]]) -> None:
        for row in rows:
            figures = (
                f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()
            )
            print("; ".join(figures), flush=True)
        results.extend(rows)

    with tempfile.TemporaryDirectory(prefix="pgsim-bench-") as folder:
        Path(folder).chmod(0o755)
        home = Path(folder, "home")
        server = embedded.start(home)
        try:
            with closing(fresh_database(server, Path(folder), "bench")) as conn:
                started = time.monotonic()
                write(conn, vectors, 1)
                note([{"what": "load by COPY", "total": time.monotonic() - started}])
                note(
                    run_pgsim(
                        conn, vectors, words.threads, lambda text: print(" ", text, flush=True)
                    )
                )
                if words.newcomers:
                    counts = [int(count) for count in words.newcomers.split(",")]
                    note(run_refresh(conn, len(vectors), counts))
        finally:
            embedded.stop(home)
    for name in filter(None, words.peers.split(",")):
        try:
            note([run_peer(name, vectors, sample, truth, words.threads)])
        except ImportError as error:
            print(f"{name}: not installed ({error})", file=sys.stderr)
    if words.json:
        words.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
