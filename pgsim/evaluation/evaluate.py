"""Measure the answers: neighbours found, hubs among them, and labels shared with the seed."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgsim.errors import PgsimError, UsageError
from pgsim.evaluation.ask import DEEPEST, ask_index, ask_live, ef_search
from pgsim.evaluation.confidence import interval
from pgsim.evaluation.hubs import Hubness, Precision, read_occurrences
from pgsim.matrix.engines import make_searcher
from pgsim.matrix.engines.keys import distances
from pgsim.matrix.engines.tuning import found_share
from pgsim.postgres.connection import Connection
from pgsim.postgres.rows import one_row
from pgsim.progress import Say, silent
from pgsim.store.collection import read_collection
from pgsim.store.index import has_index
from pgsim.store.lists import read_lists
from pgsim.store.vectors import Vectors, read_vectors
from pgsim.threads import cores

K = 10  # neighbours in an answer that a person reads
SAMPLE = 1000
NAMES = {"index": "HNSW index", "live": "live answer", "matrix": "stored matrix"}


@dataclass(frozen=True, slots=True)
class Recall:
    """The share of the true k nearest that one of NAMES finds when asked for k.

    `ef_search` is a setting of the HNSW index alone; pgsim's live answer chooses its own. The
    recall over all recordings lies between `low` and `high`, at 95 %; recordings as near as the
    true kth count as found. `distance_ratio` is the sum of the found by that of the true distances
    at a rank, the mean over ranks; 1 where perfect. `recall_by_k` and `distance_ratio_by_rank` go
    from 1 to k, for the first recordings of the same answers.
    """

    found_by: str
    k: int
    ef_search: int | None
    recall: float
    low: float
    high: float
    distance_ratio: float
    recall_by_k: list[float]
    distance_ratio_by_rank: list[float]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The measurements, on a random sample of `recordings`; `seed` is that of the random numbers.

    `pending` counts changes since the lists were made; without lists `hubness` and `labels` are
    empty.
    """

    recordings: int
    lists: int
    pending: int
    sample: int
    seed: int
    recall: list[Recall]
    hubness: list[Hubness]
    labels: list[Precision]


def evaluate(
    conn: Connection,
    *,
    sample: int = SAMPLE,
    seed: int = 0,
    threads: int | None = None,
    say: Say = silent,
) -> Evaluation:
    """Measure the HNSW index, the live answer and the stored lists against an exact scan.

    `conn` is in autocommit mode. Hubs and labels are counted over all stored lists. PgsimError
    where there are fewer than two recordings.
    """
    read_collection(conn)
    if sample < 1:
        raise UsageError(f"sample is {sample}, but must be at least 1")
    say("reading the vectors")
    all_ = read_vectors(conn)
    n = len(all_.ids)
    if n < 2:
        raise PgsimError(f"nothing to evaluate: {n} recordings with a vector; run pgsim load")
    length, lists, pending = one_row(
        conn,
        "SELECT c.list_length, (SELECT count(*) FROM pgsim.similarity),"
        " (SELECT count(*) FROM pgsim.stale) FROM pgsim.collection AS c",
    )
    deepest = min(length, n - 1, DEEPEST)
    rows = np.sort(np.random.default_rng(seed).permutation(n)[:sample])

    say(f"{len(rows):,} recordings against all {n:,}, exactly")
    exact = make_searcher(
        "exact", all_.vectors, all_.order(), deepest, 1.0, threads or cores(), say
    )
    _, truth = exact.search(rows)
    ways: list[tuple[str, Callable[[int], NDArray[np.int32]]]] = [
        ("live", lambda k: ask_live(conn, all_.ids[rows], k))
    ]
    if has_index(conn):
        ways.insert(0, ("index", lambda k: ask_index(conn, all_.ids[rows], k)))
    if lists:
        ways.append(("matrix", lambda k: _ask_matrix(conn, all_.ids[rows], k)))
    found = []
    for found_by, ask in ways:
        for k in sorted({min(K, deepest), deepest}):
            say(f"{found_by}: the {k} nearest")
            apart = _distances(all_, rows, ask(k), k)
            breadth = ef_search(conn, k) if found_by == "index" else None
            found.append(_recall(found_by, breadth, apart, truth[:, :k], n))
    hubness: list[Hubness] = []
    labels: list[Precision] = []
    if lists:
        say(f"counting the members of {lists:,} lists")
        hubness, labels = read_occurrences(conn, all_, K)
    return Evaluation(
        recordings=n,
        lists=lists,
        pending=pending,
        sample=len(rows),
        seed=seed,
        recall=found,
        hubness=hubness,
        labels=labels,
    )


def _ask_matrix(conn: Connection, ids: NDArray[np.int32], k: int) -> NDArray[np.int32]:
    listed, neighbours, _ = read_lists(conn, ids, k)
    result = np.full((len(ids), k), -1, np.int32)
    result[np.searchsorted(ids, listed)] = neighbours
    return result


def _distances(
    all_: Vectors, rows: NDArray[np.intp], found: NDArray[np.int32], k: int
) -> NDArray[np.float32]:
    """The distances (m, k) of the found ones today, nearest first; inf for gone and missing ones.

    All are computed by one formula, the true ones too: pgvector's differs in the last bit.
    """
    row_of = all_.row_of()
    others = row_of[np.minimum(found, len(row_of) - 1)]
    query, column = np.nonzero(others >= 0)
    result = np.full((len(rows), k), np.inf, np.float32)
    result[query, column] = distances(all_.vectors, rows[query], others[query, column])
    return np.sort(result, axis=1)


def _recall(
    found_by: str,
    ef_search: int | None,
    found: NDArray[np.float32],
    truth: NDArray[np.float32],
    population: int,
) -> Recall:
    k = truth.shape[1]
    shares = found_share(found, truth)
    low, high = interval(shares, k, population)
    there = np.isfinite(found)
    # A ratio of sums: in a mean of ratios one recording with a close copy outweighs all others.
    sums = [
        (float(found[own, rank].sum(dtype=float)), float(truth[own, rank].sum(dtype=float)))
        for rank, own in enumerate(there.T)
    ]
    by_rank = [near / true if true else 1.0 for near, true in sums]
    return Recall(
        found_by,
        k,
        ef_search,
        float(shares.mean()),
        low,
        high,
        float(np.mean(by_rank)),
        [float(found_share(found[:, :i], truth[:, :i]).mean()) for i in range(1, k + 1)],
        by_rank,
    )
