"""The number of processors, and work shared out among as many threads."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from math import ceil
from pathlib import Path

from threadpoolctl import threadpool_limits

from pgsim.control_groups import group_folders, read_words

_ROWS = 1 << 16  # that a thread works on at a time


def cores(root: Path = Path("/")) -> int:
    """The number of processors that this process may use, at least 1.

    It is the least of the machine's, the CPU affinity and the quotas of the control groups. A part
    of a processor counts as one. `root` has proc and sys in it.
    """
    if hasattr(os, "sched_getaffinity"):
        found = len(os.sched_getaffinity(0))
    else:
        found = os.cpu_count() or 1
    quotas = [_quota(version, folder) for version, folder in group_folders("cpu", root)]
    return max(1, min([found, *(ceil(quota) for quota in quotas if quota)]))


def _quota(version: int, folder: Path) -> float | None:
    """The processors that a control group may use, None where it sets no limit.

    A group may use its processors for `quota` of every `period` microseconds.
    """
    if version == 2:
        words = read_words(folder / "cpu.max")
    else:
        words = read_words(folder / "cpu.cfs_quota_us") + read_words(folder / "cpu.cfs_period_us")
    if len(words) != 2 or not words[0].isdigit():  # "max" or -1: no limit
        return None
    quota, period = map(int, words)
    return quota / period


def in_parts(work: Callable[[slice], None], n: int) -> None:
    """Work on n rows, some of them at a time, by as many threads as there are processors."""
    with ThreadPoolExecutor(cores()) as pool:
        list(pool.map(work, [slice(at, at + _ROWS) for at in range(0, n, _ROWS)]))


_lock = threading.Lock()
_inside = 0
_limits: threadpool_limits | None = None


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread. The limit is the process's: it ends with the last one inside."""
    global _inside, _limits
    with _lock:
        _inside += 1
        if _limits is None:
            _limits = threadpool_limits(1, "blas")
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside and _limits is not None:
                _limits.restore_original_limits()
                _limits = None
