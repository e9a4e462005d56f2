"""How good answers are, on the 4,680 genuine recordings of the Million Song Dataset."""

import csv
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

import numpy as np
import pytest
from numpy.typing import NDArray

from pgsim import embedded
from pgsim.features.filling import filled, lacking
from pgsim.features.fusion import Moments, fuse
from pgsim.features.profile import read_profile
from pgsim.matrix.rebuild import rebuild
from pgsim.postgres.connection import Connection, connect
from pgsim.store.index import build_index
from pgsim.store.lists import REACH
from tests.support.audioset import FOLDER, read_clips
from tests.support.databases import install_template
from tests.support.genuine import GENUINE

PROFILE = "msd"
K = 10


@pytest.fixture(scope="module")
def songs() -> list[dict[str, str]]:
    path = GENUINE / "msd_subset" / "msd_subset_4680x90.csv"
    if not path.is_file():
        pytest.skip(f"the genuine recordings are not in {path}")
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def features(songs: list[dict[str, str]]) -> NDArray[np.float64]:
    """(4680, 91): 12 timbre averages, 78 covariances, loudness."""
    columns = [name for name in songs[0] if name.startswith("timbre_")] + ["loudness"]
    return np.array([[float(song[name]) for name in columns] for song in songs])


@pytest.fixture(scope="module")
def vectors(features: NDArray[np.float64]) -> NDArray[np.float32]:
    profile = read_profile(PROFILE)
    moments = Moments(profile)
    moments.add(features)
    return fuse(features, profile, moments.fit())


