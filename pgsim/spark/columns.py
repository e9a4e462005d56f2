"""Columns of Arrow as arrays, and arrays as columns.

A vector, an MBID and a list travel as the bytes of their array: Spark passes on bytes several times
faster than lists of numbers.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Batches = Iterable[pa.RecordBatch]

MBID = "S16"  # which sorts as PostgreSQL sorts MBIDs
REAL = np.dtype("f4")


def array(batch: pa.RecordBatch, name: str) -> NDArray[Any]:
    """The numbers (n,) of a column."""
    values: NDArray[Any] = batch.column(name).to_numpy()
    return values


def mbids(batch: pa.RecordBatch) -> NDArray[np.bytes_]:
    """The MBIDs (n,) S16 of a batch."""
    return rows(batch, "mbid", np.dtype("u1")).view(MBID).ravel()


def rows(batch: pa.RecordBatch, name: str, kind: np.dtype[Any]) -> NDArray[Any]:
    """The values (n, width) of a column of bytes, all of one width."""
    values, _ = ragged(batch, name, kind)
    return values.reshape(len(batch), -1)


def ragged(
    batch: pa.RecordBatch, name: str, kind: np.dtype[Any]
) -> tuple[NDArray[Any], NDArray[np.int32]]:
    """The values of a column of bytes, one after another, and the number (n,) in each row."""
    column = batch.column(name)
    _, ends, data = column.buffers()
    ends = np.frombuffer(ends, np.int32)[column.offset : column.offset + len(column) + 1]
    raw = np.frombuffer(data, "u1") if data else np.empty(0, "u1")
    return raw[ends[0] : ends[-1]].view(kind), np.diff(ends) // kind.itemsize


def packed(values: NDArray[Any], counts: NDArray[np.integer] | None = None) -> pa.Array:
    """A column of bytes: a row for each row of values (n, …), or for each count of values (m,)."""
    values = np.ascontiguousarray(values)
    size = np.full(len(values), values[:1].nbytes) if counts is None else counts * values.itemsize
    ends = np.concatenate([[0], np.cumsum(size)]).astype(np.int32)
    return pa.Array.from_buffers(
        pa.binary(), len(size), [None, pa.py_buffer(ends), pa.py_buffer(values)]
    )


def batch_of(columns: Mapping[str, Any]) -> pa.RecordBatch:
    """A batch of columns: arrays of numbers, or what packed() makes."""
    return pa.RecordBatch.from_pydict(dict(columns))


def runs(batch: pa.RecordBatch, *names: str) -> Iterator[pa.RecordBatch]:
    """Yield the batch in slices in which the numbers of some columns stay the same."""
    changes = np.zeros(max(0, len(batch) - 1), bool)
    for name in names:
        numbers = array(batch, name)
        changes |= numbers[1:] != numbers[:-1]
    bounds = [0, *(np.flatnonzero(changes) + 1).tolist(), len(batch)]
    for start, end in pairwise(bounds):
        if end > start:
            yield batch.slice(start, end - start)
