"""Read the pairs of recordings in exported files, a chunk at a time."""

import csv
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgsim.errors import PgsimError, UsageError
from pgsim.regular_file import open_regular, text_lines
from pgsim.store.mbids import to_mbids
from pgsim.transfer.export.parquet import require_pyarrow

CHUNK = 1 << 17  # pairs in memory at once
COLUMNS = ("mbid", "rank", "similar_mbid", "distance")


class PairsError(PgsimError):
    """A file holds no matrix; the message names the file, the row and the cause."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Rows of pgsim.similarity_matrix: `mbid` and `similar` (n,) S16, `rank` int32, `distance`
    float32. S16 sorts as PostgreSQL sorts MBIDs."""

    mbid: NDArray[np.bytes_]
    rank: NDArray[np.int32]
    similar: NDArray[np.bytes_]
    distance: NDArray[np.float32]


def read_pairs(path: Path) -> Iterator[Pairs]:
    """Yield the pairs of a CSV file or a folder of Parquet, in their order.

    PairsError where the path cannot be read or holds no pairs; UsageError where its name ends in no
    known format, or the format is not installed.
    """
    if not path.exists():
        raise PairsError(f"cannot read {path}: no such file or folder")
    if path.suffix == ".parquet":
        return _read_parquet(path)
    if path.suffix == ".csv":
        return _read_csv(path)
    raise UsageError(f"cannot import '{path}': its name has to end in .csv or .parquet")


def _read_csv(path: Path) -> Iterator[Pairs]:
    line = 1
    try:
        with open_regular(path) as file:
            rows = csv.reader(text_lines(file))
            if tuple(next(rows, ())) != COLUMNS:
                raise PairsError(
                    f"{path} is no exported matrix: it begins with {','.join(COLUMNS)}"
                )
            while chunk := list(islice(rows, CHUNK)):
                try:
                    mbid, rank, similar, distance = zip(*chunk, strict=True)
                    pairs = Pairs(
                        to_mbids(mbid),
                        np.array(rank).astype(np.int32),
                        to_mbids(similar),
                        np.array(distance).astype(np.float32),
                    )
                except (ValueError, OverflowError):
                    raise PairsError(_first_wrong(path, line, chunk)) from None
                yield pairs
                line += len(chunk)
    except (csv.Error, UnicodeDecodeError) as error:
        raise PairsError(f"cannot read {path}: {error}") from None
    except OSError as error:
        raise PairsError(f"cannot read {path}: {error.strerror}") from None


def _first_wrong(path: Path, before: int, rows: Sequence[Sequence[str]]) -> str:
    """The message on the first row that cannot be read."""
    for line, row in enumerate(rows, start=before + 1):
        if len(row) != len(COLUMNS):
            return f"{path}, line {line}: {len(row)} values for {len(COLUMNS)} columns"
        for name, kind, text in zip(
            COLUMNS, (uuid.UUID, np.int32, uuid.UUID, np.float32), row, strict=True
        ):
            try:
                kind(text)
            except (ValueError, OverflowError):
                return f"{path}, line {line}: {name} is '{text}'"
    return f"{path}: lines {before + 1} to {before + len(rows)} cannot be read"


def _read_parquet(path: Path) -> Iterator[Pairs]:
    arrow = require_pyarrow()
    folder = path / "similarity"
    files = sorted(folder.glob("*.parquet")) if path.is_dir() else [path]
    if not files:
        raise PairsError(f"{path} is no exported matrix: it has no similarity/*.parquet")
    for file in files:
        try:
            with arrow.parquet.ParquetFile(file) as source:
                _require_columns(arrow, source.schema_arrow, file)
                for batch in source.iter_batches(CHUNK, columns=list(COLUMNS)):
                    mbid, rank, similar, distance = (batch.column(name) for name in COLUMNS)
                    yield Pairs(
                        to_mbids(_known(mbid).to_pylist()),
                        _known(rank).cast("int32").to_numpy(zero_copy_only=False),
                        to_mbids(_known(similar).to_pylist()),
                        _known(distance).to_numpy(zero_copy_only=False).astype(np.float32),
                    )
        except (arrow.ArrowException, ValueError, OSError) as error:
            raise PairsError(f"cannot read {file}: {str(error).splitlines()[0]}") from None


def _require_columns(arrow: Any, schema: Any, file: Path) -> None:
    """PairsError where a column is missing, or has another type."""
    types = arrow.types
    text = ("text", lambda kind: types.is_string(kind) or types.is_large_string(kind))
    kinds = (text, ("an integer", types.is_integer), text, ("a float", types.is_floating))
    for name, (what, is_so) in zip(COLUMNS, kinds, strict=True):
        if name not in schema.names:
            raise PairsError(f"{file} is no exported matrix: it has no column {name}")
        kind = schema.field(name).type
        if not is_so(kind):
            raise PairsError(f"{file} is no exported matrix: its {name} is {kind}, not {what}")


def _known(column: Any) -> Any:
    if column.null_count:
        raise ValueError("an MBID, a rank or a distance is null")
    return column
