"""The regular files in a tar, read as a stream.

Python's own reader takes five times as long for a small member. This one reads POSIX ustar and pax,
GNU's format and the oldest one: https://www.gnu.org/software/tar/manual/html_node/Standard.html
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import IO

from msgspec import Struct

from pgsim.sources.streams.buffer import MemberRun, Place, ReadBuffer

BLOCK = 512
_ZEROS = bytes(BLOCK)
# A header's name, size, checksum, type, magic word and prefix of the name.
_HEADER = struct.Struct("100s 24x 12s 12x 8s B 100x 6s 82x 155s 12x")
# A header in a run: its name, size and the byte after it, checksum, type, and the first byte of the
# prefix, which is 0 if there is no prefix.
_USUAL = struct.Struct("100s 24x 11s B 12x 8s B 188x B")
_FILE = ord("0")
_LONGEST_IN_RUN = 2**20  # a longer file is not part of a run
# Types are compared as numbers: to look for bytes in bytes takes ten times as long.
_FILES = b"\x000 7"  # a regular file: in the oldest format, ordinary, contiguous
_WITHOUT_DATA = b"123456"  # links, devices, folders, pipes
# A description of the next member is short; a longer one is damage, or an attempt to fill memory.
_LONGEST_DESCRIPTION = 2**20


class TarError(Exception):
    """A fault after which nothing more of a tar can be read."""


class Entry(Struct, gc=False):
    """A regular file in a tar: its name, its size, and how much of it is `left` to read."""

    name: str
    size: int
    left: int
    buffer: ReadBuffer

    def read(self, size: int = -1) -> bytes:
        """Return `size` bytes, or as many as are left; TarError if the tar ends before."""
        size = self.left if size < 0 else min(size, self.left)
        start, end = self.place(size)
        return bytes(self.buffer.memory[start:end])

    def place(self, size: int) -> Place:
        """Return the place in the buffer of the next `size` bytes, valid until more is read.

        No more than `left` bytes can be asked for. TarError if the tar ends before.
        """
        buffer = self.buffer
        if buffer.end - buffer.at < size and not buffer.need(size):
            raise TarError(f"the archive ends within {self.name}")
        start = buffer.at
        buffer.at = end = start + size
        self.left -= size
        return start, end


def entries(stream: IO[bytes]) -> Iterator[Entry]:
    """Yield the regular files; each can be read until the next one is asked for.

    TarError if the tar is damaged, or ends without the block of zeros that marks its end.
    """
    buffer = ReadBuffer()
    buffer.open(stream)
    while entry := _entry(buffer):
        yield entry
        _skip(entry)


def runs(
    stream: IO[bytes], buffer: ReadBuffer, is_wanted: Callable[[str], bool]
) -> Iterator[MemberRun | Entry]:
    """Yield what `entries` yields, but read into a buffer, and in runs where possible.

    A run holds wanted files whose headers are of the usual form, and takes less than half the time.
    TarError as in `entries`.
    """
    buffer.open(stream)
    run = MemberRun([], [])
    while True:
        if run.names:  # another run is likely to follow
            buffer.fill()
        run = _run(buffer, is_wanted)
        if run.names:
            yield run
        elif entry := _entry(buffer):
            yield entry
            _skip(entry)
        else:
            return


def _run(buffer: ReadBuffer, is_wanted: Callable[[str], bool]) -> MemberRun:
    """Return the next files up to the first that is not wanted or has an unusual header."""
    names: list[str] = []
    bounds: list[int] = []
    memory, at, end = buffer.memory, buffer.at, buffer.end
    try:
        while at + BLOCK <= end and len(names) < buffer.left:
            inner, digits, last, checksum, kind, outer = _USUAL.unpack_from(memory, at)
            size, name = int(digits, 8), inner.rstrip(b"\0").decode("ascii")
            start = at + BLOCK
            after = start + size + -size % BLOCK
            if (
                kind != _FILE
                or outer
                or last not in b"\0 "
                or not 0 <= size <= _LONGEST_IN_RUN
                or after > end
                or not _is_sum(checksum, memory[at:start])
                or "\0" in name
                or not is_wanted(name)
            ):
                break
            names.append(name)
            bounds += (start, start + size)
            at = after
    except ValueError:
        pass  # a size in another notation, a name that is not ASCII, or no header
    buffer.at = at
    return MemberRun(names, bounds)


def _entry(buffer: ReadBuffer) -> Entry | None:
    """Return the next regular file; None at the end."""
    name = size = None
    while True:
        if buffer.end - buffer.at < BLOCK and not buffer.need(BLOCK):
            left = buffer.end - buffer.at
            raise TarError(f"no end-of-archive mark; {left} bytes are left")
        header = buffer.memory[buffer.at : buffer.at + BLOCK]
        buffer.at += BLOCK
        if header == _ZEROS:
            return None
        inner, digits, checksum, kind, magic, outer = _HEADER.unpack(header)
        if not _is_sum(checksum, header):
            raise TarError("no end-of-archive mark, but a damaged header")
        length = _integer(digits)
        if kind in b"LKxgX":
            described = _description(buffer, length)
            if kind == ord("L"):
                name = _text(described.rstrip(b"\0"))
            elif kind in b"xX":
                name, size = _pax(described, name, size)
            continue
        if size is not None:
            length = size
        if kind in _WITHOUT_DATA:
            length = 0
        if name is None:
            name = _name(inner, outer if magic == b"ustar\0" else b"")
        entry = Entry(name, length, length, buffer)
        if kind in _FILES:
            return entry
        _skip(entry)
        name = size = None


def _is_sum(field: bytes, header: memoryview) -> bool:
    """Return whether the checksum field holds the sum of all bytes, its own counted as blanks."""
    try:
        checksum = int(field.rstrip(b"\0 "), 8)
    except ValueError:
        return False
    # The lower half of Adler-32 is 1 plus the sum of the bytes modulo 65521, computed in C.
    total = (zlib.adler32(header) & 0xFFFF) - 1 - sum(field) + 8 * ord(" ")
    return (total - checksum) % 65521 == 0


def _integer(field: bytes) -> int:
    """Return the number in a field: octal digits, or base 256 for large ones."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    try:
        number = int(field.rstrip(b"\0 ") or b"0", 8)
    except ValueError:
        number = -1
    if number < 0:
        raise TarError("a damaged header")
    return number


