"""Several seeds, many seeds, pairs, the farthest, and reasons: against numpy and each other."""

from typing import Any
from uuid import UUID, uuid4

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray

from pgsim.features.metrics import GENRE_LABELS
from pgsim.features.profile import read_profile
from pgsim.postgres.connection import Connection
from tests.support.rows import one

PROFILE = read_profile("acousticbrainz")
Table = tuple[list[UUID], NDArray[np.float64]]


@pytest.fixture(scope="module")
def table(clustered: Connection) -> Table:
    rows = clustered.execute("SELECT mbid, vector FROM pgsim.recording ORDER BY mbid").fetchall()
    return [mbid for mbid, _ in rows], np.stack([v.to_numpy() for _, v in rows]).astype(np.float64)


def rows_of(conn: Connection, query: str, *parameters: Any) -> list[Any]:
    return conn.execute(query.encode(), parameters).fetchall()


def test_similar_to_all_by_centroid_are_the_nearest_to_the_mean(
    clustered: Connection, table: Table
) -> None:
    mbids, vectors = table
    chosen = [5, 17, 4001]
    apart = np.linalg.norm(vectors - vectors[chosen].mean(axis=0), axis=1)
    apart[chosen] = np.inf
    got = rows_of(
        clustered,
        "SELECT mbid, distance FROM similar_to_all(%s, 10, ranking => 'distance')",
        [mbids[row] for row in chosen],
    )
    np.testing.assert_allclose([d for _, d in got], np.sort(apart)[:10], rtol=1e-4)


def test_similar_to_all_by_rank_are_the_best_placed_on_average(
    clustered: Connection, table: Table
) -> None:
    mbids, vectors = table
    near = np.argsort(np.linalg.norm(vectors - vectors[9], axis=1))[:3]
    seeds = [mbids[row] for row in near]
    got = rows_of(
        clustered,
        "SELECT mbid, distance FROM similar_to_all(%s, 10, 'rank', ranking => 'distance')",
        seeds,
    )
    assert len({mbid for mbid, _ in got}) == 10
    assert not set(seeds) & {mbid for mbid, _ in got}
    apart = np.linalg.norm(vectors - vectors[near][:, None], axis=2)
    apart[:, near] = np.inf
    candidates = np.unique(np.argsort(apart, axis=1)[:, :40])
    places = (apart[:, candidates, None] > apart[:, None, candidates]).sum(axis=2).mean(axis=0)
    wanted = [mbids[row] for row in candidates[np.argsort(places, kind="stable")][:10]]
    assert len(set(wanted) & {mbid for mbid, _ in got}) >= 8  # ties
    for mbid, distance in got:
        assert distance == pytest.approx(apart[:, mbids.index(mbid)].mean(), rel=1e-4)


@pytest.mark.parametrize("method", ["centroid", "rank"])
def test_similar_to_all_brings_k_rows_of_what_is_asked_for(
    clustered: Connection, table: Table, method: str
) -> None:
    seeds = table[0][100:104]
    got = rows_of(
        clustered,
        "SELECT s.mbid, s.genre, pgsim.artist_key(r.artist_mbids, r.artist)"
        " FROM similar_to_all(%s, 12, %s, genre => 'spe', max_per_artist => 1,"
        " distinct_titles => true) AS s JOIN pgsim.recording AS r USING (mbid)",
        seeds,
        method,
    )
    qualify = one(
        clustered,
        "SELECT count(DISTINCT pgsim.artist_key(artist_mbids, artist)) FROM pgsim.recording"
        " WHERE genre = 'spe' AND mbid <> ALL(%s)",
        seeds,
    )
    assert len(got) == min(12, qualify)
    assert {genre for _, genre, _ in got} == {"spe"}
    assert len({artist for _, _, artist in got}) == len(got)


@pytest.mark.parametrize("method", ["centroid", "rank"])
def test_similar_to_all_of_nothing_that_matches_is_no_rows(
    clustered: Connection, table: Table, method: str
) -> None:
    words = "genre => 'spe', exclude => ARRAY(SELECT mbid FROM pgsim.recording WHERE genre = 'spe')"
    question = f"SELECT * FROM similar_to_all(%s, 5, %s, {words})"
    assert rows_of(clustered, question, table[0][:2], method) == []


