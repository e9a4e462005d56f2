"""CRC-32C (Castagnoli) by numpy: a checksum is a sum of tables, one for each place in a block."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

BLOCK = 1024  # bytes at once
_FOLLOWING = np.arange(BLOCK)[::-1]
_POLYNOMIAL = 0x82F63B78  # reflected, as in RFC 3720


def crc32c(data: bytes) -> int:
    """Return the CRC-32C of some bytes.

    The checksum is linear: what a byte adds depends on its value and on how many bytes follow it.
    The state before a block adds the same as if it were added to the block's first four bytes.
    """
    tables = _tables()
    state = 0xFFFFFFFF
    start = len(data) % 4
    for byte in data[:start]:  # fewer than the four bytes that the state is added to
        state = state >> 8 ^ int(tables[0, (state ^ byte) & 0xFF])
    while start < len(data):
        size = (len(data) - start) % BLOCK or BLOCK
        block = np.frombuffer(data, np.uint8, size, start).copy()
        block[:4] ^= np.frombuffer(state.to_bytes(4, "little"), np.uint8)
        state = int(np.bitwise_xor.reduce(tables[_FOLLOWING[-size:], block]))
        start += size
    return state ^ 0xFFFFFFFF


def masked(crc: int) -> int:
    """Return a CRC as TFRecord stores it: rotated by 15 bits, plus a constant."""
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


@cache
def _tables() -> NDArray[np.uint32]:
    """Return what a byte of each value adds if so many bytes follow it: (BLOCK, 256)."""
    tables = np.empty((BLOCK, 256), np.uint32)
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ np.uint32(_POLYNOMIAL), table >> 1)
    tables[0] = table
    for following in range(1, BLOCK):
        before = tables[following - 1]
        tables[following] = before >> 8 ^ table[before & 0xFF]
    return tables