def _name(inner: bytes, outer: bytes) -> str:
    inner = inner.split(b"\0", 1)[0]
    if outer and outer[0]:
        inner = outer.split(b"\0", 1)[0] + b"/" + inner
    return _text(inner)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _description(buffer: ReadBuffer, length: int) -> bytes:
    if length > _LONGEST_DESCRIPTION:
        raise TarError(f"a name of {length} bytes")
    entry = Entry("a long name", length, length, buffer)
    data = entry.read()
    _skip(entry)
    return data


def _pax(records: bytes, name: str | None, size: int | None) -> tuple[str | None, int | None]:
    """Return name and size from records `LENGTH KEY=VALUE\\n`, LENGTH counting the whole record."""
    at = 0
    while at < len(records):
        digits, _, _ = records[at:].partition(b" ")
        if not digits.isdigit() or not int(digits):
            raise TarError("a damaged pax header")
        key, _, value = records[at + len(digits) + 1 : at + int(digits) - 1].partition(b"=")
        if key == b"path":
            name = _text(value)
        elif key == b"size" and value.isdigit():
            size = int(value)
        at += int(digits)
    return name, size


def _skip(entry: Entry) -> None:
    """Pass over what was not read of a file, and the padding of its last block."""
    if not entry.buffer.skip(entry.left + -entry.size % BLOCK):
        raise TarError(f"the archive ends within {entry.name}")
