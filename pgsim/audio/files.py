"""Audio files: finding them, telling equal ones by a hash, and reading their samples."""

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pgsim.errors import PgsimError
from pgsim.sources.streams.files import require_readable
from pgsim.sources.streams.walk import is_new_folder
from pgsim.sources.text import Repairs

SUFFIXES = frozenset(
    ".aac .aif .aiff .ape .flac .m4a .mp3 .mp4 .mpc .oga .ogg .opus .wav .wma .wv".split()
)
# A peak 80 dB below full scale: anything quieter is the noise of a converter.
SILENCE = 1e-4
_BLOCK = 2**20  # frames read at once


class ExtractionError(PgsimError):
    """An audio file that cannot be measured; the message says why."""


@dataclass(frozen=True, slots=True)
class AudioFile:
    """One file as it is now: its absolute path as text, its size, and the time of its change."""

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
            name = Repairs().text(str(file.absolute()))
            found[name] = AudioFile(file, name, status.st_size, int(status.st_mtime))
    if not found and not closed:
        raise PgsimError(f"no audio there: no file is named {' '.join(sorted(SUFFIXES))}")
    return (
        [found[name] for name in sorted(found)],
        [f"{each.filename}: {each.strerror}" for each in closed],
    )


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


def read_samples(path: Path) -> tuple[NDArray[np.float32], int]:
    """Return the samples, (n,) float32, full scale 1, the mean of the channels; and the rate in Hz.

    Needs soundfile. ExtractionError for silence, and for a file that libsndfile cannot read.
    """
    samples, rate = _read(path, lambda block: block.mean(axis=1))
    if _peak(samples) < SILENCE:  # two channels can cancel each other
        samples, _ = _read(path, lambda block: block[:, 0])
    if not np.isfinite(samples).all():
        raise ExtractionError("some samples are not numbers")
    if _peak(samples) < SILENCE:
        raise ExtractionError("nothing but silence")
    return samples, rate


def _peak(samples: NDArray[np.float32]) -> float:
    return float(np.abs(samples).max(initial=0))


def _read(
    path: Path, mix: Callable[[NDArray[np.float32]], NDArray[np.float32]]
) -> tuple[NDArray[np.float32], int]:
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            blocks = [mix(each) for each in file.blocks(_BLOCK, dtype="float32", always_2d=True)]
            return np.concatenate(blocks or [np.zeros(0, np.float32)]), int(file.samplerate)
    except soundfile.LibsndfileError as error:
        raise ExtractionError(f"libsndfile cannot read it: {error.error_string.strip()}") from None


def as_numbers(values: NDArray[np.floating]) -> list[float]:
    """Return (n,) numbers for a JSON document, with the seven digits that a float32 has."""
    return [float(f"{value:.7g}") for value in values]
