"""Rows of Parquet files. The fields of a struct are columns `struct.field`."""

from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

from pgsim.errors import UsageError
from pgsim.sources.delimited.header import named
from pgsim.sources.streams.files import SourceError, seekable

if TYPE_CHECKING:
    import pyarrow

_BATCH = 1000  # rows in memory at once


def rows(stream: IO[bytes]) -> Iterator[dict[str, Any]]:
    """Yield the rows; SourceError if the file is broken, UsageError if pyarrow is not installed."""
    pyarrow, read = _library()
    try:
        file = read.ParquetFile(seekable(stream))
        for batch in file.iter_batches(batch_size=_BATCH):
            table = _flat(pyarrow, pyarrow.Table.from_batches([batch]))
            columns, _ = named(table.column_names)
            values = [column.to_pylist() for column in table.columns]
            for cells in zip(*values, strict=True):
                yield dict(zip(columns, cells, strict=True))
    except pyarrow.ArrowException as error:
        raise SourceError(f"not Parquet: {' '.join(str(error).split())}") from None


def notes(stream: IO[bytes]) -> tuple[str, ...]:
    """Return what is to be said of the columns' names; raises as `rows` does."""
    pyarrow, read = _library()
    try:
        schema = read.ParquetFile(seekable(stream)).schema_arrow
    except pyarrow.ArrowException as error:
        raise SourceError(f"not Parquet: {' '.join(str(error).split())}") from None
    found: tuple[str, ...] = named(_flat(pyarrow, schema.empty_table()).column_names)[1]
    return found


def _library() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError:
        raise UsageError("pyarrow is not installed; pip install 'pgsim[parquet]'") from None
    return pyarrow, pyarrow.parquet


def _flat(pyarrow: Any, table: "pyarrow.Table") -> "pyarrow.Table":
    """Return the table with structs as columns, and times of no more than microseconds."""
    while any(pyarrow.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    for place, field in enumerate(table.schema):
        kind = field.type
        types = pyarrow.types
        if types.is_timestamp(kind) and kind.unit == "ns":
            kind = pyarrow.timestamp("us", kind.tz)
        elif types.is_duration(kind) and kind.unit == "ns":
            kind = pyarrow.duration("us")
        elif types.is_time64(kind) and kind.unit == "ns":
            kind = pyarrow.time64("us")
        else:
            continue
        table = table.set_column(place, field.name, table.column(place).cast(kind, safe=False))
    return table
