"""Annoy: a forest of random projections, which a file maps into memory."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.bench.peers.index import Index, Rows, Vectors, filled, saved_bytes

SPACE = {"l2": "euclidean", "cosine": "angular"}


class Annoy(Index):
    """Fifty trees; an effort is a hundred nodes to look at."""

    package = "annoy"
    parameters = "50 trees"
    effort = "search_k / 100"
    efforts = (10, 30, 100, 300, 1000, 3000)

    def build(self, threads: int) -> None:
        from annoy import AnnoyIndex

        self.index = AnnoyIndex(self.vectors.shape[1], SPACE[self.space])
        self.index.set_seed(0)
        for row, vector in enumerate(self.vectors):
            self.index.add_item(row, vector)
        self.index.build(50, n_jobs=threads)

    def search(self, queries: Vectors, k: int, effort: int, threads: int = 1) -> Rows:
        def one(query: Vectors) -> list[int]:
            found: list[int] = self.index.get_nns_by_vector(query, k, search_k=effort * 100)
            return found

        if threads == 1:
            return filled([one(query) for query in queries], k)
        with ThreadPoolExecutor(threads) as pool:
            return filled(list(pool.map(one, queries, chunksize=64)), k)

    def disk(self, folder: Path) -> int:
        path = folder / "annoy"
        self.index.save(str(path))
        return saved_bytes(path)
