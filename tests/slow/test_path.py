"""Paths among 20,000 recordings, and among genuine ones, against the best that can be."""

from collections.abc import Callable
from contextlib import closing
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray

from pgsim import embedded
from pgsim.planning.synthetic import make_vectors
from pgsim.postgres.connection import connect
from pgsim.store.index import build_index
from tests.support.chains import apart, bound_on_largest_step, steps_of
from tests.support.genuine import audioset_vectors, needs_genuine, song_vectors
from tests.support.graphs import install

pytestmark = pytest.mark.slow

MOST = 1.3


@pytest.mark.parametrize(
    "vectors",
    [
        lambda: make_vectors(20_000),
        pytest.param(song_vectors, marks=needs_genuine),
        pytest.param(audioset_vectors, marks=needs_genuine),
    ],
    ids=["made up", "songs", "clips"],
)
def test_the_largest_step_is_near_that_of_the_best_path(
    server: embedded.Server, vectors: Callable[[], NDArray[np.float32]]
) -> None:
    points = vectors()
    rng = np.random.default_rng(3)
    distances = apart(points)
    url = install(server, f"paths_{len(points)}", points.shape[1])
    with closing(connect(url, autocommit=True)) as conn:
        with conn.cursor().copy(
            "COPY pgsim.recording (mbid, vector) FROM STDIN (FORMAT binary)"
        ) as copy:
            copy.set_types(["uuid", "vector"])
            for number, vector in enumerate(points):
                copy.write_row((UUID(int=number), vector))
        build_index(conn)
        conn.execute("VACUUM ANALYZE pgsim.recording")
        for first in rng.choice(len(points), 3, replace=False).tolist():
            for steps in (5, 25):
                best = bound_on_largest_step(distances, first, steps)
                for last in rng.choice(len(points), 12, replace=False).tolist():
                    rows = conn.execute(
                        "SELECT mbid FROM pgsim.similar_path(%s, %s, %s) ORDER BY rank",
                        (UUID(int=first), UUID(int=last), steps),
                    )
                    path = [mbid.int for (mbid,) in rows]
                    assert len(set(path)) == steps
                    assert max(steps_of(distances, path)) <= MOST * best[last] + 1e-3
