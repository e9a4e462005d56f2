"""Text that PostgreSQL can hold, and how often it had to be made so."""

import re
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

# Bytes of UTF-8; no true title or name comes near it.
LONGEST = 4096
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LINE = 512
_HIGH_BITS = np.uint64(0x8080808080808080)


def is_utf8(data: memoryview | bytes) -> bool:
    """Whether it is, of text that is ASCII for the most part: in a tenth of a decoder's time."""
    end = len(data) // _LINE * _LINE
    lines = np.frombuffer(data[:end], np.uint64).reshape(-1, _LINE // 8)
    words = lines[_with_next(np.bitwise_or.reduce(lines, axis=1))].ravel()
    try:
        (words[_with_next(words)].tobytes() + data[end:]).decode()
    except UnicodeDecodeError:
        return False
    return True


def _with_next(words: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which are not all ASCII, or follow such a one: if they are, a character must have ended."""
    asked: NDArray[np.bool_] = (words & _HIGH_BITS) != 0
    asked[1:] |= asked[:-1]
    return asked


class Repairs(Struct):
    """Repairs texts and counts those that needed it; trimming blanks is no repair."""

    count: int = 0

    def text(self, text: str) -> str:
        """`text` trimmed, without NUL, lone surrogates replaced, at most 4 KiB of UTF-8."""
        if len(text) <= LONGEST // 4 and (text.isprintable() or not _UNSTORABLE.search(text)):
            return text.strip()
        repaired = _UNSTORABLE.sub(lambda found: "\ufffd" if found[0] != "\0" else "", text)
        repaired = repaired.encode()[:LONGEST].decode(errors="ignore")
        self.count += repaired != text
        return repaired.strip()

    def value(self, value: Any) -> Any:
        """A JSON value with every text in it repaired, keys too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(each) for each in value]
        if isinstance(value, dict):
            return {self.text(key): self.value(each) for key, each in value.items()}
        return value
