"""One document's features and tags, as a source reads them and the loader stores them."""

from typing import Any
from uuid import UUID, uuid5

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

# PostgreSQL's integer.
LARGEST_NUMBER = 2**31 - 1
# uuid5(NAMESPACE_DNS, 'pgsim'): where recordings without an MBID of their own get one.
NAMESPACE = UUID("1b78cc26-629f-5227-a30c-370d600c905d")


def own_mbid(source: str, source_id: str) -> UUID:
    """The id of a recording that has no MBID: always the same one for an id of a source."""
    return uuid5(NAMESPACE, f"{source}:{source_id}")


class Submission(Struct, frozen=True, gc=False):  # made in a tenth of a dataclass's time
    """What one document says about one recording.

    `features` is (dimensions,) float32: the feature sets' own forms, before any transform, side by
    side in the profile's order, NaN where the document lacks a set. A recording's low-level and
    high-level document are two submissions with one key (mbid, source, number) that merge set by
    set; `document` says which of them this is.

    `metadata` has any of the keys `title`, `artist`, `album`, `source_id`, `url` (text),
    `artist_mbids` (UUIDs as text), `year` (int), `length` (seconds), `genres` ({scheme: [label,
    probability]}, a classifier's), `labels` ({scheme: [label, ...]}, people's, best first), `tags`
    (labels of the scheme `tag`) and `extra` (object). `repairs` counts its texts that were mended.
    """

    mbid: UUID
    source: str
    number: int
    document: str
    features: NDArray[np.float32]
    metadata: dict[str, Any]
    repairs: int = 0
