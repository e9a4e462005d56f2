"""Small audio files, made up for tests."""

import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pgsim.audio.extractors import Extractor, installed_extractor
from pgsim.errors import UsageError

RATE = 44100
Samples = NDArray[np.float32]


def needs(*modules: str, extra: str) -> pytest.MarkDecorator:
    """Skip where one of these modules is not installed, naming the extra that brings it."""
    missing = [module for module in modules if find_spec(module) is None]
    reason = f"{', '.join(missing)} is not installed: pip install 'pgsim[{extra}]'"
    return pytest.mark.skipif(bool(missing), reason=reason)


def require_extractor(name: str) -> Extractor:
    """The extractor of that name; skip where it is not installed, saying how it is."""
    try:
        return installed_extractor(name)
    except UsageError as error:
        pytest.skip(str(error))


def needs_program(name: str) -> pytest.MarkDecorator:
    """Skip where a program is not installed."""
    return pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed")


def noise(seconds: float, rate: int = RATE, seed: int = 1) -> Samples:
    """White noise (n,) of deviation 0.1."""
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.1, int(seconds * rate)).astype(np.float32)


def fluctuating(hertz: float, seconds: float, rate: int = RATE) -> Samples:
    """Noise whose amplitude goes up and down at so many Hz."""
    samples = noise(seconds, rate)
    return samples * (1 + np.cos(2 * np.pi * hertz * np.arange(len(samples)) / rate)) / 2


def sine(hertz: float, seconds: float, rate: int = RATE, amplitude: float = 0.5) -> Samples:
    """A tone."""
    times = np.arange(int(seconds * rate)) / rate
    return (amplitude * np.sin(2 * np.pi * hertz * times)).astype(np.float32)


def clicks(beats_a_minute: float, seconds: float, rate: int = RATE) -> Samples:
    """Short bursts of noise at a steady tempo over a soft chord of A minor."""
    samples = sum(sine(hertz, seconds, rate, 0.05) for hertz in (220.0, 261.63, 329.63))
    assert isinstance(samples, np.ndarray)
    burst = noise(0.05, rate) * np.exp(-np.arange(int(0.05 * rate)) / (0.01 * rate))
    for beat in range(int(seconds * beats_a_minute / 60)):
        at = int(beat * 60 / beats_a_minute * rate)
        samples[at : at + len(burst)] += 5 * burst[: len(samples) - at]
    return samples.astype(np.float32)


def write_audio(path: Path, samples: Samples, rate: int = RATE) -> Path:
    """Write samples (n,) or (n, channels) in the format that the suffix names."""
    import soundfile

    path.parent.mkdir(parents=True, exist_ok=True)
    opus = {"format": "OGG", "subtype": "OPUS"} if path.suffix == ".opus" else {}
    soundfile.write(path, samples, rate, **opus)
    return path


def encoded(path: Path, samples: Samples, rate: int = RATE, *options: str) -> Path:
    """Write samples in any format that ffmpeg writes, as the suffix names it."""
    plain = write_audio(path.with_suffix(".plain.wav"), samples, rate)
    command = ["ffmpeg", "-loglevel", "error", "-i", plain, *options, path]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    plain.unlink()
    return path
