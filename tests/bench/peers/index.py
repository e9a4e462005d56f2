"""What every peer is: an index of vectors that is built, asked, added to and saved."""

import resource
import time
from abc import ABC, abstractmethod
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]
# The ways to measure a distance. Vectors that are compared by cosine have length 1.
SPACES = ("l2", "cosine")


class Index(ABC):
    """An index of vectors (n, d) float32 in one of SPACES; empty until it is built.

    `package` is the distribution whose version counts, `parameters` says what it is built with.
    `efforts` are the settings to try, the least first, `effort` what the library calls them. Where
    `at_least_k` is true, a setting less than k counts as k.
    Where `by_row` is true, a query is the row number of a vector in the index, which is left out
    of its own answer; else it is a vector.
    """

    package: ClassVar[str]
    parameters: ClassVar[str] = ""
    effort: ClassVar[str] = ""
    efforts: ClassVar[tuple[int, ...]] = (0,)
    at_least_k: ClassVar[bool] = False
    by_row: ClassVar[bool] = False

    def __init__(self, vectors: Vectors, space: str) -> None:
        self.vectors, self.space = vectors, space
        self.index: Any = None

    @classmethod
    def version(cls) -> str:
        """The version of the library; PackageNotFoundError, an ImportError, where there is none."""
        return version(cls.package)

    @classmethod
    def efforts_for(cls, k: int) -> list[int]:
        """The efforts to try for answers of k, the least first."""
        return sorted({max(each, k) if cls.at_least_k else each for each in cls.efforts})

    @abstractmethod
    def build(self, threads: int) -> None:
        """Build the index of the vectors."""

    @abstractmethod
    def search(self, queries: Any, k: int, effort: int, threads: int = 1) -> Rows:
        """The rows (m, k) of the nearest, the nearest first; -1 where fewer were found."""

    def add(self, vectors: Vectors) -> None:
        """Add vectors to the index; NotImplementedError where it has to be built anew."""
        raise NotImplementedError

    @abstractmethod
    def disk(self, folder: Path) -> int:
        """The bytes of the index on disk; a library in memory saves it into the folder."""

    def cpu(self) -> float:
        """Seconds of processor so far, all processes that work for the index together."""
        return time.process_time()

    def peak(self) -> int:
        """The most bytes of memory that were in use since the last call of forget_peak()."""
        return peak_of("self")

    def close(self) -> None:
        """Give back what the index holds."""
        self.index = None


def filled(found: list[Any], k: int) -> Rows:
    """Answers of unequal length as one array (m, k), -1 to fill up."""
    rows = np.full((len(found), k), -1, np.int64)
    for place, own in enumerate(found):
        rows[place, : len(own)] = own
    return rows


def saved_bytes(path: Path) -> int:
    """The bytes of all files whose names begin with that of the path."""
    return sum(each.stat().st_size for each in path.parent.glob(f"{path.name}*"))


def peak_of(pid: int | str) -> int:
    """The most bytes of memory that a process had in use; this one's where there is no /proc."""
    try:
        lines = Path("/proc", str(pid), "status").read_text().splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024


def forget_peak(pid: int | str = "self") -> None:
    """Let the peak of a process begin at what it has in use now; Linux alone can."""
    path = Path("/proc", str(pid), "clear_refs")
    if path.exists():
        path.write_text("5")
