"""The texts in chunks of WAV and AIFF files, which mutagen does not read."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

# Those of a WAV's list INFO, and those of an AIFF file.
_NAMES = {
    b"INAM": "title", b"IART": "artist", b"IPRD": "album", b"IGNR": "genre", b"ICRD": "date",
    b"NAME": "title", b"AUTH": "artist",
}  # fmt: skip
_FORMS = {
    (b"RIFF", b"WAVE"): "<",
    (b"RF64", b"WAVE"): "<",
    (b"RIFX", b"WAVE"): ">",
    (b"FORM", b"AIFF"): ">",
    (b"FORM", b"AIFC"): ">",
}
_LONGEST = 2**16  # bytes: a title is far shorter
_ELSEWHERE = 2**32 - 1  # the size of an RF64's sound, whose chunk ds64 has the true one


def read_chunks(path: Path) -> dict[str, str]:
    """Return the title, artist, album, genre and date in the chunks of a WAV or AIFF file.

    The result is empty for any other file.
    """
    with path.open("rb") as file:
        return {_NAMES[name]: text for name, data in _texts(file) if (text := _text(data))}


def _texts(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name and bytes of each chunk that holds a text."""
    form, kind = (head := file.read(12))[:4], head[8:]
    order = _FORMS.get((form, kind))
    sound = _ELSEWHERE
    while order and len(head := file.read(8)) == 8:
        name, size = struct.unpack(f"{order}4sI", head)
        begin = file.tell()
        if name == b"LIST" and file.read(4) == b"INFO":
            continue  # its chunks come next
        if name == b"ds64":
            sound = struct.unpack("<8xQ", file.read(16).ljust(16, b"\0"))[0]
        elif name == b"data" and size == _ELSEWHERE:
            size = sound
        elif name in _NAMES and size <= _LONGEST:
            yield name, file.read(size)
        file.seek(begin + size + size % 2, os.SEEK_SET)


def _text(data: bytes) -> str:
    """Return a text that ends at its first NUL, in UTF-8 or else in the encoding of Windows."""
    data = data.partition(b"\0")[0]
    try:
        return data.decode().strip()
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace").strip()
