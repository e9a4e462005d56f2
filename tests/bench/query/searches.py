"""Searches that keep no lists: pgvector's index, and libraries in memory."""

import sys
import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from pgsim.postgres.connection import Connection
from tests.bench.query.asking import JOIN, Pgsim
from tests.bench.query.collection import K, Vectors, recall
from tests.bench.query.measuring import EFFORTS, Ask, Route, Run

# A search in memory: a vector, how many, and with what effort.
Search = Callable[[NDArray[np.float32], int, int], Sequence[int]]


def live_routes(
    run: Run, pgsim: Pgsim, other: Connection, searches: dict[str, Search]
) -> tuple[list[Route], dict[str, list[tuple[float, float]]]]:
    """Searches that keep no lists, each with one statement for the titles; and their curves."""
    plain = Pgsim(other, run.all)
    other.execute("SET enable_seqscan = off")

    def join(effort: int) -> Ask:
        other.execute(f"SET hnsw.ef_search = {min(1000, effort)}".encode())
        return plain.asker(JOIN.format(condition=""))

    preparers: dict[str, Callable[[int], Ask]] = {"join over pgvector HNSW": join}
    for name, search in searches.items():
        preparers[f"{name}, then one SQL"] = lambda effort, search=search: (  # type: ignore[misc]
            lambda seed: pgsim.titles(without(seed, search(run.all.vectors[seed], K + 1, effort)))
        )
    routes = [run.tune(name, prepare) for name, prepare in preparers.items()]
    return routes, {name: curve(run, prepare) for name, prepare in preparers.items()}


def make_searches(vectors: Vectors) -> dict[str, Search]:
    """The peers that are installed, their indexes built."""
    searches: dict[str, Search] = {}
    for name, make in PEERS.items():
        try:
            searches[name] = make(vectors)
        except ImportError as error:
            print(f"  {name}: skipped, not installed ({error})", file=sys.stderr)
    return searches


def without(seed: int, found: Sequence[int]) -> list[int]:
    return [row for row in found if row != seed][:K]


def curve(run: Run, prepare: Callable[[int], Ask]) -> list[tuple[float, float]]:
    """recall@10 and median milliseconds for each effort."""
    assert run.truth is not None
    points = []
    some = slice(0, 200)
    for effort in EFFORTS:
        ask, times, answers = prepare(effort), [], []
        for seed in run.asked[some].tolist():
            started = time.perf_counter()
            answers.append(ask(seed))
            times.append((time.perf_counter() - started) * 1000)
        found = recall(run.all, run.asked[some], answers, run.truth[some])
        points.append((found, float(np.median(times))))
    return points


def hnswlib_search(vectors: Vectors) -> Search:
    import hnswlib

    index = hnswlib.Index("l2", vectors.shape[1])
    index.init_index(len(vectors), M=16, ef_construction=200)
    index.add_items(vectors)

    def search(query: Vectors, k: int, effort: int) -> Sequence[int]:
        index.set_ef(max(effort, k))
        found: list[int] = index.knn_query(query, k, num_threads=1)[0][0].tolist()
        return found

    search.index = index  # type: ignore[attr-defined]
    return search


def annoy_search(vectors: Vectors) -> Search:
    from annoy import AnnoyIndex

    index = AnnoyIndex(vectors.shape[1], "euclidean")
    index.set_seed(0)
    for row, vector in enumerate(vectors):
        index.add_item(row, vector)
    index.build(50)

    def search(query: Vectors, k: int, effort: int) -> Sequence[int]:
        found: list[int] = index.get_nns_by_vector(query, k, search_k=effort * 100)
        return found

    return search


def faiss_search(vectors: Vectors) -> Search:
    import faiss

    faiss.omp_set_num_threads(1)
    quantizer = faiss.IndexFlatL2(vectors.shape[1])
    index = faiss.IndexIVFFlat(quantizer, vectors.shape[1], int(4 * len(vectors) ** 0.5))
    index.train(vectors[:: max(1, len(vectors) // 100_000)])
    index.add(vectors)

    def search(query: Vectors, k: int, effort: int) -> Sequence[int]:
        index.nprobe = effort
        found = index.search(query[None], k)[1][0]
        rows: list[int] = found[found >= 0].tolist()
        return rows

    return search


PEERS: dict[str, Callable[[Vectors], Search]] = {
    "hnswlib": hnswlib_search,
    "Annoy": annoy_search,
    "Faiss IVF": faiss_search,
}
