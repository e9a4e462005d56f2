"""Basic measurements by librosa (ISC licence): timbre, harmony and rhythm, on every platform."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from pgsim.audio.files import too_short
from pgsim.audio.samples import as_numbers, read_samples
from pgsim.version import __version__

name = "librosa"
modules = ("librosa", "soundfile", "mutagen")
install = "pip install 'pgsim[librosa]'"

Array = NDArray[np.floating[Any]]

RATE = 22050  # Hz
WINDOW, HOP = 2048, 512  # samples
SHORTEST = 3.0  # seconds
_KEYS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
# How well each tone fits into C major and into C minor: C. L. Krumhansl, Cognitive Foundations of
# Musical Pitch, 1990.
_FITS = {
    "major": [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88],
    "minor": [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17],
}


def document(path: Path) -> dict[str, Any]:
    """Return means and deviations over frames, key, tempo and onset rate of one audio file.

    ExtractionError for silence, for a file that is not audio, and for less than 3 s.
    """
    samples, rate = read_samples(path)
    length = len(samples) / rate
    if length < SHORTEST:
        raise too_short(length, SHORTEST)
    import librosa

    with threadpool_limits(1):  # a single thread always adds in the same order
        heard = librosa.resample(samples, orig_sr=rate, target_sr=RATE)
        return {
            **measure(heard),
            "metadata": {
                "audio_properties": {"length": length, "sample_rate": rate},
                "version": {
                    "extractor": "librosa 1",
                    "librosa": version("librosa"),
                    "pgsim": __version__,
                },
            },
        }


def measure(samples: NDArray[np.float32]) -> dict[str, Any]:
    """Return `lowlevel`, `tonal` and `rhythm` of samples, (n,), at RATE."""
    import librosa

    feature, onset, power_to_db = librosa.feature, librosa.onset, librosa.power_to_db
    magnitudes = np.abs(librosa.stft(samples, n_fft=WINDOW, hop_length=HOP))
    decibels = power_to_db(feature.melspectrogram(S=magnitudes**2, sr=RATE))
    chroma = feature.chroma_stft(S=magnitudes**2, sr=RATE)
    strength = onset.onset_strength(S=decibels, sr=RATE)
    onsets = onset.onset_detect(onset_envelope=strength, sr=RATE)
    return {
        "lowlevel": {
            "mfcc": _over_frames(feature.mfcc(S=decibels, n_mfcc=20)),
            "spectral_contrast": _over_frames(feature.spectral_contrast(S=magnitudes, sr=RATE)),
            "spectral_centroid": _over_frames(feature.spectral_centroid(S=magnitudes, sr=RATE)),
            "spectral_bandwidth": _over_frames(feature.spectral_bandwidth(S=magnitudes, sr=RATE)),
            "spectral_rolloff": _over_frames(feature.spectral_rolloff(S=magnitudes, sr=RATE)),
            "spectral_flatness": _over_frames(feature.spectral_flatness(S=magnitudes)),
            "zero_crossing_rate": _over_frames(feature.zero_crossing_rate(samples)),
            "loudness": _over_frames(power_to_db(feature.rms(S=magnitudes) ** 2)),
            "onset_strength": _over_frames(strength[None]),
        },
        "tonal": {"chroma": _over_frames(chroma), "key": estimate_key(chroma.mean(axis=1))},
        "rhythm": {
            "bpm": float(feature.tempo(onset_envelope=strength, sr=RATE)[0]),
            "onset_rate": len(onsets) * RATE / len(samples),
        },
    }


def estimate_key(chroma: Array) -> dict[str, Any]:
    """Return the key and scale that chroma, (12,), C first, fits best, and how well (strength)."""
    fits = {
        (key, scale): float(np.corrcoef(np.roll(profile, tone), chroma)[0, 1])
        for scale, profile in _FITS.items()
        for tone, key in enumerate(_KEYS)
    }
    key, scale = max(fits, key=lambda each: fits[each])
    return {"key": key, "scale": scale, "strength": fits[key, scale]}


def _over_frames(values: Array) -> dict[str, list[float]]:
    """Return the mean and deviation over frames of values, (d, frames)."""
    return {"mean": as_numbers(values.mean(axis=1)), "std": as_numbers(values.std(axis=1))}
