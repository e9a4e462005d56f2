"""Documents out of a file: JSON, NDJSON or a tar, compressed or not, read as a stream."""

import bz2
import gzip
import io
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import count
from pathlib import Path
from typing import IO, cast

import zstandard
from msgspec import Struct

from pgsim.errors import PgsimError
from pgsim.sources.streams.buffer import Room, Run
from pgsim.sources.streams.tar import Entry, TarError, entries, runs
from pgsim.sources.streams.zstd import open_zstd
from pgsim.sources.text import Repairs

# Hundreds of common documents: what is longer is none, and would fill the memory.
LONGEST = 16 * 2**20
_TOO_LONG = f"longer than {LONGEST >> 20} MiB"

_BROKEN = (OSError, EOFError, zlib.error, zstandard.ZstdError, TarError)


class SourceError(PgsimError):
    """A file or folder that cannot be read at all."""


class Member(Struct, gc=False):
    """One document as it stands in a file.

    `name` says where: the file's own name, then `:` and the member of an archive or the line. Where
    reading failed `fault` says why and `data` is empty: that counts as one document, and nothing
    read before it, or in the files after it, is lost. `at` is about how far into the file reading
    had come, in bytes as they lie on disk: from it a load foretells its end. `is_utf8`: it and its
    neighbours are UTF-8 one after the other, so that a JSON text that is not ends in a fault of its
    own. `view` is the data for who keeps nothing of it, since the memory may be written to again.
    """

    name: str
    view: bytes | memoryview
    fault: str = ""
    at: int = 0
    is_utf8: bool = False

    @property
    def data(self) -> bytes:
        return bytes(self.view)

    @property
    def count(self) -> int:
        return 1


# How the documents of a file are found, by the kind that its name ends in: from its bytes, and the
# name with which theirs begin.
Readers = Mapping[str, Callable[[IO[bytes], str], Iterator[Member]]]
_Readers = Mapping[str, Callable[[IO[bytes], str], Iterator[Member | Run]]]


def require_readable(path: Path) -> None:
    """SourceError where `path` is missing, closed to us, or neither a file nor a folder."""
    if not path.exists():
        raise SourceError(f"{path} not found")
    if not path.is_file() and not path.is_dir():
        raise SourceError(f"{path} is neither a file nor a folder")
    if not os.access(path, os.R_OK):
        raise SourceError(f"{path} cannot be read: permission denied")


def is_known(path: Path, readers: Readers | None = None) -> bool:
    """Whether a file of that name holds documents, as far as its name says."""
    return _kind(path.name) in (readers or DOCUMENTS)


def is_csv(path: Path) -> bool:
    """Whether a file's name says that it holds a CSV."""
    return _kind(path.name) == "csv"


def first_line(path: Path) -> bytes:
    """The beginning of a file, at most 1 KiB of its first line; nothing where it cannot be read."""
    try:
        require_readable(path)
        with path.open("rb") as file, _OPENERS[_compression(path)](file) as stream:
            return stream.readline(1024)
    except (*_BROKEN, SourceError):
        return b""


def members_in(room: Room, path: Path) -> Iterator[Member | Run]:
    """The same as `members`, but those of a tar are read into the room."""
    return _members(path, {**DOCUMENTS, "tar": partial(_tar, room=room)})


def members(path: Path, readers: Readers | None = None) -> Iterator[Member]:
    """Every document in a file; whatever fails is told by a Member with a fault.

    `readers` are of the kinds of files that are known; by default those of AcousticBrainz.
    """
    return cast(Iterator[Member], _members(path, readers or DOCUMENTS))


def _members(path: Path, readers: _Readers) -> Iterator[Member | Run]:
    read_members = readers[_kind(path.name)]
    name = storable(path.name)
    read = asked = 0
    try:
        require_readable(path)
        with path.open("rb") as file, _OPENERS[_compression(path)](file) as stream:
            at = 0
            for found in read_members(stream, name):
                if read >= asked:  # seldom: it takes longer than all the rest here
                    at, asked = file.tell(), read + 64
                found.at = at
                yield found
                read += found.count
    except _BROKEN as error:
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


def _csv(stream: IO[bytes], name: str) -> Iterator[Member]:
    """Its rows, each under its header: two lines, for a reader that knows nothing of the others."""
    header = stream.readline(LONGEST).rstrip(b"\r\n") + b"\n"
    for number in count(2):
        row = stream.readline(LONGEST)
        if not row:
            return
        if row.strip():
            yield Member(f"{name}:{number}", header + row)


class _Body(io.RawIOBase):
    """A file in a tar, as a stream of its own."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._entry.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _tar(stream: IO[bytes], name: str, room: Room | None = None) -> Iterator[Member | Run]:
    for found in runs(stream, room, _is_plain) if room else entries(stream):
        if isinstance(found, Run):
            found.names = [f"{name}:{inner}" for inner in found.names]
            yield found
            continue
        kind = _kind(found.name)
        if kind not in ("json", "csv"):
            continue
        where = f"{name}:{storable(found.name)}"
        if kind == "csv":
            yield from _csv(cast(IO[bytes], io.BufferedReader(_Body(found))), where)
        elif found.size > LONGEST:
            yield Member(where, b"", _TOO_LONG)
        elif room:
            yield Run([where], [*found.place(found.size)])
        else:
            yield Member(where, found.read())


def _is_plain(name: str) -> bool:
    """Whether a name in ASCII is that of JSON without more ado: not hidden, storable as it is."""
    return name.endswith(".json") and name[name.rfind("/") + 1] != "." and name[0] > " "


_OPENERS: dict[str, Callable[[IO[bytes]], IO[bytes]]] = {
    "": lambda file: file,
    ".gz": lambda file: cast(IO[bytes], gzip.open(file)),
    ".bz2": lambda file: cast(IO[bytes], bz2.open(file)),
    ".zst": open_zstd,
}
_COMPRESSIONS = {suffix[1:] for suffix in _OPENERS if suffix}
DOCUMENTS: _Readers = {
    "json": _json,
    "ndjson": _ndjson,
    "tar": _tar,
    "csv": _csv,
}


def _compression(path: Path) -> str:
    suffix = path.suffix.lower()
    return suffix if suffix in _OPENERS else ""


def _kind(name: str) -> str:
    """The suffix under the compression's, without its dot; empty for hidden files."""
    base = name[name.rfind("/") + 1 :].lower()
    stem, _, suffix = base.rpartition(".")
    if suffix in _COMPRESSIONS:
        stem, _, suffix = stem.rpartition(".")
    return suffix if stem and base[0] != "." else ""


def kinds(readers: Iterable[str]) -> str:
    """The names of the files that are known, for a person."""
    *most, last = [f".{kind}" for kind in dict.fromkeys(readers)]
    return f"{', '.join(most)} or {last}, each also with .gz, .bz2 or .zst"


def storable(name: str) -> str:
    """A file's name as text that PostgreSQL can hold; its bytes need not be UTF-8."""
    is_plain = name.isascii() and "\0" not in name and name == name.strip()
    return name if is_plain else Repairs().text(name)


def reason(error: Exception) -> str:
    """Why reading failed, in one line."""
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
