"""Collections whose HNSW index is built again and again, each time as another graph.

pgvector draws the level of each row from a random state that PostgreSQL seeds for each backend, and
links rows in the order of the heap. So every build here has a connection of its own and another
order of the rows; every second build shares its work among parallel workers.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from pgsim import embedded
from pgsim.features.profile import FeatureSet, Profile
from pgsim.postgres.connection import Connection, connect
from pgsim.store import schema
from pgsim.store.index import build_index
from tests.support.rows import one

K = 10
SHARES = (0.1, 0.01, 0.001, 0.0001)
Vectors = NDArray[np.float32]
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Filtered:
    """A filter: its words in SQL, the rows that match, and each seed's true distances (m, 10)."""

    words: str
    rows: Rows
    truth: NDArray[np.float64]

    def found(self, place: int, distances: list[float]) -> int:
        """How many of these are no farther from a seed than its true tenth."""
        true = self.truth[place]
        farthest = true[np.isfinite(true)].max()
        return sum(distance <= farthest * (1 + 1e-5) + 1e-6 for distance in distances)


class Graphs:
    """A collection, its filters, and seeds to ask with.

    Recordings of a mixed filter (genre m…, or a range of years) lie anywhere. Those of a far filter
    (genre f…) lie in one corner of the space. Those of a half (a range of lengths) lie on one side
    of a plane: near some seeds, far from others.
    """

    def __init__(self, vectors: Vectors, seeds: int) -> None:
        rng = np.random.default_rng(5)
        n = len(vectors)
        self.vectors = vectors
        self.seeds: Rows = rng.choice(n, seeds, replace=False)
        self.genres = _genres(vectors, rng)
        self.years = rng.integers(1900, 2000, n)
        side = vectors @ (rng.normal(size=vectors.shape[1]) * vectors.std(axis=0))
        self.lengths = (np.argsort(np.argsort(side)) + 0.5) / n * 1000
        chosen = {"": np.ones(n, bool), "year_from => 1": np.ones(n, bool)}
        for share in (0.5, 0.3, 0.05):
            last = 1900 + round(100 * share) - 1
            chosen[f"year_to => {last}"] = self.years <= last
        for share in (0.7, 0.5, 0.3, 0.1, 0.05):
            chosen[f"length_to => {1000 * share:.0f}"] = self.lengths <= 1000 * share
        for kind in "mf":
            for share in SHARES:
                chosen[f"genre => '{kind}{share}'"] = self.genres == f"{kind}{share}"
        self.filters = [
            Filtered(words, rows, self._truth(rows))
            for words, rows in ((words, np.flatnonzero(own)) for words, own in chosen.items())
        ]

    def mbid(self, row: int) -> UUID:
        return UUID(int=(row + 1) * 0x9E3779B97F4A7C15 % (1 << 128))

    def _truth(self, among: Rows) -> NDArray[np.float64]:
        """(seeds, 10): the true distances of the nearest among some rows; inf where fewer match."""
        result = np.full((len(self.seeds), K), np.inf)
        whole = self.vectors[among].astype(np.float64)
        for place, seed in enumerate(self.seeds):
            apart = np.sqrt(((whole - self.vectors[seed]) ** 2).sum(axis=1))[among != seed]
            nearest = np.sort(np.partition(apart, min(K, len(apart)) - 1)[:K])
            result[place, : len(nearest)] = nearest
        return result

    def write(self, conn: Connection, build: int) -> None:
        """All recordings, in an order of this build's."""
        conn.execute("TRUNCATE pgsim.recording CASCADE")
        with conn.cursor().copy(
            "COPY pgsim.recording (mbid, title, year, length, genre, vector)"
            " FROM STDIN (FORMAT binary)"
        ) as copy:
            copy.set_types(["uuid", "text", "int2", "float4", "text", "vector"])
            for row in np.random.default_rng(build).permutation(len(self.vectors)).tolist():
                copy.write_row(
                    (
                        self.mbid(row),
                        f"title {row}",
                        int(self.years[row]),
                        float(self.lengths[row]),
                        str(self.genres[row]),
                        self.vectors[row],
                    )
                )
        conn.execute("TRUNCATE pgsim.stale")
        conn.execute("VACUUM ANALYZE pgsim.recording")


