"""Where the genuine data lies; it is no part of the project, so its tests can be skipped."""

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
