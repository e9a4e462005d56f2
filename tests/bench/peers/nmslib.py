"""nmslib: the older small world of hnswlib's authors, optimised once it is built."""

from pathlib import Path

from tests.bench.peers.index import Index, Rows, Vectors, filled, saved_bytes

SPACE = {"l2": "l2", "cosine": "cosinesimil"}


class Nmslib(Index):
    package = "nmslib"
    parameters = "M 16, efConstruction 200"
    effort = "ef"
    efforts = (10, 20, 40, 80, 160, 320, 640, 1280, 2560)
    at_least_k = True

    def build(self, threads: int) -> None:
        import nmslib

        self.index = nmslib.init(method="hnsw", space=SPACE[self.space])
        self.index.addDataPointBatch(self.vectors)
        self.index.createIndex({"M": 16, "efConstruction": 200, "indexThreadQty": threads})

    def search(self, queries: Vectors, k: int, effort: int, threads: int = 1) -> Rows:
        self.index.setQueryTimeParams({"ef": effort})
        found = self.index.knnQueryBatch(queries, k=k, num_threads=threads)
        return filled([ids for ids, _ in found], k)

    def disk(self, folder: Path) -> int:
        path = folder / "nmslib"
        self.index.saveIndex(str(path), save_data=True)
        return saved_bytes(path)
