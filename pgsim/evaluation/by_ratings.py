"""Measure how often what a person likes is nearer to the seed than what the same person does not.

That is asked of the collection's vectors and of others. By chance it is one half of the times.
"""

from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from pgsim.errors import PgsimError
from pgsim.evaluation.protocol import RANKINGS, Estimate, bootstrap, reaches
from pgsim.evaluation.ratings import agreeing, read_ratings
from pgsim.evaluation.spaces import read_values, spaces
from pgsim.matrix.engines.exact import Exact
from pgsim.matrix.engines.keys import distances
from pgsim.postgres.connection import Connection
from pgsim.progress import Say, silent
from pgsim.store.collection import read_collection
from pgsim.store.lists import REACH
from pgsim.store.submissions import mbid_keys
from pgsim.store.vectors import Vectors, read_vectors
from pgsim.threads import cores


@dataclass(frozen=True, slots=True)
class RatingRow:
    """The share of the triplets whose order by one ranking of some vectors is a person's order."""

    vectors: str
    ranking: str
    agreement: Estimate


@dataclass(frozen=True, slots=True)
class RatingEvaluation:
    """The measurements on `triplets` triplets of `seeds` seeds, from `verdicts` of `people` people.

    `unusable` verdicts are of recordings that are gone or have no vector. The intervals are a
    bootstrap over seeds.
    """

    verdicts: int
    people: int
    seeds: int
    triplets: int
    unusable: int
    seed: int
    rows: list[RatingRow]


def evaluate_ratings(
    conn: Connection, *, seed: int = 0, threads: int | None = None, say: Say = silent
) -> RatingEvaluation:
    """Compare the verdicts that people gave by rate() with the distances and similarities.

    `conn` is in autocommit mode. PgsimError where nobody likes one answer to a seed and dislikes
    another.
    """
    collection = read_collection(conn)
    given = read_ratings(conn, "{}.vector IS NOT NULL", seed)
    if not len(given.rows):
        raise PgsimError(
            f"nothing to evaluate: of {given.verdicts:,} verdicts on recordings with a vector, none"
            " like one answer to a seed where the same person dislikes another: give more by"
            " pgsim.rate()"
        )
    say("reading the vectors")
    all_ = read_vectors(conn)
    rows = _rows_of(all_, given.mbids)[given.rows]
    values = read_values(conn, collection.profile, all_)
    found = []
    for name, vectors in spaces(collection.profile, all_.vectors, values):
        say(f"{len(rows):,} triplets: {name}")
        scores = _scores(vectors, all_.order(), rows, threads or cores())
        intervals = bootstrap(scores, rows[:, 0], seed)
        for ranking, mean, (low, high) in zip(
            RANKINGS, scores.mean(axis=0), intervals, strict=True
        ):
            found.append(RatingRow(name, ranking, Estimate(float(mean), float(low), float(high))))
    return RatingEvaluation(
        verdicts=given.verdicts,
        people=given.people,
        seeds=len(np.unique(rows[:, 0])),
        triplets=len(rows),
        unusable=given.unusable,
        seed=seed,
        rows=found,
    )


def _rows_of(all_: Vectors, mbids: list[UUID]) -> NDArray[np.intp]:
    """Return the rows (m,) of recordings that are there."""
    keys = mbid_keys(all_.mbids)
    by_key = np.argsort(keys)
    wanted = np.array([mbid.bytes for mbid in mbids], "S16")
    rows: NDArray[np.intp] = by_key[np.searchsorted(keys, wanted, sorter=by_key)]
    return rows


def _scores(
    vectors: NDArray[np.float32],
    order: NDArray[np.int32],
    triplets: NDArray[np.intp],
    threads: int,
) -> NDArray[np.float64]:
    """Return whether each triplet is in a person's order, (t, 2): by distance, by similarity."""
    start, liked, disliked = triplets.T
    apart = [distances(vectors, start, each).astype(np.float64) for each in (liked, disliked)]
    rated = np.unique(triplets[:, 1:])
    _, nearest = Exact(vectors, order, REACH, threads).search(rated)
    reach = np.full(len(vectors), np.nan)
    reach[rated] = reaches(nearest)
    with np.errstate(invalid="ignore", divide="ignore"):
        # The similarity is exp(-d² / (reach of the seed · that of the answer)).
        exponents = [
            np.where(each == 0, 0, each**2 / reach[answer])
            for each, answer in zip(apart, (liked, disliked), strict=True)
        ]
    return np.column_stack([agreeing(*apart), agreeing(*exponents)])
