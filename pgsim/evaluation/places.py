"""Measure the map: whether what lies near on it is near in sound."""

from dataclasses import dataclass

import numpy as np

from pgsim.errors import UsageError
from pgsim.evaluation.confidence import interval
from pgsim.matrix.engines import make_searcher
from pgsim.postgres.connection import Connection
from pgsim.progress import Say, silent
from pgsim.store.collection import read_collection
from pgsim.store.places import read_places
from pgsim.store.vectors import read_vectors
from pgsim.threads import cores

K = 10  # nearest on the map
AMONG = 100  # nearest in sound


@dataclass(frozen=True, slots=True)
class MapQuality:
    """How near in sound the nearest on the map are, on a random sample of `recordings` on it.

    `found` is the share of a recording's `k` nearest on the map that are among its `among` nearest
    in sound, by an exact scan; over all recordings it lies between `low` and `high`, at 95 %.
    `chance` is the share for random places. `without` recordings have no place.
    """

    recordings: int
    without: int
    sample: int
    seed: int
    k: int
    among: int
    found: float
    low: float
    high: float
    chance: float


def evaluate_map(
    conn: Connection,
    *,
    sample: int = 1000,
    seed: int = 0,
    threads: int | None = None,
    say: Say = silent,
) -> MapQuality:
    """Measure the map on a random sample of the recordings on it.

    PgsimError where there is no map, UsageError for a sample below 1 or a map of one recording.
    """
    read_collection(conn)
    if sample < 1:
        raise UsageError(f"sample is {sample}, but must be at least 1")
    say("reading the map and the vectors")
    placed, places = read_places(conn)
    all_ = read_vectors(conn)
    is_placed = np.isin(placed, all_.ids)
    placed, places = placed[is_placed], places[is_placed]
    n = len(placed)
    if n < 2:
        raise UsageError(f"nothing to evaluate: {n} recordings are on the map")
    own = all_.row_of()[placed]
    order = np.argsort(np.argsort(all_.order()[own])).astype(np.int32)
    rows = np.sort(np.random.default_rng(seed).permutation(n)[:sample])
    k, among = min(K, n - 1), min(AMONG, n - 1)

    say(f"{len(rows):,} recordings against all {n:,}, exactly")
    near = []
    for vectors, count in ((places, k), (all_.vectors[own], among)):
        searcher = make_searcher("exact", vectors, order, count, 1.0, threads or cores(), say)
        near.append(searcher.search(rows)[0])
    shares = np.array(
        [np.isin(on_map, in_sound).mean() for on_map, in_sound in zip(*near, strict=True)]
    )
    return MapQuality(
        n,
        len(all_.ids) - n,
        len(rows),
        seed,
        k,
        among,
        float(shares.mean()),
        *interval(shares, k, n),
        among / (n - 1),
    )
