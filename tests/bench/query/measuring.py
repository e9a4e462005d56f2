"""Ways to ask, timed in turns: their figures, printed as they come."""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from tests.bench.query.collection import RECALL, Collection, Rows, Vectors, recall

EFFORTS = (20, 40, 60, 100, 150, 200, 300, 400, 600, 800, 1600)
# A question asked: the row numbers of its answer, nearest first.
Ask = Callable[[int], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Figure:
    """What one way of asking measured: recall@10 and milliseconds a question."""

    section: str
    what: str
    recall: float | None
    p50: float
    p95: float
    p99: float
    per_second: float | None = None
    clients: int = 1

    def line(self) -> str:
        found = "      " if self.recall is None else f"{self.recall:6.4f}"
        rate = "" if self.per_second is None else f"{self.per_second:8.0f}/s"
        return f"  {self.what:46}{found} {self.p50:8.3f} {self.p95:8.3f} {self.p99:8.3f}{rate}"


@dataclass(frozen=True, slots=True)
class Route:
    """One way to ask; `prepare` is called before each round of questions."""

    what: str
    prepare: Callable[[], Ask]
    has_recall: bool = True


class Run:
    """The figures of one size, printed as they come."""

    def __init__(self, all_: Collection, seeds: Rows) -> None:
        self.all, self.seeds = all_, seeds
        self.figures: list[Figure] = []

    def section(self, name: str, truth: Vectors | None, seeds: Rows | None = None) -> None:
        self.name, self.truth = name, truth
        self.asked = self.seeds if seeds is None else seeds
        print(f"\n{name}\n  {'':46}recall      p50      p95      p99  ms", flush=True)

    def compare(self, routes: Iterable[Route], rounds: int = 5) -> None:
        """Ask all seeds by each route in turn, several times, all but the first to be timed."""
        routes = list(routes)
        times: dict[str, list[float]] = {route.what: [] for route in routes}
        answers: dict[str, list[Sequence[int]]] = {}
        for turn in range(rounds + 1):
            for route in routes:
                ask = route.prepare()
                taken, found = [], []
                for seed in self.asked.tolist():
                    started = time.perf_counter()
                    found.append(ask(seed))
                    taken.append((time.perf_counter() - started) * 1000)
                answers[route.what] = found
                if turn:
                    times[route.what] += taken
        for route in routes:
            share = None
            if route.has_recall and self.truth is not None:
                share = recall(self.all, self.asked, answers[route.what], self.truth)
            quantiles = np.percentile(times[route.what], (50, 95, 99))
            self.note(Figure(self.name, route.what, share, *quantiles))

    def tune(self, what: str, prepare: Callable[[int], Ask]) -> Route:
        """The route of the least effort that reaches the recall, or of the most that was tried."""
        assert self.truth is not None
        some = slice(0, 200)
        for effort in EFFORTS:
            ask = prepare(effort)
            answers = [ask(seed) for seed in self.asked[some].tolist()]
            if recall(self.all, self.asked[some], answers, self.truth[some]) >= RECALL + 0.002:
                break
        return Route(f"{what}, effort {effort}", lambda: prepare(effort))

    def note(self, figure: Figure) -> Figure:
        print(figure.line(), flush=True)
        self.figures.append(figure)
        return figure


def rate(run: Run, what: str, clients: int, work: Callable[..., Any], words: Any) -> None:
    """Questions a second by several processes, for five seconds."""
    with get_context("spawn").Pool(clients) as pool:
        done = [pool.apply_async(work, (*words, 5.0)) for _ in range(clients)]
        counts = [each.get() for each in done]
    times = np.concatenate([times for _, times in counts])
    per_second = sum(count for count, _ in counts)
    run.note(Figure(run.name, what, None, *np.percentile(times, (50, 95, 99)), per_second, clients))


def keep_asking(
    ask: Callable[[UUID], Any], mbids: list[UUID], seconds: float
) -> tuple[float, NDArray[np.float64]]:
    """Questions a second, and milliseconds of each, after a warm second."""
    order = np.random.default_rng(os.getpid()).permutation(len(mbids)).tolist()
    times: list[float] = []
    begun = time.perf_counter()
    at = 0
    while (now := time.perf_counter()) < begun + seconds + 1:
        ask(mbids[order[at % len(order)]])
        at += 1
        if now > begun + 1:
            times.append((time.perf_counter() - now) * 1000)
    return len(times) / seconds, np.array(times)
