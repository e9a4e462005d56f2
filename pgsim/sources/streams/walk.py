"""The files in a folder, one by one."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pgsim.sources.source import Source
from pgsim.sources.streams.files import reason, storable


@dataclass(frozen=True, slots=True)
class Input:
    """A file, the source that reads it, and `folder`: where it lies in `root`, what was asked for.

    `folder` is empty or ends in `/`. Where a folder could not be looked into there is no source,
    and `fault` says why.
    """

    root: Path
    path: Path
    source: Source | None
    folder: str = ""
    fault: str = ""


def walk(folder: Path, find: Callable[[Path], Source | None]) -> Iterator[Input]:
    """The files in a folder and its folders for which `find` has a source, by name."""
    closed: list[OSError] = []
    seen: set[tuple[int, int]] = set()
    for root, folders, names in os.walk(folder, onerror=closed.append, followlinks=True):
        folders[:] = [each for each in sorted(folders) if is_new_folder(Path(root, each), seen)]
        prefix = "" if root == str(folder) else storable(os.path.relpath(root, folder)) + "/"
        for name in sorted(names):
            path = Path(root, name)
            if source := find(path):
                yield Input(folder, path, source, prefix)
    for error in closed:
        path = Path(error.filename)
        prefix = storable(os.path.relpath(path.parent, folder)) + "/"
        yield Input(folder, path, None, prefix.removeprefix("./"), reason(error))


def is_new_folder(folder: Path, seen: set[tuple[int, int]]) -> bool:
    """False where a link leads back to a folder that was read already, so that walking ends."""
    try:
        status = folder.stat()
    except OSError:
        return True  # walking into it will say why not
    identity = status.st_dev, status.st_ino
    is_new = identity not in seen
    seen.add(identity)
    return is_new
