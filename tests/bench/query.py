"""make bench-query: questions to pgsim and to its peers; one run, one machine, one collection.

Everything is warm, asked one question at a time by one process unless it says so; PostgreSQL by
psycopg with prepared statements, Redis by redis-py (with hiredis where that is installed), both
through Unix sockets. The ways to ten neighbours take turns, so that what else the machine does
meets all alike; who asks has one core and the servers another, because on which core they meet is
else the scheduler's whim, and doubles or halves a figure. Every answer has ten recordings with
their metadata (the HDF5 row, which has none, says so). Redis holds the lists and answers of the
seeds asked for only, which favours it. A peer that searches live is set to the least effort that
reaches recall@10 >= 0.99; ties count as found.

Filters are a genre and a decade: the recordings of a filter lie anywhere (mixed), or all in one
corner of the space, far from most seeds (far).
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from pgsim.matrix.engines import make_searcher
from pgsim.matrix.rebuild import rebuild
from pgsim.planning.synthetic import DIMENSIONS, make_vectors
from pgsim.postgres.connection import Connection, another, connect
from pgsim.store.index import build_index
from tests.bench.common import apart, fresh_database
from tests.bench.redis import running

K, RECALL = 10, 0.99
EFFORTS = (20, 40, 60, 100, 150, 200, 300, 400, 600, 800, 1600)
COLUMNS = "mbid, artist, title, album, year, genre"
# Genre, share of the recordings, and whether they lie in one corner; the decade follows the genre.
FILTERS = (
    *(("m10", 0.1, False), ("m1", 0.01, False), ("m01", 0.001, False), ("m001", 0.0001, False)),
    *(("f10", 0.1, True), ("f1", 0.01, True), ("f01", 0.001, True), ("f001", 0.0001, True)),
)
DECADES = {name: 1940 + 10 * place for place, (name, _, _) in enumerate(FILTERS)}

Vectors = NDArray[np.float32]
Rows = NDArray[np.intp]
# A question asked: the row numbers of its answer, nearest first.
Ask = Callable[[int], Sequence[int]]
# A search in memory: a vector, how many, and with what effort.
Search = Callable[[NDArray[np.float32], int, int], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Collection:
    """The recordings: vectors (n, 67), genres and years (n,); an MBID is made of a row's number."""

    vectors: Vectors
    genres: NDArray[np.str_]
    years: NDArray[np.int_]

    def mbid(self, row: int) -> UUID:
        return UUID(int=(row + 1) * 0x9E3779B97F4A7C15 % (1 << 128))


def make_collection(n: int) -> Collection:
    """n recordings; those of a far filter have the largest values in one dimension."""
    rng = np.random.default_rng(5)
    vectors = make_vectors(n)
    genres = np.full(n, "other", "U5")
    corner, lot = iter(np.argsort(-vectors[:, 1])), iter(rng.permutation(n))
    for name, share, is_far in sorted(FILTERS, key=lambda each: each[1]):
        wanted = max(K + 1, round(n * share))
        for row in corner if is_far else lot:
            if genres[row] == "other":
                genres[row] = name
                wanted -= 1
                if not wanted:
                    break
    years = np.array([DECADES.get(str(genre), 2010) for genre in genres])
    return Collection(vectors, genres, years + rng.integers(10, size=n))


def write(conn: Connection, all_: Collection) -> None:
    with conn.cursor().copy(
        f"COPY pgsim.recording ({COLUMNS}, vector) FROM STDIN (FORMAT binary)".encode()
    ) as copy:
        copy.set_types(["uuid", "text", "text", "text", "int2", "text", "vector"])
        for row, vector in enumerate(all_.vectors):
            copy.write_row((all_.mbid(row), *metadata(all_, row), vector))


def metadata(all_: Collection, row: int) -> tuple[str, str, str, int, str]:
    """Artist, title, album, year and genre of a row."""
    names = f"Artist number {row // 15}", f"The title of song {row}", f"Album {row // 10}"
    return (*names, int(all_.years[row]), str(all_.genres[row]))


