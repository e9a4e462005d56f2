"""Arrays of numbers in PostgreSQL's binary form."""

import numpy as np
import pytest

from pgsim.postgres.adapters import RealArrayDumper, RealArrayLoader

LOADER = RealArrayLoader(1021)
DUMPER = RealArrayDumper(np.ndarray)


@pytest.mark.parametrize(
    "values",
    [
        [1.5],
        [0.1, -0.0, np.nan, 3.4028235e38, 1e-45],
        list(range(1000)),
    ],
)
def test_what_is_dumped_is_loaded_bit_for_bit(values: list[float]) -> None:
    array = np.array(values, np.float32)
    loaded = LOADER.load(DUMPER.dump(array))
    assert loaded.dtype == np.float32
    assert loaded.tobytes() == array.tobytes()


def test_the_bytes_are_postgresqls() -> None:
    # array_send: dimensions, NULLs, element type, length, lower bound; then size and value of each.
    expected = "00000001 00000000 000002bc 00000002 00000001 00000004 3f800000 00000004 c0000000"
    assert bytes(DUMPER.dump(np.array([1, -2], np.float32))) == bytes.fromhex(expected)


def test_an_array_of_no_dimensions_is_empty() -> None:
    # What PostgreSQL sends for '{}'.
    assert LOADER.load(bytes.fromhex("00000000 00000000 000002bc")).shape == (0,)


def test_every_second_number_of_a_longer_array_is_dumped_as_if_it_were_whole() -> None:
    strided = np.arange(10, dtype=np.float32)[::2]
    assert LOADER.load(DUMPER.dump(strided)).tolist() == [0, 2, 4, 6, 8]


def test_a_loaded_array_can_be_written_to() -> None:
    loaded = LOADER.load(DUMPER.dump(np.zeros(3, np.float32)))
    loaded[1] = 1
    assert loaded.tolist() == [0, 1, 0]
