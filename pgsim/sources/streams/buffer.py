"""Memory into which documents are read, so that they lie where another process finds them."""

from io import BufferedReader
from typing import IO, cast

from msgspec import Struct

_AHEAD = 2**17
Place = tuple[int, int]  # where something begins in the memory, and where it ends


class Run(Struct, gc=False):
    """Documents that follow one another in a file and lie in a room.

    Each begins at one of the `bounds` there, and ends at the next. `at` is how far into the file
    reading had come with them.
    """

    names: list[str]
    bounds: list[int]
    at: int = 0

    @property
    def count(self) -> int:
        return len(self.names)

    def behind(self, count: int) -> "Run":
        """They without so many first ones."""
        return Run(self.names[count:], self.bounds[2 * count :], self.at)


class Room:
    """Memory in which documents lie, and behind them what was read ahead of a stream.

    Up to `kept` lie the documents. From `at` to `end` lies what was read and is not taken yet; who
    takes it moves `at` on, and `kept` too if it is to stay. Where there is too little room `memory`
    becomes another, larger one. `left` is how many documents more are wanted in it.
    """

    def __init__(self, memory: memoryview | None = None, left: int = 1) -> None:
        self.memory = memoryview(bytearray()) if memory is None else memory
        self.left = left
        self.kept = self.at = self.end = 0
        self._stream: BufferedReader
        self._broken: Exception | None = None

    def open(self, stream: IO[bytes]) -> None:
        """Go on with another stream."""
        self._stream = cast(BufferedReader, stream)
        self._broken = None
        self.close()

    def close(self) -> None:
        """Forget what was read ahead."""
        self.at = self.end = self.kept

    def need(self, size: int) -> bool:
        """Read so many bytes ahead; False where the stream ends before."""
        while self.end - self.at < size:
            block = self._read(_AHEAD)
            if not block:
                return False
            if self.end + len(block) > len(self.memory):
                self._move(self.kept, max(size, self.end - self.at + len(block)) + _AHEAD)
            self._append(block)
        return True

    def fill(self) -> None:
        """Read ahead as far as there is memory; what breaks the stream is for who needs more."""
        # What lies there moves only where it is little, and makes room for more.
        if self.end - self.at < _AHEAD <= self.at - self.kept:
            self._move(self.kept, 0)
        try:
            while self.end + _AHEAD <= len(self.memory) and (block := self._read(_AHEAD)):
                self._append(block)
        except Exception as error:
            self._broken = error

    def skip(self, size: int) -> bool:
        """Pass over so many bytes; False where the stream ends before."""
        missing = self.at + size - self.end
        if missing <= 0:
            self.at += size
            return True
        self.at = self.end
        while missing > 0 and (block := self._read(min(missing, _AHEAD))):
            missing -= len(block)
        return missing == 0

    def keep(self, end: int) -> None:
        """Keep what was read so far; all before it in the memory is kept too."""
        self.kept = end

    def put(self, data: bytes) -> Place:
        """Keep what was not read into the memory: where it lies then."""
        start, end = self.kept, self.kept + len(data)
        if end > self.at:
            self._move(end + _AHEAD if self.end > self.at else end, 0)
        self.memory[start:end] = data
        self.kept = end
        return start, end

    def leave(self, memory: memoryview) -> None:
        """Go on in other memory, without the documents."""
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
        """Have what was read ahead begin at `at`, and behind there room for so many bytes."""
        ahead = self.memory[self.at : self.end]
        self.memory = self._sized(at + max(size, len(ahead)))
        self.at, self.end = at, at + len(ahead)
        self.memory[self.at : self.end] = ahead

    def _sized(self, size: int) -> memoryview:
        if size <= len(self.memory):
            return self.memory
        return memoryview(bytearray(self.memory[: self.kept]).ljust(size, b"\0"))
