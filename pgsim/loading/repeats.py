"""Rows of a load that are about the same submission, in rounds without a repeated one."""

from collections import Counter
from collections.abc import Iterator
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from pgsim.loading.chunks import Origin
from pgsim.loading.parsing import Rows
from pgsim.sources.streams.walk import Place

Batch = list[tuple[Origin, Rows]]

# Where the name of the source stands in a row's key; see pgsim.loading.parsing.
_TABLE = slice(26, 32)
_RUNS = 8  # of about the same length before they become one


class Repeats:
    """Which submissions a table has had a row of, in 8 bytes each.

    A table can have several rows of one recording, each with another genre: the first of them
    replaces what an earlier load has stored of the file, the others add their labels. Other sources
    have one document of each kind, and the last one counts.
    """

    def __init__(self) -> None:
        self._path: Place | None = None
        self._is_resumed = False
        self._runs: list[NDArray[np.int64]] = []  # sorted hashes of keys, the longest run first

    def met(self, origin: Origin, rows: Rows) -> Iterator[bool]:
        """Yield for each row whether its file has had another of the same submission.

        Of a file that an earlier load has begun all submissions count as met.
        """
        keys = rows.outcome.keys
        if not keys or keys[0][_TABLE] != b"table:":
            yield from repeat(False, len(keys))
            return
        failed = {place for place, _ in rows.outcome.failures}
        start = first = 0
        for span in origin.spans:
            count = span.documents - sum(
                place in failed for place in range(start, start + span.documents)
            )
            start += span.documents
            if span.path != self._path or span.is_first:
                self._path, self._runs = span.path, []
                self._is_resumed = span.known is not None
            yield from self._met(keys[first : first + count])
            first += count

    def _met(self, keys: list[bytes]) -> list[bool]:
        if self._is_resumed:
            return [True] * len(keys)
        hashes = np.fromiter(map(hash, keys), np.int64, len(keys))
        new, firsts = np.unique(hashes, return_index=True)
        met = np.ones(len(keys), bool)
        met[firsts] = False
        for run in self._runs:
            at = np.minimum(np.searchsorted(run, hashes), len(run) - 1)
            met |= run[at] == hashes
        if len(new):
            self._add(new)
        return list(met.tolist())

    def _add(self, run: NDArray[np.int64]) -> None:
        self._runs.append(run)
        while len(self._runs) > 1 and len(self._runs[-2]) < _RUNS * len(self._runs[-1]):
            last = self._runs.pop()
            self._runs[-1] = np.union1d(self._runs[-1], last)


def rounds(batch: Batch, repeats: Repeats) -> list[tuple[bool, int, list[bytes]]]:
    """Return the rows in rounds without a repeated key: a statement can change a row only once.

    A round is whether its rows add their labels to those of earlier rows of the same file, the
    number of its rows, and their data.
    """
    met = [list(repeats.met(origin, rows)) for origin, rows in batch]
    count = sum(map(len, met))
    if (
        not any(map(any, met))
        and len({key for _, rows in batch for key in rows.outcome.keys}) == count
    ):
        return [(False, count, [rows.data for _, rows in batch])] if count else []
    turns: Counter[bytes] = Counter()
    found: dict[tuple[int, bool], list[bytes]] = {}
    for (_, rows), joins in zip(batch, met, strict=True):
        for (key, row), is_met in zip(rows.each(), joins, strict=True):
            found.setdefault((turns[key], is_met), []).append(row)
            turns[key] += 1
    return [(joins, len(some), [b"".join(some)]) for (_, joins), some in sorted(found.items())]