def true_neighbours(all_: Collection, seeds: Rows, among: Rows) -> Vectors:
    """(m, 10) distances of the nearest among some rows, the seed itself left out."""
    vectors, squares = all_.vectors[among], (all_.vectors[among] ** 2).sum(axis=1)
    result = np.full((len(seeds), K), np.inf, np.float32)
    for place, seed in enumerate(seeds):
        near = squares - 2 * vectors @ all_.vectors[seed]
        near[among == seed] = np.inf
        best = among[np.argpartition(near, min(3 * K, len(near) - 1))[: 3 * K]]
        best = best[best != seed]
        own = np.sort(np.linalg.norm(all_.vectors[best] - all_.vectors[seed], axis=1))[:K]
        result[place, : len(own)] = own
    return result


def recall(all_: Collection, seeds: Rows, answers: list[Sequence[int]], truth: Vectors) -> float:
    """recall@10: neighbours no farther than the true tenth."""
    found = 0
    for seed, answer, true in zip(seeds, answers, truth, strict=True):
        apart = np.linalg.norm(all_.vectors[list(answer)] - all_.vectors[seed], axis=1)
        found += int((apart <= true[-1] * (1 + 1e-5) + 1e-6).sum())
    return found / truth.size


@dataclass(frozen=True, slots=True)
class Figure:
    """What one way of asking measured: recall@10 and milliseconds a question."""

    section: str
    what: str
    recall: float | None
    p50: float
    p95: float
    p99: float
    per_second: float | None = None
    clients: int = 1

    def line(self) -> str:
        found = "      " if self.recall is None else f"{self.recall:6.4f}"
        rate = "" if self.per_second is None else f"{self.per_second:8.0f}/s"
        return f"  {self.what:46}{found} {self.p50:8.3f} {self.p95:8.3f} {self.p99:8.3f}{rate}"


@dataclass(frozen=True, slots=True)
class Route:
    """One way to ask; `prepare` is called before each round of questions."""

    what: str
    prepare: Callable[[], Ask]
    has_recall: bool = True


class Run:
    """The figures of one size, printed as they come."""

    def __init__(self, all_: Collection, seeds: Rows) -> None:
        self.all, self.seeds = all_, seeds
        self.figures: list[Figure] = []

    def section(self, name: str, truth: Vectors | None, seeds: Rows | None = None) -> None:
        self.name, self.truth = name, truth
        self.asked = self.seeds if seeds is None else seeds
        print(f"\n{name}\n  {'':46}recall      p50      p95      p99  ms", flush=True)

    def compare(self, routes: Iterable[Route], rounds: int = 5) -> None:
        """Ask all seeds by each route in turn, several times, all but the first to be timed."""
        routes = list(routes)
        times: dict[str, list[float]] = {route.what: [] for route in routes}
        answers: dict[str, list[Sequence[int]]] = {}
        for turn in range(rounds + 1):
            for route in routes:
                ask = route.prepare()
                taken, found = [], []
                for seed in self.asked.tolist():
                    started = time.perf_counter()
                    found.append(ask(seed))
                    taken.append((time.perf_counter() - started) * 1000)
                answers[route.what] = found
                if turn:
                    times[route.what] += taken
        for route in routes:
            share = None
            if route.has_recall and self.truth is not None:
                share = recall(self.all, self.asked, answers[route.what], self.truth)
            quantiles = np.percentile(times[route.what], (50, 95, 99))
            self.note(Figure(self.name, route.what, share, *quantiles))

    def tune(self, what: str, prepare: Callable[[int], Ask]) -> Route:
        """The route of the least effort that reaches the recall, or of the most that was tried."""
        assert self.truth is not None
        some = slice(0, 200)
        for effort in EFFORTS:
            ask = prepare(effort)
            answers = [ask(seed) for seed in self.asked[some].tolist()]
            if recall(self.all, self.asked[some], answers, self.truth[some]) >= RECALL + 0.002:
                break
        return Route(f"{what}, effort {effort}", lambda: prepare(effort))

    def note(self, figure: Figure) -> Figure:
        print(figure.line(), flush=True)
        self.figures.append(figure)
        return figure


