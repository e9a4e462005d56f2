"""One document's features and metadata, as a source reads them and a load stores them."""

from typing import Any
from uuid import UUID, uuid5

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

# PostgreSQL's integer.
LARGEST_NUMBER = 2**31 - 1
# uuid5(NAMESPACE_DNS, 'pgsim'): the namespace of ids for recordings without an MBID.
NAMESPACE = UUID("1b78cc26-629f-5227-a30c-370d600c905d")


def own_mbid(source: str, source_id: str) -> UUID:
    """Return the id of a recording without an MBID: always the same for one id of a source."""
    return uuid5(NAMESPACE, f"{source}:{source_id}")


class Submission(Struct, frozen=True, gc=False):  # made in a tenth of a dataclass's time
    """The content of one document about one recording.

    `features` is (dimensions,) float32: the values of the feature sets, before any transform, side
    by side in the profile's order, NaN where the document lacks a set. A recording's low-level and
    high-level document are two submissions with the same key (mbid, source, number), which merge
    set by set; `document` says which of the two this is.

    `metadata` has any of the keys `title`, `artist`, `album`, `source_id`, `url` (text),
    `artist_mbids` (UUIDs as text), `year` (int), `length` (seconds), `genres` ({scheme: [label,
    probability]} of classifiers), `labels` ({scheme: [label, ...]} given by people, best first),
    `tags` (labels of the scheme `tag`) and `extra` (object). `repairs` counts the texts that were
    changed so that PostgreSQL can hold them.
    """

    mbid: UUID
    source: str
    number: int
    document: str
    features: NDArray[np.float32]
    metadata: dict[str, Any]
    repairs: int = 0


class Submissions(Struct, gc=False):
    """The submissions in several documents, side by side.

    `mbids` has the bytes of each, `texts` its metadata as JSON: {document: metadata}. `features` is
    (submissions, dimensions). `failures` has the documents without a submission: each one's place,
    and the reason.
    """

    mbids: list[bytes]
    sources: list[str]
    numbers: list[int]
    features: NDArray[np.float32]
    texts: list[bytes]
    failures: list[tuple[int, str]]
    repairs: int = 0
