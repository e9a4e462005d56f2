"""The samples of an audio file, as libsndfile decodes them."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import reduce
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pgsim.audio.files import ExtractionError

if TYPE_CHECKING:
    from soundfile import SoundFile

Samples = NDArray[np.float32]

# A peak 80 dB below full scale: anything quieter is the noise of a converter.
SILENCE = 1e-4
_BLOCK = 2**20  # frames read at once
# Kinds that Essentia reads, and libsndfile does not.
_ESSENTIAS = frozenset((".aac", ".m4a", ".mp4", ".mpc", ".wma", ".wv"))


def read_samples(path: Path) -> tuple[Samples, int]:
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


def as_numbers(values: NDArray[np.floating]) -> list[float]:
    """Return (n,) numbers for a JSON document, with the seven digits that a float32 has."""
    return [float(f"{value:.7g}") for value in values]


def _peak(samples: Samples) -> float:
    return float(np.abs(samples).max(initial=0))


def _read(path: Path, mix: Callable[[Samples], Samples]) -> tuple[Samples, int]:
    import soundfile

    try:
        with _opened(path) as file:
            # `file.frames` and `file.blocks()` believe the length in the header. What is there is
            # what can be read.
            blocks = [np.zeros(0, np.float32)]
            while len(block := file.read(_BLOCK, dtype="float32", always_2d=True)):
                blocks.append(mix(block))
            return np.concatenate(blocks), int(file.samplerate)
    except soundfile.LibsndfileError as error:
        kind = path.suffix.lower()
        if kind in _ESSENTIAS:
            other = "pgsim extract --extractor essentia"
            reason = f"libsndfile reads no {kind}: convert it to .flac, or: {other}"
        else:
            what = error.error_string.strip().rstrip(".")
            reason = f"libsndfile cannot read it: {what}; if a player can, convert it to .flac"
        raise ExtractionError(reason) from None


@contextmanager
def _opened(path: Path) -> Iterator["SoundFile"]:
    """Open a file whose blocks can be read until nothing is left.

    Of an MP3 without an Info header libsndfile guesses the length, from the size of the file and
    the rate of the first frame, and reads no further. A pipe has no size to guess from.
    """
    import soundfile

    with soundfile.SoundFile(os.fsencode(path)) as file:
        if file.format != "MP3":
            yield _forward(file)
            return
        with _piped(path) as pipe:
            try:
                streamed = soundfile.SoundFile(pipe, closefd=False)
            except soundfile.LibsndfileError:  # bytes of something else before the first frame
                yield _forward(file)
                return
            with streamed:
                yield _forward(streamed)


def _forward(file: "SoundFile") -> "SoundFile":
    """Return a file that is read from start to end alone.

    Otherwise soundfile seeks after each block, which fails at the end of a FLAC without a length.
    """
    file.seekable = lambda: False
    return file


@contextmanager
def _piped(path: Path) -> Iterator[int]:
    """Open a pipe through which a file comes, without the ID3 tag at its start."""
    reading, writing = os.pipe()

    def feed() -> None:
        with path.open("rb") as file, os.fdopen(writing, "wb") as pipe, suppress(BrokenPipeError):
            while (head := file.read(10))[:3] == b"ID3":
                high, *low = head[6:10]  # seven bits of the tag's size in each byte
                file.seek(reduce(lambda size, bits: size << 7 | bits, low, high), os.SEEK_CUR)
            pipe.write(head)
            shutil.copyfileobj(file, pipe)

    thread = Thread(target=feed)
    thread.start()
    try:
        yield reading
    finally:
        os.close(reading)
        thread.join()