class Pgsim:
    """Questions to pgsim by one connection; answers as row numbers."""

    def __init__(self, conn: Connection, all_: Collection) -> None:
        self.conn, self.all = conn, all_
        self.cursor = conn.cursor(binary=True)
        self.row_of = {all_.mbid(row): row for row in range(len(all_.vectors))}

    def asker(self, query: str) -> Ask:
        """A prepared question that takes a seed's MBID; its second column is the answer's."""
        text, execute, mbid, row_of = (
            query.encode(),
            self.cursor.execute,
            self.all.mbid,
            self.row_of,
        )

        def ask(seed: int) -> Sequence[int]:
            rows = execute(text, (mbid(seed),), prepare=True).fetchall()
            return [row_of[row[1]] for row in rows]

        return ask

    def titles(self, rows: Sequence[int]) -> Sequence[int]:
        """What answers from memory still need: one statement for the metadata of ten rows."""
        self.cursor.execute(
            f"SELECT id, {COLUMNS} FROM pgsim.recording WHERE mbid = ANY(%s)".encode(),
            ([self.all.mbid(row) for row in rows],),
            prepare=True,
        ).fetchall()
        return rows


SIMILAR = "SELECT * FROM pgsim.similar_recordings(%s, 10)"
DISTANCE = "SELECT * FROM pgsim.similar_recordings(%s, 10, ranking => 'distance')"
# Neither ranked nor with a similarity, and false where anything has changed.
BY_HAND = """
    SELECT r.id, r.mbid, r.artist, r.title, r.album, r.year, r.genre, n.distance
    FROM pgsim.recording AS s
    JOIN pgsim.similarity AS l ON l.id = s.id
    CROSS JOIN LATERAL unnest(l.neighbours[:10], l.distances[:10]) AS n (id, distance)
    JOIN pgsim.recording AS r ON r.id = n.id
    WHERE s.mbid = %s
"""
JOIN = f"""
    SELECT n.id, n.mbid, n.artist, n.title, n.album, n.year, n.genre,
        n.vector <-> s.vector AS distance
    FROM pgsim.recording AS s
    CROSS JOIN LATERAL (
        SELECT id, {COLUMNS}, vector FROM pgsim.recording AS r
        WHERE r.id <> s.id {{condition}} ORDER BY r.vector <-> s.vector LIMIT 10
    ) AS n
    WHERE s.mbid = %s
"""


def stored_routes(pgsim: Pgsim) -> list[Route]:
    """pgsim's answers, and what PostgreSQL takes for less than them."""

    def nothing(seed: int) -> Sequence[int]:
        mbid = pgsim.all.mbid(seed)
        pgsim.cursor.execute(b"SELECT %s::uuid", (mbid,), prepare=True).fetchall()
        return []

    return [
        Route("pgsim, by similarity", lambda: pgsim.asker(SIMILAR), has_recall=False),
        Route("pgsim, by distance", lambda: pgsim.asker(DISTANCE)),
        Route("the list and its titles, joined by hand", lambda: pgsim.asker(BY_HAND)),
        Route("PostgreSQL, an empty statement", lambda: nothing, has_recall=False),
    ]


def redis_routes(run: Run, pgsim: Pgsim, server: Any) -> list[Route]:
    """The same lists and titles, by Redis: two round trips, or one for a ready answer."""
    import orjson

    fill_redis(server, run, pgsim)
    row_of = pgsim.row_of

    def neighbours(seed: int) -> Sequence[int]:
        members = _redis_answer(server, run.all.mbid(seed))
        return [row_of[UUID(bytes=mbid)] for mbid, *_ in members]

    def ready(seed: int) -> Sequence[int]:
        answer = server.get(b"answer:" + run.all.mbid(seed).bytes)
        assert isinstance(answer, bytes)
        return [row_of[UUID(each["mbid"])] for each in orjson.loads(answer)]

    return [
        Route("Redis: list, then hashes in one pipeline", lambda: neighbours),
        Route("Redis: GET of ready JSON", lambda: ready),
    ]


