"""Where the genuine data lies; it is no part of the project, so its tests can be skipped."""

import csv

import numpy as np
import pytest
from numpy.typing import NDArray

from pgsim.features.profile import read_profile
from pgsim.sources import inputs
from tests.support.paths import GENUINE

ACOUSTICBRAINZ = GENUINE / "acousticbrainz"

needs_genuine = pytest.mark.skipif(
    not ACOUSTICBRAINZ.is_dir(), reason=f"the genuine documents are not in {ACOUSTICBRAINZ}"
)


def audioset_vectors() -> NDArray[np.float32]:
    """(clips, 128): the mean embeddings of the AudioSet clips, of length 1."""
    profile = read_profile("audioset")
    means = np.array(
        [
            given.source.submission(member, profile).features
            for given in inputs(GENUINE / "audioset" / "bal_train")
            if given.source is not None
            for member in given.source.members(given.path)
        ]
    )
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    vectors: NDArray[np.float32] = (means / lengths).astype(np.float32)
    return vectors


def song_vectors() -> NDArray[np.float32]:
    """(4680, 91): timbre and loudness of songs, each column in its standard deviations."""
    path = GENUINE / "msd_subset" / "msd_subset_4680x90.csv"
    if not path.is_file():
        pytest.skip(f"the genuine recordings are not in {path}")
    with path.open(newline="", encoding="utf-8") as file:
        songs = list(csv.DictReader(file))
    columns = [name for name in songs[0] if name.startswith("timbre_")] + ["loudness"]
    values = np.array([[float(song[name]) for name in columns] for song in songs])
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    return values.astype(np.float32)
