"""What tuning is worth on the 4,680 genuine recordings of the Million Song Dataset."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from pgsim.evaluation.protocol import Protocol
from pgsim.features.profile import read_profile
from pgsim.loading.load import load
from pgsim.postgres.connection import connect
from pgsim.store import schema
from pgsim.store.collection import read_collection
from pgsim.store.vectors import read_vectors
from pgsim.tuning.examples import read_examples
from pgsim.tuning.tune import tune
from tests.support.genuine import GENUINE

pytestmark = pytest.mark.slow

SONGS = GENUINE / "msd_subset" / "msd_subset_4680x90.csv"
needs_songs = pytest.mark.skipif(
    not SONGS.is_file(), reason=f"the genuine recordings are not in {SONGS}"
)


@needs_songs
def test_tuned_sets_find_more_of_an_artist_on_the_half_that_they_did_not_learn_from(
    new_database: Callable[..., str],
) -> None:
    shipped = read_profile("msd")
    sets = tuple(replace(each, transform="zscore") for each in shipped.sets)
    with closing(connect(new_database(), autocommit=True)) as conn:
        schema.install(conn, replace(shipped, sets=sets))
        load(conn, [SONGS])
        report = tune(conn)
        examples = read_examples(conn, read_collection(conn).profile, "artist", 0)
        vectors = read_vectors(conn).vectors
    assert report.written
    assert report.low > 0
    assert report.after["by_similarity"] >= 1.05 * report.before["by_similarity"]
    everyone = Protocol(np.zeros(len(vectors), np.int64), queries=1)
    skewness, in_none = everyone.ranked(vectors)[1]["similarity"]
    assert skewness <= 1
    assert in_none <= 0.02
    plain = (examples.values - examples.values.mean(axis=0)) / examples.values.std(axis=0)
    found = [
        examples.find(plain[examples.measured(half)], half).by_similarity for half in (False, True)
    ]
    assert report.after["by_similarity"] >= 1.3 * np.concatenate(found).mean()


@needs_songs
def test_one_map_over_all_sets_finds_more_of_a_genre_than_maps_within_them(
    new_database: Callable[..., str],
) -> None:
    with closing(connect(new_database(), autocommit=True)) as conn:
        schema.install(conn, read_profile("msd"))
        load(conn, [SONGS])
        within = tune(conn, labels="genre", dry_run=True)
        report = tune(conn, labels="genre", across_sets=True)
        assert report.written
        assert report.across_sets
        assert report.after["by_similarity"] >= 1.1 * report.before["by_similarity"]
        assert report.after["by_similarity"] >= 1.02 * within.after["by_similarity"]
        assert report.after["skewness"] <= 1
        assert report.after["in_none"] <= 0.02