def ask_at_once(run: Run, pgsim: Pgsim, socket: str) -> None:
    """Questions a second by one client and by eight."""
    mbids = [run.all.mbid(seed) for seed in run.asked.tolist()]
    for clients in (1, 8):
        words = pgsim.conn.info.dsn, mbids
        rate(run, f"pgsim, by similarity, {clients} clients", clients, _ask_pgsim, words)
    for clients in (1, 8) if socket else ():
        words = socket, mbids
        rate(run, f"Redis: list and hashes, {clients} clients", clients, _ask_redis, words)


def fill_redis(server: Any, run: Run, pgsim: Pgsim) -> None:
    import orjson

    names = ("artist", "title", "album", "year", "genre")
    pipeline = server.pipeline(transaction=False)
    for row in range(len(run.all.vectors)):
        key = b"recording:" + run.all.mbid(row).bytes
        pipeline.hset(key, mapping=dict(zip(names, metadata(run.all, row), strict=True)))
        if row % 20000 == 0:
            pipeline.execute()
    for seed in run.asked.tolist():
        mbid = run.all.mbid(seed)
        rows = pgsim.cursor.execute(DISTANCE.encode(), (mbid,), prepare=True).fetchall()
        flat = [value for row in rows for value in (row[1].bytes, row[7])]
        pipeline.rpush(b"list:" + mbid.bytes, *flat)
        keys = ("rank", "mbid", *names, "distance", "similarity")
        named = [dict(zip(keys, row, strict=True)) for row in rows]
        pipeline.set(b"answer:" + mbid.bytes, orjson.dumps(named))
    pipeline.execute()


def _redis_answer(server: Any, mbid: UUID) -> list[tuple[Any, ...]]:
    flat = server.lrange(b"list:" + mbid.bytes, 0, 2 * K - 1)
    pipeline = server.pipeline(transaction=False)
    for member in flat[::2]:
        pipeline.hgetall(b"recording:" + member)
    return list(zip(flat[::2], flat[1::2], pipeline.execute(), strict=True))


def rate(run: Run, what: str, clients: int, work: Callable[..., Any], words: Any) -> None:
    """Questions a second by several processes, for five seconds."""
    with get_context("spawn").Pool(clients) as pool:
        done = [pool.apply_async(work, (*words, 5.0)) for _ in range(clients)]
        counts = [each.get() for each in done]
    times = np.concatenate([times for _, times in counts])
    per_second = sum(count for count, _ in counts)
    run.note(Figure(run.name, what, None, *np.percentile(times, (50, 95, 99)), per_second, clients))


def _ask_pgsim(url: str, mbids: list[UUID], seconds: float) -> tuple[float, NDArray[np.float64]]:
    with closing(connect(url, autocommit=True)) as conn:
        cursor = conn.cursor(binary=True)
        query = SIMILAR.encode()
        return _keep_asking(
            lambda mbid: cursor.execute(query, (mbid,), prepare=True).fetchall(), mbids, seconds
        )


def _ask_redis(socket: str, mbids: list[UUID], seconds: float) -> tuple[float, NDArray[np.float64]]:
    import redis

    server = redis.Redis(unix_socket_path=socket)
    return _keep_asking(lambda mbid: _redis_answer(server, mbid), mbids, seconds)


def _keep_asking(
    ask: Callable[[UUID], Any], mbids: list[UUID], seconds: float
) -> tuple[float, NDArray[np.float64]]:
    """Questions a second, and milliseconds of each, after a warm second."""
    order = np.random.default_rng(os.getpid()).permutation(len(mbids)).tolist()
    times: list[float] = []
    begun = time.perf_counter()
    at = 0
    while (now := time.perf_counter()) < begun + seconds + 1:
        ask(mbids[order[at % len(order)]])
        at += 1
        if now > begun + 1:
            times.append((time.perf_counter() - now) * 1000)
    return len(times) / seconds, np.array(times)


