"""Export the matrix: one writer a format, and the registry of formats.

A stream is a function from the matrix to chunks of bytes; a writer is a function that makes a file
or folder. Each is in a module of its own, and imports its libraries when it is called.
"""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pgsim.errors import PgsimError, UsageError
from pgsim.postgres.connection import Connection
from pgsim.progress import Advance, still
from pgsim.transfer.export.hdf5 import write_hdf5
from pgsim.transfer.export.lines import csv, mirex, resp
from pgsim.transfer.export.listenbrainz import listenbrainz_csv, write_listenbrainz
from pgsim.transfer.export.matrix import Matrix, open_matrix
from pgsim.transfer.export.parquet import write_parquet, write_vectors
from pgsim.transfer.export.search_index import MBIDS, write_faiss
from pgsim.transfer.output import require_free, working_folder

Stream = Callable[[Matrix], Iterator[bytes]]
Writer = Callable[[Matrix, Path], None]

STDOUT = Path("-")
# What a folder of Parquet has in it.
_FOLDERS = {"recording", "similarity", "vector"}


@dataclass(frozen=True, slots=True)
class Format:
    """A format: the suffixes of its files, and its stream or its writer.

    `beside` is the suffix that a second file has in addition.
    """

    suffixes: tuple[str, ...]
    stream: Stream | None = None
    writer: Writer | None = None
    beside: str = ""


FORMATS = {
    "csv": Format((".csv",), stream=csv),
    "parquet": Format((".parquet",), writer=write_parquet),
    "hdf5": Format((".h5", ".hdf5"), writer=write_hdf5),
    "mirex": Format((".mirex",), stream=mirex),
    "resp": Format((".resp",), stream=resp),
    "faiss": Format((".faiss",), writer=write_faiss, beside=MBIDS),
}
SHAPES = {
    "matrix": FORMATS,
    "vectors": {"parquet": Format((".parquet",), writer=write_vectors)},
    "listenbrainz": {
        "csv": Format((".csv",), stream=listenbrainz_csv),
        "parquet": Format((".parquet",), writer=write_listenbrainz),
    },
}


@dataclass(frozen=True, slots=True)
class ExportReport:
    """The account of an export: its format and file, and the numbers of what it holds.

    A search index and vectors have no lists; pairs for ListenBrainz are no longer in lists.
    `vectors` is how many the shape of that name holds: recordings without one are left out.
    `pending` recordings have changed since the lists were made.
    """

    format: str
    file: str
    recordings: int
    lists: int
    pairs: int
    vectors: int
    pending: int
    bytes: int


def export(
    conn: Connection,
    path: Path,
    format: str | None = None,  # noqa: A002
    *,
    shape: str = "matrix",
    force: bool = False,
    advance: Advance = still,
) -> ExportReport:
    """Write the matrix, as one snapshot shows it, into a file or folder; `-` is stdout.

    `shape` is what is written: the matrix, the vectors, or pairs for a table of ListenBrainz's. The
    suffix of the path says the format, unless `format` does. The path appears when the export
    is whole, and replaces another one only with `force`. Pairs whose recording is gone are left
    out. `conn` is in autocommit mode; `advance` receives the number of lists written. UsageError
    for an unknown shape or format, one that is not installed or cannot go to stdout, and a path
    that exists.
    """
    if shape not in SHAPES:
        raise UsageError(f"unknown shape '{shape}'; known: {', '.join(SHAPES)}")
    formats = SHAPES[shape]
    name = format or _format_of(path, formats)
    if name not in formats:
        raise UsageError(f"unknown format '{name}'; known: {', '.join(formats)}")
    stream, writer = formats[name].stream, formats[name].writer
    if path == STDOUT:
        if stream is None:
            streams = ", ".join(each for each in formats if formats[each].stream) or "nothing"
            raise UsageError(f"{name} cannot go to stdout ({streams} can): name a file")
        with open_matrix(conn, advance) as matrix:
            size = sum(sys.stdout.buffer.write(chunk) for chunk in stream(matrix))
            sys.stdout.buffer.flush()
            return _report(name, path, matrix, size)
    _require_free(path, force)
    require_free(path.with_name(path.name + formats[name].beside), force)
    try:
        with (
            working_folder(path) as folder,
            open_matrix(conn, advance) as matrix,
        ):
            whole = folder / "new" / path.name
            whole.parent.mkdir()
            if stream:
                with whole.open("wb") as file:
                    file.writelines(stream(matrix))
            elif writer:
                writer(matrix, whole)
            files = [each for each in whole.parent.rglob("*") if each.is_file()]
            size = sum(map(_synced_size, files))
            _move(whole, path, folder / "old")
            return _report(name, path, matrix, size)
    except OSError as error:
        # A library's own message may be long, and names the temporary folder.
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise PgsimError(f"cannot write {path}: {reason}") from None


def _report(name: str, path: Path, matrix: Matrix, size: int) -> ExportReport:
    return ExportReport(
        name,
        str(path),
        len(matrix.ids),
        matrix.lists,
        matrix.pairs,
        matrix.vectors_written,
        matrix.pending,
        size,
    )


def _format_of(path: Path, formats: dict[str, Format]) -> str:
    for name, each in formats.items():
        if path.suffix in each.suffixes:
            return name
    known = ", ".join(suffix for each in formats.values() for suffix in each.suffixes)
    raise UsageError(
        f"'{path}' does not say in which format: end it in one of {known}, or give the `format`"
        f" ({', '.join(formats)})"
    )


def _require_free(path: Path, force: bool) -> None:
    """UsageError where the path is a folder of something else, or exists without `force`."""
    if path.is_dir() and not {each.name for each in path.iterdir()} <= _FOLDERS:
        raise UsageError(f"{path} is a folder of something else: name another")
    require_free(path, force)


def _synced_size(path: Path) -> int:
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return os.fstat(file.fileno()).st_size


def _move(whole: Path, path: Path, old: Path) -> None:
    """Move the new files to their place, the one of the path's own name last."""
    for each in sorted(whole.parent.iterdir(), key=lambda each: each == whole):
        if each == whole and path.is_dir():
            path.rename(old)  # no folder can be renamed onto another
        each.replace(path.parent / each.name)
