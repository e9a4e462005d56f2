"""What a process of its own makes of a file that somebody sent; it imports no web server."""

import resource
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from pgsim.errors import PgsimError
from pgsim.postgres.connection import connect
from pgsim.questions.file_seed import FileSeed, read_file_seed
from pgsim.store.collection import read_collection


def make_measure(conninfo: str, memory: int) -> Callable[[str], FileSeed]:
    """Return the function that reads a file; from now on, the process has so many bytes at most."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def measure(path: str) -> FileSeed:
        try:
            with closing(connect(conninfo, autocommit=True)) as conn:
                return read_file_seed(conn, Path(path), read_collection(conn))
        except MemoryError:
            raise PgsimError("the file needs too much memory") from None

    return measure
