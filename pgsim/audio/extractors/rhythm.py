"""Rhythm Patterns and Statistical Spectrum Descriptors, after their published description.

A. Rauber, E. Pampalk, D. Merkl: Using psycho-acoustic models and self-organizing maps to create a
hierarchical structuring of music by sound similarity, ISMIR 2002. T. Lidy, A. Rauber: Evaluation of
feature extractors and psycho-acoustic transformations for music genre classification, ISMIR 2005.

Segments of 6 s become specific loudness in Sone over 24 critical bands. The statistics of the
loudness are the descriptors (7 x 24). Its fluctuation between 0.17 and 10 Hz, weighted by how
strongly it is felt, is the rhythm pattern (24 x 60). Both are the median over segments, without the
first and the last one. The description leaves some choices open, and others are out of date. Here,
a frame lasts as long as 1,024 samples at 44.1 kHz, at any rate; a sine at full scale has 90 dB;
equal loudness is that of ISO 226:2003; every segment counts, not every third one; the pattern is
not blurred. Numbers of other implementations are therefore not comparable.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgsim.audio.files import too_short
from pgsim.audio.samples import as_numbers, read_samples
from pgsim.version import __version__

name = "rhythm"
modules = ("soundfile", "mutagen")
install = "pip install 'pgsim[rhythm]'"

Array = NDArray[np.float64]

# Upper edges of the critical bands, in Hz (Zwicker).
_EDGES = np.array(
    [100, 200, 300, 400, 510, 630, 770, 920, 1080, 1270, 1480, 1720, 2000, 2320, 2700, 3150, 3700,
     4400, 5300, 6400, 7700, 9500, 12000, 15500],
    dtype=float,
)  # fmt: skip
BANDS = len(_EDGES)
_CENTRES = (np.concatenate([[0.0], _EDGES[:-1]]) + _EDGES) / 2

# ISO 226:2003: the frequency in Hz, the exponent of loudness there, the level of the transfer
# function and the threshold of hearing, both in dB. A 1 kHz tone of n dB has n phon.
_ISO_226 = np.array(
    [
        [20, 0.532, -31.6, 78.5], [25, 0.506, -27.2, 68.7], [31.5, 0.480, -23.0, 59.5],
        [40, 0.455, -19.1, 51.1], [50, 0.432, -15.9, 44.0], [63, 0.409, -13.0, 37.5],
        [80, 0.387, -10.3, 31.5], [100, 0.367, -8.1, 26.5], [125, 0.349, -6.2, 22.1],
        [160, 0.330, -4.5, 17.9], [200, 0.315, -3.1, 14.4], [250, 0.301, -2.0, 11.4],
        [315, 0.288, -1.1, 8.6], [400, 0.276, -0.4, 6.2], [500, 0.267, 0.0, 4.4],
        [630, 0.259, 0.3, 3.0], [800, 0.253, 0.5, 2.2], [1000, 0.250, 0.0, 2.4],
        [1250, 0.246, -2.7, 3.5], [1600, 0.244, -4.1, 1.7], [2000, 0.243, -1.0, -1.3],
        [2500, 0.243, 1.7, -4.2], [3150, 0.243, 2.5, -6.0], [4000, 0.242, 1.2, -5.4],
        [5000, 0.242, -2.1, -1.5], [6300, 0.245, -7.1, 6.0], [8000, 0.254, -11.2, 12.6],
        [10000, 0.271, -10.7, 13.9], [12500, 0.301, -3.1, 12.3],
    ]
)  # fmt: skip

WINDOW, HOP = 1024 / 44100, 512 / 44100  # seconds
FRAMES = 512  # of a segment
FULL_SCALE = 90.0  # dB
# Hz of the pattern's 60 columns: the frequencies that a segment can tell apart, up to 10 Hz.
FLUCTUATIONS = np.arange(1, 61) / (FRAMES * HOP)
_STATISTICS = ("mean", "median", "variance", "skewness", "kurtosis", "min", "max")
_SHORTEST = (FRAMES - 1) * HOP + WINDOW


def document(path: Path) -> dict[str, Any]:
    """Return `rhythm_pattern`, 24 lists of 60, and `ssd`, 7 lists of 24, of one audio file.

    ExtractionError for silence, for a file that is not audio, and for less than 6 s.
    """
    samples, rate = read_samples(path)
    pattern, statistics = pattern_and_descriptors(samples, rate)
    return {
        "rhythm_pattern": [as_numbers(band) for band in pattern],
        "ssd": dict(zip(_STATISTICS, map(as_numbers, statistics), strict=True)),
        "metadata": {
            "audio_properties": {"length": len(samples) / rate, "sample_rate": rate},
            "version": {"extractor": "rhythm 1", "pgsim": __version__},
        },
    }


def pattern_and_descriptors(samples: NDArray[np.float32], rate: int) -> tuple[Array, Array]:
    """Return the rhythm pattern (24, 60) and descriptors (7, 24) of samples (n,) at `rate` Hz."""
    sones = sonogram(samples, rate)
    segments = [sones[:, at : at + FRAMES] for at in range(0, sones.shape[1], FRAMES)]
    segments = [each for each in segments if each.shape[1] == FRAMES]
    if not segments:
        raise too_short(len(samples) / rate, _SHORTEST)
    if len(segments) > 2:  # the first and the last one can fade in and out
        segments = segments[1:-1]
    return (
        np.median([rhythm_pattern(each) for each in segments], axis=0),
        np.median([spectrum_descriptors(each) for each in segments], axis=0),
    )


def sonogram(samples: NDArray[np.float32], rate: int) -> Array:
    """Return the specific loudness (24, frames) in Sone of samples (n,) at `rate` Hz."""
    size = round(WINDOW * rate)
    starts = np.arange(0, max(0, len(samples) - size + 1), HOP * rate).astype(np.intp)
    window = np.hanning(size + 1)[:-1]
    # The power of a sine at full scale adds up to 1.
    scale = 4 / (size * np.square(window).sum())
    bands = _bands(size, rate)
    levels = [np.zeros((BANDS, 0))]
    for at in range(0, len(starts), FRAMES):
        frames = samples[starts[at : at + FRAMES, None] + np.arange(size)]
        power = scale * np.abs(np.fft.rfft(frames * window)) ** 2
        heard = _spreading() @ bands @ power.T
        levels.append(FULL_SCALE + 10 * np.log10(np.maximum(heard, 1e-30)))
    return _sone(_phon(np.concatenate(levels, axis=1)))


def rhythm_pattern(sones: Array) -> Array:
    """Return how much each band of a segment (24, 512) fluctuates at FLUCTUATIONS: (24, 60).

    It is the amplitude in Sone, weighted by how strongly a fluctuation is felt: most at 4 Hz.
    """
    amplitudes = 2 / FRAMES * np.abs(np.fft.rfft(sones))[:, 1 : len(FLUCTUATIONS) + 1]
    return np.asarray(amplitudes / (FLUCTUATIONS / 4 + 4 / FLUCTUATIONS))


def spectrum_descriptors(sones: Array) -> Array:
    """Return the statistics (7, 24) of the bands of a segment (24, 512), as _STATISTICS has them.

    Skewness and kurtosis of a band that does not change are 0.
    """
    mean = sones.mean(axis=1)
    apart = sones - mean[:, None]
    variance = np.square(apart).mean(axis=1)
    changes = variance > 1e-12
    deviation = np.sqrt(np.where(changes, variance, 1.0))
    third, fourth = ((apart**power).mean(axis=1) / deviation**power for power in (3, 4))
    return np.stack(
        [
            mean,
            np.median(sones, axis=1),
            variance,
            np.where(changes, third, 0.0),
            np.where(changes, fourth, 0.0),
            sones.min(axis=1),
            sones.max(axis=1),
        ]
    )


def _bands(size: int, rate: int) -> Array:
    """Return 1 for the bins (size // 2 + 1) of a spectrum that belong to a band (24), else 0."""
    frequencies = np.fft.rfftfreq(size, 1 / rate)
    band = np.searchsorted(_EDGES, frequencies)
    band[0] = BANDS  # a constant is not heard
    return np.asarray(np.arange(BANDS)[:, None] == band, dtype=float)


@lru_cache(maxsize=1)
def _spreading() -> Array:
    """Return how much of each band's power (columns) is heard in each other (rows): (24, 24).

    M. R. Schroeder, B. S. Atal, J. L. Hall: Optimizing digital speech coders by exploiting masking
    properties of the human ear, JASA 66, 1979.
    """
    apart = np.arange(BANDS)[:, None] - np.arange(BANDS) + 0.474
    return np.asarray(10 ** ((15.81 + 7.5 * apart - 17.5 * np.sqrt(1 + apart**2)) / 10))


def _phon(levels: Array) -> Array:
    """Return the loudness levels in phon of sound pressure levels in dB, each (24, n)."""
    exponent, transfer, threshold = (
        np.interp(_CENTRES, _ISO_226[:, 0], column)[:, None] for column in _ISO_226[:, 1:].T
    )
    loudness = (
        (0.4 * 10 ** ((levels + transfer) / 10 - 9)) ** exponent
        - (0.4 * 10 ** ((threshold + transfer) / 10 - 9)) ** exponent
        + 0.005135
    )
    return np.asarray(np.maximum(40 * np.log10(np.maximum(loudness, 1e-30)) + 94, 0.0))


def _sone(phons: Array) -> Array:
    return np.asarray(np.where(phons >= 40, 2 ** ((phons - 40) / 10), (phons / 40) ** 2.642))
