"""The matrix as Parquet: a folder with two tables, each in as many files as it takes.

`recording/` has a row for each recording, `similarity/` a row for each pair, with the column names
of SQL. MBIDs are strings: Spark has no other type for them, and compressed they are as small as 16
bytes.
"""

from collections.abc import Iterator
from itertools import chain, count, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgsim.errors import UsageError
from pgsim.transfer.export.matrix import ListBlock, Matrix

GROUPS = 20  # row groups in a file: one is a block of lists, or of recordings

_COLUMNS = {
    "mbid": "string",
    "title": "string",
    "artist": "string",
    "artist_mbids": "strings",
    "album": "string",
    "year": "int16",
    "decade": "int16",
    "length": "float32",
    "genre": "string",
    "genre_probability": "float32",
    "genres": "strings",
    "source_id": "string",
    "url": "string",
    "popularity": "float32",
    "extra": "string",
    "submissions": "int32",
    "missing": "strings",
}
# What Parquet has no type for.
_CASTS = {"mbid": "mbid::text", "artist_mbids": "artist_mbids::text[]", "extra": "extra::text"}


def write_parquet(matrix: Matrix, folder: Path) -> None:
    """Make the folder; UsageError where pyarrow is not installed."""
    arrow = require_pyarrow()
    mbids = _strings(arrow, matrix.texts)
    similarity = arrow.schema(
        [
            arrow.field("mbid", arrow.string(), nullable=False),
            arrow.field("rank", arrow.int32(), nullable=False),
            arrow.field("similar_mbid", arrow.string(), nullable=False),
            arrow.field("distance", arrow.float32(), nullable=False),
        ]
    )
    kinds = {"strings": arrow.list_(arrow.string())}
    recording = arrow.schema(
        [(name, kinds.get(kind) or arrow.type_for_alias(kind)) for name, kind in _COLUMNS.items()]
    )
    write_tables(
        folder / "recording",
        recording,
        (
            arrow.Table.from_arrays(
                [
                    arrow.array(values, kind)
                    for values, kind in zip(zip(*rows, strict=True), recording.types, strict=True)
                ],
                schema=recording,
            )
            for rows in matrix.recordings([_CASTS.get(name, name) for name in _COLUMNS])
        ),
    )
    write_tables(
        folder / "similarity",
        similarity,
        (_pairs(arrow, similarity, mbids, block) for block in matrix.blocks()),
    )


def write_vectors(matrix: Matrix, folder: Path) -> None:
    """Make the folder with `vector/`: a row, `mbid` and `vector`, for each recording that has one.

    A vector is a list of float32, all of one length. UsageError where pyarrow is not installed.
    """
    arrow = require_pyarrow()
    mbids = _strings(arrow, matrix.texts)
    schema = arrow.schema(
        [
            arrow.field("mbid", arrow.string(), nullable=False),
            arrow.field("vector", arrow.list_(arrow.float32()), nullable=False),
        ]
    )

    def table(rows: NDArray[np.int32], vectors: NDArray[np.float32]) -> Any:
        ends = np.arange(len(rows) + 1, dtype=np.int32) * vectors.shape[1]
        lists = arrow.ListArray.from_arrays(arrow.array(ends), arrow.array(vectors.ravel()))
        names = mbids.take(arrow.array(rows)).cast(arrow.string())
        return arrow.Table.from_arrays([names, lists], schema=schema)

    write_tables(folder / "vector", schema, (table(*each) for each in matrix.vectors()))


def require_pyarrow() -> Any:
    """The module; UsageError where it is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise UsageError("Parquet is not installed; pip install 'pgsim[parquet]'") from error
    return pyarrow


def write_tables(folder: Path, schema: Any, tables: Iterator[Any]) -> None:
    """Write tables as row groups of files part-00000.parquet and on; one file for none."""
    from pyarrow.parquet import ParquetWriter

    folder.mkdir(parents=True)
    rest = iter(tables)
    first: Any = schema.empty_table()
    for number in count():
        table = next(rest, first)
        if table is None:
            return
        path = folder / f"part-{number:05}.parquet"
        with ParquetWriter(path, schema, compression="zstd", use_dictionary=["mbid"]) as writer:
            for group in chain([table], islice(rest, GROUPS - 1)):
                writer.write_table(group)
        first = None


def _strings(arrow: Any, texts: NDArray[np.bytes_]) -> Any:
    """MBIDs (n,) as an Arrow array of strings, their bytes as they are."""
    width = texts.dtype.itemsize
    offsets = np.arange(len(texts) + 1, dtype=np.int64) * width
    buffers = [None, arrow.py_buffer(offsets), arrow.py_buffer(texts)]
    return arrow.Array.from_buffers(arrow.large_string(), len(texts), buffers)


def _pairs(arrow: Any, schema: Any, mbids: Any, block: ListBlock) -> Any:
    """A row for each pair of a block."""
    is_there = block.neighbours >= 0
    owner = np.repeat(block.rows, is_there.sum(axis=1))
    return arrow.Table.from_arrays(
        [
            mbids.take(arrow.array(owner)).cast(arrow.string()),
            arrow.array((np.nonzero(is_there)[1] + 1).astype(np.int32)),
            mbids.take(arrow.array(block.neighbours[is_there])).cast(arrow.string()),
            arrow.array(block.distances[is_there]),
        ],
        schema=schema,
    )
