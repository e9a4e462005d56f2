"""Questions with a filter, by pgsim and by peers that search first, or filter first."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tests.bench.peers import Index
from tests.bench.query.asking import JOIN, Pgsim
from tests.bench.query.collection import DECADES, FILTERS, K, true_neighbours
from tests.bench.query.measuring import Ask, Route, Run
from tests.bench.query.searches import nearest, without


def ask_filtered(run: Run, pgsim: Pgsim, searches: dict[str, Index], count: int) -> None:
    """Each filter, by pgsim and by peers that search first, or filter first."""
    seeds = run.seeds[:count]
    everything: list[tuple[str, float]] = [("all", 1.0)]
    for name, share in everything + [(name, share) for name, share, _ in FILTERS]:
        matching = np.arange(len(run.all.years))
        if name != "all":
            matching = np.flatnonzero(run.all.genres == name)
        truth = true_neighbours(run.all, seeds, matching)
        kind = "" if name == "all" else ", far" if name.startswith("f") else ", mixed"
        run.section(f"filtered, {share:.2%}{kind}: {len(matching):,} match", truth, seeds)
        run.compare(filtered_routes(run, pgsim, searches, name), rounds=1)


def filtered_routes(
    run: Run, pgsim: Pgsim, searches: dict[str, Index], name: str
) -> Iterator[Route]:
    if name == "all":
        words, condition = "year_from => 1900", "AND r.year >= 1900"
    else:
        first = DECADES[name]
        words = f"genre => '{name}', decade => {first}"
        condition = f"AND r.genre = '{name}' AND r.year BETWEEN {first} AND {first + 9}"
    question = f"SELECT * FROM pgsim.similar_recordings(%s, 10, {words}, ranking => 'distance')"
    yield Route("pgsim", lambda: pgsim.asker(question))

    def join(scan: str) -> Ask:
        pgsim.conn.execute(f"SET hnsw.iterative_scan = {scan}".encode())
        return pgsim.asker(JOIN.format(condition=condition))

    yield Route("pgvector as it comes", lambda: join("off"))
    yield Route("pgvector, iterative scan", lambda: join("relaxed_order"))

    # What a program holds in memory: a number for each genre, and the decade, of each row.
    names, genre_of = np.unique(run.all.genres, return_inverse=True)
    decades = run.all.years - run.all.years % 10
    wanted = int(np.searchsorted(names, name))

    def mask() -> NDArray[np.bool_]:
        if name == "all":
            return run.all.years >= 1900
        result: NDArray[np.bool_] = (genre_of == wanted) & (decades == DECADES[name])
        return result

    def prefiltered(seed: int) -> Sequence[int]:
        rows = np.flatnonzero(mask())
        near = ((run.all.vectors[rows] - run.all.vectors[seed]) ** 2).sum(axis=1)
        best = rows[np.argpartition(near, min(K + 1, len(rows) - 1))[: K + 1]]
        apart = ((run.all.vectors[best] - run.all.vectors[seed]) ** 2).sum(axis=1)
        return pgsim.titles(without(seed, best[np.argsort(apart)].tolist()))

    yield Route("NumPy, pre-filter", lambda: prefiltered)
    allowed = mask()
    for peer in ("Faiss IVF", "Annoy"):
        if peer in searches:
            prepare = partial(overfetching, run, pgsim, searches[peer], allowed)
            yield Route(f"{peer}, over-fetch and post-filter", prepare)
    if "hnswlib" in searches:
        prepare = partial(filtering, run, pgsim, searches["hnswlib"], allowed)
        yield Route("hnswlib, filter function", prepare)


def overfetching(run: Run, pgsim: Pgsim, search: Index, allowed: NDArray[np.bool_]) -> Ask:
    """Ten times as many as the filter's share calls for, then ten times more until ten match."""
    n = len(allowed)

    def ask(seed: int) -> Sequence[int]:
        fetched = min(n, 10 * K)
        while True:
            found = np.array(
                nearest(search, run.all.vectors[seed], fetched, max(64, fetched // 100))
            )
            rows = without(seed, found[allowed[found]].tolist())
            if len(rows) == K or fetched == n:
                return pgsim.titles(rows)
            fetched = min(n, 10 * fetched)

    return ask


def filtering(run: Run, pgsim: Pgsim, search: Index, allowed: NDArray[np.bool_]) -> Ask:
    index = search.index
    index.set_ef(400)

    def ask(seed: int) -> Sequence[int]:
        try:
            found = index.knn_query(
                run.all.vectors[seed], K + 1, num_threads=1, filter=allowed.__getitem__
            )[0][0].tolist()
        except RuntimeError:  # fewer than eleven were reached
            return []
        return pgsim.titles(without(seed, found))

    return ask
