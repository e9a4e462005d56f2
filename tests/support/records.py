"""TFRecord files, written by the letter of their description, for tests."""

import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

LABELS_CSV = """index,mid,display_name
0,/m/09x0r,"Speech"
1,/m/06by7,"Rock music"
2,/m/0342h,"Guitar"
3,/m/028sqc,"Music of Asia"
"""


def slow_crc32c(data: bytes) -> int:
    """CRC-32C bit by bit."""
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (0x82F63B78 if state & 1 else 0)
    return state ^ 0xFFFFFFFF


def record(data: bytes) -> bytes:
    """One record: length, its checksum, data, its checksum."""
    length = struct.pack("<Q", len(data))
    return length + _checksum(length) + data + _checksum(data)


def example(
    video_id: str | None,
    seconds: Sequence[bytes],
    *,
    start: float = 0,
    end: float = 10,
    labels: Iterable[int] = (),
    id_key: str = "video_id",
    embedding_key: str = "audio_embedding",
) -> bytes:
    """A SequenceExample as AudioSet has them; YouTube-8M's by its keys."""
    context = b"".join(
        [
            _entry(id_key, _field(1, _field(1, video_id.encode()))) if video_id else b"",
            _entry("start_time_seconds", _field(2, _field(1, struct.pack("<f", start)))),
            _entry("end_time_seconds", _field(2, _field(1, struct.pack("<f", end)))),
            _entry("labels", _field(3, _field(1, b"".join(map(_varint, labels))))),
        ]
    )
    steps = b"".join(_field(1, _field(1, _field(1, second))) for second in seconds)
    return _field(1, context) + _field(2, _entry(embedding_key, steps))


def video(
    video_id: str,
    mean_audio: Sequence[float],
    *,
    labels: Iterable[int] = (),
    id_key: str = "id",
    is_packed: bool = True,
) -> bytes:
    """An Example as YouTube-8M has them of whole videos: the means of picture and of sound."""
    features = [
        _entry(id_key, _field(1, _field(1, video_id.encode()))) if video_id else b"",
        _entry("labels", _field(3, _field(1, b"".join(map(_varint, labels))))),
        _entry("mean_rgb", _field(2, _floats([0.5] * 1024, is_packed))),
        _entry("mean_audio", _field(2, _floats(mean_audio, is_packed))),
    ]
    return _field(1, b"".join(features))


def write_records(path: Path, examples: Iterable[bytes]) -> Path:
    """A .tfrecord file, and the list of labels beside it; returns the file."""
    path.write_bytes(b"".join(map(record, examples)))
    (path.parent / "class_labels_indices.csv").write_text(LABELS_CSV)
    return path


def _checksum(data: bytes) -> bytes:
    crc = slow_crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _entry(key: str, value: bytes) -> bytes:
    return _field(1, _field(1, key.encode()) + _field(2, value))


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _floats(values: Sequence[float], is_packed: bool) -> bytes:
    packed = struct.pack(f"<{len(values)}f", *values)
    if is_packed:
        return _field(1, packed)
    return b"".join(_varint(1 << 3 | 5) + packed[at : at + 4] for at in range(0, len(packed), 4))


def _varint(value: int) -> bytes:
    groups = []
    while value >= 0x80:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*groups, value])
