"""Text that PostgreSQL can hold."""

import random

import pytest

from pgsim.sources import text as text_module
from pgsim.sources.text import is_utf8

PIECES = [
    b"a", b"abcdefgh", b"12345", *(each.encode() for each in ("é", "то", "日", "😀")),
    b"\xc3", b"\xa9", b"\xf0\x9f", b"\x98\x80", b"\xed\xa0\x80",
]  # fmt: skip


def is_decoded(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize("line", [16, 64, 512])
def test_utf8_is_what_the_decoder_takes(line: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_module, "_LINE", line)
    chance = random.Random(1)
    weights = [40] * 7 + [1] * 5
    texts = [b"".join(chance.choices(PIECES, weights, k=chance.randrange(24))) for _ in range(9999)]
    # A character in halves, far apart or not at all.
    texts += [
        b"a" * before + b"\xc3" + b"a" * between + b"\xa9" + b"a" * after
        for before in range(17)
        for between in range(33)
        for after in (0, 5, 8, 16)
    ]
    texts += [b"a" * before + b"\xc3" + b"a" * 500 + b"\xa9" * 2 for before in range(500, 1100, 7)]
    texts += [b"a" * before + "é".encode() + b"a" * 600 for before in range(500, 1100)]
    found = [is_utf8(memoryview(text)) for text in texts]
    assert found == list(map(is_decoded, texts))
    assert set(found) == {False, True}
