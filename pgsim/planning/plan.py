"""Predict what a collection of some size costs, from samples measured on the same server.

The samples are made in a scratch database, which is dropped. Each step has a law of how it grows.
The law's constants are fitted to the samples, and the law predicts the whole.
"""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from math import ceil, expm1

import numpy as np

from pgsim.errors import UsageError
from pgsim.matrix.rebuild import PART, rebuild
from pgsim.matrix.refresh import refresh
from pgsim.planning.scratch_database import CopyIn, drawn, made, own, scratch_database
from pgsim.postgres.connection import Connection, connect
from pgsim.postgres.rows import one_row, one_value
from pgsim.postgres.session import without_timeouts
from pgsim.progress import Say, silent
from pgsim.store.index import build_index
from pgsim.threads import cores

SAMPLE = 50_000
LEAST_SAMPLE = 1000
NEWCOMERS = 1000

# A worker holds each vector, as float32, three times at most (as read, in cells, and for tuning),
# about 64 bytes beside it, and the working memory of each search thread.
_COPIES, _BESIDE, _THREAD = 3, 64, 400 << 20
# Links of the HNSW index, in bytes, while it is built: see index.py.
_LINKS = 800


@dataclass(frozen=True, slots=True)
class Law:
    """The growth of a step: seconds = a * terms(n)[0] + b * terms(n)[1] …, with a, b >= 0."""

    step: str
    formula: str
    terms: Callable[[float], tuple[float, ...]]


