"""What people say of answers, as triplets: what one likes is nearer to the seed than what not."""

from dataclasses import dataclass
from itertools import product
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from pgsim.postgres.connection import Connection

_MOST_OF_ONE = 100  # triplets of one person and one seed

_VERDICTS = """
    SELECT t.by_whom, t.seed, t.answer, t.verdict, s.mbid IS NOT NULL AND a.mbid IS NOT NULL
    FROM pgsim.ratings() AS t
    LEFT JOIN pgsim.recording AS s ON t.seed = s.mbid AND {usable_seed}
    LEFT JOIN pgsim.recording AS a ON t.answer = a.mbid AND {usable_answer}
    WHERE t.seed <> t.answer
    ORDER BY t.by_whom, t.seed, t.answer
"""


@dataclass(frozen=True, slots=True)
class Triplets:
    """The triplets (t, 3): a seed, an answer that one person likes, and one that they do not.

    They are places in `mbids`. Of a person and a seed there are at most 100, drawn at random. They
    are made of `verdicts` verdicts of `people` people; `unusable` more are of recordings that are
    gone, or lack what is needed.
    """

    mbids: list[UUID]
    rows: NDArray[np.int64]
    verdicts: int
    people: int
    unusable: int


def read_ratings(conn: Connection, needed: str, seed: int) -> Triplets:
    """Read the verdicts on recordings for which `needed` is true: SQL about a recording's `{}`."""
    query = _VERDICTS.format(usable_seed=needed.format("s"), usable_answer=needed.format("a"))
    given: dict[tuple[str, UUID], tuple[list[UUID], list[UUID]]] = {}
    people, verdicts, unusable = set(), 0, 0
    for person, start, answer, verdict, is_usable in conn.execute(query.encode()):
        if not is_usable:
            unusable += 1
            continue
        verdicts += 1
        people.add(person)
        given.setdefault((person, start), ([], []))[verdict > 0].append(answer)
    random = np.random.default_rng(seed)
    named = []
    for (_, start), (disliked, liked) in given.items():
        pairs = list(product(liked, disliked))
        chosen = np.sort(random.permutation(len(pairs))[:_MOST_OF_ONE])
        named += [(start, *pairs[number]) for number in chosen]
    mbids = sorted({mbid for triplet in named for mbid in triplet})
    place = {mbid: number for number, mbid in enumerate(mbids)}
    rows = np.array([[place[mbid] for mbid in triplet] for triplet in named], np.int64)
    return Triplets(mbids, rows.reshape(-1, 3), verdicts, len(people), unusable)


def agreeing(near: NDArray[np.floating], far: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return for each (t,) whether what is liked is nearer: 1 or 0, and one half where both are."""
    result: NDArray[np.float64] = (near < far) + 0.5 * (near == far)
    return result
