"""Where the genuine data lies; it is no part of the project, so its tests can be skipped."""

from pathlib import Path

import pytest

GENUINE = Path(__file__).parents[2] / "shared" / "data"
ACOUSTICBRAINZ = GENUINE / "acousticbrainz"

needs_genuine = pytest.mark.skipif(
    not ACOUSTICBRAINZ.is_dir(), reason=f"the genuine documents are not in {ACOUSTICBRAINZ}"
)