@pytest.fixture(scope="module")
def apart(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """(4680, 4680): how far each song is from each, infinite to itself."""
    return distances(vectors)


@pytest.fixture(scope="module")
def msd(
    server: embedded.Server, songs: list[dict[str, str]], vectors: NDArray[np.float32]
) -> Iterator[Connection]:
    """A database with the songs, written by plain SQL, and its HNSW index; no lists."""
    name = install_template(server, "msd", PROFILE)
    with closing(connect(server.conninfo(name), autocommit=True)) as conn:
        with conn.cursor().copy(
            "COPY pgsim.recording (mbid, title, artist, album, year, genre, length, vector)"
            " FROM STDIN (FORMAT binary)"
        ) as copy:
            copy.set_types(["uuid", "text", "text", "text", "int2", "text", "float4", "vector"])
            for song, vector in zip(songs, vectors, strict=True):
                copy.write_row(
                    (
                        uuid5(NAMESPACE_DNS, song["song_id"]),
                        *(song[key] for key in ("title", "artist", "release")),
                        int(song["year"]),
                        song["genre_term"] or None,
                        float(song["duration"]),
                        vector,
                    )
                )
        build_index(conn)
        conn.execute("VACUUM ANALYZE pgsim.recording")
        yield conn


def artist_precision(songs: list[dict[str, str]], order: NDArray[np.float64]) -> float:
    """precision@10 by artist where the seed's own album is left out; `order` is (n, n), a key."""
    artists = np.unique([song["artist_id"] for song in songs], return_inverse=True)[1]
    albums = np.unique([song["release_id"] for song in songs], return_inverse=True)[1]
    found = nearest(np.where(albums[:, None] == albums, np.inf, order))
    return float((artists[found] == artists[:, None]).mean())


def distances(vectors: NDArray[Any]) -> NDArray[np.float64]:
    """(n, n), infinite on the diagonal."""
    values = vectors.astype(np.float64)
    squares = (values**2).sum(axis=1)
    apart = np.sqrt(np.maximum(squares[:, None] + squares - 2 * values @ values.T, 0))
    np.fill_diagonal(apart, np.inf)
    return apart


def nearest(order: NDArray[np.float64]) -> NDArray[np.intp]:
    """(n, K): the first of each row, in any order."""
    return np.argpartition(order, K, axis=1)[:, :K]


def test_the_weighted_fusion_beats_plain_concatenation_and_every_single_set(
    songs: list[dict[str, str]],
    features: NDArray[np.float64],
    vectors: NDArray[np.float32],
    apart: NDArray[np.float64],
) -> None:
    fused = artist_precision(songs, apart)
    plain = (features - features.mean(axis=0)) / features.std(axis=0)
    assert fused >= artist_precision(songs, distances(plain))
    for each in read_profile(PROFILE).sets:
        assert fused >= artist_precision(songs, distances(vectors[:, each.slice]))


def test_ranks_find_more_of_an_artist_than_z_scores(
    songs: list[dict[str, str]], features: NDArray[np.float64], apart: NDArray[np.float64]
) -> None:
    profile = read_profile(PROFILE)
    sets = tuple(replace(each, transform="zscore") for each in profile.sets)
    moments = Moments(replace(profile, sets=sets))
    moments.add(features)
    by_z_scores = distances(fuse(features, replace(profile, sets=sets), moments.fit()))
    for order in (lambda each: each, by_similarity):
        gain = artist_precision(songs, order(apart)) / artist_precision(songs, order(by_z_scores))
        assert gain >= 1.05


def by_similarity(apart: NDArray[np.float64]) -> NDArray[np.float64]:
    """The order in which similar_recordings answers: the nearest 100, by d² / reach(a) reach(b)."""
    near = np.partition(apart, (REACH - 1, 99), axis=1)[:, :100]
    reach = near[:, :REACH].mean(axis=1)
    return np.where(apart <= near[:, 99:], apart**2 / reach / reach[:, None], np.inf)


def test_ranking_by_similarity_finds_a_tenth_more_of_the_same_artist(
    songs: list[dict[str, str]], apart: NDArray[np.float64]
) -> None:
    by_distance = artist_precision(songs, apart)
    assert artist_precision(songs, by_similarity(apart)) >= 1.1 * by_distance
    assert by_distance > 10 / len(songs)


def occurrences(neighbours: NDArray[np.intp]) -> tuple[float, float]:
    """Of (n, K) neighbours: the skewness of k-occurrence, and the share that nobody names."""
    counts = np.bincount(neighbours.ravel(), minlength=len(neighbours))
    centred = counts - counts.mean()
    return float((centred**3).mean() / counts.std() ** 3), float((counts == 0).mean())


def test_answers_by_similarity_have_no_hubs_and_forget_hardly_anyone(msd: Connection) -> None:
    rebuild(msd, engine="exact")
    answers = {}
    for ranking in ("similarity", "distance"):
        rows = msd.execute(
            """
            SELECT s.seed, r.id FROM pgsim.similar_recordings_batch(
                ARRAY(SELECT mbid FROM pgsim.recording ORDER BY id), 10, ranking => %s
            ) AS s INNER JOIN pgsim.recording AS r ON s.mbid = r.mbid
            """,
            (ranking,),
        ).fetchall()
        answers[ranking] = occurrences(np.array([found for _, found in rows]).reshape(-1, K) - 1)
    skewness, forgotten = answers["similarity"]
    assert skewness <= 1
    assert forgotten <= 0.02
    assert answers["distance"] > (2 * skewness, 2 * forgotten)


def test_clips_of_audioset_have_no_hubs_by_similarity_either() -> None:
    clips, labels = read_clips()
    if not labels:
        pytest.skip(f"the genuine clips are not in {FOLDER}")
    apart = distances(clips)
    by_distance, by_reach = nearest(apart), nearest(by_similarity(apart))
    skewness, forgotten = occurrences(by_reach)
    assert skewness <= 1
    assert forgotten <= 0.02
    assert occurrences(by_distance)[0] > skewness
    same = np.equal.outer(labels, labels)
    found, plain = (
        same[np.arange(len(same))[:, None], each].mean() for each in (by_reach, by_distance)
    )
    assert found >= plain


@pytest.mark.parametrize(
    ("share", "skewness"), [(0.02, 3.5), pytest.param(0.5, 3.5, marks=pytest.mark.slow)]
)
def test_a_set_that_some_lack_makes_no_hubs_of_them(
    songs: list[dict[str, str]], features: NDArray[np.float64], share: float, skewness: float
) -> None:
    profile = read_profile(PROFILE)
    lacks = np.random.default_rng(1).permutation(len(features)) < share * len(features)
    features = features.copy()
    features[lacks, profile.set("timbre_covariance").slice] = np.nan
    moments = Moments(profile)
    moments.add(features)
    zero = fuse(features, profile, moments.fit())
    missing = lacking(features, profile, moments.fit())
    found = {}
    for name, points in (("zero", zero), ("filled", filled(zero, missing, zero[~lacks], profile))):
        apart = distances(points)
        found[name] = (float(lacks[nearest(apart)].mean()), artist_precision(songs, apart))
        if name == "filled":
            assert occurrences(nearest(apart))[0] <= skewness
            hubs, forgotten = occurrences(nearest(by_similarity(apart)))
            assert hubs <= 1
            assert forgotten <= 0.02
    # Those that lack it are among the neighbours as often as they are in the collection.
    assert found["zero"][0] > 1.5 * share
    assert found["filled"][0] < 1.1 * share
    assert found["filled"][1] >= 1.04 * found["zero"][1]


def test_recall_at_10_of_the_index_is_at_least_99_percent(msd: Connection) -> None:
    rows = msd.execute(
        """
        SELECT count(*) FILTER (WHERE live.distance <= exact.tenth), count(*)
        FROM (SELECT * FROM pgsim.recording ORDER BY md5(mbid::text) LIMIT 200) AS seed,
        LATERAL (
            SELECT max(e.distance) AS tenth
            FROM pgsim.nearest_exact(seed.vector, 10, NULL, seed.id) AS e
        ) AS exact,
        LATERAL (
            SELECT l.distance
            FROM pgsim.nearest_matching(pgsim.plain_seed(seed.vector, seed.id), 10) AS l
        ) AS live
        """
    ).fetchone()
    assert rows is not None
    found, wanted = rows
    assert wanted == 2000
    assert found / wanted >= 0.99


def test_answers_in_sql_are_the_order_that_numpy_finds(
    msd: Connection, songs: list[dict[str, str]], apart: NDArray[np.float64]
) -> None:
    place = {uuid5(NAMESPACE_DNS, song["song_id"]): index for index, song in enumerate(songs)}
    for song in songs[::500]:
        mbid = uuid5(NAMESPACE_DNS, song["song_id"])
        rows = msd.execute(
            "SELECT mbid, distance"
            " FROM similar_recordings(%s, 10, ranking => 'distance', decade => %s)",
            (mbid, int(song["year"]) // 10 * 10),
        ).fetchall()
        same = np.array([each["year"][:3] == song["year"][:3] for each in songs])
        nearest = np.sort(np.where(same, apart[place[mbid]], np.inf))[:10]
        np.testing.assert_allclose([d for _, d in rows], nearest, rtol=1e-5)
        assert all(same[place[found]] for found, _ in rows)
