"""Loads in tests: in this process, or in one of their own that can be killed."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pgsim.loading.load import LoadReport
from pgsim.postgres.connection import Connection, connect

Databases = Callable[..., str]

# Prints a line for each batch, so that it can be killed at a chosen moment.
_LOAD = """
import sys
from pathlib import Path
from pgsim.loading.chunks import Limits
from pgsim.loading.load import load
from pgsim.postgres.connection import connect

_, conninfo, path, batch, workers = sys.argv
print("begun", flush=True)
load(
    connect(conninfo, autocommit=True),
    [Path(path)],
    lambda done, share: print(done, flush=True),
    workers=int(workers) or None,
    limits=Limits(batch=int(batch)),
)
"""


def loading(conninfo: str, path: Path, batch: int, workers: int = 0) -> subprocess.Popen[str]:
    """A load in a process of its own: it prints `begun`, then each batch's number of documents."""
    return subprocess.Popen(
        [sys.executable, "-c", _LOAD, conninfo, str(path), str(batch), str(workers)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def opened(conninfo: str) -> Iterator[Connection]:
    """A connection in autocommit mode."""
    with closing(connect(conninfo, autocommit=True)) as conn:
        yield conn


def counts(report: LoadReport) -> tuple[int, int, int, int, int]:
    """Read, new, updated, unchanged and rejected, which have to add up."""
    assert report.read == report.new + report.updated + report.unchanged + report.rejected
    return report.read, report.new, report.updated, report.unchanged, report.rejected


def settled(path: Path) -> Path:
    """The file, as if it had been lying there for an hour: one written just now gets no mark."""
    hour_ago = time.time() - 3600
    os.utime(path, (hour_ago, hour_ago))
    return path
