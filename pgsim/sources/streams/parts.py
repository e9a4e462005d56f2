"""The parts of files that a person names: a file is one; folders and archives hold named ones."""

import io
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from pgsim.progress import Advance
from pgsim.regular_file import LONGEST_LINE, open_regular
from pgsim.sources.streams.files import (
    BROKEN,
    SourceError,
    base_of,
    body_of,
    reason,
    require_readable,
    storable,
    uncompressed,
)
from pgsim.sources.streams.tar import entries

_EVERY = 2**22  # bytes of a file between two reports


@dataclass(frozen=True, slots=True)
class Part:
    """A stream of bytes, and what it is called in a message: the path, and the archive's member.

    `base` is its file's name in lower case, without the ending of a compression; `path` that of the
    file or archive.
    """

    path: Path
    name: str
    base: str
    stream: IO[bytes]

    def lines(self) -> Iterator[bytes]:
        """Yield the lines; SourceError where the file is broken, or a line endless."""
        number = 0
        try:
            while line := self.stream.readline(LONGEST_LINE + 1):
                number += 1
                if len(line) > LONGEST_LINE:
                    raise SourceError(
                        f"{self.name}:{number}: the line is longer than {LONGEST_LINE:,} bytes"
                    )
                yield line
        except BROKEN as error:
            raise SourceError(f"{self.name}: broken after line {number}: {reason(error)}") from None


class Meter:
    """The share of some files that has been read, as `advance` receives it."""

    def __init__(self, advance: Advance) -> None:
        self._advance = advance
        self._read = self._told = 0
        self.total = 1

    def count(self, done: int) -> None:
        """Report that so many more units are done."""
        self._told = self._read
        self._advance(done, min(1.0, self._read / self.total))

    def see(self, size: int) -> None:
        """Note that so many more bytes have been read."""
        self._read += size
        if self._read - self._told >= _EVERY:
            self.count(0)


class _Metered(io.RawIOBase):
    """A file whose bytes are counted as they are read."""

    def __init__(self, file: BinaryIO, meter: Meter) -> None:
        self._file = file
        self._meter = meter

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        size = cast(io.BufferedReader, self._file).readinto(buffer)
        self._meter.see(size)
        return size


def parts(paths: Sequence[Path], groups: Sequence[Collection[str]], meter: Meter) -> Iterator[Part]:
    """Yield each file, and of each folder and tar the parts that a group names, as they come.

    An archive is read no further than to the end of a group; a part can be read until the next one
    is asked for. SourceError if a path cannot be read, or is a folder or tar without any such part.
    """
    wanted = {base for group in groups for base in group}
    files = [file for path in paths for file in _files(path, groups, wanted)]
    meter.total = sum(file.stat().st_size for file in files) or 1
    for file in files:
        with _opened(file, meter) as stream:
            if not base_of(file.name).endswith(".tar"):
                yield Part(file, str(file), base_of(file.name), stream)
                continue
            found: set[str] = set()
            for part in _members(file, stream, wanted):
                found.add(part.base)
                yield part
                if any(found.issuperset(group) for group in groups):
                    break
            if not found:
                raise _has_none(file, groups)


def _files(path: Path, groups: Sequence[Collection[str]], wanted: Collection[str]) -> list[Path]:
    """The file, or those of a folder and its folders that are wanted, in the order of names."""
    require_readable(path)
    if not path.is_dir():
        return [path]
    inside = sorted(each for each in path.rglob("*") if base_of(each.name) in wanted)
    if files := [each for each in inside if each.is_file()]:
        return files
    raise _has_none(path, groups)


@contextmanager
def _opened(path: Path, meter: Meter) -> Iterator[IO[bytes]]:
    try:
        file = open_regular(path)
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}") from None
    with file:
        yield uncompressed(io.BufferedReader(_Metered(file, meter), 2**17), path.name)


def _members(path: Path, stream: IO[bytes], wanted: Collection[str]) -> Iterator[Part]:
    try:
        for entry in entries(stream):
            base = base_of(entry.name)
            if base in wanted:
                name = f"{path}:{storable(entry.name)}"
                yield Part(path, name, base, uncompressed(body_of(entry), entry.name))
    except BROKEN as error:
        raise SourceError(f"{path} is broken: {reason(error)}") from None


def _has_none(path: Path, groups: Sequence[Collection[str]]) -> SourceError:
    wanted = ", or ".join(" and ".join(group) for group in groups)
    return SourceError(f"{path} has none of {wanted}: name another file or folder")
