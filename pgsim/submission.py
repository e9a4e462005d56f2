"""One document's features and tags, as a source reads them and the loader stores them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from pgsim.errors import PgsimError


class Rejected(PgsimError):
    """One document that cannot be loaded; its message is the reason that `reject` keeps."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What one document says about one recording.

    `features` is (dimensions,) float32: the feature sets' own forms, before any transform, side by
    side in the profile's order, NaN where the document lacks a set. A recording's low-level and
    high-level document are two submissions with one key (mbid, source, number) that merge set by
    set; `document` says which of them this is.
    """

    mbid: UUID
    source: str
    number: int
    document: str
    features: NDArray[np.float32]
    metadata: dict[str, Any]
    repairs: int = 0
