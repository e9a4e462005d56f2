"""Files that a person names, opened so that no pipe, device or endless line holds a command up.

What is no regular file, or holds too much, is an OSError whose `strerror` says so.
"""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

LONGEST_LINE = 2**20  # bytes: a line of a file of pairs or labels is far shorter
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def open_regular(path: Path) -> BinaryIO:
    """Return a file that is open for reading; a pipe without a writer is not waited for."""
    _require_regular(path, path.stat().st_mode)  # a socket cannot be opened at all
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _require_regular(path, os.fstat(descriptor).st_mode)
        os.set_blocking(descriptor, True)
    except OSError:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def read_small(path: Path, most: int) -> bytes:
    """Return the bytes of a file that has at most `most` of them."""
    with open_regular(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most:,} bytes", str(path))
    return data


def text_lines(file: BinaryIO) -> Iterator[str]:
    """Yield the lines of a file in UTF-8, with their ends and without a byte order mark."""
    encoding = "utf-8-sig"
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            text = f"line {number} is longer than {LONGEST_LINE:,} bytes"
            raise OSError(errno.EFBIG, text)
        yield line.decode(encoding)
        encoding = "utf-8"


def _require_regular(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = next((kind for is_so, kind in _KINDS if is_so(mode)), "no file")
        raise OSError(errno.EINVAL, f"it is {kind}, and has to be a file", str(path))
