"""Zstandard files as streams, with any number of frames; a truncated file is an error."""

import io
from typing import IO

import zstandard

# Bytes to decompress at once. A frame of one repeated byte grows 32,000 times: small parts keep
# such a file from filling memory.
_PART = 8192


class _Frames(io.RawIOBase):
    """The frames of a file, one after the other; EOFError if the last one is not whole."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._left = b""  # read and not yet decompressed
        self._ready = memoryview(b"")  # decompressed and not yet returned

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        found = self.view(len(buffer))
        buffer[: len(found)] = found
        return len(found)

    def view(self, size: int) -> memoryview:
        """Return at most `size` of the next bytes without a copy; none at the end."""
        while not self._ready:
            part = self._left or self._file.read(_PART)
            if not part:
                if self._frame is not None:
                    raise EOFError("the last zstd frame is not whole")
                break
            if self._frame is None:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            self._ready = memoryview(self._frame.decompress(part))
            self._left = self._frame.unused_data
            if self._frame.eof:
                self._frame = None
        found, self._ready = self._ready[:size], self._ready[size:]
        return found


class _Stream(io.BufferedReader):
    """The content of the frames. `read1` makes no copy, and is not to be mixed with `read`."""

    raw: _Frames

    def read1(self, size: int) -> memoryview:  # type: ignore[override]
        return self.raw.view(size)


def open_zstd(file: IO[bytes]) -> IO[bytes]:
    """Return the content of a `.zst` file; reading raises EOFError or ZstdError if it is broken."""
    return _Stream(_Frames(file), buffer_size=2**17)
