"""Searches that keep no lists: pgvector's index, and libraries in memory."""

import sys
import time
from collections.abc import Callable, Sequence

import numpy as np

from pgsim.postgres.connection import Connection
from pgsim.threads import cores
from tests.bench.peers import PEERS, Index
from tests.bench.query.asking import JOIN, Pgsim
from tests.bench.query.collection import K, Vectors, recall
from tests.bench.query.measuring import EFFORTS, Ask, Route, Run


def live_routes(
    run: Run, pgsim: Pgsim, other: Connection, searches: dict[str, Index]
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
            lambda seed: pgsim.titles(
                without(seed, nearest(search, run.all.vectors[seed], K + 1, effort))
            )
        )
    routes = [run.tune(name, prepare) for name, prepare in preparers.items()]
    return routes, {name: curve(run, prepare) for name, prepare in preparers.items()}


def make_searches(vectors: Vectors) -> dict[str, Index]:
    """The peers that are installed, their indexes built."""
    searches: dict[str, Index] = {}
    for name in ("hnswlib", "Annoy", "Faiss IVF"):
        try:
            index = PEERS[name](vectors, "l2")
            index.build(cores())
            searches[name] = index
        except ImportError as error:
            print(f"  {name}: skipped, not installed ({error})", file=sys.stderr)
    return searches


def nearest(index: Index, query: Vectors, k: int, effort: int) -> list[int]:
    """The rows that a search in memory finds."""
    found = index.search(query[None], k, max(effort, k) if index.at_least_k else effort)[0]
    rows: list[int] = found[found >= 0].tolist()
    return rows


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
