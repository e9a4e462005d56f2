"""A tar read as a stream: Python's own reader takes five times as long for a small member.

POSIX ustar and pax, GNU, and the oldest kind: https://www.gnu.org/software/tar/manual/html_node/Standard.html
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import IO

from msgspec import Struct

from pgsim.sources.streams.buffer import Place, Room, Run

BLOCK = 512
_ZEROS = bytes(BLOCK)
# Of a header the name, the size, the sum of its bytes, the type, the magic word, the name's prefix.
_HEADER = struct.Struct("100s 24x 12s 12x 8s B 100x 6s 82x 155s 12x")
# Of one in a run the name, the size and what ends it, the sum, the type, and whether the prefix has
# anything in it.
_USUAL = struct.Struct("100s 24x 11s B 12x 8s B 188x B")
_FILE = ord("0")
_LONGEST_IN_RUN = 2**20  # what is longer goes alone
# Types, asked for as numbers: whether bytes are among others takes ten times as long.
_FILES = b"\x000 7"  # a regular file: of old, ordinary, contiguous
_WITHOUT_DATA = b"123456"  # links, devices, folders, pipes
# What describes the next member is short; a longer one is damage, or meant to fill the memory.
_LONGEST_DESCRIPTION = 2**20


class TarError(Exception):
    """What makes a tar unreadable from there on."""


class Entry(Struct, gc=False):
    """A regular file in a tar: its name, its size, and how much of it is `left` to read."""

    name: str
    size: int
    left: int
    room: Room

    def read(self, size: int = -1) -> bytes:
        """So many bytes, or what is left; TarError where the tar ends before."""
        size = self.left if size < 0 else min(size, self.left)
        start, end = self.place(size)
        return bytes(self.room.memory[start:end])

    def place(self, size: int) -> Place:
        """So many bytes, which are left: where in the room they lie until more is read."""
        room = self.room
        if room.end - room.at < size and not room.need(size):
            raise TarError(f"the archive ends within {self.name}")
        start = room.at
        room.at = end = start + size
        self.left -= size
        return start, end


def entries(stream: IO[bytes]) -> Iterator[Entry]:
    """The regular files, one after the other; of each is read before the next what is wanted.

    TarError where the tar is damaged, or ends without the block of zeros that marks its end.
    """
    room = Room()
    room.open(stream)
    while entry := _entry(room):
        yield entry
        _skip(entry)


def runs(stream: IO[bytes], room: Room, is_wanted: Callable[[str], bool]) -> Iterator[Run | Entry]:
    """What `entries` gives, read into a room; wanted files whose headers are common ones in runs.

    In less than half the time. TarError as there.
    """
    room.open(stream)
    run = Run([], [])
    while True:
        if run.names:  # only then it is of use to have much of them there
            room.fill()
        run = _run(room, is_wanted)
        if run.names:
            yield run
        elif entry := _entry(room):
            yield entry
            _skip(entry)
        else:
            return


def _run(room: Room, is_wanted: Callable[[str], bool]) -> Run:
    """The next files, up to the first that is not wanted, or whose header is no usual one."""
    names: list[str] = []
    bounds: list[int] = []
    memory, at, end = room.memory, room.at, room.end
    try:
        while at + BLOCK <= end and len(names) < room.left:
            inner, digits, last, told, kind, outer = _USUAL.unpack_from(memory, at)
            size, name = int(digits, 8), inner.rstrip(b"\0").decode("ascii")
            start = at + BLOCK
            after = start + size + -size % BLOCK
            if (
                kind != _FILE
                or outer
                or last not in b"\0 "
                or not 0 <= size <= _LONGEST_IN_RUN
                or after > end
                or not _is_sum(told, memory[at:start])
                or "\0" in name
                or not is_wanted(name)
            ):
                break
            names.append(name)
            bounds += (start, start + size)
            at = after
    except ValueError:
        pass  # a size told otherwise, a name that is not ASCII, or no header
    room.at = at
    return Run(names, bounds)


def _entry(room: Room) -> Entry | None:
    """The next regular file; None at the end."""
    name = size = None
    while True:
        if room.end - room.at < BLOCK and not room.need(BLOCK):
            left = room.end - room.at
            raise TarError(f"no end-of-archive mark, but {left or 'no'} bytes more")
        header = room.memory[room.at : room.at + BLOCK]
        room.at += BLOCK
        if header == _ZEROS:
            return None
        inner, digits, told, kind, magic, outer = _HEADER.unpack(header)
        if not _is_sum(told, header):
            raise TarError("no end-of-archive mark, but a damaged header")
        length = _integer(digits)
        if kind in b"LKxgX":
            described = _description(room, length)
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
        entry = Entry(name, length, length, room)
        if kind in _FILES:
            return entry
        _skip(entry)
        name = size = None


def _is_sum(field: bytes, header: memoryview) -> bool:
    """Whether it tells the sum of all bytes, itself counted as blanks."""
    try:
        told = int(field.rstrip(b"\0 "), 8)
    except ValueError:
        return False
    # Adler's first half is one more than a sum modulo 65521, in C.
    total = (zlib.adler32(header) & 0xFFFF) - 1 - sum(field) + 8 * ord(" ")
    return (total - told) % 65521 == 0


def _integer(field: bytes) -> int:
    """Octal digits, or base 256 where they would not do."""
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


def _description(room: Room, length: int) -> bytes:
    if length > _LONGEST_DESCRIPTION:
        raise TarError(f"a name of {length} bytes")
    entry = Entry("a long name", length, length, room)
    data = entry.read()
    _skip(entry)
    return data


def _pax(records: bytes, name: str | None, size: int | None) -> tuple[str | None, int | None]:
    """Name and size out of `LENGTH KEY=VALUE\\n` records, each counted whole."""
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
    """Go on to the next header, past what was not read and what fills the last block."""
    if not entry.room.skip(entry.left + -entry.size % BLOCK):
        raise TarError(f"the archive ends within {entry.name}")
