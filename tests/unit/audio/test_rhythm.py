"""Rhythm Patterns and spectrum descriptors: what the published steps promise of plain sounds."""

import numpy as np
import pytest

from pgsim.audio.extractors.rhythm import (
    BANDS,
    FLUCTUATIONS,
    pattern_and_descriptors,
    rhythm_pattern,
    sonogram,
    spectrum_descriptors,
)
from pgsim.audio.files import ExtractionError
from pgsim.features.profile import read_profile
from tests.support.audio import RATE, fluctuating, noise, sine


def band_of(hertz: float) -> int:
    """The critical band in which a tone is loudest."""
    return int(sonogram(sine(hertz, 1), RATE).mean(axis=1).argmax())


def test_both_are_as_long_as_the_profile_says():
    pattern, statistics = pattern_and_descriptors(noise(8), RATE)
    assert pattern.shape == (24, 60)
    assert statistics.shape == (7, 24)
    lengths = {each.name: each.length for each in read_profile("rhythm").sets}
    assert lengths == {"rhythm_patterns": pattern.size, "spectrum_descriptors": statistics.size}


def test_the_weights_of_the_profile_are_the_tutorials():
    first, second = read_profile("rhythm").sets
    assert first.weight / second.weight == pytest.approx(0.5 / 0.9)


@pytest.mark.parametrize("hertz", [1.0, 2.0, 4.0, 8.0])
@pytest.mark.parametrize("rate", [22050, 44100, 48000])
def test_noise_that_fluctuates_peaks_at_its_own_frequency_in_every_band(hertz: float, rate: int):
    pattern, _ = pattern_and_descriptors(fluctuating(hertz, 8, rate), rate)
    heard = pattern.max(axis=1) > 0
    assert heard.sum() >= 22  # the highest bands lie above half of the lowest rate
    column = int(np.abs(FLUCTUATIONS - hertz).argmin())
    assert set(pattern[heard].argmax(axis=1)) == {column}


def test_steady_noise_fluctuates_far_less():
    steady, _ = pattern_and_descriptors(noise(8), RATE)
    moving, _ = pattern_and_descriptors(fluctuating(4, 8), RATE)
    assert moving.max() > 10 * steady.max()


def test_equal_fluctuations_are_felt_most_at_4_hz():
    times = np.arange(512) * 512 / 44100
    felt = [
        rhythm_pattern(1 + np.cos(2 * np.pi * hertz * times) * np.ones((BANDS, 1))).max()
        for hertz in FLUCTUATIONS
    ]
    assert FLUCTUATIONS[int(np.argmax(felt))] == pytest.approx(4, abs=0.1)
    assert max(felt) == pytest.approx(0.5, rel=1e-3)  # of an amplitude of 1 Sone


@pytest.mark.parametrize(
    ("hertz", "band"), [(250, 2), (570, 5), (1000, 8), (3500, 16), (8500, 21), (14000, 23)]
)
def test_a_tone_is_loudest_in_its_own_critical_band(hertz: float, band: int):
    assert band_of(hertz) == band


def test_a_tone_of_1_khz_doubles_its_loudness_every_10_db():
    """At 1 kHz a phon is a decibel; a sine at full scale has 90, and 2^5 Sone."""
    loud, softer = (sonogram(sine(1000, 1, amplitude=a), RATE)[8].mean() for a in (1, 10**-0.5))
    assert loud == pytest.approx(32, rel=0.05)
    assert loud / softer == pytest.approx(2, rel=0.01)


def test_a_low_tone_is_heard_less_than_one_of_1_khz_of_equal_power():
    low, middle = (sonogram(sine(hertz, 1, amplitude=0.01), RATE).max() for hertz in (50, 1000))
    assert 0 < low < middle / 2


def test_the_statistics_are_those_of_each_band():
    sones = np.zeros((BANDS, 512))
    sones[3] = np.random.default_rng(1).exponential(2, 512)
    mean, median, variance, skewness, kurtosis, least, most = spectrum_descriptors(sones)
    band = sones[3]
    apart = (band - band.mean()) / band.std()
    assert mean[3] == pytest.approx(band.mean())
    assert median[3] == pytest.approx(np.median(band))
    assert variance[3] == pytest.approx(band.var())
    assert skewness[3] == pytest.approx((apart**3).mean())
    assert kurtosis[3] == pytest.approx((apart**4).mean())
    assert (least[3], most[3]) == (band.min(), band.max())
    silent = np.delete(spectrum_descriptors(sones), 3, axis=1)
    assert not silent.any()


def test_the_first_and_the_last_segment_do_not_count():
    middle = fluctuating(4, 6)
    around = np.concatenate([sine(100, 6), middle, sine(100, 8)])
    pattern, _ = pattern_and_descriptors(around, RATE)
    assert FLUCTUATIONS[pattern[20].argmax()] == pytest.approx(4, abs=0.1)


def test_less_than_6_seconds_are_refused():
    with pytest.raises(ExtractionError, match=r"5\.9 s long; at least 6\.0 s are needed"):
        pattern_and_descriptors(noise(5.9), RATE)


def test_the_same_samples_give_the_same_numbers():
    first, second = (pattern_and_descriptors(fluctuating(3, 7), RATE) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
