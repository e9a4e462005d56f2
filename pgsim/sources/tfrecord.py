"""TFRecord files and the Examples and SequenceExamples in them, without TensorFlow.

A record is its length (8 bytes, little-endian), the masked CRC-32C of that, the data, and the
masked CRC-32C of the data. The data is a protocol buffer: tensorflow/core/example/example.proto.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from pgsim.sources.crc32c import crc32c, masked
from pgsim.sources.streams.files import LONGEST, Member, Readers, SourceError

_HEAD = struct.Struct("<QI")
_CRC = struct.Struct("<I")

Feature = list[bytes | float]  # to a type checker an int is a float too


class WireError(ValueError):
    """A fault in the bytes of a protocol buffer."""


@dataclass(frozen=True, slots=True)
class SequenceExample:
    """The features of the whole sequence, by name, and the features of each step, by name."""

    context: dict[str, Feature]
    steps: dict[str, list[Feature]]


def records(stream: IO[bytes], name: str) -> Iterator[Member]:
    """Yield the records of a file; one with a wrong checksum is a member with a fault.

    SourceError if the checksum of a length is wrong, since the next record cannot be found then.
    EOFError if the file ends within a record.
    """
    number = 0
    while head := stream.read(_HEAD.size):
        where = f"{name}:{number}"
        number += 1
        if len(head) < _HEAD.size:
            raise EOFError("the last record is not whole")
        size, crc = _HEAD.unpack(head)
        if masked(crc32c(head[:8])) != crc:
            raise SourceError(f"record {number - 1}: the checksum of its length is wrong")
        if size > LONGEST:
            raise SourceError(f"record {number - 1} is longer than {LONGEST >> 20} MiB")
        data = stream.read(size + _CRC.size)
        if len(data) < size + _CRC.size:
            raise EOFError("the last record is not whole")
        (crc,) = _CRC.unpack_from(data, size)
        is_true = masked(crc32c(data[:size])) == crc
        yield Member(where, data[:size]) if is_true else Member(where, b"", "wrong checksum")


RECORD_READERS: Readers = {"tfrecord": records}


def parse_sequence_example(data: bytes) -> SequenceExample:
    """Return the tf.train.SequenceExample that the bytes hold; WireError if they hold none.

    The features of an Example stand where a SequenceExample has its context.
    """
    context: dict[str, Feature] = {}
    steps: dict[str, list[Feature]] = {}
    for field, value in _fields(data):
        if field == 1:  # Features
            context |= {key: _feature(message) for key, message in _map(value)}
        elif field == 2:  # FeatureLists
            for key, message in _map(value):
                steps[key] = [_feature(_bytes(step)) for _, step in _fields(message)]
    return SequenceExample(context, steps)


def _map(message: bytes | int) -> Iterator[tuple[str, bytes]]:
    for _, entry in _fields(_bytes(message)):
        pair = dict(_fields(_bytes(entry)))
        try:
            yield _bytes(pair.get(1, b"")).decode(), _bytes(pair.get(2, b""))
        except UnicodeDecodeError:
            raise WireError("a name is not UTF-8") from None


def _feature(message: bytes) -> Feature:
    """Return a Feature: a list of bytes (1), floats (2) or integers (3), packed or one by one."""
    for kind, values in _fields(message):
        found = [value for _, value in _fields(_bytes(values))]
        if kind == 1:
            return [_bytes(value) for value in found]
        packed = b"".join(
            value if isinstance(value, bytes) else _varint_bytes(value) for value in found
        )
        if kind == 2:
            if len(packed) % 4:
                raise WireError("a list of floats is not a multiple of 4 bytes long")
            return [value for (value,) in struct.iter_unpack("<f", packed)]
        if kind == 3:
            return [*_varints(packed)]
    return []


def _fields(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Yield the fields of a message by number: an integer for a varint, bytes for others."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        kind = key & 7
        if kind == 0:
            value, position = _varint(message, position)
            yield key >> 3, value
            continue
        if kind == 2:
            size, position = _varint(message, position)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise WireError(f"wire type {kind} at byte {position}")
        if position + size > len(message):
            raise WireError(f"cut off at byte {len(message)}")
        yield key >> 3, message[position : position + size]
        position += size


def _varints(data: bytes) -> Iterator[int]:
    position = 0
    while position < len(data):
        value, position = _varint(data, position)
        yield value - 2**64 if value >= 2**63 else value


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """Return an integer in groups of seven bits, lowest first, and the place of its end."""
    value = shift = 0
    while position < len(data) and shift < 64:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position += 1
        if byte < 0x80:
            return value & (2**64 - 1), position
        shift += 7
    raise WireError(f"cut off at byte {position}" if shift < 64 else "an endless integer")


def _varint_bytes(value: int) -> bytes:
    groups = bytearray()
    while value >= 0x80:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(groups) + bytes([value])


def _bytes(value: bytes | int) -> bytes:
    if isinstance(value, int):
        raise WireError("a number where bytes are needed")
    return value
