"""Measure what is not measured yet, an index after another, each in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pgsim.features.metrics import METRICS
from pgsim.progress import Say
from tests.bench.peers import PEERS
from tests.bench.report.collection import FUSED, Collection, make
from tests.bench.report.measure import is_last
from tests.bench.report.rows import Row, RowFile
from tests.support.paths import CHECKOUT

KS = (10, 100, 1000)
SERIAL = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "2", "NUMBA_NUM_THREADS": "2"}


@dataclass(frozen=True, slots=True)
class Task:
    """An index of one peer, of one collection, and the numbers of neighbours to ask it for.

    `file` has the collection where it is not a made one.
    """

    peer: str
    collection: str
    n: int
    space: str
    ks: Sequence[int] = KS
    file: Path | None = None

    def key(self) -> Row:
        """What the rows of this index have in common."""
        peer = PEERS[self.peer]
        return {
            "library": self.peer,
            "version": peer.version(),
            "collection": self.collection,
            "n": self.n,
            "space": self.space,
            "parameters": peer.parameters,
        }

    def is_done(self, known: list[Row]) -> bool:
        """Whether these rows are all: the build, and for each k the last effort."""
        by_k = {row["k"] for row in known if "k" in row and is_last(row, PEERS[self.peer])}
        is_built = any("k" not in row for row in known)
        return is_built and by_k >= {k for k in self.ks if k < self.n}


def plan(
    sizes: Iterable[int], peers: Sequence[str], spaces: Sequence[str], metrics: Sequence[str]
) -> Iterator[Task]:
    """The fused vector of each size in some spaces; each metric, in others, of the least size."""
    sizes = sorted(sizes)
    for n in sizes:
        for space in spaces:
            for peer in peers:
                yield Task(peer, FUSED, n, space)
        if n == sizes[0]:
            for name in METRICS:
                for space in metrics:
                    for peer in peers:
                        yield Task(peer, name, n, space, KS[:1])


def given(files: Iterable[Path], peers: Sequence[str]) -> Iterator[Task]:
    """Tasks for collections in files of their own."""
    for file in files:
        found = Collection.read(file)
        ks = [k for k in KS if k <= found.neighbors.shape[1]]
        for peer in peers:
            yield Task(peer, file.stem, len(found.train), found.space, ks, file)


def measure_all(tasks: Iterable[Task], rows: RowFile, files: Path, say: Say) -> None:
    """Measure the tasks whose rows are not all there; say what cannot be, and go on."""
    for task in tasks:
        name = f"{task.peer}, {task.collection}, {task.n:,}, {task.space}"
        try:
            known = rows.of(**task.key())
        except ImportError as error:
            say(f"{name}: left out, {error}")
            continue
        if task.is_done(known):
            continue
        say(name)
        _measure(task, known, rows, file_of(task, files), say)


def file_of(task: Task, files: Path) -> Path:
    """The file of a task's collection, which is made once."""
    if task.file:
        return task.file
    path = files / f"{task.collection}-{task.n}-{task.space}.hdf5"
    if not path.exists():
        files.mkdir(parents=True, exist_ok=True)
        Collection.of(make(task.collection, task.n), task.space).write(path)
    return path


def _measure(task: Task, known: list[Row], rows: RowFile, file: Path, say: Say) -> None:
    words = {"peer": task.peer, "file": str(file), "ks": task.ks, "known": known}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.report.measure"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
        env={**os.environ, **SERIAL},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        json.dump(words, process.stdin)
        process.stdin.close()
        for line in process.stdout:
            rows.add({**task.key(), **json.loads(line)})
    if process.returncode:
        say(f"{task.peer}: ended with {process.returncode}; its rows up to there are kept")
