"""The indexes that are compared: libraries in memory, pgvector, and pgsim.

Each module is for one of them. It imports its library when an index is built, so that those that
are not installed can be left out.
"""

from tests.bench.peers.annoy import Annoy
from tests.bench.peers.faiss import FaissFlat, FaissHnsw, FaissIvf
from tests.bench.peers.hnswlib import Hnswlib
from tests.bench.peers.index import Index
from tests.bench.peers.nmslib import Nmslib
from tests.bench.peers.pgsim import PgsimMatrix, PgsimQuestions
from tests.bench.peers.pgvector import PgvectorHalfvec, PgvectorHnsw, PgvectorIvfflat
from tests.bench.peers.pynndescent import Pynndescent
from tests.bench.peers.usearch import Usearch
from tests.bench.peers.voyager import Voyager

PEERS: dict[str, type[Index]] = {
    "Faiss flat": FaissFlat,
    "Faiss IVF": FaissIvf,
    "Faiss HNSW": FaissHnsw,
    "hnswlib": Hnswlib,
    "Annoy": Annoy,
    "nmslib": Nmslib,
    "PyNNDescent": Pynndescent,
    "USearch": Usearch,
    "Voyager": Voyager,
    "pgvector HNSW": PgvectorHnsw,
    "pgvector halfvec": PgvectorHalfvec,
    "pgvector IVFFlat": PgvectorIvfflat,
    "pgsim questions": PgsimQuestions,
    "pgsim matrix": PgsimMatrix,
}
