"""Questions for similar artists, of artists with few and with many recordings."""

from collections.abc import Sequence

import numpy as np

from tests.bench.query.asking import Pgsim
from tests.bench.query.collection import ARTISTS
from tests.bench.query.measuring import Ask, Route, Run

QUERY = b"SELECT * FROM pgsim.similar_artists(%s)"


def ask_artists(run: Run, pgsim: Pgsim, count: int) -> None:
    """Ten similar artists: the seeds are numbers of artists."""
    artists = len(run.all.vectors) // sum(ARTISTS)
    seeds = np.random.default_rng(2).choice(artists, min(count, artists), replace=False)
    run.section("ten similar artists", None, seeds)

    def asker(size: int) -> Ask:
        def ask(seed: int) -> Sequence[int]:
            name = f"Artist of {size}, number {seed}"
            found = pgsim.cursor.execute(QUERY, (name,), prepare=True).fetchall()
            return range(len(found))

        return ask

    run.compare(
        [
            Route(f"of an artist of {size} recordings", lambda size=size: asker(size), False)  # type: ignore[misc]
            for size in ARTISTS
        ],
        rounds=1,
    )
