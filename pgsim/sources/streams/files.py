"""The documents in a file: JSON, NDJSON, CSV or a tar, compressed or not, read as a stream."""

import bz2
import gzip
import io
import lzma
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import IO, Protocol, TypeVar, cast

import zstandard
from msgspec import Struct

from pgsim.errors import PgsimError
from pgsim.sources.streams.buffer import MemberRun, ReadBuffer
from pgsim.sources.streams.tar import Entry, TarError, entries, runs
from pgsim.sources.streams.zstd import open_zstd
from pgsim.sources.text import Repairs

# As long as hundreds of common documents: anything longer is no document, and would fill memory.
LONGEST = 16 * 2**20
_TOO_LONG = f"longer than {LONGEST >> 20} MiB"

# What reading a damaged or cut-off file raises.
BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError, TarError)


class SourceError(PgsimError):
    """A file or folder that cannot be read at all."""


class Member(Struct, gc=False):
    """One document as it stands in a file.

    `name` says where it stands: the file's own name, then `:` and the member of an archive, or the
    line. If reading failed, `fault` says why and `data` is empty: such a member counts as one
    document, and the documents before it and in later files are not lost. `at` is about how many
    bytes of the file, as it lies on disk, had been read: a load predicts its end from it. `is_utf8`
    says that the bytes of this member and its neighbours, taken together, are known to be UTF-8.
    `view` is the data without a copy; the memory may be written over when the next member is asked
    for.
    """

    name: str
    view: bytes | memoryview
    fault: str = ""
    at: int = 0
    is_utf8: bool = False

    @property
    def data(self) -> bytes:
        """Return a copy of the document's bytes."""
        return bytes(self.view)

    @property
    def count(self) -> int:
        """Return 1: a member is one document, as a MemberRun is several."""
        return 1


class Found(Protocol):
    """A document, or several of them, found in a file."""

    at: int

    @property
    def count(self) -> int:
        """Return the number of documents."""


F = TypeVar("F", bound=Found)

# For each kind of file, by the end of its name: the function that yields its documents, from the
# stream of its bytes and the name with which the documents' names begin.
Readers = Mapping[str, Callable[[IO[bytes], str], Iterator[Member]]]
_Readers = Mapping[str, Callable[[IO[bytes], str], Iterator[Member | MemberRun]]]


def require_readable(path: Path) -> None:
    """Raise SourceError if `path` is missing, not readable, or neither a file nor a folder."""
    if not path.exists():
        raise SourceError(f"{path} not found")
    if not path.is_file() and not path.is_dir():
        raise SourceError(f"{path} is neither a file nor a folder")
    if not os.access(path, os.R_OK):
        raise SourceError(f"{path} cannot be read: permission denied")


def is_known(path: Path, readers: Readers | None = None) -> bool:
    """Return whether a file holds documents, judging by its name."""
    return _kind(path.name) in (readers or DOCUMENT_READERS)


def is_csv(path: Path) -> bool:
    """Return whether a file holds a CSV, judging by its name."""
    return kind_of(path) == "csv"


def kind_of(path: Path) -> str:
    """Return the ending of a file's name that says what is in it, such as csv for x.csv.gz."""
    return _kind(path.name)


def seekable(stream: IO[bytes]) -> IO[bytes]:
    """Return the stream if it can be read in any order; else what is in it, in memory."""
    return stream if stream.seekable() else io.BytesIO(stream.read())


def first_line(path: Path) -> bytes:
    """Return at most 1 KiB of a file's first line; nothing if it cannot be read."""
    try:
        with opened(path) as stream:
            return stream.readline(1024)
    except SourceError:
        return b""


def beginning(path: Path, size: int) -> bytes:
    """Return the first bytes of a file's content; nothing if it cannot be read."""
    try:
        with opened(path) as stream:
            return stream.read(size)
    except SourceError:
        return b""


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open the content of a file, decompressed; SourceError if it cannot be opened or read."""
    require_readable(path)
    try:
        with path.open("rb") as file, uncompressed(file, path.name) as stream:
            yield stream
    except BROKEN as error:
        raise SourceError(f"{path} cannot be read: {reason(error)}") from None


def members_in(buffer: ReadBuffer, path: Path) -> Iterator[Member | MemberRun]:
    """Yield what `members` yields, with those of a tar read into the buffer."""
    return found_in(path, {**DOCUMENT_READERS, "tar": partial(_tar, buffer=buffer)})


def members(path: Path, readers: Readers | None = None) -> Iterator[Member]:
    """Yield every document in a file; a failure is a Member with a fault.

    `readers` has the known kinds of files; by default DOCUMENT_READERS.
    """
    return found_in(path, readers or cast(Readers, DOCUMENT_READERS))


def found_in(
    path: Path, readers: Mapping[str, Callable[[IO[bytes], str], Iterator[F]]]
) -> Iterator[F | Member]:
    """Yield what the reader of a file's kind finds in it; a failure is a Member with a fault."""
    read_members = readers[_kind(path.name)]
    name = storable(path.name)
    read = asked = 0
    try:
        require_readable(path)
        with path.open("rb") as file, uncompressed(file, path.name) as stream:
            at = 0
            for found in read_members(stream, name):
                if read >= asked:  # rarely, since it takes longer than everything else here
                    at, asked = file.tell(), read + 64
                found.at = at
                yield found
                read += found.count
    except BROKEN as error:
        yield Member(name, b"", f"broken after {read} documents: {reason(error)}")
    except SourceError as error:
        yield Member(name, b"", str(error))
    else:
        if not read:
            yield Member(name, b"", "no document in it")