def test_one_seed_by_rank_is_the_plain_question(clustered: Connection, table: Table) -> None:
    seed = table[0][77]
    by_rank, plain = (
        rows_of(clustered, f"SELECT mbid FROM {question}, 10, {words})", value)
        for question, words, value in (
            ("similar_to_all(%s", "'rank', ranking => 'distance'", [seed]),
            ("similar_recordings(%s", "ranking => 'distance'", seed),
        )
    )
    assert by_rank == plain


def test_a_batch_is_each_seeds_own_answer_and_its_problems(
    clustered: Connection, table: Table
) -> None:
    unknown = uuid4()
    seeds = [table[0][3], unknown, table[0][4], table[0][3]]
    got = rows_of(clustered, "SELECT * FROM similar_recordings_batch(%s, 5, decade => 1990)", seeds)
    wanted: list[Any] = []
    for seed in seeds:
        if seed == unknown:
            wanted.append((unknown, *[None] * 9, f"unknown recording {unknown}"))
        else:
            wanted += [
                (seed, *row, None)
                for row in rows_of(
                    clustered, "SELECT * FROM similar_recordings(%s, 5, decade => 1990)", seed
                )
            ]
    assert got == wanted


@pytest.mark.parametrize(
    ("words", "where", "problem"),
    [
        ("same_decade => true, year_from => 2005", "r.year < 2000", "no year is both from 2005"),
        ("same_decade => true, decade => 1990", "r.decade <> 1990", "asks for another"),
        ("same_genre => true, genre => 'jaz'", "r.genre <> 'jaz'", "asks for another"),
    ],
)
def test_a_seed_that_contradicts_the_question_is_no_end_of_the_batch(
    clustered: Connection, table: Table, words: str, where: str, problem: str
) -> None:
    seeds = table[0][:40]
    got = rows_of(
        clustered,
        f"SELECT s.seed, s.problem, {where} FROM similar_recordings_batch(%s, 1, {words}) AS s"
        " JOIN pgsim.recording AS r ON s.seed = r.mbid",
        seeds,
    )
    assert [seed for seed, _, _ in got] == seeds
    assert {contradicts for _, _, contradicts in got} == {True, False}
    for _, said, contradicts in got:
        assert (problem in (said or "")) == contradicts


@pytest.mark.parametrize("seeds", ["'{}'", "ARRAY[gen_random_uuid()]"])
@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("genre => 'polka'", "unknown genre 'polka'"),
        ("metric => 'x'", "unknown metric 'x'"),
        ("decade => 1995", "decade is 1995, but must be a multiple"),
        ("ranking => 'best'", "unknown ranking 'best'"),
    ],
)
def test_what_no_seed_can_be_asked_is_refused_for_all(
    clustered: Connection, seeds: str, words: str, message: str
) -> None:
    with pytest.raises(psycopg.Error, match=message):
        clustered.execute(f"SELECT * FROM similar_recordings_batch({seeds}, {words})".encode())


def test_the_farthest_are_the_farthest(clustered: Connection, table: Table) -> None:
    mbids, vectors = table
    apart = np.linalg.norm(vectors - vectors[50], axis=1)
    got = rows_of(clustered, "SELECT rank, distance FROM dissimilar_recordings(%s, 20)", mbids[50])
    assert [rank for rank, _ in got] == list(range(1, 21))
    np.testing.assert_allclose([d for _, d in got], np.sort(apart)[::-1][:20], rtol=1e-5)


def test_weighted_squares_of_all_metrics_are_the_square_of_the_whole(
    clustered: Connection, table: Table
) -> None:
    mbids, vectors = table
    got = {
        metric: (distance, similarity, missing)
        for metric, distance, similarity, missing in rows_of(
            clustered, "SELECT * FROM recording_distances(%s, %s)", mbids[1], mbids[2]
        )
    }
    whole = np.linalg.norm(vectors[1] - vectors[2])
    assert got["all sets"][0] == pytest.approx(whole, rel=1e-5)
    parts = [each.weight * got[each.name][0] ** 2 for each in PROFILE.sets if not got[each.name][2]]
    lost = sum(
        ((vectors[1] - vectors[2])[each.slice] ** 2).sum()
        for each in PROFILE.sets
        if got[each.name][2]
    )
    assert sum(parts) + lost == pytest.approx(whole**2, rel=1e-4)
    assert {"mfccsw", "gfccsw"} < set(got)
    assert (
        one(
            clustered,
            "SELECT similarity FROM similar_recordings(%s, 1000, metric => 'moods',"
            " exclude => ARRAY(SELECT mbid FROM pgsim.recording WHERE mbid <> %s))",
            mbids[1],
            mbids[2],
        )
        == got["moods"][1]
    )


