"""Questions by metric and by weights: against numpy on the slices of the vectors."""

import json
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray

from pgsim.features.metrics import METRICS
from pgsim.features.profile import read_profile
from pgsim.postgres.connection import Connection
from tests.support.rows import one

PROFILE = read_profile("acousticbrainz")
K = 10
Table = tuple[list[UUID], NDArray[np.float64], NDArray[np.bool_]]


@pytest.fixture(scope="module")
def table(clustered: Connection) -> Table:
    """MBIDs in their order, vectors (n, dimensions), and who has a bpm."""
    rows = clustered.execute(
        "SELECT mbid, vector, NOT 'bpm' = ANY(missing) FROM pgsim.recording ORDER BY mbid"
    ).fetchall()
    vectors = np.stack([vector.to_numpy() for _, vector, _ in rows]).astype(np.float64)
    return [mbid for mbid, _, _ in rows], vectors, np.array([has for _, _, has in rows])


def factors(shares: dict[str, float]) -> NDArray[np.float64]:
    """What each dimension is multiplied by, for shares of named metrics that sum to 1."""
    result = np.zeros(PROFILE.dimensions)
    for name, share in shares.items():
        metric = METRICS.get(name)
        each = PROFILE.set(metric.of if metric else name)
        decay = (metric.decay if metric else 1.0) ** np.arange(each.length)
        result[each.slice] = np.sqrt(share / each.weight / (decay**2).mean()) * decay
    return result


def own_weights(changed: dict[str, float]) -> dict[str, float]:
    weights = {each.name: each.weight for each in PROFILE.sets} | changed
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()}


QUESTIONS: dict[str, tuple[dict[str, Any], dict[str, float]]] = {
    "mfccs": ({"metric": "mfccs"}, {"mfccs": 1}),
    "mfccsw": ({"metric": "mfccsw"}, {"mfccsw": 1}),
    "key": ({"metric": "key"}, {"key": 1}),
    "hybrid": (
        {"metric": "bpm+onsetrate+key"},
        {"bpm": 1 / 3, "onsetrate": 1 / 3, "key": 1 / 3},
    ),
    "weighted hybrid": (
        {"metric": "moods+gfccsw", "weights": {"moods": 3}},
        {"moods": 0.75, "gfccsw": 0.25},
    ),
    "weights": (
        {"weights": {"moods": 2, "mfccs": 0.5, "dortmund": 0}},
        own_weights({"moods": 2, "mfccs": 0.5, "dortmund": 0}),
    ),
    "tiny weights": (
        {"weights": {"moods": 0.001, "key": 1000}},
        own_weights({"moods": 0.001, "key": 1000}),
    ),
}


