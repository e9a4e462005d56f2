"""How many cores there are, and work shared out among as many threads."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_ROWS = 1 << 16


def in_parts(work: Callable[[slice], None], n: int) -> None:
    """Work on n rows, some of them at a time, by as many threads as there are processors."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(work, [slice(at, at + _ROWS) for at in range(0, n, _ROWS)]))


_lock = threading.Lock()
_inside = 0
_limits: threadpool_limits | None = None


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """The limit is the process's: it holds until the last who is inside has left."""
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