@contextmanager
def hdf5_route(run: Run, pgsim: Pgsim, folder: Path) -> Iterator[list[Route]]:
    """A row of a matrix of neighbours and distances in a file, without any metadata."""
    try:
        import h5py
    except ImportError as error:
        print(f"  HDF5: skipped, not installed ({error})", file=sys.stderr)
        yield []
        return

    lists = pgsim.conn.execute(
        "SELECT r.mbid, array(SELECT o.mbid FROM unnest(s.neighbours[:10]) WITH ORDINALITY AS n"
        " (id, place) JOIN pgsim.recording AS o ON o.id = n.id ORDER BY n.place), s.distances[:10]"
        " FROM pgsim.recording AS r JOIN pgsim.similarity AS s ON s.id = r.id"
        " WHERE r.mbid = ANY(%s)",
        ([run.all.mbid(seed) for seed in run.asked.tolist()],),
    ).fetchall()
    shape, chunks = (len(run.all.vectors), K), (1024, K)
    with h5py.File(folder / "matrix.h5", "w") as file:
        neighbours = file.create_dataset("neighbours", shape, "i4", chunks=chunks)
        distances = file.create_dataset("distances", shape, "f4", chunks=chunks)
        for mbid, mbids, apart in lists:
            row = pgsim.row_of[mbid]
            neighbours[row] = [pgsim.row_of[each] for each in mbids]
            distances[row] = apart

        def ask(seed: int) -> Sequence[int]:
            distances[seed]
            found: list[int] = neighbours[seed].tolist()
            return found

        yield [Route("HDF5 row, numbers only", lambda: ask)]


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


def ask_filtered(run: Run, pgsim: Pgsim, searches: dict[str, Search], count: int) -> None:
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
    run: Run, pgsim: Pgsim, searches: dict[str, Search], name: str
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


