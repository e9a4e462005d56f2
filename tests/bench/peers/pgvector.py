"""pgvector's indexes, asked by plain SQL for nothing but ids."""

from pathlib import Path
from typing import ClassVar

from pgsim.embedded.binaries import find_program
from tests.bench.peers.index import Rows, Vectors, filled
from tests.bench.peers.server import InPostgres


class PgvectorHnsw(InPostgres):
    package = "pgvector"
    parameters = "m 16, ef_construction 64"
    effort = "hnsw.ef_search"
    efforts = (10, 20, 40, 80, 160, 320, 640, 1000)
    at_least_k = True
    kind: ClassVar[str] = "hnsw"
    type: ClassVar[str] = "vector"
    _effort = 0

    @classmethod
    def version(cls) -> str:
        """The version of the extension that comes with the embedded server."""
        program = find_program("postgres")
        if program is None:
            raise ImportError("no embedded server: pip install 'pgsim[embedded]'")
        (control,) = program.parents[1].glob("share/**/extension/vector.control")
        words = control.read_text().split("default_version = '")[1]
        return words.split("'")[0]

    def build(self, threads: int) -> None:
        self.conn.execute(f"SET max_parallel_maintenance_workers = {threads - 1}".encode())
        self.conn.execute("SET maintenance_work_mem = '2GB'")
        self.conn.execute("SET enable_seqscan = off")
        expression = self._expression("vector")
        self.conn.execute(
            f"CREATE INDEX peer ON pgsim.recording USING {self.kind}"
            f" ({expression} public.{self.type}_{self.space}_ops)"
            f" WITH ({self._options()})".encode()
        )

    def _options(self) -> str:
        return "m = 16, ef_construction = 64"

    def _expression(self, value: str) -> str:
        if self.type == "vector":
            return value
        return f"({value}::public.{self.type}({self.vectors.shape[1]}))"

    def search(self, queries: Vectors, k: int, effort: int, threads: int = 1) -> Rows:
        if effort != self._effort:  # not before each question
            self.conn.execute(f"SET {self.effort} = {effort}".encode())
            self._effort = effort
        operator = {"l2": "<->", "cosine": "<=>"}[self.space]
        query = (
            f"SELECT id FROM pgsim.recording ORDER BY {self._expression('vector')}"
            f" OPERATOR(public.{operator}) {self._expression('%s::public.vector')} LIMIT %s"
        ).encode()
        found = []
        for vector in queries:
            rows = self.cursor.execute(query, (vector, k), prepare=True).fetchall()
            found.append([row[0] - 1 for row in rows])
        return filled(found, k)

    def disk(self, folder: Path) -> int:
        return self.size_of("pgsim.peer")


class PgvectorHalfvec(PgvectorHnsw):
    parameters = "HNSW of 16-bit floats, m 16, ef_construction 64"
    type = "halfvec"


class PgvectorIvfflat(PgvectorHnsw):
    parameters = "lists n / 1000, at least 10"
    effort = "ivfflat.probes"
    efforts = (1, 2, 4, 8, 16, 32, 64, 128)
    at_least_k = False
    kind = "ivfflat"

    def _options(self) -> str:
        return f"lists = {max(10, len(self.vectors) // 1000)}"
