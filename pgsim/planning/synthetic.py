"""Synthetic vectors like those of a large AcousticBrainz collection, of any number, in seconds.

The properties that make neighbours of real recordings hard or easy to find, and their model here:

- Style: each recording belongs to one of a few hundred styles of Zipf-like unequal sizes, and in it
  to an artist; styles lie around eight genres, artists around styles, recordings around artists,
  each nearer than the one before. Artists differ in how uniform they sound, by a factor of ten.
- Feature sets vary unequally: squared distances share out by the weights of the `acousticbrainz`
  profile, so a few wide dimensions matter most. Timbre is correlated (13 + 13 cepstra have about 14
  free directions); classifiers are roots of probabilities, crowded in the corners of their simplex;
  keys are twenty-four points of a circle; tempo and onset rate have little to do with style.
- Sparse regions: one recording in ten is drawn with a heavy tail (Student's t), noise and speech
  among music. Their neighbours are far, and many of their cells' borders near.
- Copies: one recording in fifty is an exact copy of another, some many times over; one in twenty a
  near copy, the same recording released again.
"""

import numpy as np
from numpy.typing import NDArray

# Feature set, dimensions, weight, and the share of its variance that style and artist explain.
SETS = (
    ("mfccs", 13, 0.27, 0.75),
    ("gfccs", 13, 0.15, 0.75),
    ("key", 2, 0.02, 0.1),
    ("bpm", 2, 0.04, 0.2),
    ("onsetrate", 1, 0.001, 0.1),
    ("logonsetrate", 1, 0.02, 0.4),
    ("moods", 5, 0.17, 0.7),
    ("instruments", 3, 0.1, 0.7),
    ("rosamerica", 8, 0.15, 0.7),
    ("dortmund", 9, 0.05, 0.6),
    ("tzanetakis", 10, 0.029, 0.6),
)
DIMENSIONS = sum(length for _, length, _, _ in SETS)
_LATENT = 40
_TIMBRE = 14
_BLOCK = 100_000


def make_vectors_of(dimensions: int, n: int, seed: int = 0) -> NDArray[np.float32]:
    """Vectors (n, dimensions) float32: the columns of make_vectors(), cut off or repeated."""
    return make_vectors(n, seed)[:, np.arange(dimensions) % DIMENSIONS]


def make_vectors(n: int, seed: int = 0) -> NDArray[np.float32]:
    """Vectors (n, 67) float32; the same n and seed give the same vectors."""
    rng = np.random.default_rng(seed)
    genres = rng.normal(size=(8, _LATENT))
    styles = genres[rng.integers(8, size=400)] + 0.8 * rng.normal(size=(400, _LATENT))
    artists = max(20, n // 15)
    style = rng.choice(400, artists, p=_zipf(400, 0.7))
    centres = (styles[style] + 0.7 * rng.normal(size=(artists, _LATENT))).astype(np.float32)
    spread = rng.gamma(2, 0.25, artists).astype(np.float32) + np.float32(0.05)
    share = _zipf(artists, 0.6)
    maps = [rng.normal(size=(_LATENT, length)) / _LATENT**0.5 for _, length, _, _ in SETS]
    timbre = rng.normal(size=(_TIMBRE, 26))

    vectors = np.empty((n, DIMENSIONS), np.float32)
    for start in range(0, n, _BLOCK):
        part = vectors[start : start + _BLOCK]
        artist = rng.choice(artists, len(part), p=share)
        far = np.minimum(np.abs(rng.standard_t(3, len(part))), 12)
        tail = np.where(rng.random(len(part)) < 0.1, far, 1)
        noise = rng.normal(size=(len(part), _LATENT)) * (spread[artist] * tail)[:, None]
        _fill(part, centres[artist] + noise, tail, maps, timbre, rng)

    middle = vectors[:_BLOCK].mean(axis=0)
    at = 0
    for _, length, weight, _ in SETS:
        own = vectors[:, at : at + length]
        own -= middle[at : at + length]
        own *= (weight / (2 * own[:_BLOCK].var(axis=0).sum())) ** 0.5
        at += length

    near = rng.choice(n, n // 20, replace=False)
    vectors[near] = vectors[rng.integers(n, size=len(near))]
    jitter = rng.normal(size=(len(near), DIMENSIONS)) * rng.gamma(1, 0.004, (len(near), 1))
    vectors[near] += jitter.astype(np.float32)
    exact = rng.choice(n, n // 50, replace=False)
    # Squared, a uniform choice among the originals becomes an unequal one: a few have many copies.
    originals = rng.choice(n, max(1, n // 60))
    choice = (rng.random(len(exact)) ** 2 * len(originals)).astype(int)
    vectors[exact] = vectors[originals[choice]]
    return vectors


def _fill(
    part: NDArray[np.float32],
    latent: NDArray[np.floating],
    tail: NDArray[np.float64],
    maps: list[NDArray[np.float64]],
    timbre: NDArray[np.float64],
    rng: np.random.Generator,
) -> None:
    """The sets of some recordings, unscaled, from their place among the styles."""
    n = len(part)
    free = rng.normal(size=(n, _TIMBRE)) * tail[:, None]
    at = 0
    for (name, length, _, explained), mapping in zip(SETS, maps, strict=True):
        if name in ("mfccs", "gfccs"):
            half = timbre[:, :13] if name == "mfccs" else timbre[:, 13:]
            own = free @ half / _TIMBRE**0.5
            own += 0.3 * rng.normal(size=own.shape)
        else:
            own = rng.normal(size=(n, length)) * tail[:, None]
        own = explained**0.5 * (latent @ mapping) / 1.3 + (1 - explained) ** 0.5 * own
        if name == "key":
            angle = np.round(np.arctan2(own[:, 1], own[:, 0]) * 12 / np.pi) * np.pi / 12
            own = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        elif name == "bpm":
            own /= np.linalg.norm(own, axis=1, keepdims=True)
        elif name in ("moods", "instruments"):  # a probability each of yes and no
            own = np.sqrt(1 / (1 + np.exp(-2.5 * own)))
        elif name in ("rosamerica", "dortmund", "tzanetakis"):
            own = np.exp(2.5 * own)
            own = np.sqrt(own / own.sum(axis=1, keepdims=True))
        part[:, at : at + length] = own
        at += length


def _zipf(n: int, exponent: float) -> NDArray[np.float64]:
    share = 1 / np.arange(1, n + 1) ** exponent
    return np.asarray(share / share.sum())