LAWS = (
    Law("load", "a n", lambda n: (n,)),
    # n log n steps, each of which costs more as the graph outgrows the processor's caches: together
    # this power of n, as measured from 12,500 to 500,000.
    Law("index", "a n^1.25", lambda n: (n**1.25,)),
    # The sample to tune by and the training take some 3,728 products a recording with something of
    # fixed size; the choice among 3 sqrt(n) cells adds 3 n^1.5.
    Law("prepare", "a + b (n + n^1.5 / 1243)", lambda n: (1, n + n**1.5 / 1243)),
    # A recording costs as much by itself as its search does among 320^2, as measured. The ratio is
    # not fitted: small samples cannot separate the two. The switch takes a constant time.
    Law("lists", "a + b (n + n^1.5 / 320)", lambda n: (1, n + n**1.5 / 320)),
    Law("compare", "a + b n", lambda n: (1, n)),
    # The same number of lists is written whatever n is, less those that 25 newcomers (of a
    # transaction), each in 100 lists, share in a small collection.
    Law("enter", "a n (1 - e^(-2500 / n))", lambda n: (-n * expm1(-2500 / n),)),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """A measured sample: its number of recordings, seconds by step, and bytes by relation."""

    recordings: int
    seconds: dict[str, float]
    disk: dict[str, int]


@dataclass(frozen=True, slots=True)
class Step:
    """A step: its seconds in each sample, its law, and the seconds that the law predicts."""

    step: str
    measured: list[float]
    formula: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    """The prediction for `recordings`. Sizes are in bytes.

    `rebuild` is in seconds, by number of machines. `machines` is the least number that makes the
    matrix within the deadline, None where no number does or there is no deadline.
    """

    recordings: int
    dimensions: int
    vectors: str
    threads: int
    samples: list[int]
    steps: list[Step]
    rebuild: dict[int, float]
    disk: dict[str, int]
    worker_memory: int
    index_memory: int
    within: float | None
    machines: int | None


def plan(
    conninfo: str,
    recordings: int,
    *,
    sample: int = SAMPLE,
    within: float | None = None,
    threads: int | None = None,
    say: Say = silent,
) -> Plan:
    """Measure samples up to `sample` on the server, and predict what `recordings` take there.

    The vectors are the database's own where it has enough, else synthetic. No sample is larger than
    `recordings` or LEAST_SAMPLE. `within` is a deadline for the matrix, in seconds. PgsimError
    where the role may not create a database.
    """
    if recordings < 1:
        raise UsageError(f"recordings is {recordings}, but must be at least 1")
    if sample < LEAST_SAMPLE:
        raise UsageError(f"sample is {sample}, but must be at least {LEAST_SAMPLE}")
    if within is not None and within <= 0:
        raise UsageError(f"the deadline is {within:g} seconds, but must be above 0")
    threads = threads or cores()
    sample = min(sample, max(recordings, LEAST_SAMPLE))
    with closing(connect(conninfo, autocommit=True)) as conn, without_timeouts(conn):
        profile, ids = own(conn)
        has_enough = len(ids) >= sample
        with scratch_database(conn, conninfo, profile) as scratch:
            samples = [
                measure(
                    scratch,
                    n,
                    drawn(conn, ids[:n]) if has_enough else made(profile, n),
                    threads,
                    say,
                )
                for n in (sample // 4, sample // 2, sample)
            ]
    vectors = "the database's own" if has_enough else "made up"
    return foresee(samples, recordings, profile.dimensions, vectors, threads, within)


def foresee(
    samples: list[Sample],
    recordings: int,
    dimensions: int,
    vectors: str,
    threads: int,
    within: float | None,
) -> Plan:
    """A plan from measured samples."""
    steps = [
        Step(
            law.step,
            [round(each.seconds[law.step], 3) for each in samples],
            law.formula,
            _extrapolate(law, samples, recordings),
        )
        for law in LAWS
    ]
    seconds = {each.step: each.seconds for each in steps}
    parts = ceil(recordings / PART)

    def by(machines: int) -> float:
        """Seconds by a number of machines: each prepares, and does at least one of the parts."""
        return seconds["prepare"] + ceil(parts / machines) * seconds["lists"] / parts

    enough = None
    if within is not None and by(parts) <= within:
        enough = next(machines for machines in range(1, parts + 1) if by(machines) <= within)
    shown = {1, 2, 4, 8, 16, parts, enough or 1}  # more than there are parts find nothing to do
    largest = samples[-1]
    return Plan(
        recordings=recordings,
        dimensions=dimensions,
        vectors=vectors,
        threads=threads,
        samples=[each.recordings for each in samples],
        steps=steps,
        rebuild={machines: by(machines) for machines in sorted(shown) if machines <= parts},
        disk={
            what: round(size / largest.recordings * recordings)
            for what, size in largest.disk.items()
        },
        worker_memory=recordings * (4 * dimensions * _COPIES + _BESIDE) + threads * _THREAD,
        index_memory=recordings * (4 * dimensions + _LINKS),
        within=within,
        machines=enough,
    )


def measure(conn: Connection, n: int, copy_in: CopyIn, threads: int, say: Say = silent) -> Sample:
    """Do every step with n recordings in a database that holds nothing else, and time it."""
    say(f"measuring {n:,} recordings")
    conn.execute("DROP INDEX IF EXISTS pgsim.recording_vector")
    conn.execute("TRUNCATE pgsim.recording")
    # As many workers as a large table gets, to build the index by.
    workers = one_value(conn, "SHOW max_parallel_maintenance_workers")
    conn.execute(f"ALTER TABLE pgsim.recording SET (parallel_workers = {workers})".encode())
    seconds = {}

    started = time.monotonic()
    copy_in(conn)
    seconds["load"] = time.monotonic() - started
    conn.execute("VACUUM ANALYZE pgsim.recording")

    started = time.monotonic()
    build_index(conn)
    seconds["index"] = time.monotonic() - started

    started = prepared = time.monotonic()

    def hear(_: str) -> None:
        nonlocal prepared  # nothing is said after the preparation
        prepared = time.monotonic()

    rebuild(conn, threads=threads, say=hear)
    seconds["prepare"] = prepared - started
    seconds["lists"] = time.monotonic() - prepared

    recordings, index, matrix = one_row(
        conn,
        "SELECT pg_total_relation_size('pgsim.recording') - i.size, i.size,"
        " pg_total_relation_size('pgsim.similarity_a')"
        " + pg_total_relation_size('pgsim.similarity_b') + pg_total_relation_size('pgsim.reach')"
        " FROM (SELECT pg_relation_size('pgsim.recording_vector') AS size) AS i",
    )

    # Near copies enter as many lists as their originals are in. Outliers enter none: their refresh
    # is the comparison with all alone.
    seconds["enter"] = _refresh(conn, 1.001)
    seconds["compare"] = _refresh(conn, 3)
    seconds["enter"] = max(seconds["enter"] - seconds["compare"], 0)
    # A rebuild fills the second table beside the first.
    return Sample(n, seconds, {"recordings": recordings, "index": index, "matrix": 2 * matrix})


def _refresh(conn: Connection, size: float) -> float:
    """The seconds of a refresh after NEWCOMERS: recordings with their vectors times `size`."""
    conn.execute(
        "INSERT INTO pgsim.recording (mbid, vector) SELECT gen_random_uuid(),"
        " ARRAY(SELECT v.value * %s::real FROM unnest(vector::real[]) AS v (value))"
        " FROM (SELECT vector FROM pgsim.recording ORDER BY random() LIMIT %s) AS drawn",
        (size, NEWCOMERS),
    )
    started = time.monotonic()
    refresh(conn)
    return time.monotonic() - started


def _extrapolate(law: Law, samples: list[Sample], n: float) -> float:
    """The law's prediction for n, with the constants that fit best: least squares of the ratios.

    A sample is weighted by its size: a small one is measured less well, and less like the whole. A
    negative constant becomes 0.
    """
    root = np.array([each.recordings**0.5 for each in samples])
    seconds = np.array([max(each.seconds[law.step], 1e-6) for each in samples])
    terms = np.array([law.terms(each.recordings) for each in samples]) * (root / seconds)[:, None]
    used = list(range(terms.shape[1]))
    while True:
        fitted, *_ = np.linalg.lstsq(terms[:, used], root, rcond=None)
        if len(used) == 1 or (fitted >= 0).all():
            break
        used.pop(int(np.argmin(fitted)))
    return float(np.array(law.terms(n))[used] @ fitted)
