"""Faiss: an exact scan, cells with lists, and a small world."""

from pathlib import Path
from typing import Any

from tests.bench.peers.index import Index, Rows, Vectors, saved_bytes


class FaissFlat(Index):
    """The exact scan, by which the others are judged too."""

    package = "faiss-cpu"

    def build(self, threads: int) -> None:
        import faiss

        faiss.omp_set_num_threads(threads)
        self.index = self._empty(faiss)
        self.index.train(self.vectors[:: max(1, len(self.vectors) // 100_000)])
        self.index.add(self.vectors)

    def _metric(self, faiss: Any) -> int:
        return int(faiss.METRIC_L2 if self.space == "l2" else faiss.METRIC_INNER_PRODUCT)

    def _empty(self, faiss: Any) -> Any:
        return faiss.IndexFlat(self.vectors.shape[1], self._metric(faiss))

    def _set(self, effort: int) -> None:
        """Set the effort of the next search."""

    def search(self, queries: Vectors, k: int, effort: int, threads: int = 1) -> Rows:
        import faiss

        faiss.omp_set_num_threads(threads)
        self._set(effort)
        found: Rows = self.index.search(queries, k)[1]
        return found

    def add(self, vectors: Vectors) -> None:
        self.index.add(vectors)

    def disk(self, folder: Path) -> int:
        import faiss

        path = folder / "faiss"
        faiss.write_index(self.index, str(path))
        return saved_bytes(path)


class FaissIvf(FaissFlat):
    parameters = "4 √n cells"
    effort = "nprobe"
    efforts = (1, 2, 4, 8, 16, 32, 64, 128, 256)

    def _empty(self, faiss: Any) -> Any:
        n, dimensions = self.vectors.shape
        self.quantizer = super()._empty(faiss)  # the index does not own it
        cells = min(int(4 * n**0.5), n // 39 or 1)
        return faiss.IndexIVFFlat(self.quantizer, dimensions, cells, self._metric(faiss))

    def _set(self, effort: int) -> None:
        self.index.nprobe = effort


class FaissHnsw(FaissFlat):
    parameters = "M 16, efConstruction 200"
    effort = "efSearch"
    efforts = (10, 20, 40, 80, 160, 320, 640, 1280, 2560)
    at_least_k = True

    def _empty(self, faiss: Any) -> Any:
        index = faiss.IndexHNSWFlat(self.vectors.shape[1], 16, self._metric(faiss))
        index.hnsw.efConstruction = 200
        return index

    def _set(self, effort: int) -> None:
        self.index.hnsw.efSearch = effort
