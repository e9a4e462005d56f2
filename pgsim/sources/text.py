"""Text that PostgreSQL can hold: texts are repaired, and the repairs counted."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

# Bytes of UTF-8; no real title or name comes near it.
LONGEST = 4096
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LINE = 512
_HIGH_BITS = np.uint64(0x8080808080808080)


def is_utf8(data: memoryview | bytes) -> bool:
    """Return whether the data is UTF-8: in a tenth of a decoder's time if most of it is ASCII."""
    end = len(data) // _LINE * _LINE
    lines = np.frombuffer(data[:end], np.uint64).reshape(-1, _LINE // 8)
    words = lines[_with_next(np.bitwise_or.reduce(lines, axis=1))].ravel()
    try:
        (words[_with_next(words)].tobytes() + data[end:]).decode()
    except UnicodeDecodeError:
        return False
    return True


def _with_next(words: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Return which words are not all ASCII, or follow one that is not.

    The others need no check: they are ASCII, and no character continues from the word before.
    """
    asked: NDArray[np.bool_] = (words & _HIGH_BITS) != 0
    asked[1:] |= asked[:-1]
    return asked


def are_storable(texts: Sequence[str]) -> bool:
    """Return whether no text needs a repair."""
    joined = "".join(texts)
    is_short = max(map(len, texts), default=0) <= LONGEST // 4
    return is_short and (joined.isprintable() or not _UNSTORABLE.search(joined))


class Repairs(Struct):
    """Repairs texts and counts those that changed; trimming blanks does not count."""

    count: int = 0

    def text(self, text: str) -> str:
        """Return the text trimmed, without NUL and lone surrogates, at most 4 KiB of UTF-8."""
        if len(text) <= LONGEST // 4 and (text.isprintable() or not _UNSTORABLE.search(text)):
            return text.strip()
        repaired = _UNSTORABLE.sub(lambda found: "\ufffd" if found[0] != "\0" else "", text)
        repaired = repaired.encode()[:LONGEST].decode(errors="ignore")
        self.count += repaired != text
        return repaired.strip()

    def value(self, value: Any) -> Any:
        """Return a JSON value with every text in it repaired, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(each) for each in value]
        if isinstance(value, dict):
            return {self.text(key): self.value(each) for key, each in value.items()}
        return value