def _genres(vectors: Vectors, rng: np.random.Generator) -> NDArray[np.str_]:
    """The genre of each row: of those of a filter that is far, the widest dimension is largest."""
    widest = np.argmax(vectors.var(axis=0))
    genres = np.full(len(vectors), "other", "U7")
    corner, lot = iter(np.argsort(-vectors[:, widest])), iter(rng.permutation(len(vectors)))
    for share in reversed(SHARES):
        for kind, rows in (("m", lot), ("f", corner)):
            wanted = max(K + 1, round(share * len(vectors)))
            free = (row for row in rows if genres[row] == "other")
            for _, row in zip(range(wanted), free, strict=False):
                genres[row] = f"{kind}{share}"
    return genres


def install(server: embedded.Server, name: str, dimensions: int) -> str:
    """The address of a database with pgsim for vectors of so many dimensions."""
    embedded.ensure_database(server, name)
    whole = FeatureSet("all", ("all",), "numbers", dimensions, "isotropic", "mean", 1.0, 0)
    with closing(connect(server.conninfo(name), autocommit=True)) as conn:
        schema.install(conn, Profile("graphs", "none", "tag", (whole,)))
        schema.add_to_search_path(conn)
    return server.conninfo(name)


@contextmanager
def built(url: str, graphs: Graphs, build: int) -> Iterator[Connection]:
    """A connection to the collection with the graph of this build."""
    with closing(connect(url, autocommit=True)) as conn:
        graphs.write(conn, build)
        conn.execute(f"SET max_parallel_maintenance_workers = {2 * (build % 2)}".encode())
        build_index(conn)
    with closing(connect(url, autocommit=True)) as conn:
        yield conn


def ask(
    conn: Connection, graphs: Graphs, words: str, *, seeds: list[int] | None = None
) -> list[list[float]]:
    """The distances of the ten matching recordings nearest to each seed, by default to all."""
    named = dict(part.split(" => ") for part in words.split(", ") if part)
    conditions = ", ".join(
        named.get(name, "NULL")
        for name in ("genre", "decade", "year_from", "year_to", "length_from", "length_to")
    )
    rows = conn.execute(
        "SELECT ARRAY("
        f" SELECT n.distance FROM pgsim.nearest_matching(pgsim.plain_seed(r.vector, r.id), {K},"
        f" (SELECT pgsim.resolve_filter({conditions}))) AS n)"
        " FROM unnest(%s::uuid[]) WITH ORDINALITY AS s (mbid, place)"
        " INNER JOIN pgsim.recording AS r ON r.mbid = s.mbid ORDER BY s.place".encode(),
        ([graphs.mbid(row) for row in seeds or graphs.seeds.tolist()],),
    ).fetchall()
    return [distances for (distances,) in rows]


def graph(conn: Connection) -> str:
    """A checksum of the index: another graph has another."""
    conn.execute("CHECKPOINT")
    file = "pg_read_binary_file(pg_relation_filepath('pgsim.recording_vector'))"
    return str(one(conn, f"SELECT md5({file})"))


def assert_nearest_are_found(server: embedded.Server, graphs: Graphs, builds: int) -> None:
    """Exactly k rows and recall@10 >= 0.99 by every filter on every build's graph."""
    url = install(server, f"graphs_{len(graphs.vectors)}", graphs.vectors.shape[1])
    checksums, poor = set(), []
    for build in range(builds):
        with built(url, graphs, build) as conn:
            checksums.add(graph(conn))
            for chosen in graphs.filters:
                answers = ask(conn, graphs, chosen.words)
                true = np.isfinite(chosen.truth).sum(axis=1)
                assert [len(answer) for answer in answers] == true.tolist(), chosen.words
                found = sum(chosen.found(place, own) for place, own in enumerate(answers))
                if found < 0.99 * true.sum():
                    poor.append(f"build {build}, {chosen.words or 'all'}: {found / true.sum():.4f}")
    assert len(checksums) == builds, "some builds are the same graph"
    assert not poor, poor
