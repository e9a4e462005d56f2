"""Measure one index in a process of its own: `python -m tests.bench.report.measure`.

It reads a task from standard input and prints a row a line: that of the build, and one for each k
and effort. Efforts rise until one finds ENOUGH. What the task says is measured is left out.
"""

import json
import os
import platform
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from pgsim.threads import cores
from tests.bench.peers import PEERS, Index
from tests.bench.peers.index import forget_peak
from tests.bench.report.collection import Collection, distances, nearest, recall
from tests.bench.report.rows import Row

ENOUGH = 0.99
THREADS = 2  # that build; one asks
SECONDS = 4.0  # that a row may take, once LEAST queries are asked
LEAST = 50
ADDED = 200


def is_last(row: Row, peer: type[Index]) -> bool:
    """Whether no greater effort is tried after this row."""
    return row["recall"] >= ENOUGH or row["effort"] == peer.efforts_for(row["k"])[-1]


def measure(task: dict[str, Any]) -> Iterator[Row]:
    """The rows of a task: `peer`, `file`, `ks`, and the rows `known` of this index."""
    collection, peer = Collection.read(Path(task["file"])), PEERS[task["peer"]]
    warm_up(peer, collection)
    forget_peak()
    with closing(peer(collection.train, collection.space)) as index:
        began = index.peak()
        cpu, wall = index.cpu(), time.monotonic()
        index.build(THREADS)
        build = {
            "build cpu s": index.cpu() - cpu,
            "build wall s": time.monotonic() - wall,
            "memory bytes": index.peak() - began,
        }
        with tempfile.TemporaryDirectory() as folder:
            build["disk bytes"] = index.disk(Path(folder))
        known = {(row.get("k"), row.get("effort")): row for row in task["known"]}
        for k in task["ks"]:
            if k < len(collection.train):
                yield from _by_efforts(index, collection, k, known)
        if (None, None) not in known:
            yield {**build, "add cpu ms": _adding(index, collection), **circumstances()}


def warm_up(peer: type[Index], collection: Collection) -> None:
    """Import, and compile where a library does that, what is then measured."""
    if peer.__init__ is Index.__init__:
        some = peer(collection.train[:1000], collection.space)
        some.build(1)
        some.search(collection.test[:1], 10, peer.efforts_for(10)[0])


def _by_efforts(
    index: Index, collection: Collection, k: int, known: dict[Any, Row]
) -> Iterator[Row]:
    """The rows of one k, the least effort first."""
    asked, truth = _queries(index, collection, k)
    for effort in index.efforts_for(k):
        row = known.get((k, effort))
        if row is None:
            row = {"k": k, "effort": effort, **_ask(index, collection, asked, truth, k, effort)}
            yield {**row, **circumstances()}
        if is_last(row, type(index)):
            return


def _queries(index: Index, collection: Collection, k: int) -> tuple[Any, Any]:
    """What is asked, and the true distances."""
    if not index.by_row:
        return collection.test, collection.distances[:, :k]
    rows = np.arange(len(collection.test))
    own = collection.train[rows]
    _, truth = nearest(collection.train, own, collection.space, k + 1)
    return rows, truth[:, 1:]


def _ask(index: Index, collection: Collection, asked: Any, truth: Any, k: int, effort: int) -> Row:
    index.search(asked[:2], k, effort)
    times, found = [], []
    cpu = index.cpu()
    for place in range(len(asked)):
        started = time.perf_counter()
        found.append(index.search(asked[place : place + 1], k, effort)[0])
        times.append((time.perf_counter() - started) * 1000)
        if place + 1 >= LEAST and sum(times) > 1000 * SECONDS:
            break
    taken, count = index.cpu() - cpu, len(found)
    queries = collection.train[asked[:count]] if index.by_row else asked[:count]
    apart = distances(collection.train, queries, np.array(found), collection.space)
    p50, p95 = np.percentile(times, (50, 95))
    return {
        "recall": recall(apart, truth[:count]),
        "cpu ms": taken / count * 1000,
        "p50 ms": p50,
        "p95 ms": p95,
        "queries": count,
    }


def _adding(index: Index, collection: Collection) -> float | None:
    """Milliseconds of processor for each of ADDED vectors, added at once; None where it cannot."""
    cpu = index.cpu()
    try:
        index.add(collection.test[:ADDED])
    except NotImplementedError:
        return None
    return (index.cpu() - cpu) / len(collection.test[:ADDED]) * 1000


def circumstances() -> Row:
    """When and where a row was measured, and how many programs wanted a processor just then."""
    return {
        "at": f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        "load": round(os.getloadavg()[0], 1),
        "machine": machine(),
    }


@cache
def machine() -> str:
    """The processors and the memory of this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    info = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", info.read_text()) if info.exists() else []
    model = names[0] if names else platform.processor() or platform.machine()
    return f"{cores()} cores of {model}, {memory:.0f} GiB of memory"


if __name__ == "__main__":
    for each in measure(json.load(sys.stdin)):
        print(json.dumps(each), flush=True)
