"""Whether similar_artists() finds the other half of an artist, better than mean vectors do."""

from collections.abc import Callable
from contextlib import closing

import numpy as np
import pytest

from pgsim.features.profile import read_profile
from pgsim.loading.load import load
from pgsim.matrix.rebuild import rebuild
from pgsim.postgres.connection import connect
from pgsim.store import schema
from tests.support.genuine import GENUINE

pytestmark = pytest.mark.slow

SONGS = GENUINE / "msd_subset" / "msd_subset_4680x90.csv"
LEAST = 4  # recordings of an artist that is split
TOP = 10  # rows of an answer


@pytest.mark.skipif(not SONGS.is_file(), reason=f"the genuine recordings are not in {SONGS}")
def test_the_other_half_of_an_artist_ranks_higher_than_by_the_means(
    new_database: Callable[..., str],
) -> None:
    with closing(connect(new_database(), autocommit=True)) as conn:
        schema.install(conn, read_profile("msd"))
        schema.add_to_search_path(conn)
        load(conn, [SONGS])
        rebuild(conn)
        conn.execute(
            "UPDATE pgsim.recording AS r SET artist = h.half || ' ' || h.artist FROM ("
            " SELECT id, artist, CASE WHEN count(*) OVER own < %s THEN 'all'"
            " WHEN row_number() OVER (own ORDER BY mbid) * 2 <= count(*) OVER own THEN 'one'"
            " ELSE 'two' END AS half FROM pgsim.recording WINDOW own AS (PARTITION BY artist)"
            ") AS h WHERE r.id = h.id",
            (LEAST,),
        )
        rows = conn.execute("SELECT artist, vector FROM pgsim.recording").fetchall()
        halves = sorted({name for name, _ in rows if name.startswith("one ")})
        ranks = [
            conn.execute(
                "SELECT min(rank) FROM pgsim.similar_artists(%s) WHERE artist = %s",
                (half, half.replace("one ", "two ", 1)),
            ).fetchone()
            for half in halves
        ]
    artists = np.array([name for name, _ in rows])
    vectors = np.array([vector.to_list() for _, vector in rows])
    names, own = np.unique(artists, return_inverse=True)
    means = np.array([vectors[own == each].mean(axis=0) for each in range(len(names))])
    place = {name: at for at, name in enumerate(names.tolist())}
    by_mean = []
    for half in halves:
        apart = np.linalg.norm(means - means[place[half]], axis=1)
        apart[place[half]] = np.inf
        other = apart[place[half.replace("one ", "two ", 1)]]
        by_mean.append(1 + (apart < other).sum())
    found = np.array([np.inf if rank is None or rank[0] is None else rank[0] for rank in ranks])
    mean = np.array(by_mean, float)
    mean[mean > TOP] = np.inf
    print(
        f"{len(halves)} artists: MRR@10 {(1 / found).mean():.3f}, by means {(1 / mean).mean():.3f};"
        f" among ten {(found <= TOP).mean():.3f}, by means {(mean <= TOP).mean():.3f}"
    )
    assert len(halves) > 300
    assert (1 / found).mean() > 1.1 * (1 / mean).mean()
