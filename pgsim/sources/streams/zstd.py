"""Zstandard files as streams, however many frames they have; a cut-off one is an error."""

import io
from typing import IO

import zstandard

# A frame of one repeated byte grows 32,000 times: small bites keep such a file out of the memory.
_BITE = 8192


class _Frames(io.RawIOBase):
    """The frames of a file, one after the other; EOFError where the last one is not whole."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._left = b""  # read and not yet decompressed
        self._ready = memoryview(b"")  # decompressed and not yet given away

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        found = self.view(len(buffer))
        buffer[: len(found)] = found
        return len(found)

    def view(self, size: int) -> memoryview:
        """At most so many of the next bytes as they were decompressed; none at the end."""
        while not self._ready:
            bite = self._left or self._file.read(_BITE)
            if not bite:
                if self._frame is not None:
                    raise EOFError("zstd frame ends before its end")
                break
            if self._frame is None:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            self._ready = memoryview(self._frame.decompress(bite))
            self._left = self._frame.unused_data
            if self._frame.eof:
                self._frame = None
        found, self._ready = self._ready[:size], self._ready[size:]
        return found


class _Stream(io.BufferedReader):
    """What the frames hold; `read1` is for those who use nothing else, and copies nothing."""

    raw: _Frames

    def read1(self, size: int) -> memoryview:  # type: ignore[override]
        return self.raw.view(size)


def open_zstd(file: IO[bytes]) -> IO[bytes]:
    """What a `.zst` file holds; reading raises EOFError or ZstdError where it is broken."""
    return _Stream(_Frames(file), buffer_size=2**17)