def ask(conn: Connection, seed: UUID, k: int = K, **words: Any) -> list[tuple[UUID, float, float]]:
    words = {n: json.dumps(w) if isinstance(w, dict) else w for n, w in words.items()}
    named = "".join(f", {name} => %({name})s" for name in words)
    return conn.execute(
        "SELECT mbid, distance, similarity"
        f" FROM similar_recordings(%(seed)s, %(k)s{named}) ORDER BY rank",
        {"seed": seed, "k": k, **words},
    ).fetchall()


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_nearest_by_a_metric_are_those_that_numpy_finds(
    clustered: Connection, table: Table, name: str
) -> None:
    words, shares = QUESTIONS[name]
    mbids, vectors, has_bpm = table
    scaled = vectors * factors(shares)
    rows = np.flatnonzero(has_bpm)[[10, 5000]]
    for row in rows:
        apart = np.linalg.norm(scaled - scaled[row], axis=1)
        apart[row] = np.inf
        if "bpm" in words.get("metric", ""):
            apart[~has_bpm] = np.inf
        got = ask(clustered, mbids[row], **words)
        np.testing.assert_allclose([d for _, d, _ in got], np.sort(apart)[:K], rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(
            [apart[mbids.index(mbid)] for mbid, _, _ in got],
            np.sort(apart)[:K],
            rtol=1e-5,
            atol=1e-7,
        )
        similarities = [s for _, _, s in got]
        assert similarities == sorted(similarities, reverse=True)
        assert all(0 <= s <= 1 for s in similarities)


def test_a_metrics_similarity_is_the_share_of_pairs_that_are_farther(clustered: Connection) -> None:
    rows = clustered.execute(
        """
        WITH m AS MATERIALIZED (SELECT (pgsim.resolve_measure('moods')).sample),
        d AS (SELECT unnest(ARRAY[0, 0.3, 0.9, 1.4, 1000]::real[]) AS distance)
        SELECT pgsim.measured_similarity(d.distance, m.sample),
            (SELECT count(*) FILTER (WHERE s > d.distance) FROM unnest(m.sample) AS s),
            cardinality(m.sample)
        FROM d, m
        """
    ).fetchall()
    assert 900 < rows[0][2] <= 1000
    for told, counted, _ in rows:
        assert told == pytest.approx(counted / rows[0][2], abs=2e-3)
    assert rows[0][0] == 1
    assert rows[-1][0] == 0


def test_a_copy_is_wholly_similar_however_alike_all_are(clustered: Connection) -> None:
    alike = (
        "SELECT pgsim.measured_similarity(0, '{0,0,0}'), pgsim.measured_similarity(1, '{0,0,0}')"
    )
    assert clustered.execute(alike).fetchone() == (1, 0)


def test_rules_and_filters_hold_for_a_metric_too(clustered: Connection, table: Table) -> None:
    seed = table[0][7]
    got = ask(clustered, seed, metric="moods", genre="jaz", max_per_artist=1)
    assert len(got) == K
    assert (
        one(
            clustered,
            "SELECT count(DISTINCT pgsim.artist_key(artist_mbids, artist)) FROM pgsim.recording"
            " WHERE mbid = ANY(%s) AND genre = 'jaz'",
            [mbid for mbid, _, _ in got],
        )
        == K
    )
    plain = ask(clustered, seed, 200, metric="moods")
    least = plain[4][2]
    assert (
        ask(clustered, seed, metric="moods", min_similarity=least)
        == [row for row in plain if row[2] >= least][:K]
    )


def test_a_recording_without_the_set_is_not_asked_by_it(
    clustered: Connection, table: Table
) -> None:
    mbids, _, has_bpm = table
    lacking = mbids[int(np.flatnonzero(~has_bpm)[0])]
    with pytest.raises(psycopg.Error, match="has no values for bpm"):
        ask(clustered, lacking, metric="bpm")
    assert len(ask(clustered, lacking, metric="key")) == K
    assert len(ask(clustered, lacking, weights={"bpm": 1})) == K


def test_an_index_of_its_own_serves_a_metric(clustered: Connection, table: Table) -> None:
    mbids, _, _ = table
    scans = "SELECT pg_stat_get_xact_numscans(to_regclass('pgsim.recording_vector_moods'))"
    with clustered.transaction(force_rollback=True):
        seeds = mbids[::1500]
        exact = [ask(clustered, seed, metric="moods") for seed in seeds]
        assert one(clustered, "SELECT pgsim.index_metric('moods')")
        assert one(clustered, "SELECT pgsim.index_metric('moods')") is False
        found = 0
        for seed, wanted in zip(seeds, exact, strict=True):
            found += sum(d <= wanted[-1][1] for _, d, _ in ask(clustered, seed, metric="moods"))
        assert found >= 0.99 * K * len(seeds)
        assert one(clustered, scans) >= len(seeds)


def test_an_approximate_answer_reranks_the_nearest_thousand(
    clustered: Connection, table: Table
) -> None:
    mbids, vectors, _ = table
    scaled = vectors * factors(QUESTIONS["weights"][1])
    for row in (3, 4000):
        nearest = np.argsort(np.linalg.norm(vectors - vectors[row], axis=1))[1:1001]
        wanted = np.sort(np.linalg.norm(scaled[nearest] - scaled[row], axis=1))[:K]
        got = ask(clustered, mbids[row], approximate=True, **QUESTIONS["weights"][0])
        assert np.isclose([d for _, d, _ in got], wanted, rtol=1e-5).mean() >= 0.9


def test_metrics_of_a_fitted_collection_need_a_fit(clustered: Connection) -> None:
    with clustered.transaction(force_rollback=True):
        clustered.execute("UPDATE pgsim.collection SET fitted_at = now(), fitted_on = 1")
        clustered.execute(
            "UPDATE pgsim.feature_set SET center = array_fill(0::float8, ARRAY[length]),"
            " scale = array_fill(1::float8, ARRAY[length]) WHERE name <> 'moods'"
        )
        with pytest.raises(psycopg.Error, match="metric 'moods' has no values"):
            clustered.execute("SELECT pgsim.resolve_measure('moods')")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("metric => 'mfcc'", "unknown metric 'mfcc'"),
        ("metric => 'mfccs+'", "unknown metric ''"),
        ("metric => 'mfccs+mfccsw'", "metric 'mfccs+mfccsw' names one feature set twice"),
        ("metric => 'mfccs+mfccs'", "metric 'mfccs+mfccs' names one feature set twice"),
        ("weights => '7'", "weights are a JSON number, but must be an object"),
        ("weights => '{\"mfccsw\": 1}'", "unknown feature set 'mfccsw' in weights"),
        ('weights => \'{"mfccs": "2"}\'', 'the weight of mfccs is "2", but must be 0 or a number'),
        ("weights => '{\"mfccs\": 1e9}'", "the weight of mfccs is 1000000000, but must be 0"),
        ("weights => '{\"mfccs\": 1e99}'", f"the weight of mfccs is 1{'0' * 39}, but must be 0"),
        ("metric => 'key', weights => '{\"bpm\": 1}'", "unknown feature set 'bpm' in weights"),
        ("metric => 'key', weights => '{\"key\": 0}'", "all weights are 0"),
    ],
)
def test_metrics_and_weights_that_cannot_be_meant_are_refused(
    clustered: Connection, table: Table, words: str, message: str
) -> None:
    with pytest.raises(psycopg.Error) as caught:
        clustered.execute(f"SELECT * FROM similar_recordings('{table[0][1]}', {words})".encode())
    assert message in str(caught.value)
