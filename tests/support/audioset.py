"""Genuine AudioSet clips as vectors: the mean of frames of a clip, each 128 quantised bytes."""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.support.genuine import GENUINE

FOLDER = GENUINE / "audioset" / "bal_train"


def read_clips() -> tuple[NDArray[np.float32], list[int]]:
    """Vectors (n, 128) of length 1, and the first label of each clip; both empty without data."""
    clips = list(_clips())
    return _unit([frames.mean(axis=0) for frames, _ in clips]), [label for _, label in clips]


def read_moments(n: int) -> NDArray[np.float32]:
    """n vectors (n, 128) of length 1, of one to three seconds each, drawn from all clips."""
    moments = [
        frames[start : start + seconds].mean(axis=0)
        for frames, _ in _clips()
        for seconds in (1, 2, 3)
        for start in range(len(frames) - seconds + 1)
    ]
    vectors = _unit(moments)
    return vectors[np.random.default_rng(2).permutation(len(vectors))[:n]]


def _unit(vectors: list[NDArray[np.float64]]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (np.array(vectors) / lengths).astype(np.float32)


def _clips() -> Iterator[tuple[NDArray[np.float64], int]]:
    """The frames (seconds, 128) of each clip, and its first label."""
    for path in sorted(FOLDER.glob("*.tfrecord")):
        yield from _clips_of(path)


def _clips_of(path: Path) -> Iterator[tuple[NDArray[np.float64], int]]:
    data, at = path.read_bytes(), 0
    while at < len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        # A SequenceExample: context 1 and lists 2, each a map of name 1 to value 2.
        parts = list(_fields(data[at + 12 : at + 12 + length]))
        context, lists = (
            {entry[1]: entry[2] for n, part in parts if n == number for entry in _maps(part)}
            for number in (1, 2)
        )
        frames = b"".join(
            _only(_only(feature)) for _, feature in _fields(lists[b"audio_embedding"])
        )
        if frames:
            levels = np.frombuffer(frames, np.uint8).reshape(-1, 128)
            yield (
                levels * (4 / 255) - 2,
                _varint(_only(_only(context[b"labels"])), 0)[0],
            )
        at += 12 + length + 4


def _maps(part: bytes) -> Iterator[dict[int, bytes]]:
    return (dict(_fields(entry)) for _, entry in _fields(part))


def _only(message: bytes) -> bytes:
    """The value of a message's first field."""
    return next(_fields(message))[1]


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and value of each length-delimited field; all that these messages have."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        length, at = _varint(message, at)
        yield tag >> 3, message[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at
