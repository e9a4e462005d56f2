"""The path of an output: it appears when it is whole, and is replaced only on demand."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from pgsim.errors import UsageError

_MARK = ".pgsim-"
# As working_folder() names them: nobody else's folder is removed.
_WORKING = re.compile(rf"\..+{re.escape(_MARK)}[a-z0-9_]{{8}}")


def require_free(path: Path, force: bool) -> None:
    """UsageError where the path exists without `force`, or is a device."""
    if not path.exists():
        return
    if not (path.is_file() or path.is_dir()):
        raise UsageError(f"{path} is no file that could be replaced: name another")
    if not force:
        raise UsageError(f"{path} exists: `force=True` replaces it")


@contextmanager
def working_folder(path: Path) -> Iterator[Path]:
    """Make a hidden folder beside an output, to be moved from; it goes away with what is left.

    The process has a lock on it. So folders beside it without a lock are of processes that were
    killed: they are removed.
    """
    _remove_abandoned(path.parent)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f".{path.name}{_MARK}", dir=path.parent))
        lock = _lock(folder)
        if folder.exists():
            break
        _unlock(lock)  # another process has removed it before it was locked
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _unlock(lock)


def _remove_abandoned(parent: Path) -> None:
    """Remove the folders of processes that were killed; those that cannot be removed stay."""
    with suppress(OSError):
        for each in parent.iterdir():
            if _WORKING.fullmatch(each.name) and each.is_dir() and not each.is_symlink():
                lock = _lock(each, LOCK_NB)
                if lock is not None:
                    shutil.rmtree(each, ignore_errors=True)
                    _unlock(lock)


def _lock(folder: Path, how: int = 0) -> int | None:
    """Lock a folder, and return the open file; None where it is gone or the system has no locks.

    With LOCK_NB None as well where another process has the lock, else that is waited for.
    """
    try:
        opened = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        flock(opened, LOCK_EX | how)
    except OSError:
        os.close(opened)
        return None
    return opened


def _unlock(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)
