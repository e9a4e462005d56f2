"""Where submissions come from: one module a format, and the one registry that picks it.

The loader walks a folder itself (`inputs`), file by file, and asks `accepts` of each and `members`
of those that are accepted; so a load can go on behind the documents that were read before, in a
file that has not changed. `submission` is called in worker processes: it goes there by pickling.

A source of one's own is a small class with the members of `Source`. It is found by its name as
`MODULE:NAME` (`pgsim load --source MODULE:NAME PATH`), or, where its package is installed with an
entry point in the group `pgsim.sources`, by the files that it accepts.
"""

from collections.abc import Iterator
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

from pgsim.errors import Rejected, UsageError
from pgsim.features.reading import extract
from pgsim.sources import acousticbrainz, audioset, tables, tfrecord
from pgsim.sources import table_rows as rows
from pgsim.sources.source import Source
from pgsim.sources.streams import files
from pgsim.sources.streams.files import Member, SourceError, kinds, require_readable
from pgsim.sources.streams.walk import Input, walk
from pgsim.sources.submission import Submission, own_mbid

__all__ = [
    "GROUP",
    "SOURCES",
    "Member",
    "Rejected",
    "Source",
    "Submission",
    "extract",
    "inputs",
    "named",
    "own_mbid",
]

GROUP = "pgsim.sources"


# In a folder a table may be anything, such as a list of the other files: it is named to be read.
_IN_FOLDERS: tuple[Source, ...] = (acousticbrainz, audioset)
SOURCES: tuple[Source, ...] = (*_IN_FOLDERS, tables)


def inputs(path: Path, name: str | None = None) -> Iterator[Input]:
    """The file `path`, or the known files in that folder and its folders, by name.

    `name` is the source that reads them; by default each file's own is found. SourceError where
    `path` is missing or closed to us, UsageError where it is of no known kind, or a folder with
    nothing in it that is, or where there is no such source.
    """
    require_readable(path)
    own = [named(name)] if name is not None else _installed()
    if not path.is_dir():
        source = own[0] if name is not None else _first(path, (*own, *SOURCES))
        if source is None:
            known = kinds([*files.DOCUMENTS, *rows.READERS, *tfrecord.READERS])
            raise UsageError(f"cannot read {path}: it is no folder, and no file named {known}")
        return iter([Input(path, path, source)])
    sources = tuple(own) if name is not None else (*own, *_IN_FOLDERS)
    found = walk(path, lambda each: _first(each, sources))
    first = next(found, None)
    if first is None:
        known = kinds([*files.DOCUMENTS, *tfrecord.READERS])
        raise SourceError(
            f"no documents in {path}: no file there is {known}"
            if name is None
            else f"no documents in {path}: source '{name}' accepts no file there"
        )
    return chain([first], found)


def named(name: str) -> Source:
    """The source of that name, or that `MODULE:NAME` is; UsageError where there is none."""
    sources = (*SOURCES, *_installed())
    for source in sources:
        if source.name == name:
            return source
    module, _, attribute = name.partition(":")
    if not attribute:
        known = ", ".join(source.name for source in sources)
        raise UsageError(f"unknown source '{name}'; known: {known}, and yours as MODULE:NAME")
    if module == "__main__":
        raise UsageError(f"source '{name}': worker processes need it in a module of its own")
    try:
        return _made(getattr(import_module(module), attribute))
    except ImportError as error:
        raise UsageError(
            f"source '{name}': {error}; PYTHONPATH says where modules are looked for"
        ) from None
    except AttributeError:
        raise UsageError(f"source '{name}': module '{module}' has no '{attribute}'") from None


def _first(path: Path, sources: tuple[Source, ...]) -> Source | None:
    return next((source for source in sources if source.accepts(path)), None)


def _installed() -> list[Source]:
    """What other packages bring, by their entry points, in the order of their names."""
    from importlib.metadata import entry_points  # slow to import, for worker processes too

    found = sorted(entry_points(group=GROUP), key=lambda point: point.name)
    return [_made(point.load()) for point in found]


def _made(source: Any) -> Source:
    """A source as it is given: itself, or the class of it."""
    made: Source = source() if isinstance(source, type) else source
    return made
