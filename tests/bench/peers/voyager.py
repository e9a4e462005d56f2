"""Voyager: Spotify's successor of Annoy, on hnswlib's code."""

from pathlib import Path

import numpy as np

from tests.bench.peers.index import Index, Rows, Vectors, saved_bytes

SPACE = {"l2": "Euclidean", "cosine": "Cosine"}


class Voyager(Index):
    package = "voyager"
    parameters = "M 16, ef_construction 200"
    effort = "query_ef"
    efforts = (10, 20, 40, 80, 160, 320, 640, 1280, 2560)
    at_least_k = True

    def build(self, threads: int) -> None:
        import voyager

        space = getattr(voyager.Space, SPACE[self.space])
        self.index = voyager.Index(space, self.vectors.shape[1], M=16, ef_construction=200)
        self.index.add_items(self.vectors, num_threads=threads)

    def search(self, queries: Vectors, k: int, effort: int, threads: int = 1) -> Rows:
        found = self.index.query(queries, k, num_threads=threads, query_ef=effort)[0]
        return found.astype(np.int64)

    def add(self, vectors: Vectors) -> None:
        self.index.add_items(vectors, num_threads=1)

    def disk(self, folder: Path) -> int:
        path = folder / "voyager"
        self.index.save(str(path))
        return saved_bytes(path)
