"""Audio files: finding them, and telling equal ones by a hash."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pgsim.errors import PgsimError
from pgsim.sources.streams.files import require_readable
from pgsim.sources.streams.walk import is_new_folder

SUFFIXES = frozenset(
    ".aac .aif .aiff .ape .flac .m4a .mp3 .mp4 .mpc .oga .ogg .opus .wav .wma .wv".split()
)


class ExtractionError(PgsimError):
    """An audio file that cannot be measured; the message says why."""


def too_short(length: float, shortest: float) -> ExtractionError:
    """Return the error for a recording of so many seconds."""
    return ExtractionError(f"{length:.1f} s long; at least {shortest:.1f} s are needed")


@dataclass(frozen=True, slots=True)
class AudioFile:
    """One file as it is now: its absolute path as text, its size, and the time of its change.

    Bytes of the path that are not UTF-8 are spelled `\\xe9` in its name.
    """

    path: Path
    name: str
    size: int
    modified: int  # whole seconds since 1970


def find_audio(paths: Iterable[Path]) -> tuple[list[AudioFile], list[str]]:
    """Return the named files, and those of known suffixes in the named folders, sorted by name.

    Each is there once. Also returned is a line for each folder that cannot be opened. PgsimError if
    a path is missing or not readable, or if there is no audio at all.
    """
    found: dict[str, AudioFile] = {}
    closed: list[OSError] = []
    for path in paths:
        require_readable(path)
        for file in _walk(path, closed) if path.is_dir() else (path,):
            status = file.stat()
            name = _name(file.absolute())
            found[name] = AudioFile(file, name, status.st_size, int(status.st_mtime))
    if not found and not closed:
        raise PgsimError(f"no audio there: no file is named {' '.join(sorted(SUFFIXES))}")
    return (
        [found[name] for name in sorted(found)],
        [f"{_name(each.filename)}: {each.strerror}" for each in closed],
    )


def _name(path: str | Path) -> str:
    return os.fsencode(path).decode(errors="backslashreplace")


def _walk(folder: Path, closed: list[OSError]) -> Iterable[Path]:
    seen: set[tuple[int, int]] = set()
    is_new_folder(folder, seen)
    for root, folders, names in os.walk(folder, onerror=closed.append, followlinks=True):
        folders[:] = [each for each in folders if is_new_folder(Path(root, each), seen)]
        for path in (Path(root, name) for name in names if not name.startswith(".")):
            if path.suffix.lower() in SUFFIXES and path.is_file():
                yield path


def content_hash(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
