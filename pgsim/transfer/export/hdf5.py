"""The matrix as HDF5: arrays in which one recording's row can be read without the rest.

`neighbours` (n, k) int32 are row numbers, from 0, nearest first, and -1 after the last member;
`distances` (n, k) float32 are inf there. `mbid` (n,) is text. `title`, `artist`, `genre` (text,
empty where unknown) and `year` (0 where unknown) describe the recording of a row.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np

from pgsim.errors import UsageError
from pgsim.transfer.export.matrix import Matrix

CHUNK = 32  # rows that lie together: 25 kB of lists, about as much as a disk reads at once

_NAMES = ("title", "artist", "genre", "year")


class _File(FileIO):
    """A file that keeps its first failure to raise it later: HDF5 crashes where it cannot write."""

    _failure: OSError | KeyboardInterrupt | None = None

    def write(self, data: Any) -> int:
        """Write all of it, or keep the failure."""
        with self._noted():
            left = memoryview(data)
            while left:
                left = left[super().write(left) :]
        return len(data)

    def truncate(self, size: int | None = None) -> int:
        """Make the file `size` bytes long, or keep the failure."""
        with self._noted():
            super().truncate(size)
        return size or 0

    def require_whole(self) -> None:
        """Raise the failure, if there was one."""
        if self._failure:
            raise self._failure

    @contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            yield
        except (OSError, KeyboardInterrupt) as failure:
            self._failure = self._failure or failure


def write_hdf5(matrix: Matrix, path: Path) -> None:
    """Make the file; UsageError where h5py is not installed."""
    try:
        import h5py
    except ImportError as error:
        raise UsageError("HDF5 is not installed; pip install 'pgsim[hdf5]'") from error

    with _File(path, "w+") as raw:
        with h5py.File(raw, "w") as file:
            for _ in _datasets(file, h5py.string_dtype(), matrix):
                raw.require_whole()
        raw.require_whole()


def _datasets(file: Any, text: Any, matrix: Matrix) -> Iterator[None]:
    """Make the datasets, a block of rows at a time."""
    n, k = len(matrix.ids), matrix.length

    def make(name: str, kind: Any, fill: Any, *width: int) -> Any:
        return file.create_dataset(
            name,
            (n, *width),
            kind,
            maxshape=(None, *width),
            chunks=(CHUNK if width else 100 * CHUNK, *width),
            fillvalue=fill,
        )

    make("mbid", "S36", b"")[:] = matrix.texts
    neighbours = make("neighbours", "i4", -1, k)
    distances = make("distances", "f4", np.inf, k)
    for block in matrix.blocks():
        if not len(block.rows):
            continue
        # Members that are gone go to the end, the others keep their order.
        is_gone = block.neighbours < 0
        order = np.argsort(is_gone, axis=1, kind="stable")
        near = np.where(is_gone, np.float32(np.inf), block.distances)
        first, last = block.rows[0], block.rows[-1] + 1
        own = np.full((last - first, k), -1, np.int32)
        apart = np.full((last - first, k), np.inf, np.float32)
        own[block.rows - first] = np.take_along_axis(block.neighbours, order, axis=1)
        apart[block.rows - first] = np.take_along_axis(near, order, axis=1)
        neighbours[first:last], distances[first:last] = own, apart
        yield
    texts = {name: make(name, text, None) for name in _NAMES[:-1]}
    year = make("year", "i2", 0)
    start = 0
    for rows in matrix.recordings(_NAMES):
        end = start + len(rows)
        columns = dict(zip(_NAMES, zip(*rows, strict=True), strict=True))
        for name, dataset in texts.items():
            dataset[start:end] = [each or "" for each in columns[name]]
        year[start:end] = [each or 0 for each in columns["year"]]
        start = end
        yield
