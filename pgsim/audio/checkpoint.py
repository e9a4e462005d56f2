"""The variables of a TensorFlow checkpoint, read without TensorFlow.

A checkpoint of the name N is an index, `N.index`, and files of data, `N.data-00000-of-00001` and so
on. The index is a table as LevelDB writes them (its doc/table_format.md): blocks of sorted keys and
values, a block that says where these are, and a footer that says where that one is. A key is the
name of a variable. Its value is a message BundleEntryProto (TensorFlow's tensor_bundle.proto),
which says where in the data the numbers lie. TensorFlow compresses no block.
"""

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pgsim.errors import PgsimError
from pgsim.sources.crc32c import crc32c, masked

_MAGIC = 0xDB4775248B80FB57
_FOOTER = 48  # bytes, the last 8 of which are _MAGIC
_FLOAT = 1  # DT_FLOAT of TensorFlow's types.proto
# Fields of BundleEntryProto, of TensorShapeProto, and of its Dim.
_TYPE, _SHAPE, _FILE, _OFFSET, _SIZE, _CHECKSUM = 1, 2, 3, 4, 5, 6
_DIM, _LENGTH = 2, 1

# The fields of a message of Protocol Buffers, by number, each with all its values.
_Message = dict[int, list[int | bytes]]


class Checkpoint(Mapping[str, NDArray[np.float32]]):
    """The variables of type float32 in a checkpoint with one file of data, by their names.

    `name` is that of the checkpoint as TensorFlow takes it, without the suffixes of its files.
    PgsimError if one of them is missing or damaged; the numbers of a variable are read, and seen to
    be whole, when it is asked for.
    """

    def __init__(self, name: str) -> None:
        self._index, self._data = Path(f"{name}.index"), Path(f"{name}.data-00000-of-00001")
        index = self._read(self._index)
        try:
            entries = _entries(index)
            self._entries = {
                key: entry for key, entry in entries.items() if _integer(entry, _TYPE) == _FLOAT
            }
        except (ValueError, IndexError, struct.error):
            raise PgsimError(
                f"{self._index} is damaged, or is not the index of a checkpoint"
            ) from None
        self._numbers = self._read(self._data)

    def __getitem__(self, key: str) -> NDArray[np.float32]:
        """Return the numbers of a variable, in its shape."""
        entry = self._entries[key]
        try:
            [shape] = map(_message, entry.get(_SHAPE, [b""]))
            lengths = [_integer(_message(each), _LENGTH) for each in shape.get(_DIM, [])]
            begin, size = _integer(entry, _OFFSET), _integer(entry, _SIZE)
            part = self._numbers[begin : begin + size]
            if _integer(entry, _FILE) or masked(crc32c(part)) != _integer(entry, _CHECKSUM):
                raise ValueError
            return np.frombuffer(part, "<f4").reshape(lengths)
        except (ValueError, IndexError, struct.error):
            raise PgsimError(
                f"{self._data} is damaged: the numbers of '{key}' are others"
            ) from None

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the variables."""
        return iter(self._entries)

    def __len__(self) -> int:
        """Return the number of variables."""
        return len(self._entries)

    @staticmethod
    def _read(file: Path) -> bytes:
        try:
            return file.read_bytes()
        except OSError as error:
            raise PgsimError(f"cannot read {file}: {error.strerror}") from None


def _entries(index: bytes) -> dict[str, _Message]:
    """Return the entries of variables, by name."""
    footer = index[-_FOOTER:]
    if int.from_bytes(footer[-8:], "little") != _MAGIC:
        raise ValueError
    begin, size, at = _place(footer, 0)
    if any(_block(index, begin, size)):  # TensorFlow says nothing there
        raise ValueError
    return {
        key.decode(): _message(value)
        for _, place in _block(index, *_place(footer, at)[:2])
        for key, value in _block(index, *_place(place, 0)[:2])
        if key  # the one without a name says how many files of data there are
    }


def _place(data: bytes, at: int) -> tuple[int, int, int]:
    """Return where a block begins, its size, and where in `data` it goes on after that."""
    begin, at = _varint(data, at)
    size, at = _varint(data, at)
    return begin, size, at


def _block(table: bytes, begin: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of a block."""
    block = table[begin : begin + size]
    compression, checksum = struct.unpack_from("<BI", table, begin + size)
    if compression or masked(crc32c(block + b"\0")) != checksum:
        raise ValueError
    restarts = int.from_bytes(block[-4:], "little")  # the keys that are stored whole
    end = len(block) - 4 * (restarts + 1)
    at, key = 0, b""
    while at < end:
        shared, at = _varint(block, at)  # with the key before
        own, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + own]
        at += own
        yield key, block[at : at + length]
        at += length


def _message(data: int | bytes) -> _Message:
    """Return the fields of a message of Protocol Buffers."""
    if isinstance(data, int):
        raise ValueError
    fields: _Message = {}
    value: int | bytes
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        match tag & 7:
            case 0:
                value, at = _varint(data, at)
            case 2:
                length, at = _varint(data, at)
                value, at = data[at : at + length], at + length
            case 5:
                value, at = struct.unpack_from("<I", data, at)[0], at + 4
            case _:
                raise ValueError
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def _integer(message: _Message, field: int) -> int:
    [value] = message.get(field, [0])  # one that is 0 is not stored
    if not isinstance(value, int):
        raise ValueError
    return value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number in groups of seven bits, the lowest first, and where it goes on after it."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
