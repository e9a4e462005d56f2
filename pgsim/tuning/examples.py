"""What a collection knows to belong together, read from it: a random sample, the same each time."""

import csv
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from pgsim.errors import PgsimError, UsageError
from pgsim.evaluation.protocol import Protocol
from pgsim.evaluation.ratings import read_ratings
from pgsim.features.fusion import aggregate, transform
from pgsim.features.profile import Profile
from pgsim.loading.recordings import gathered
from pgsim.postgres.connection import Connection
from pgsim.postgres.copying import copy_out
from pgsim.tuning.lda import Scatter, scatter_of_classes, scatter_of_triplets
from pgsim.tuning.measure import Found, precision, right_of, satisfied

LABELS = ("artist", "genre", "mbid")
MOST_ROWS = 100_000  # recordings to learn from
_MOST_BYTES = 2**29  # of their values
_MOST_OF_ONE = 100  # recordings of one artist
_MOST_MEASURED = 8000  # recordings of a half: the time is that number's square

# The class, what is left out of a query's answers, and what a half has whole: 0 is for none.
_KEYS = {
    "artist": ("artist_key(r.artist_mbids, r.artist)", "pgsim.folded(r.album)", None),
    "genre": ("genre", "artist_key(r.artist_mbids, r.artist)", "artist"),
}


@dataclass(frozen=True, slots=True)
class Examples:
    """The values (n, dimensions) of recordings or submissions; NaN where a set is missing.

    `half` is (n,): those of False and those of True have no artist, or other class, in common. By
    `classes` (n,) those belong together that have an equal number; those with an equal number in
    `apart` are left out of each other's answers; `clusters` are drawn by the bootstrap. With
    `triplets` (t, 3), rows a, b and c, `half` is (t,) and so are `clusters`.
    """

    values: NDArray[np.float64]
    half: NDArray[np.bool_]
    clusters: NDArray[np.int64]
    classes: NDArray[np.int64]
    apart: NDArray[np.int64] | None = None
    triplets: NDArray[np.int64] | None = None
    _protocols: dict[bool, Protocol] = field(default_factory=dict, init=False, repr=False)

    @property
    def kinds(self) -> int:
        """Return how many classes have members to find, or how many triplets there are."""
        if self.triplets is not None:
            return len(self.triplets)
        return len(np.unique(self.classes[right_of(self.classes, self.apart) > 0]))

    @property
    def groups(self) -> int:
        """Return how many clusters the queries are of: what the bootstrap draws from."""
        if self.triplets is not None:
            return len(np.unique(self.clusters))
        return len(np.unique(self.clusters[right_of(self.classes, self.apart) > 0]))

    def scatter(self, values: NDArray[np.float64], half: bool | None) -> Scatter | None:
        """Return the scatter of (n, d) values of one half, or of all; without the incomplete."""
        there = np.asarray(~np.isnan(values).any(axis=1))
        if self.triplets is not None:
            a, b, c = self.triplets.T
            kept = there[a] & there[b] & there[c] & self._of(half)
            return scatter_of_triplets(values, self.triplets[kept])
        # A class of one album would teach what the album has in common.
        kept = there & (right_of(self.classes, self.apart) > 0) & self._of(half)
        return scatter_of_classes(values[kept], self.classes[kept])

    def _of(self, half: bool | None) -> NDArray[np.bool_]:
        kept: NDArray[np.bool_] = np.isin(self.half, (False, True) if half is None else half)
        return kept

    def measured(self, half: bool) -> NDArray[np.intp]:
        """Return the rows of one half on which a change is measured."""
        if self.triplets is not None:
            return np.arange(len(self.values))
        return np.flatnonzero(self.half == half)[:_MOST_MEASURED]

    def find(self, vectors: NDArray[np.float64], half: bool) -> Found:
        """Return what the queries of one half find by (m, dimensions) vectors of `measured`."""
        if self.triplets is not None:
            return satisfied(vectors, self.triplets[self.half == half])
        if half not in self._protocols:
            rows = self.measured(half)
            apart = [] if self.apart is None else [self.apart[rows]]
            self._protocols[half] = Protocol(self.classes[rows], apart, queries=len(rows))
        return precision(self._protocols[half], vectors)

    def drawn(self, half: bool) -> NDArray[np.int64]:
        """Return the cluster (q,) of each query of one half."""
        if self.triplets is not None:
            of_half: NDArray[np.int64] = self.clusters[self.half == half]
            return of_half
        rows = self.measured(half)
        apart = None if self.apart is None else self.apart[rows]
        clusters: NDArray[np.int64] = self.clusters[rows]
        asked: NDArray[np.int64] = clusters[right_of(self.classes[rows], apart) > 0]
        return asked


