"""A made-up collection with the shape of a real one: clusters of unequal size and spread, near
copies, genres that follow the clusters mostly, years that crowd towards today."""

from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from pgsim.postgres.connection import Connection

GENRES = ("cla", "dan", "hip", "jaz", "pop", "rhy", "roc", "spe")


@dataclass(frozen=True, slots=True)
class Collection:
    """Vectors (n, dimensions) float32, and what goes with each."""

    mbids: list[UUID]
    vectors: NDArray[np.float32]
    genres: NDArray[np.str_]
    years: NDArray[np.int_]


def make_collection(n: int, dimensions: int, seed: int = 0) -> Collection:
    """n recordings; the same seed gives the same ones."""
    rng = np.random.default_rng(seed)
    clusters = max(10, n // 200)
    centers = rng.normal(size=(clusters, dimensions)) * rng.gamma(2, 0.5, size=dimensions)
    spread = rng.gamma(3, 0.15, size=clusters)
    # Zipf-like sizes: a few crowds, many corners.
    share = 1 / np.arange(1, clusters + 1) ** 0.7
    cluster = rng.choice(clusters, n, p=share / share.sum())
    vectors = centers[cluster] + rng.normal(size=(n, dimensions)) * spread[cluster, None]
    copies = rng.choice(n, n // 50, replace=False)
    vectors[copies] = vectors[rng.choice(n, len(copies))]
    own = np.array(GENRES)[cluster % 7]
    stray = rng.choice(GENRES, n, p=[0.1, 0.15, 0.1, 0.1, 0.2, 0.1, 0.248, 0.002])
    return Collection(
        [UUID(bytes=rng.bytes(16), version=4) for _ in range(n)],
        vectors.astype(np.float32),
        np.where(rng.random(n) < 0.7, own, stray),
        np.clip(2025 - rng.gamma(2, 10, n), 1926, 2025).astype(int),
    )


def copy_in(conn: Connection, collection: Collection) -> None:
    """Write a collection into pgsim.recording with plain SQL."""
    with conn.cursor().copy(
        "COPY pgsim.recording"
        " (mbid, title, artist, artist_mbids, year, length, genre, genres, missing, vector)"
        " FROM STDIN (FORMAT binary)"
    ) as copy:
        copy.set_types(
            [
                "uuid",
                "text",
                "text",
                "uuid[]",
                "int2",
                "float4",
                "text",
                "text[]",
                "text[]",
                "vector",
            ]
        )
        for index, mbid in enumerate(collection.mbids):
            genre = str(collection.genres[index])
            copy.write_row(
                (
                    mbid,
                    f"title {index}",
                    f"artist {index % 997}",
                    [UUID(int=index % 997)] if index % 2 else None,
                    int(collection.years[index]),
                    60.0 + index % 600,
                    genre,
                    [f"rosamerica:{genre}", f"mood:{'happy' if index % 3 else 'sad'}"],
                    ["bpm"] if index % 50 == 0 else [],
                    collection.vectors[index],
                )
            )
    conn.execute("VACUUM ANALYZE pgsim.recording")
