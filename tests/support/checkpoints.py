"""Checkpoints as TensorFlow writes them, of a few variables made up for tests."""

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pgsim.sources.crc32c import crc32c, masked

_MAGIC = 0xDB4775248B80FB57
_TYPES = {np.dtype("<f4"): 1, np.dtype("<i4"): 3}


def write_checkpoint(name: str, variables: Mapping[str, NDArray[np.generic]]) -> tuple[Path, Path]:
    """Write a checkpoint of that name; return its index and its data.

    A block of the index has at most three keys, and every second one is stored whole.
    """
    entries, data = [(b"", _field(1, 1))], b""
    for key in sorted(variables):
        values = variables[key]
        part = values.tobytes()
        shape = b"".join(_field(2, _field(1, length)) for length in values.shape)
        entry = _field(1, _TYPES[values.dtype]) + _field(2, shape)
        entry += _field(4, len(data)) + _field(5, len(part))
        entry += bytes([6 << 3 | 5]) + struct.pack("<I", masked(crc32c(part)))
        entries.append((key.encode(), entry))
        data += part
    table, places = b"", []
    for at in range(0, len(entries), 3):
        block = _block(entries[at : at + 3])
        places.append((entries[at : at + 3][-1][0], _varint(len(table)) + _varint(len(block) - 5)))
        table += block
    footer = b""
    for block in (_block([]), _block(places)):
        footer += _varint(len(table)) + _varint(len(block) - 5)
        table += block
    index, numbers = Path(f"{name}.index"), Path(f"{name}.data-00000-of-00001")
    index.write_bytes(table + footer.ljust(40, b"\0") + struct.pack("<Q", _MAGIC))
    numbers.write_bytes(data)
    return index, numbers


def _block(entries: list[tuple[bytes, bytes]]) -> bytes:
    block, before, restarts = b"", b"", []
    for place, (key, value) in enumerate(entries):
        shared = 0
        if place % 2 == 0:
            restarts.append(len(block))
        else:
            while shared < min(len(key), len(before)) and key[shared] == before[shared]:
                shared += 1
        own = key[shared:]
        block += _varint(shared) + _varint(len(own)) + _varint(len(value)) + own + value
        before = key
    restarts = restarts or [0]
    block += struct.pack(f"<{len(restarts)}I", *restarts) + struct.pack("<I", len(restarts))
    return block + b"\0" + struct.pack("<I", masked(crc32c(block + b"\0")))


def _field(number: int, value: int | bytes) -> bytes:
    """A field of Protocol Buffers; a number that is 0 is left out."""
    if isinstance(value, bytes):
        return _varint(number << 3 | 2) + _varint(len(value)) + value
    return _varint(number << 3) + _varint(value) if value else b""


def _varint(value: int) -> bytes:
    groups = [value & 0x7F]
    while value := value >> 7:
        groups[-1] |= 0x80
        groups.append(value & 0x7F)
    return bytes(groups)
