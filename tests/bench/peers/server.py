"""Vectors in a PostgreSQL server of their own, and what its processes use."""

import time
from contextlib import ExitStack
from pathlib import Path

from pgsim.postgres.rows import one_value
from tests.bench.common import fresh_database, write
from tests.bench.peers.index import Index, Vectors, forget_peak, peak_of


class InPostgres(Index):
    """Recordings in the table of a fresh database, whose ids count from 1."""

    def __init__(self, vectors: Vectors, space: str) -> None:
        super().__init__(vectors, space)
        self._stack = ExitStack()
        self.conn = self._stack.enter_context(fresh_database(vectors.shape[1]))
        self.conn.execute("SET max_parallel_workers_per_gather = 0")
        self.cursor = self.conn.cursor(binary=True)
        self._backend = self.conn.info.backend_pid
        self._postmaster = _parent(self._backend)
        self._reading = 0.0  # seconds of processor that cpu() itself took
        self.count = len(vectors)
        write(self.conn, vectors, 1)
        self.conn.execute("VACUUM ANALYZE pgsim.recording")
        forget_peak(self._backend)

    def add(self, vectors: Vectors) -> None:
        write(self.conn, vectors, self.count + 1)
        self.count += len(vectors)

    def size_of(self, relation: str) -> int:
        """The bytes of a relation, its indexes and long values too."""
        return int(one_value(self.conn, f"SELECT pg_total_relation_size('{relation}')"))

    def cpu(self) -> float:
        own = time.process_time() - self._reading
        server = _server_cpu(self._postmaster)
        self._reading = time.process_time() - own
        return own + server

    def peak(self) -> int:
        return peak_of(self._backend)

    def close(self) -> None:
        self._stack.close()


def _parent(pid: int) -> int:
    return int(_stat(pid)[1])


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the program's name."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _server_cpu(postmaster: int) -> float:
    """Seconds of processor of a server's processes: those that live, and those that have ended."""
    nanoseconds = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            pid = int(folder.name)
            if pid == postmaster or _parent(pid) == postmaster:
                nanoseconds += int((folder / "schedstat").read_text().split()[0])
        except OSError:  # it has just ended
            continue
    # Hundredths of a second, by which Linux counts for user space on every machine.
    ended = sum(map(int, _stat(postmaster)[13:15])) / 100
    return nanoseconds / 1e9 + ended
