"""MusiCNN's embedding (ISC licence), from the checkpoint in its wheel, without TensorFlow.

The package `musicnn` asks for TensorFlow and a NumPy of 2019, so it is installed without what it
asks for, and never imported: its model MSD_musicnn is read as a file. Of its own way to hear, only
one step differs. It rounds to half precision, where what is loud becomes infinite.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from pgsim.audio.checkpoint import Checkpoint
from pgsim.audio.files import too_short
from pgsim.audio.mel import mel_power
from pgsim.audio.musicnn import BANDS, FRAMES, MusiCNN
from pgsim.audio.samples import as_numbers, read_samples
from pgsim.errors import PgsimError
from pgsim.version import __version__

name = "musicnn"
modules = ("soundfile", "mutagen", "soxr", "musicnn")
install = "pip install 'pgsim[musicnn]'; pip install --no-deps musicnn==0.1.0"

RATE = 16000  # Hz
WINDOW, HOP = 512, 256  # samples
MODEL = "MSD_musicnn"
_SHORTEST = (FRAMES - 1) * HOP / RATE  # seconds


def document(path: Path) -> dict[str, Any]:
    """Return `musicnn`, the 200 numbers of the embedding, of one audio file.

    It is the mean over patches of 3 s, one after the other; what remains at the end is not heard.
    ExtractionError for silence, for a file that is not audio, and for less than 3 s.
    """
    samples, rate = read_samples(path)
    length = len(samples) / rate
    with threadpool_limits(1):  # a single thread always adds in the same order
        patches = mel_patches(samples, rate)
        if not len(patches):
            raise too_short(length, _SHORTEST)
        embedding = np.mean([_network().embedding(each) for each in patches], axis=0)
    return {
        "musicnn": as_numbers(embedding),
        "metadata": {
            "audio_properties": {"length": length, "sample_rate": rate},
            "version": {"extractor": "musicnn 1", "model": MODEL, "pgsim": __version__},
        },
    }


def mel_patches(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Return the logarithmic mel bands of samples (n,) at `rate` Hz, as (patches, 187, 96)."""
    import soxr

    heard = soxr.resample(samples, rate, RATE)
    if len(heard) <= WINDOW // 2:  # too short for a frame
        return np.zeros((0, FRAMES, BANDS), np.float32)
    bands = np.log10(10000 * mel_power(heard, RATE, WINDOW, HOP, BANDS) + 1)
    whole = len(bands) // FRAMES
    return bands[: whole * FRAMES].reshape(whole, FRAMES, BANDS)


def model_folder() -> Path:
    """Return the folder of the model's checkpoint, where `musicnn` is installed."""
    spec = find_spec("musicnn")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / MODEL


@cache
def _network() -> MusiCNN:
    try:  # its name is empty but for its folder
        return MusiCNN(Checkpoint(f"{model_folder()}/"))
    except PgsimError as error:
        again = "pip install --force-reinstall --no-deps musicnn==0.1.0"
        raise PgsimError(f"{error}; install it again: {again}") from None
