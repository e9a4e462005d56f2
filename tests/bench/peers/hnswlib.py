"""hnswlib: a navigable small world in memory."""

from pathlib import Path

import numpy as np

from tests.bench.peers.index import Index, Rows, Vectors, saved_bytes


class Hnswlib(Index):
    package = "hnswlib"
    parameters = "M 16, ef_construction 200"
    effort = "ef"
    efforts = (10, 20, 40, 80, 160, 320, 640, 1280, 2560)
    at_least_k = True

    def build(self, threads: int) -> None:
        import hnswlib

        self.index = hnswlib.Index(self.space, self.vectors.shape[1])
        self.index.init_index(len(self.vectors), M=16, ef_construction=200)
        self.index.add_items(self.vectors, num_threads=threads)

    def search(self, queries: Vectors, k: int, effort: int, threads: int = 1) -> Rows:
        self.index.set_ef(effort)
        return self.index.knn_query(queries, k, num_threads=threads)[0].astype(np.int64)

    def add(self, vectors: Vectors) -> None:
        room = self.index.get_current_count() + len(vectors)
        if room > self.index.get_max_elements():
            self.index.resize_index(2 * room)
        self.index.add_items(vectors, num_threads=1)

    def disk(self, folder: Path) -> int:
        path = folder / "hnswlib"
        self.index.save_index(str(path))
        return saved_bytes(path)
