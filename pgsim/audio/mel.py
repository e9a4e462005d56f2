"""Mel spectrograms: how loud each of some bands, as wide as the ear's, is over time.

The bands are those of M. Slaney's Auditory Toolbox (1998), which librosa computes by default.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

_LINEAR, _BREAK = 200 / 3, 1000.0  # Hz in a mel below the break, and the break
_STEP = np.log(6.4) / 27  # of the logarithm of the frequency in a mel above it
_BLOCK = 4096  # frames transformed at once


def mel_power(
    samples: NDArray[np.float32], rate: int, window: int, hop: int, bands: int
) -> NDArray[np.float32]:
    """Return the power (frames, bands) of samples (n,) at `rate` Hz, `hop` samples a frame.

    Frames are centred on their samples; the sound is mirrored at both ends, so `window` // 2 + 1
    samples are needed.
    """
    padded = np.pad(samples, window // 2, "reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    hann = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)).astype(np.float32)
    filters = mel_filters(rate, window, bands).T
    power = np.empty((len(frames), bands), np.float32)
    for at in range(0, len(frames), _BLOCK):
        spectrum = np.fft.rfft(frames[at : at + _BLOCK] * hann)
        power[at : at + _BLOCK] = (spectrum.real**2 + spectrum.imag**2) @ filters
    return power


@cache
def mel_filters(rate: int, window: int, bands: int) -> NDArray[np.float64]:
    """Return the share of each frequency, (bands, window // 2 + 1): triangles of equal area."""
    frequencies = np.fft.rfftfreq(window, 1 / rate)
    edges = _hertz(np.linspace(0, _mel(rate / 2), bands + 2))[:, None]
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rising = (frequencies - low) / (centre - low)
    falling = (high - frequencies) / (high - centre)
    return np.asarray(np.maximum(0, np.minimum(rising, falling)) * 2 / (high - low))


def _mel(hertz: float) -> float:
    if hertz < _BREAK:
        return hertz / _LINEAR
    return float(_BREAK / _LINEAR + np.log(hertz / _BREAK) / _STEP)


def _hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    above = _BREAK * np.exp(_STEP * (mel - _BREAK / _LINEAR))
    return np.where(mel < _BREAK / _LINEAR, mel * _LINEAR, above)
