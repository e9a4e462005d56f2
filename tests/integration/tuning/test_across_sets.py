"""One map over all sets: what it finds that maps within sets do not, and what it ends."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray

from pgsim import embedded
from pgsim.evaluation.by_labels import evaluate_labels
from pgsim.features.fusion import side_by_side
from pgsim.features.profile import Profile, parse_profile
from pgsim.loading.load import load
from pgsim.loading.profile_change import change_profile
from pgsim.loading.recordings import refit
from pgsim.matrix.rebuild import rebuild
from pgsim.matrix.refresh import refresh
from pgsim.postgres.connection import Connection, connect
from pgsim.store import schema
from pgsim.store.collection import read_collection
from pgsim.store.vectors import read_vectors
from pgsim.transfer.dump import dump, restore
from pgsim.tuning.tune import TuneReport, tune
from tests.support.exactness import assert_lists_are_exact
from tests.support.rows import one
from tests.support.taught import PROFILE, write_table

SET = """
[[set]]
name = "{}"
path = {}
length = 4
transform = "zscore"
aggregate = "mean"
weight = 0.5
"""
# An artist is told by the difference of a column of one set from a column of the other.
PARTED = PROFILE[: PROFILE.index("[[set]]")] + "".join(
    SET.format(name, [f"sound{number}" for number in numbers])
    for name, numbers in (("low", range(4)), ("high", range(4, 8)))
)
STATE = (
    "SELECT (SELECT map FROM pgsim.collection), name, scale, map FROM pgsim.feature_set ORDER BY 2"
)


def parted() -> Profile:
    return parse_profile(PARTED, Path("parted.toml"))


@pytest.fixture(scope="module")
def learned(server: embedded.Server, tmp_path_factory: pytest.TempPathFactory) -> TuneReport:
    """What tune() reports of the template, which it has given a map over all sets."""
    embedded.ensure_database(server, "parted_template")
    with closing(connect(server.conninfo("parted_template"), autocommit=True)) as conn:
        schema.install(conn, parted())
        load(conn, [write_table(tmp_path_factory.mktemp("parted") / "songs.csv")])
        conn.execute("SELECT pgsim.index_metric('low')")
        report = tune(conn, across_sets=True)
        rebuild(conn, engine="exact")
    return report


@pytest.fixture
def mapped(new_database: Callable[..., str], learned: TuneReport) -> Iterator[Connection]:
    assert learned.written
    with closing(connect(new_database("parted_template"), autocommit=True)) as conn:
        yield conn


def apart(conn: Connection) -> NDArray[np.float32]:
    """The vectors as they are without the map."""
    return side_by_side(read_vectors(conn).vectors, read_collection(conn).profile)


def test_it_finds_what_no_map_within_a_set_does(learned: TuneReport) -> None:
    *within, across = learned.steps
    assert (across.sets, across.change, across.kept) == ("all sets", "one map", True)
    assert across.after > 2 * across.before
    assert across.after > 2 * max(each.after for each in within)
    assert learned.across_sets
    assert not any(each["has_map"] for each in learned.sets)


def test_two_random_recordings_are_expected_at_distance_1(mapped: Connection) -> None:
    vectors = read_vectors(mapped).vectors.astype(np.float64)
    assert 2 * vectors.var(axis=0).sum() == pytest.approx(1, rel=1e-3)


def test_no_set_has_a_distance_of_its_own_and_the_error_says_why(mapped: Connection) -> None:
    for words in ("metric => 'low'", "weights => '{\"low\": 2}'"):
        question = f"SELECT similar_recordings(mbid, 3, {words}) FROM pgsim.recording LIMIT 1"
        with pytest.raises(psycopg.Error, match="a map over all sets has ended") as raised:
            mapped.execute(question.encode())
        assert "pgsim profile" in str(raised.value.diag.message_hint)
    with pytest.raises(psycopg.Error, match="'high' asks for the distance of a feature set"):
        mapped.execute("SELECT pgsim.index_metric('high')")
    assert one(mapped, "SELECT to_regclass('pgsim.recording_vector_low')") is None
    rows = mapped.execute(
        "SELECT d.metric FROM pgsim.recording AS a, pgsim.recording AS b,"
        " pgsim.recording_distances(a.mbid, b.mbid) AS d WHERE a.id = 1 AND b.id = 2"
    )
    assert rows.fetchall() == [("all sets",)]


def test_an_explanation_has_the_parts_of_the_distance_and_the_values_as_read(
    mapped: Connection,
) -> None:
    rows = mapped.execute(
        "SELECT e.* FROM pgsim.recording AS a, pgsim.recording AS b,"
        " pgsim.explain_similarity(a.mbid, b.mbid) AS e WHERE a.id = 1 AND b.id = 2"
    ).fetchall()
    features = one(
        mapped,
        "SELECT features FROM pgsim.submission"
        " WHERE mbid = (SELECT mbid FROM pgsim.recording WHERE id = 1)",
    )
    profile, (first, second) = read_collection(mapped).profile, apart(mapped)[:2].astype(np.float64)
    turned = (first - second) @ np.array(profile.map)
    parts = (first - second) * (turned @ np.array(profile.map))
    for name, distance, share, _, words in rows:
        own = profile.set(name)
        length = np.linalg.norm((first - second)[own.slice])
        assert distance == pytest.approx(length / np.sqrt(own.weight), rel=1e-3)
        assert share == pytest.approx(parts[own.slice].sum() / (turned**2).sum(), abs=1e-3)
        said = re.findall(r"sound(\d) (\S+) and", words)
        assert len(said) == 2
        for number, value in said:
            assert float(value) == pytest.approx(features[int(number)], rel=0.02, abs=0.02)
    assert sum(share for _, _, share, *_ in rows) == pytest.approx(1, abs=1e-4)


def test_a_refit_and_a_second_run_change_nothing(mapped: Connection) -> None:
    state, vectors = mapped.execute(STATE).fetchall(), read_vectors(mapped).vectors
    refit(mapped)
    assert mapped.execute(STATE).fetchall() == state
    np.testing.assert_array_equal(read_vectors(mapped).vectors, vectors)
    report = tune(mapped, across_sets=True)
    assert report.reason == "the collection is tuned like this already"


def test_new_recordings_come_under_the_map_and_a_missing_set_is_that_of_the_nearest(
    mapped: Connection, tmp_path: Path
) -> None:
    load(mapped, [write_table(tmp_path / "more.csv", artists=3, start=500)])
    refresh(mapped)
    assert_lists_are_exact(mapped)
    lacking = one(mapped, "SELECT id FROM pgsim.recording WHERE source_id = '501-0'")
    mapped.execute(
        "UPDATE pgsim.submission SET features[5:8] = array_fill('NaN'::real, ARRAY[4])"
        " WHERE mbid = (SELECT mbid FROM pgsim.recording WHERE id = %s)",
        (lacking,),
    )
    refit(mapped)
    assert one(mapped, "SELECT missing FROM pgsim.recording WHERE id = %s", lacking) == ["high"]
    flat, ids = apart(mapped), read_vectors(mapped).ids
    row = int(np.flatnonzero(ids == lacking)[0])
    away = np.linalg.norm(flat[:, :4] - flat[row, :4], axis=1)
    away[row] = np.inf
    np.testing.assert_allclose(flat[row, 4:], flat[away.argmin(), 4:], atol=1e-5)


def test_a_dump_holds_the_map_and_a_change_of_profile_ends_it(
    mapped: Connection, new_database: Callable[..., str], vector_template: str, tmp_path: Path
) -> None:
    target = new_database(vector_template)
    dump(mapped.info.dsn, tmp_path / "mapped.dump")
    restore(target, tmp_path / "mapped.dump")
    seed = "(SELECT mbid FROM pgsim.recording WHERE id = 1)"
    question = f"SELECT * FROM pgsim.similar_recordings({seed}, 5)"
    with closing(connect(target, autocommit=True)) as other:
        assert other.execute(STATE).fetchall() == mapped.execute(STATE).fetchall()
        assert other.execute(question).fetchall() == mapped.execute(question).fetchall()
        assert schema.install(other, parted()) is False
        assert one(other, "SELECT map IS NOT NULL FROM pgsim.collection")
        report = change_profile(other, parted())
        assert report.retransformed == {"all sets": "each by itself again"}
        by_set = f"SELECT * FROM pgsim.similar_recordings({seed}, 5, metric => 'low')"
        assert len(other.execute(by_set).fetchall()) == 5


def test_evaluation_still_measures_each_set_by_itself(mapped: Connection) -> None:
    found = {(each.vectors, each.ranking): each for each in evaluate_labels(mapped, "artist").rows}
    tuned = found["the profile", "distance"].quality.precision.value
    for name in ("low", "high", "equal shares"):
        assert found[name, "distance"].quality.precision.value < tuned / 2
