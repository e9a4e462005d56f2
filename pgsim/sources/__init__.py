"""Sources of submissions: a module for each format, and the registry that chooses among them.

A load lists the files of a folder itself (`inputs`). It asks each source whether it `accepts` a
file, and reads the `members` of those that one accepts; so it can go on behind the documents that
were read before, in a file that has not changed. `submission` is called in worker processes, and
reaches them by pickling.

A source of your own is a small class with the members of `Source`. It is found by its name
`MODULE:NAME` (`pgsim load --source MODULE:NAME PATH`). If its package is installed with an entry
point in the group `pgsim.sources`, it is found by the files that it accepts. A source that also has
`members_in`, as `BufferedSource` describes, reads its documents straight into the memory that the
worker processes share.
"""

from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

from pgsim.errors import Rejected, UsageError
from pgsim.features.profile import Profile
from pgsim.features.reading import extract
from pgsim.sources import (
    acousticbrainz,
    audiomuse,
    audioset,
    bliss,
    jamendo,
    mstream,
    sqlite,
    tables,
    vectors,
)
from pgsim.sources.source import BufferedSource, Source
from pgsim.sources.streams.buffer import MemberRun, ReadBuffer
from pgsim.sources.streams.files import (
    DOCUMENT_READERS,
    Member,
    SourceError,
    kinds,
    require_readable,
)
from pgsim.sources.streams.walk import Input, walk
from pgsim.sources.submission import Submission, own_mbid
from pgsim.sources.table_rows import TABLE_READERS
from pgsim.sources.tfrecord import RECORD_READERS

__all__ = [
    "GROUP",
    "SOURCES",
    "BufferedSource",
    "Member",
    "MemberRun",
    "ReadBuffer",
    "Rejected",
    "Source",
    "Submission",
    "extract",
    "inputs",
    "named",
    "own_mbid",
]

GROUP = "pgsim.sources"
_MEMBERS = ("name", "accepts", "members", "submission")

# A table or a database in a folder may be anything, such as a list of the other files: it is read
# only if it is named.
_IN_FOLDERS: tuple[Source, ...] = (audiomuse, acousticbrainz, audioset)
# A SQLite database has any name, so that its first bytes come before names.
_DATABASES: tuple[Source, ...] = (bliss, mstream)
SOURCES: tuple[Source, ...] = (*_DATABASES, *_IN_FOLDERS, jamendo, tables, vectors)


def inputs(path: Path, name: str | None = None, profile: Profile | None = None) -> Iterator[Input]:
    """Return the file `path`, or the known files in that folder and its folders, by name.

    `name` is the source that reads them; by default each file's own is found. A folder's NumPy
    files are tracks if the `profile` reads such; else they are left alone. SourceError if `path`
    is missing, not readable, or a folder without a known file; UsageError if it is a file of no
    known kind, or if there is no such source.
    """
    require_readable(path)
    own = [named(name)] if name is not None else _installed()
    if not path.is_dir():
        source = own[0] if name is not None else _first(path, (*own, *SOURCES))
        if source is None:
            raise _unknown(path)
        return iter([Input(path, path, source)])
    of_tracks = (vectors,) if profile is not None and vectors.is_wanted(profile) else ()
    sources = tuple(own) if name is not None else (*own, *_IN_FOLDERS, *of_tracks)
    found = walk(path, lambda each: _first(each, sources))
    first = next(found, None)
    if first is None:
        known = kinds([*DOCUMENT_READERS, *RECORD_READERS, *(["npy"] if of_tracks else [])])
        raise SourceError(
            f"no documents in {path}: no file there is named {known}"
            if name is None
            else f"no documents in {path}: source '{name}' accepts no file there"
        )
    found = chain([first], found)
    return vectors.require_unique(found, profile) if profile and of_tracks else found


def named(name: str) -> Source:
    """Return the source of that name, or the one at `MODULE:NAME`; UsageError if there is none."""
    sources = (*SOURCES, *_installed())
    for source in sources:
        if source.name == name:
            return source
    module, _, attribute = name.partition(":")
    if not (module and attribute):
        known = ", ".join(source.name for source in sources)
        raise UsageError(f"unknown source '{name}'; known: {known}, and your own as MODULE:NAME")
    if module == "__main__":
        raise UsageError(
            f"source '{name}': worker processes cannot import it; put it in a module of its own"
        )
    return _made(name, lambda: getattr(import_module(module), attribute))


def _unknown(path: Path) -> UsageError:
    """Return the error for a file that no source reads."""
    if sqlite.is_sqlite(path):
        found = ", ".join(sqlite.tables_of(path)) or "nothing"
        return UsageError(
            f"cannot read {path}: a SQLite database with {found}; the known ones are bliss-mixer's"
            " (TracksV2), blissify's (song, feature) and mStream's snapshots (tracks, meta)"
        )
    if why := sqlite.why_none(path):
        return UsageError(f"cannot read it: {why}")
    known = kinds([*DOCUMENT_READERS, *TABLE_READERS, *RECORD_READERS])
    return UsageError(
        f"cannot read {path}: it is not a folder, and not a file named {known}, nor a SQLite"
        " database"
    )


def _first(path: Path, sources: tuple[Source, ...]) -> Source | None:
    return next((source for source in sources if source.accepts(path)), None)


def _installed() -> list[Source]:
    """Return the sources of other packages, by the names of their entry points."""
    from importlib.metadata import entry_points  # slow to import, for worker processes too

    found = sorted(entry_points(group=GROUP), key=lambda point: point.name)
    return [_made(point.name, point.load) for point in found]


def _made(name: str, load: Callable[[], Any]) -> Source:
    """Return the source that `load` finds, or that the class it finds makes; UsageError if none."""
    try:
        found = load()
        made: Source = found() if isinstance(found, type) else found
    except ImportError as error:
        raise UsageError(
            f"source '{name}': {error}; add the folder of the module to PYTHONPATH"
        ) from None
    except AttributeError as error:
        raise UsageError(f"source '{name}': {error}") from error
    except Exception as error:  # the module and its class are the user's
        raise UsageError(
            f"source '{name}' cannot be made: {type(error).__name__}: {error}"
        ) from error
    if lacking := [member for member in _MEMBERS if not hasattr(made, member)]:
        raise UsageError(
            f"source '{name}' is no source, since it has no {', '.join(lacking)}: name a class"
            " or an object with the members of pgsim.sources.source.Source"
        )
    return made