def _json(stream: IO[bytes], name: str) -> Iterator[Member]:
    data = stream.read(LONGEST + 1)
    yield Member(name, data) if len(data) <= LONGEST else Member(name, b"", _TOO_LONG)


def _ndjson(stream: IO[bytes], name: str) -> Iterator[Member]:
    for number in count(1):
        line = stream.readline(LONGEST)
        if not line:
            return
        where = f"{name}:{number}"
        if len(line) == LONGEST and not line.endswith(b"\n"):
            yield Member(where, b"", _TOO_LONG)
            while line and not line.endswith(b"\n"):
                line = stream.readline(LONGEST)
        elif line.strip():
            yield Member(where, line)


def csv_lines(stream: IO[bytes], name: str) -> Iterator[Member]:
    """Yield each row below the header, as two lines that can be read without the other rows."""
    header = stream.readline(LONGEST).rstrip(b"\r\n") + b"\n"
    for number in count(2):
        row = stream.readline(LONGEST)
        if not row:
            return
        if row.strip():
            yield Member(f"{name}:{number}", header + row)


class _Body(io.RawIOBase):
    """The bytes of a file in a tar."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._entry.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def body_of(entry: Entry) -> IO[bytes]:
    """Return a file in a tar as a stream."""
    return cast(IO[bytes], io.BufferedReader(_Body(entry), buffer_size=2**17))


def _tar(
    stream: IO[bytes], name: str, buffer: ReadBuffer | None = None
) -> Iterator[Member | MemberRun]:
    for found in runs(stream, buffer, _is_plain) if buffer else entries(stream):
        if isinstance(found, MemberRun):
            found.names = [f"{name}:{inner}" for inner in found.names]
            yield found
            continue
        kind = _kind(found.name)
        if kind not in ("json", "csv"):
            continue
        where = f"{name}:{storable(found.name)}"
        if kind == "csv":
            yield from csv_lines(body_of(found), where)
        elif found.size > LONGEST:
            yield Member(where, b"", _TOO_LONG)
        elif buffer:
            yield MemberRun([where], [*found.place(found.size)])
        else:
            yield Member(where, found.read())


def _is_plain(name: str) -> bool:
    """Return whether a name in ASCII is that of a JSON file, not hidden and storable as it is."""
    return name.endswith(".json") and name[name.rfind("/") + 1] != "." and name[0] > " "


_OPENERS: dict[str, Callable[[IO[bytes]], IO[bytes]]] = {
    "": lambda file: file,
    ".gz": lambda file: cast(IO[bytes], gzip.open(file)),
    ".bz2": lambda file: cast(IO[bytes], bz2.open(file)),
    ".xz": lambda file: cast(IO[bytes], lzma.open(file)),
    ".zst": open_zstd,
}
COMPRESSIONS = tuple(suffix for suffix in _OPENERS if suffix)
DOCUMENT_READERS: _Readers = {
    "json": _json,
    "ndjson": _ndjson,
    "tar": _tar,
    "csv": csv_lines,
}


def uncompressed(file: IO[bytes], name: str) -> IO[bytes]:
    """Return the content of an open file, compressed as its name says."""
    return _OPENERS[next((each for each in COMPRESSIONS if name.lower().endswith(each)), "")](file)


def base_of(name: str) -> str:
    """Return the last part of a path, in lower case, without the ending of a compression."""
    base = name[name.rfind("/") + 1 :].lower()
    return base.removesuffix(next((each for each in COMPRESSIONS if base.endswith(each)), ""))


def _kind(name: str) -> str:
    """Return the suffix before that of the compression, without its dot; empty if hidden."""
    stem, _, suffix = base_of(name).rpartition(".")
    return suffix if stem and stem[0] != "." else ""


def kinds(readers: Iterable[str]) -> str:
    """Return the endings of the files that `readers` know, as a text for a person."""
    *most, last = [f".{kind}" for kind in dict.fromkeys(readers)]
    *shorter, shortest = COMPRESSIONS
    return f"{', '.join(most)} or {last}, each also with {', '.join(shorter)} or {shortest}"


def storable(name: str) -> str:
    """Return a file's name as text that PostgreSQL can hold; its bytes need not be UTF-8."""
    is_plain = name.isascii() and "\0" not in name and name == name.strip()
    return name if is_plain else Repairs().text(name)


def reason(error: Exception) -> str:
    """Return why reading failed, in one line."""
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
