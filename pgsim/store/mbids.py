"""MBIDs as text and as bytes, many at a time."""

import uuid
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def texts_of(mbids: NDArray[np.uint8]) -> NDArray[np.bytes_]:
    """MBIDs (n, 16) as text (n,)."""
    digits = np.frombuffer(mbids.tobytes().hex().encode(), "u1").reshape(len(mbids), 32)
    texts = np.full((len(mbids), 36), ord("-"), "u1")
    for text, digit in ((0, 0), (9, 8), (14, 12), (19, 16), (24, 20)):
        count = 12 if text == 24 else 8 if text == 0 else 4
        texts[:, text : text + count] = digits[:, digit : digit + count]
    return texts.view("S36").reshape(len(mbids))


def to_mbids(texts: Sequence[str]) -> NDArray[np.bytes_]:
    """The MBIDs (n,) S16 of texts, in any form of a UUID; ValueError where one is no UUID."""
    digits = "".join(texts).replace("-", "")
    if len(digits) != 32 * len(texts) or any(len(text) != 36 for text in texts):
        digits = "".join(uuid.UUID(text).hex for text in texts)
    return np.frombuffer(bytes.fromhex(digits), "S16")