def overfetching(run: Run, pgsim: Pgsim, search: Search, allowed: NDArray[np.bool_]) -> Ask:
    """Ten times as many as the filter's share calls for, then ten times more until ten match."""
    n = len(allowed)

    def ask(seed: int) -> Sequence[int]:
        fetched = min(n, 10 * K)
        while True:
            found = np.array(search(run.all.vectors[seed], fetched, max(64, fetched // 100)))
            rows = without(seed, found[allowed[found]].tolist())
            if len(rows) == K or fetched == n:
                return pgsim.titles(rows)
            fetched = min(n, 10 * fetched)

    return ask


def filtering(run: Run, pgsim: Pgsim, search: Search, allowed: NDArray[np.bool_]) -> Ask:
    index = search.index  # type: ignore[attr-defined]
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


def print_bars(run: Run) -> None:
    """The bars as ratios: met, or missed by how much."""
    print("\nbars")
    p50 = {figure.what: figure.p50 for figure in run.figures if figure.section.startswith("ten")}
    similar, distance = p50["pgsim, by similarity"], p50["pgsim, by distance"]
    pipeline = p50.get("Redis: list, then hashes in one pipeline")
    ready = p50.get("Redis: GET of ready JSON")
    if pipeline and ready:
        bar("p50 by similarity / Redis in one pipeline", similar / pipeline, 0.8)
        bar("p50 by distance / Redis in one pipeline", distance / pipeline, 0.6)
        bar("p50 by similarity / GET of ready JSON", similar / ready, 2)
    live = [f for f in run.figures if "effort" in f.what and (f.recall or 0) >= RECALL]
    for figure in live:
        bar(f"p50 by similarity / {figure.what}", similar / figure.p50, 1)
    for section in dict.fromkeys(
        f.section for f in run.figures if f.section.startswith("filtered")
    ):
        own, *peers = [figure for figure in run.figures if figure.section == section]
        print(f"  {section}")
        bar("    1 - recall", 1 - (own.recall or 0), 0.01)
        good = [figure for figure in peers if (figure.recall or 0) >= RECALL]
        if good:
            best = min(good, key=lambda figure: figure.p95)
            bar(f"    p95 / {best.what}", own.p95 / best.p95, 1)
        else:
            print("    p95: no peer reaches the recall")


def bar(what: str, value: float, most: float) -> None:
    verdict = "met" if value <= most else f"missed by {value / most - 1:.0%}"
    print(f"  {what:64}{value:7.2f} <= {most:<5g} {verdict}")


def plot(curves: dict[str, list[tuple[float, float]]], run: Run, path: Path) -> None:
    """Latency against recall: live searches as curves over their effort, stored lists as points."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5), layout="constrained")
    for name, points in curves.items():
        axes.plot(*zip(*points, strict=True), marker=".", label=name)
    for each in run.figures:
        if each.section.startswith("ten") and each.recall is not None and "effort" not in each.what:
            axes.plot(each.recall, each.p50, "*", markersize=11, label=each.what)
    axes.set(
        xlabel="recall@10",
        ylabel="milliseconds a question (median), titles included",
        yscale="log",
        title=f"Ten neighbours among {len(run.all.vectors):,} recordings",
    )
    axes.set_xlim(right=1.005)
    axes.grid(which="both", alpha=0.3)
    axes.legend(fontsize="small")
    figure.savefig(path, dpi=150)
    print(f"plot: {path}")


@contextmanager
def collection_in(all_: Collection) -> Iterator[Connection]:
    """A database with the recordings, their index and their lists."""
    with fresh_database(DIMENSIONS) as conn:
        for what, step in (
            ("loaded", lambda: write(conn, all_)),
            ("indexed", lambda: build_index(conn)),
            ("lists made", lambda: rebuild(conn)),
            ("vacuumed", lambda: conn.execute("VACUUM (ANALYZE)")),
        ):
            started = time.monotonic()
            step()
            print(f"  {what} in {time.monotonic() - started:.0f} s", flush=True)
        yield conn


def bench(n: int, words: argparse.Namespace) -> Run:
    print(f"\n{n:,} recordings", flush=True)
    all_ = make_collection(n)
    seeds = np.random.default_rng(1).choice(n, min(words.seeds, n), replace=False)
    run = Run(all_, seeds)
    order = np.arange(n, dtype=np.int32)
    exact = make_searcher("exact", all_.vectors, order, K, 1, os.cpu_count() or 1, lambda _: None)
    truth = exact.search(seeds)[1]
    with collection_in(all_) as conn, tempfile.TemporaryDirectory() as name:
        pgsim, folder = Pgsim(conn, all_), Path(name)
        searches = make_searches(all_.vectors)
        run.section("ten neighbours with titles", truth)
        with (
            closing(another(conn)) as other,
            running(folder / "redis") as socket,
            hdf5_route(run, pgsim, folder) as hdf5,
        ):
            routes = [*stored_routes(pgsim), *hdf5]
            servers = [conn.info.backend_pid, other.info.backend_pid]
            if socket:
                import redis

                server = redis.Redis(unix_socket_path=socket)
                routes += redis_routes(run, pgsim, server)
                servers.append(server.info("server")["process_id"])
            live, curves = live_routes(run, pgsim, other, searches)
            with apart(servers):
                run.compare(routes + live)
            ask_at_once(run, pgsim, socket)
        ask_filtered(run, pgsim, searches, words.filtered)
        print("\n  Redis 8 vector sets with FILTER: skipped, Debian has Redis 7")
    print_bars(run)
    if words.plot:
        plot(curves, run, words.plot.with_stem(f"{words.plot.stem}-{n}"))
    return run


def print_growth(runs: list[Run]) -> None:
    """How each figure grows with the collection."""
    first, last = runs[0], runs[-1]
    sizes = f"{len(first.all.vectors):,} to {len(last.all.vectors):,}"
    print(f"\ngrowth of p50 and p95 from {sizes} recordings")
    before = {(f.section.split(":")[0], f.what.split(", effort")[0]): f for f in first.figures}
    for figure in last.figures:
        key = figure.section.split(":")[0], figure.what.split(", effort")[0]
        if key in before:
            old = before[key]
            name = f"{key[0]} · {key[1]}" if key[0].startswith("filtered") else key[1]
            print(f"  {name:76}{figure.p50 / old.p50:6.2f} {figure.p95 / old.p95:6.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, nargs="+", default=[100_000])
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--filtered", type=int, default=200, help="seeds asked with each filter")
    parser.add_argument("--plot", type=Path, help="a PNG file; the size is put into its name")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    words = parser.parse_args()
    runs = [bench(n, words) for n in words.recordings]
    if len(runs) > 1:
        print_growth(runs)
    if words.json:
        figures = {
            len(run.all.vectors): [{s: getattr(f, s) for s in f.__slots__} for f in run.figures]
            for run in runs
        }
        words.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
