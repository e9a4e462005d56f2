"""A tuned collection is one like any other: questions, loads, refresh, refit, dump and restore."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray

from pgsim.database.database import connect as open_database
from pgsim.errors import PgsimError
from pgsim.features.profile import parse_profile
from pgsim.loading.load import load
from pgsim.loading.recordings import refit
from pgsim.matrix.refresh import refresh
from pgsim.postgres.connection import Connection, connect
from pgsim.store import schema
from pgsim.store.collection import read_collection
from pgsim.store.vectors import read_vectors
from pgsim.transfer.dump import dump, restore
from tests.support.exactness import assert_lists_are_exact
from tests.support.rows import one
from tests.support.taught import PROFILE, write_table

SETS = "SELECT * FROM pgsim.feature_set ORDER BY position"


def vectors(conn: Connection) -> NDArray[np.float32]:
    return read_vectors(conn).vectors


def seed(conn: Connection) -> UUID:
    found: UUID = one(conn, "SELECT mbid FROM pgsim.recording ORDER BY mbid LIMIT 1")
    return found


def test_a_metric_and_weights_ask_by_the_tuned_set(tuned: Connection) -> None:
    mbid, all_ = seed(tuned), vectors(tuned)
    place = one(tuned, "SELECT id FROM pgsim.recording WHERE mbid = %s", mbid) - 1
    profile = read_collection(tuned).profile
    for words, sets in (
        ("metric => 'sound'", {"sound": 1.0}),
        ('weights => \'{"sound": 1, "noise": 3}\'', {"sound": 0.25, "noise": 0.75}),
    ):
        squares = np.zeros(len(all_))
        for name, share in sets.items():
            own = all_[:, profile.set(name).slice].astype(np.float64)
            away = ((own - own[place]) ** 2).sum(axis=1) / profile.set(name).weight
            squares += share * away
        question = "SELECT distance FROM similar_recordings(%s, 10, ranking => 'distance', "
        rows = tuned.execute(f"{question}{words})".encode(), (mbid,)).fetchall()
        nearest = np.sqrt(np.sort(squares)[1:11])
        np.testing.assert_allclose([found for (found,) in rows], nearest, rtol=1e-4)


def test_new_recordings_are_fused_by_the_map_and_refreshed(
    tuned: Connection, tmp_path: Path
) -> None:
    before = one(tuned, "SELECT count(*) FROM pgsim.recording")
    load(tuned, [write_table(tmp_path / "more.csv", artists=3, start=500)])
    refresh(tuned)
    assert one(tuned, "SELECT count(*) FROM pgsim.recording") == before + 18
    assert_lists_are_exact(tuned)
    # They are where a refit of the whole by the same fit would put them.
    names = tuned.execute(
        "SELECT r.artist FROM pgsim.recording AS r WHERE mbid IN (SELECT s.mbid FROM"
        " pgsim.recording AS n, similar_recordings(n.mbid, 3) AS s WHERE n.artist = 'Artist 501')"
    ).fetchall()
    assert ("Artist 501",) in names


def test_a_refit_keeps_the_map_and_changes_nothing_without_new_recordings(
    tuned: Connection,
) -> None:
    sets, before = tuned.execute(SETS).fetchall(), vectors(tuned)
    refit(tuned)
    assert tuned.execute(SETS).fetchall() == sets
    np.testing.assert_array_equal(vectors(tuned), before)


def test_a_dump_holds_the_map_and_the_restored_collection_answers_the_same(
    tuned: Connection, new_database: Callable[..., str], vector_template: str, tmp_path: Path
) -> None:
    target = new_database(vector_template)
    dump(tuned.info.dsn, tmp_path / "tuned.dump")
    restore(target, tmp_path / "tuned.dump")
    with closing(connect(target, autocommit=True)) as other:
        assert other.execute(SETS).fetchall() == tuned.execute(SETS).fetchall()
        question = "SELECT * FROM pgsim.similar_recordings(%s, 10)"
        wanted = tuned.execute(question.encode(), (seed(tuned),)).fetchall()
        assert other.execute(question.encode(), (seed(tuned),)).fetchall() == wanted


def test_status_and_feature_sets_show_a_tuned_collection(tuned: Connection) -> None:
    with open_database(tuned.info.dsn) as db:
        assert "sets not fitted" not in {each.item for each in db.status() if each.value}
        assert all(each.fitted for each in db.feature_sets())
        assert sum(each.weight for each in db.feature_sets()) == pytest.approx(1, abs=0.01)


def test_init_by_the_profile_of_before_leaves_a_tuned_collection(tuned: Connection) -> None:
    before = tuned.execute(SETS).fetchall()
    profile = parse_profile(PROFILE, Path("taught.toml"))
    assert schema.install(tuned, profile) is False
    assert tuned.execute(SETS).fetchall() == before
    with pytest.raises(PgsimError, match="another of that name, with other feature sets"):
        schema.install(tuned, replace(profile, sets=profile.sets[:1]))
