"""What is suspicious in a collection's data, each with the row to look at."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from pgsim.errors import PgsimError
from pgsim.evaluation.disagreements import Disagreement, disagreements, key_set, tempo_set
from pgsim.evaluation.labels import ARTIST, ARTIST_MBID, GENRE, NONE, known_labels
from pgsim.evaluation.neighbourhoods import (
    EVERYBODY,
    K,
    Neighbourhoods,
    computed,
    contradicted,
    duplicates,
    occurrences,
    stored,
)
from pgsim.evaluation.protocol import MOST_FOR_HUBS
from pgsim.features.profile import Profile
from pgsim.postgres.connection import Connection
from pgsim.postgres.copying import copy_out
from pgsim.postgres.rows import one_row
from pgsim.progress import Say, silent
from pgsim.store.collection import read_collection
from pgsim.store.submissions import read_submissions
from pgsim.store.vectors import Vectors, read_vectors
from pgsim.threads import cores

# The kinds in the order in which they are reported, and what each looks for.
KINDS = {
    "length": "submissions of another length",
    "tempo": "submissions of another tempo",
    "key": "submissions of another key",
    "genre": "genres that neighbours contradict",
    "artist": "artists that neighbours contradict",
    "duplicate": "near duplicates under two MBIDs",
    "nobody": f"in nobody's {K} nearest",
    "everybody": f"in {EVERYBODY} and more lists of {K}",
}
_OF_SUBMISSIONS = ("length", "tempo", "key")
_AT_ONCE = 5000  # rows that are looked up by their MBIDs or ids


@dataclass(frozen=True, slots=True)
class Suspect:
    """A row to look at: a recording, or the submission `source` `number` of its MBID.

    `value` is how odd it is, in the unit of its kind; `other` the MBID of a near duplicate.
    """

    kind: str
    mbid: UUID
    artist: str | None
    title: str | None
    value: float
    reason: str
    source: str | None = None
    number: int | None = None
    other: UUID | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """How many rows were looked at for a kind, and how many are suspicious.

    `note` says why none were looked at.
    """

    kind: str
    looked_at: int
    found: int
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Suspects:
    """What was looked at, by kind, and all that is suspicious, the oddest of each kind first.

    `pending` counts changes since the lists were made; 0 without lists.
    """

    recordings: int
    pending: int
    looked: list[Looked]
    suspects: list[Suspect]


def find_suspects(conn: Connection, *, threads: int | None = None, say: Say = silent) -> Suspects:
    """Look through the submissions, the labels and the lists of a collection.

    `conn` is in autocommit mode. PgsimError where there are no recordings.
    """
    profile = read_collection(conn).profile
    lists, pending, submissions = one_row(
        conn,
        "SELECT (SELECT count(*) FROM pgsim.similarity), (SELECT count(*) FROM pgsim.stale),"
        " (SELECT count(*) FROM pgsim.submission)",
    )
    say("reading the vectors")
    all_ = read_vectors(conn)
    n = len(all_.ids)
    if not n and not submissions:
        raise PgsimError("nothing to look at: there are no recordings; run pgsim load")
    say("comparing submissions")
    looked, found = _of_submissions(conn, profile)
    around = None
    if lists:
        around = stored(conn, all_)
    elif 1 < n <= MOST_FOR_HUBS:
        say(f"the nearest of {n:,} recordings, exactly")
        around = computed(conn, all_, threads or cores())
    if around is None:
        note = "needs lists: run pgsim rebuild" if n > 1 else "needs two recordings"
        looked += [Looked(kind, 0, 0, note) for kind in KINDS if kind not in _OF_SUBMISSIONS]
    else:
        say("looking at the neighbours")
        more_looked, more = _of_neighbours(conn, profile, all_, around, lists or n)
        looked, found = looked + more_looked, found + more
    order = list(KINDS)
    found.sort(key=lambda each: (order.index(each.kind), _oddest_first(each), each.mbid))
    return Suspects(n, pending if lists else 0, looked, found)


def _of_submissions(conn: Connection, profile: Profile) -> tuple[list[Looked], list[Suspect]]:
    several = 0
    with_length = 0
    odd: list[Disagreement] = []
    for part in read_submissions(conn, lengths=True):
        counts = np.diff(part.starts, append=len(part.features))
        is_one_of_several = np.repeat(counts > 1, counts)
        several += int(is_one_of_several.sum())
        with_length += int((is_one_of_several & ~np.isnan(part.lengths)).sum())
        odd += disagreements(part, profile)
    keys = {
        (mbid, place): (artist, title, source, number)
        for some in _some({each.mbid for each in odd})
        for mbid, place, artist, title, source, number in _submission_rows(conn, some)
    }
    suspects = []
    for each in odd:
        artist, title, source, number = keys[each.mbid, each.place]
        mbid = UUID(bytes=each.mbid)
        suspects.append(
            Suspect(each.kind, mbid, artist, title, each.value, each.reason, source, number)
        )
    notes = {
        "length": None if with_length else "no submissions of one MBID have lengths",
        "tempo": None if tempo_set(profile) else "the profile has no tempo in octaves",
        "key": None if key_set(profile) else "the profile has no key on the circle of fifths",
    }
    looked = []
    for kind, note in notes.items():
        if not several:
            note = "every MBID has one submission"
        count = 0 if note else with_length if kind == "length" else several
        looked.append(Looked(kind, count, sum(each.kind == kind for each in odd), note))
    return looked, suspects


def _submission_rows(conn: Connection, mbids: list[bytes]) -> Iterator[tuple[Any, ...]]:
    """Yield MBID, place among its submissions, artist, title, source and number."""
    rows = conn.execute(
        "SELECT s.mbid, row_number() OVER (PARTITION BY s.mbid ORDER BY s.source, s.number) - 1,"
        " r.artist, r.title, s.source, s.number"
        " FROM pgsim.submission AS s LEFT JOIN pgsim.recording AS r USING (mbid)"
        " WHERE s.mbid = ANY(%s)",
        ([UUID(bytes=mbid) for mbid in mbids],),
    )
    for mbid, *rest in rows:
        yield mbid.bytes, *rest


def _of_neighbours(
    conn: Connection, profile: Profile, all_: Vectors, around: Neighbourhoods, lists: int
) -> tuple[list[Looked], list[Suspect]]:
    n = len(all_.ids)
    lengths = _lengths(conn, all_)
    artist, artist_mbid, genre = (
        _numbered(known_labels(conn, all_, text)) for text in (ARTIST, ARTIST_MBID, GENRE)
    )
    labels = {"genre": (genre, [artist, artist_mbid]), "artist": (artist, [])}
    in_lists = np.zeros(n, np.int64)
    pairs: dict[tuple[int, int], float] = {}
    against: dict[str, list[tuple[int, int, int]]] = {kind: [] for kind in labels}
    for seeds, nearest, apart in around.blocks():
        in_lists += occurrences(nearest, n)
        for one, other, distance in duplicates(seeds, nearest, apart, around.reach, lengths):
            pairs[one, other] = distance
        for kind, (numbers, groups) in labels.items():
            against[kind] += contradicted(seeds, nearest, apart, numbers, groups)
    nobody = np.flatnonzero(in_lists == 0)
    everybody = np.flatnonzero(in_lists >= EVERYBODY)
    described = _described(
        conn,
        all_,
        [each.name for each in profile.sets if all_.vectors[:, each.slice].any()],
        {row for pair in pairs for row in pair}
        | {row for rows in against.values() for own, _, other in rows for row in (own, other)}
        | set(nobody.tolist())
        | set(everybody.tolist()),
    )

    suspects = []
    for kind in labels:
        for row, count, other in against[kind]:
            own, theirs = described[row], described[other]
            reason = f"{count} of its {K} nearest are {theirs[kind]!r}, none {own[kind]!r}"
            suspects.append(_suspect(kind, own, count, reason))
    for (one, other), distance in pairs.items():
        suspects.append(_duplicate(described[one], described[other], distance))
    usual = float(np.nanmedian(around.reach))
    for row in nobody.tolist():
        own, far = described[row], float(around.reach[row]) / usual if usual else 1.0
        reason = f"its neighbours are {far:.1f} times as far as is usual"
        if np.isnan(far):
            far, reason = 0.0, "it has no list: run pgsim refresh"
        suspects.append(_suspect("nobody", own, far, reason + _lacking(own)))
    for row in everybody.tolist():
        own = described[row]
        reason = f"in {in_lists[row]:,} lists of {K}; the mean is {in_lists.mean():.0f}"
        suspects.append(_suspect("everybody", own, float(in_lists[row]), reason + _lacking(own)))

    looked_at = {kind: int((numbers != NONE).sum()) for kind, (numbers, _) in labels.items()}
    looked = [
        Looked(
            kind,
            looked_at.get(kind, lists),
            sum(each.kind == kind for each in suspects),
            None if looked_at.get(kind, lists) else "no recording has one",
        )
        for kind in KINDS
        if kind not in _OF_SUBMISSIONS
    ]
    return looked, suspects


def _suspect(kind: str, own: dict[str, Any], value: float, reason: str) -> Suspect:
    return Suspect(kind, own["mbid"], own["artist"], own["title"], float(value), reason)


def _duplicate(one: dict[str, Any], other: dict[str, Any], distance: float) -> Suspect:
    titles = [(each["title"] or "").strip().casefold() for each in (one, other)]
    title = "same title" if titles[0] and titles[0] == titles[1] else repr(other["title"] or "")
    lengths = "/".join(
        "?" if each["length"] is None else f"{each['length']:.1f}" for each in (one, other)
    )
    reason = f"{distance:.3f} from {other['mbid']}, {lengths} s, {title}"
    return replace(_suspect("duplicate", one, distance, reason), other=other["mbid"])


def _oddest_first(suspect: Suspect) -> float:
    """Of duplicates the nearest are the oddest."""
    return suspect.value if suspect.kind == "duplicate" else -suspect.value


def _lacking(own: dict[str, Any]) -> str:
    return f"; it lacks {', '.join(own['missing'])}" if own["missing"] else ""


def _described(
    conn: Connection, all_: Vectors, sets: list[str], rows: set[int]
) -> dict[int, dict[str, Any]]:
    """What is shown of recordings, by their rows; one that is gone meanwhile has its MBID.

    Of the sets that they lack, those are shown that others have: `sets`.
    """
    names = ("mbid", "artist", "title", "genre", "length", "missing")
    result = {
        row: dict.fromkeys(names)
        | {"mbid": UUID(bytes=all_.mbids[row].astype(">u8").tobytes()), "missing": []}
        for row in rows
    }
    row_of = all_.row_of()
    for some in _some(rows):
        for id_, *values in conn.execute(
            f"SELECT id, {', '.join(names)} FROM pgsim.recording WHERE id = ANY(%s)".encode(),
            (all_.ids[some].tolist(),),
        ):
            own = dict(zip(names, values, strict=True))
            own["missing"] = [name for name in own["missing"] if name in sets]
            result[int(row_of[id_])] = own
    return result


def _some(items: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(items)
    while some := list(islice(rest, _AT_ONCE)):
        yield some


def _lengths(conn: Connection, all_: Vectors) -> NDArray[np.float32]:
    """The lengths (n,) of recordings in seconds, NaN where unknown."""
    rows = copy_out(
        conn,
        "SELECT id, coalesce(length, 'NaN') FROM pgsim.recording WHERE vector IS NOT NULL",
        [("id", ">i4"), ("length", ">f4")],
    )
    result = np.full(len(all_.ids), np.nan, np.float32)
    known = np.isin(rows["id"], all_.ids)  # later recordings are not
    result[np.searchsorted(all_.ids, rows["id"][known])] = rows["length"][known]
    return result


def _numbered(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Labels as numbers from 0; NONE stays."""
    result = np.full(len(labels), NONE, np.int64)
    known = labels != NONE
    result[known] = np.unique(labels[known], return_inverse=True)[1]
    return result
