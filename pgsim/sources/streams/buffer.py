"""Memory into which documents are read, so that they lie where another process finds them."""

from io import BufferedReader
from typing import IO, cast

from msgspec import Struct

_AHEAD = 2**17
Place = tuple[int, int]  # where something begins in the memory, and where it ends


class MemberRun(Struct, gc=False):
    """Documents that follow one another in a file and lie in a ReadBuffer.

    `bounds` holds two numbers for each document: where it begins in the memory, and where it ends.
    `at` is how many bytes of the file had been read when the run was complete.
    """

    names: list[str]
    bounds: list[int]
    at: int = 0

    @property
    def count(self) -> int:
        """Return the number of documents."""
        return len(self.names)

    def without_first(self, count: int) -> "MemberRun":
        """Return the run without its first `count` documents."""
        return MemberRun(self.names[count:], self.bounds[2 * count :], self.at)


class ReadBuffer:
    """Memory that holds documents, and behind them what was read ahead of a stream.

    The documents end at `kept`. The bytes from `at` to `end` have been read and not been taken yet:
    a reader moves `at` behind those that it takes, and calls `keep` if they are to stay. If the
    memory is too small, `memory` becomes another, larger one. `left` is how many more documents
    are wanted.
    """

    def __init__(self, memory: memoryview | None = None, left: int = 1) -> None:
        self.memory = memoryview(bytearray()) if memory is None else memory
        self.left = left
        self.kept = self.at = self.end = 0
        self._stream: BufferedReader
        self._broken: Exception | None = None

    def open(self, stream: IO[bytes]) -> None:
        """Read from this stream from now on."""
        self._stream = cast(BufferedReader, stream)
        self._broken = None
        self.close()

    def close(self) -> None:
        """Forget what was read ahead."""
        self.at = self.end = self.kept

    def need(self, size: int) -> bool:
        """Read ahead until `size` bytes are there; return False if the stream ends before."""
        while self.end - self.at < size:
            block = self._read(_AHEAD)
            if not block:
                return False
            if self.end + len(block) > len(self.memory):
                self._move(self.kept, max(size, self.end - self.at + len(block)) + _AHEAD)
            self._append(block)
        return True

    def fill(self) -> None:
        """Read ahead as far as the memory reaches.

        An error of the stream is raised by the next call that needs more than was read.
        """
        # The bytes read ahead are moved only if they are few and moving makes room for more.
        if self.end - self.at < _AHEAD <= self.at - self.kept:
            self._move(self.kept, 0)
        try:
            while self.end + _AHEAD <= len(self.memory) and (block := self._read(_AHEAD)):
                self._append(block)
        except Exception as error:
            self._broken = error

    def skip(self, size: int) -> bool:
        """Pass over `size` bytes; return False if the stream ends before."""
        missing = self.at + size - self.end
        if missing <= 0:
            self.at += size
            return True
        self.at = self.end
        while missing > 0 and (block := self._read(min(missing, _AHEAD))):
            missing -= len(block)
        return missing == 0

    def keep(self, end: int) -> None:
        """Keep everything in the memory before `end`."""
        self.kept = end

    def put(self, data: bytes) -> Place:
        """Keep data that was read elsewhere; return its place in the memory."""
        start, end = self.kept, self.kept + len(data)
        if end > self.at:
            self._move(end + _AHEAD if self.end > self.at else end, 0)
        self.memory[start:end] = data
        self.kept = end
        return start, end

    def leave(self, memory: memoryview) -> None:
        """Go on in other memory: take along what was read ahead, and leave the documents."""
        ahead = self.memory[self.at : self.end]
        self.memory, self.kept, self.at, self.end = memory, 0, 0, 0
        self.memory = self._sized(len(ahead))
        self.memory[: len(ahead)] = ahead
        self.end = len(ahead)

    def _read(self, size: int) -> bytes:
        if self._broken:
            raise self._broken
        return self._stream.read1(size)

    def _append(self, block: bytes) -> None:
        end = self.end + len(block)
        self.memory[self.end : end] = block
        self.end = end

    def _move(self, at: int, size: int) -> None:
        """Move what was read ahead to `at`, and make sure that `size` bytes fit from there on."""
        ahead = self.memory[self.at : self.end]
        self.memory = self._sized(at + max(size, len(ahead)))
        self.at, self.end = at, at + len(ahead)
        self.memory[self.at : self.end] = ahead

    def _sized(self, size: int) -> memoryview:
        """Return memory of at least `size` bytes that holds the documents."""
        if size <= len(self.memory):
            return self.memory
        return memoryview(bytearray(self.memory[: self.kept]).ljust(size, b"\0"))
