"""The stored submissions, read from PostgreSQL a part at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgsim.postgres.connection import Connection
from pgsim.postgres.copying import array_of, copy_out
from pgsim.postgres.rows import one_value

_PARTS = 64  # of millions of submissions, each takes some dozen megabytes

# As loading.recording merges documents: the first kind that has a length.
_LENGTH = """(
    SELECT (d.value ->> 'length')::real FROM jsonb_each(documents) AS d
    WHERE d.value ? 'length'
    ORDER BY d.key <> 'lowlevel', d.key <> 'highlevel', d.key LIMIT 1
)"""


@dataclass(frozen=True, slots=True)
class Submissions:
    """Submissions in the order of MBID, source and number, all of each MBID.

    `mbids` is (n, 2) uint64, the two halves of each MBID; `features` (n, dimensions) float32, NaN
    where a set is missing; `lengths` (n,) float32 in seconds, NaN where unknown, and all NaN where
    nobody asked for them; `starts` (MBIDs,) where those of each MBID begin.
    """

    mbids: NDArray[np.uint64]
    features: NDArray[np.float32]
    lengths: NDArray[np.float32]
    starts: NDArray[np.intp]


def read_submissions(conn: Connection, *, lengths: bool = False) -> Iterator[Submissions]:
    """Yield all submissions, some thousand MBIDs at a time."""
    dimensions = int(one_value(conn, "SELECT sum(length) FROM pgsim.feature_set"))
    length = f"coalesce({_LENGTH}, 'NaN')" if lengths else "real 'NaN'"
    for part in range(_PARTS):
        low, high = (f"{(part + end) * (256 // _PARTS):02x}" for end in (0, 1))
        below = f"AND mbid < '{high:0<32}'" if part < _PARTS - 1 else ""
        rows = copy_out(
            conn,
            f"SELECT mbid, features, {length} FROM pgsim.submission"
            f" WHERE mbid >= '{low:0<32}' {below} ORDER BY mbid, source, number",
            [("mbid", ">u8", 2), ("features", array_of(">f4", dimensions)), ("length", ">f4")],
        )
        if len(rows):
            mbids = rows["mbid"].astype(np.uint64)
            is_first = np.append(True, (mbids[1:] != mbids[:-1]).any(axis=1))
            yield Submissions(
                mbids,
                rows["features"]["items"]["value"].astype(np.float32),
                rows["length"].astype(np.float32),
                np.flatnonzero(is_first),
            )


def mbid_keys(mbids: NDArray[np.uint64]) -> NDArray[np.bytes_]:
    """Each MBID (n, 2) as one value (n,) that can be sorted and searched; the order is SQL's."""
    return np.ascontiguousarray(mbids.astype(">u8")).view("S16")[:, 0]
