"""Files that a person names: pipes, devices, folders, sockets and endless lines are refused."""

import os
import socket
from pathlib import Path

import pytest

from pgsim.regular_file import LONGEST_LINE, open_regular, read_small, text_lines

SPARSE = 20 * 2**30  # bytes, of which a disk holds none


@pytest.fixture
def odd(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Something that is there and is no regular file."""
    path = tmp_path / "odd"
    if request.param == "a pipe":
        os.mkfifo(path)
    elif request.param == "a folder":
        path.mkdir()
    elif request.param == "a socket":
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
    else:
        path = Path("/dev/zero")
    return path


@pytest.mark.parametrize("odd", ["a pipe", "a folder", "a socket", "a device"], indirect=True)
def test_what_is_no_file_is_named_at_once(odd: Path, request: pytest.FixtureRequest) -> None:
    kind = request.node.callspec.params["odd"]
    for read in (open_regular, lambda path: read_small(path, 10)):
        with pytest.raises(OSError, match=f"it is {kind}, and has to be a file"):
            read(odd)


def test_a_file_is_read_as_far_as_it_may_be_long(tmp_path: Path) -> None:
    path = tmp_path / "ten"
    path.write_bytes(b"0123456789")
    assert read_small(path, 10) == b"0123456789"
    os.truncate(path, SPARSE)
    with pytest.raises(OSError, match="larger than 10 bytes"):
        read_small(path, 10)


def test_lines_keep_their_ends_and_an_endless_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes("\ufeffé\r\nb\nc".encode())
    with open_regular(path) as file:
        assert list(text_lines(file)) == ["é\r\n", "b\n", "c"]
    path.write_bytes(b"a\n" + b"x" * LONGEST_LINE + b"\n")
    with open_regular(path) as file:
        lines = text_lines(file)
        assert next(lines) == "a\n"
        with pytest.raises(OSError, match="line 2 is longer"):
            next(lines)
