"""The files in a folder and its folders, each with its source."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pgsim.sources.source import Source
from pgsim.sources.streams.files import Member, reason, storable


class Remote(Protocol):
    """A place with documents that is not a file; `str` is its address, without any secret."""

    @property
    def name(self) -> str:
        """Return what the names of its documents begin with."""

    def members(self) -> Iterator[Member]:
        """Yield the documents as bytes."""


Place = Path | Remote


@dataclass(frozen=True, slots=True)
class Input:
    """A file to load, or something like it, and the source that reads it.

    `root` is the path that was asked for, and `folder` is where the file lies in it: empty, or
    ending in `/`. If a folder could not be opened, there is no source, and `fault` says why.
    """

    root: Place
    path: Place
    source: Source | None
    folder: str = ""
    fault: str = ""


def walk(folder: Path, find: Callable[[Path], Source | None]) -> Iterator[Input]:
    """Yield the files in a folder and its folders for which `find` has a source, by name."""
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
    """Return False if a folder has been read already, as one that a link leads back to.

    `seen` holds the folders that have been read, and gets this one too.
    """
    try:
        status = folder.stat()
    except OSError:
        return True  # opening it will report the error
    identity = status.st_dev, status.st_ino
    is_new = identity not in seen
    seen.add(identity)
    return is_new