def read_examples(conn: Connection, profile: Profile, labels: str, seed: int) -> Examples:
    """Read the recordings of artists or genres, or the submissions of MBIDs."""
    if labels not in LABELS:
        raise UsageError(f"unknown labels '{labels}'; known: {', '.join(LABELS)}")
    most = min(MOST_ROWS, _MOST_BYTES // (8 * profile.dimensions))
    random = np.random.default_rng(seed)
    if labels == "mbid":
        return _read_submissions(conn, profile, most, random)
    key, own, cluster = _KEYS[labels]
    rows = copy_out(
        conn,
        f"SELECT mbid, {_hashed(key)} AS class, {_hashed(own)} AS own FROM pgsim.recording AS r"
        f" WHERE submissions > 0 {'AND genre IS NOT NULL' if labels == 'genre' else ''}"
        " ORDER BY mbid",
        [("mbid", "V16"), ("class", ">i8"), ("own", ">i8")],
    )
    classes, apart = (_each_its_own(rows[name].astype(np.int64)) for name in ("class", "own"))
    clusters = apart if cluster else classes
    chosen, half = _sample(clusters, most, random)
    values = _values(conn, profile, [UUID(bytes=each.tobytes()) for each in rows["mbid"][chosen]])
    return Examples(values, half, clusters[chosen], classes[chosen], apart[chosen])


def read_triplets(conn: Connection, profile: Profile, path: Path, seed: int) -> Examples:
    """Read the recordings of a CSV with the columns a, b and c, by MBID or by their own id."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            if not {"a", "b", "c"} <= set(table.fieldnames or ()):
                raise UsageError(f"{path} has no columns a, b and c in its first line")
            named = [[(row[key] or "").strip() for key in "abc"] for row in table]
    except OSError as error:
        raise UsageError(f"cannot read triplets from {path}: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"cannot read triplets from {path}: {error}") from None
    known = _mbids_of(conn, sorted({each for row in named for each in row}))
    for line, row in enumerate(named, 2):
        for each in row:
            if each not in known:
                raise PgsimError(
                    f"line {line} of {path} names '{each}', which is no recording with submissions"
                    " in this database: give its MBID or its own id, or leave the line out"
                )
    mbids = sorted({known[each] for row in named for each in row})
    place = {mbid.bytes: number for number, mbid in enumerate(mbids)}
    triplets = np.array([[place[known[each].bytes] for each in row] for row in named], np.int64)
    return _of_triplets(conn, profile, mbids, triplets.reshape(-1, 3), seed)


def read_rated(conn: Connection, profile: Profile, seed: int) -> Examples:
    """Read the recordings that people rated, as triplets: what one likes is nearer."""
    rated = read_ratings(conn, "{}.submissions > 0", seed)
    return _of_triplets(conn, profile, rated.mbids, rated.rows, seed)


def _of_triplets(
    conn: Connection,
    profile: Profile,
    mbids: list[UUID],
    triplets: NDArray[np.int64],
    seed: int,
) -> Examples:
    """Return triplets (t, 3) of places in `mbids` as examples, those of one a in one half."""
    firsts = np.unique(triplets[:, 0])
    is_second = np.random.default_rng(seed).permutation(len(firsts)) % 2 == 1
    half = is_second[np.searchsorted(firsts, triplets[:, 0])]
    values = _values(conn, profile, mbids)
    own = np.arange(len(mbids))
    return Examples(values, half, triplets[:, 0], own, triplets=triplets)


def _hashed(key: str) -> str:
    qualified = key.replace("artist_key", "pgsim.artist_key")
    return f"coalesce(hashtextextended({qualified}, 0), 0)"


def _each_its_own(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return numbers from 0 up for equal ones, where each 0 is a number of its own."""
    _, result = np.unique(numbers, return_inverse=True)
    result = result.reshape(-1).astype(np.int64)
    none = numbers == 0
    result[none] = len(numbers) + np.arange(none.sum())
    return result


def _sample(
    clusters: NDArray[np.int64], most: int, random: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return rows of random clusters, cluster by cluster, at most so many; and the half of each."""
    names, numbers = np.unique(clusters, return_inverse=True)
    turn = random.permutation(len(names))[numbers.reshape(-1)]
    order = np.lexsort((random.random(len(clusters)), turn))
    starts = np.flatnonzero(np.diff(turn[order], prepend=-1))
    within = np.arange(len(order)) - np.repeat(starts, np.diff([*starts, len(order)]))
    chosen = order[within < _MOST_OF_ONE][:most]
    return chosen, turn[chosen] % 2 == 1


def _values(conn: Connection, profile: Profile, mbids: list[UUID]) -> NDArray[np.float64]:
    """Return the aggregated values (n, dimensions) of these recordings, in their order."""
    place = {mbid.bytes: number for number, mbid in enumerate(mbids)}
    values = np.full((len(mbids), profile.dimensions), np.nan)
    if mbids:
        with conn.transaction():
            for each in gathered(conn, mbids, "NULL"):
                values[[place[mbid] for mbid in each.mbids]] = aggregate(
                    each.features, each.starts, profile
                )
    return values


def _read_submissions(
    conn: Connection, profile: Profile, most: int, random: np.random.Generator
) -> Examples:
    """Read the submissions of random MBIDs; exact repeats of one count once."""
    rows = copy_out(
        conn,
        "SELECT mbid, least(count(*), 1000)::integer AS times FROM pgsim.submission GROUP BY mbid"
        " ORDER BY mbid",
        [("mbid", "V16"), ("times", ">i4")],
    )
    order = random.permutation(len(rows))
    order = order[: int(np.searchsorted(np.cumsum(rows["times"][order]), most, "right"))]
    mbids = sorted(UUID(bytes=each.tobytes()) for each in rows["mbid"][order])
    parts, classes = [], []
    if mbids:
        with conn.transaction():
            for each in gathered(conn, mbids, "NULL"):
                for mbid, own in zip(
                    each.mbids, np.split(each.features, each.starts[1:]), strict=True
                ):
                    once = np.unique(own, axis=0)[:_MOST_OF_ONE]
                    parts.append(transform(once, profile))
                    classes += [mbid] * len(once)
    values = np.concatenate(parts) if parts else np.empty((0, profile.dimensions))
    names = {mbid.bytes: number for number, mbid in enumerate(mbids)}
    numbers = np.array([names[mbid] for mbid in classes], np.int64)
    turn = random.permutation(len(names))[numbers] if len(numbers) else numbers
    order = np.argsort(turn, kind="stable")
    return Examples(values[order], turn[order] % 2 == 1, numbers[order], numbers[order])


def _mbids_of(conn: Connection, named: list[str]) -> dict[str, UUID]:
    """Return the MBIDs of recordings with submissions, by MBID or own id."""
    by_mbid: dict[UUID, list[str]] = {}
    for each in named:
        try:
            by_mbid.setdefault(UUID(each), []).append(each)
        except ValueError:
            continue
    found: dict[str, UUID] = {}
    for mbid, name in conn.execute(
        "SELECT mbid, source_id FROM pgsim.recording"
        " WHERE submissions > 0 AND (mbid = ANY(%s) OR source_id = ANY(%s))",
        (list(by_mbid), named),
    ):
        for each in by_mbid.get(mbid, []):
            found[each] = mbid
        if name is not None:
            found.setdefault(name, mbid)
    return found
