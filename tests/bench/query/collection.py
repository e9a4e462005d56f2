"""The recordings that are asked about, and the recall of answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from pgsim.planning.synthetic import make_vectors
from pgsim.postgres.connection import Connection

K, RECALL = 10, 0.99
COLUMNS = "mbid, artist, title, album, year, genre"
# Genre, share of the recordings, and whether they lie in one corner; the decade follows the genre.
FILTERS = (
    *(("m10", 0.1, False), ("m1", 0.01, False), ("m01", 0.001, False), ("m001", 0.0001, False)),
    *(("f10", 0.1, True), ("f1", 0.01, True), ("f01", 0.001, True), ("f001", 0.0001, True)),
)
ARTISTS = (10, 30, 100)  # recordings of an artist
DECADES = {name: 1940 + 10 * place for place, (name, _, _) in enumerate(FILTERS)}
Vectors = NDArray[np.float32]
Rows = NDArray[np.intp]


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
    names = artist(row), f"The title of song {row}", f"Album {row // 10}"
    return (*names, int(all_.years[row]), str(all_.genres[row]))


def artist(row: int) -> str:
    """The artist of a row: one after the other has 10, 30 and 100 recordings."""
    round_, place = divmod(row, sum(ARTISTS))
    size = next(size for size in ARTISTS if place < sum(ARTISTS[: ARTISTS.index(size) + 1]))
    return f"Artist of {size}, number {round_}"


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