def test_shares_of_an_explanation_sum_to_one(clustered: Connection, table: Table) -> None:
    for first, second in ((1, 2), (30, 40)):
        shares = rows_of(
            clustered,
            "SELECT share, explanation FROM explain_similarity(%s, %s)",
            table[0][first],
            table[0][second],
        )
        assert sum(share for share, _ in shares) == pytest.approx(1, rel=1e-5)
        assert all(explanation for _, explanation in shares)


def test_an_explanation_tells_the_values_that_were_read(conn: Connection) -> None:
    """Fusion undone: keys, rates, probabilities and numbers come back as they went in."""
    labels = GENRE_LABELS["highlevel.genre_rosamerica.all"]
    fits = {
        "key": ((0, 0), (2, 2)),
        "bpm": ((0.1, 0.2), (2, 2)),
        "rosamerica": ((0.3,) * 8, (0.5,) * 8),
        "logonsetrate": ((1,), (2,)),
        "mfccs": ((-600, *[0] * 12), (50,) * 13),
    }
    values = {
        "key": ((0.5, 3**0.5 / 2), (1, 0)),  # D major, C major
        "bpm": tuple(
            (np.cos(2 * np.pi * np.log2(rate)), np.sin(2 * np.pi * np.log2(rate)))
            for rate in (70, 100)
        ),
        "rosamerica": tuple(
            tuple(np.sqrt([p if label == "roc" else (1 - p) / 7 for label in labels]))
            for p in (0.93, 0.12)
        ),
        "logonsetrate": ((np.log(3.5),), (np.log(3.6),)),
        "mfccs": ((-700, *[0] * 12), (-500, *[0] * 12)),
    }
    mbids = [uuid4(), uuid4()]
    vectors = np.zeros((2, PROFILE.dimensions))
    for name, (center, scale) in fits.items():
        each = PROFILE.set(name)
        conn.execute(
            "UPDATE pgsim.feature_set SET center = %s, scale = %s WHERE name = %s",
            (list(map(float, center)), list(map(float, scale)), name),
        )
        for row in (0, 1):
            own = (np.array(values[name][row]) - center) / scale
            vectors[row, each.slice] = own * np.sqrt(each.weight)
    for mbid, vector in zip(mbids, vectors, strict=True):
        conn.execute(
            "INSERT INTO pgsim.recording (mbid, missing, vector) VALUES (%s, %s, %s)",
            (mbid, ["moods"] if mbid == mbids[1] else [], vector.astype(np.float32)),
        )
    told = dict(
        conn.execute(
            "SELECT feature_set, explanation FROM pgsim.explain_similarity(%s, %s)", mbids
        ).fetchall()
    )
    assert told["key"] == "D major or B minor and C major or A minor"
    assert told["bpm"] == "140 and 100, octaves aside"
    assert told["rosamerica"].startswith("differ: roc 0.930 and 0.120, ")
    assert told["logonsetrate"] == "agree: onset_rate 3.50 and 3.60"
    assert told["mfccs"].startswith("differ: mfccs 1 -700 and -500")
    assert told["moods"] == "the second lacks it"


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ("similar_to_all('{{}}')", "0 seeds, but there must be from 1 to 1000"),
        ("similar_to_all(NULL)", "0 seeds"),
        ("similar_to_all(ARRAY[NULL]::uuid[])", "unknown recording NULL"),
        ("similar_to_all(ARRAY['{seed}']::uuid[], method => 'mean')", "unknown method 'mean'"),
        ("similar_to_all(ARRAY['{seed}', '{other}']::uuid[])", "unknown recording {other}"),
        ("dissimilar_recordings('{other}')", "unknown recording {other}"),
        ("dissimilar_recordings('{seed}', 0)", "k is 0"),
        ("recording_distances('{seed}', '{other}')", "unknown recording {other}"),
        ("explain_similarity('{other}', '{seed}')", "unknown recording {other}"),
        ("similar_recordings_batch(ARRAY['{seed}']::uuid[], 1001)", "k is 1001"),
    ],
)
def test_seeds_that_are_not_there_are_named(
    clustered: Connection, table: Table, question: str, message: str
) -> None:
    names = {"seed": table[0][0], "other": uuid4()}
    with pytest.raises(psycopg.Error) as caught:
        clustered.execute(f"SELECT * FROM {question.format(**names)}".encode())
    assert message.format(**names) in str(caught.value)
