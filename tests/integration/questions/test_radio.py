"""An order to listen to, against its definition: each row the most similar that the gaps allow."""

import random
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray

from pgsim.postgres.connection import Connection
from pgsim.store.lists import REACH
from tests.support.oracle import Oracle, Recording, draw
from tests.support.plane import insert, mbid

WORDS = ("genre", "decade", "year_from", "length_to", "exclude", "exclude_artists", "metric")
CASES = 4


def artist_of(row: Recording) -> object:
    return row.artists[0] if row.artists else row.artist and row.artist.lower()


def album_of(row: Recording) -> object:
    return row.album and (row.album.lower(), artist_of(row))


def walk(
    oracle: Oracle, seeds: list[Recording], k: int, gaps: tuple[int, int], drift: float, words: Any
) -> list[tuple[UUID, float, float]]:
    """The rows by definition, one after the other."""
    start = np.mean([r.vector for r in seeds], axis=0, dtype=float).astype(np.float32)
    everyone = oracle.rows
    others = [r for r in everyone if r not in seeds]

    def reach_of(point: NDArray[np.float32]) -> float:
        apart = sorted(oracle.distance(tuple(point.tolist()), r.vector, {}) for r in others)
        return float(np.float32(np.mean(apart[:REACH])))

    reach, target = reach_of(start), start
    played: list[Recording] = []
    rows: list[tuple[UUID, float, float]] = []
    songs = {oracle.song_keys[r.id] for r in seeds}
    for _ in range(k):
        artists = {artist_of(r) for r in played[::-1][: gaps[0]]} - {None, ""}
        albums = {album_of(r) for r in played[::-1][: gaps[1]]} - {None, ""}
        oracle.rows = [
            r
            for r in others
            if r not in played
            and artist_of(r) not in artists
            and album_of(r) not in albums
            and not (words.get("distinct_titles") and oracle.song_keys[r.id] in songs - {None})
        ]
        # It is a question with conditions, whatever the words.
        asked = {**words, "exclude": [*(words.get("exclude") or []), UUID(int=0)]}
        found = oracle.answer(tuple(target.tolist()), reach, None, 1, asked)
        oracle.rows = everyone
        if not found:
            break
        rows += found
        [last] = [r for r in everyone if r.mbid == found[0][0]]
        played.append(last)
        songs.add(oracle.song_keys[last.id])
        if drift:
            target = start + np.float32(drift) * (np.array(last.vector, np.float32) - start)
            reach = reach_of(target)
    return rows


def listen(conn: Connection, seeds: list[UUID], k: int, words: dict[str, Any]) -> list[Any]:
    arrays = ("exclude", "exclude_artists", "played", "dislikes")
    named = "".join(f", {w} => %({w})s" + ("::uuid[]" if w in arrays else "") for w in words)
    return conn.execute(
        f"SELECT mbid, distance::float8, similarity::float8 FROM radio(%(seeds)s, %(k)s{named})"
        " ORDER BY rank".encode(),
        {**words, "seeds": seeds, "k": k},
    ).fetchall()


def test_each_row_is_the_most_similar_that_the_gaps_allow(grid: Connection) -> None:
    oracle = Oracle(grid)
    rng = random.Random(5)
    for number in range(CASES):
        seeds = rng.sample(oracle.rows, rng.choice([1, 2]))
        words = {w: v for w, v in draw(rng, [r.mbid for r in oracle.rows]).items() if w in WORDS}
        words["distinct_titles"] = rng.random() < 0.5
        if any(set(r.missing) & set((words.get("metric") or "").split("+")) for r in seeds):
            continue
        gaps, drift = (rng.choice([0, 1, 5]), rng.choice([1, 3])), rng.choice([0, 0.5, 1])
        wanted = walk(oracle, seeds, 15, gaps, drift, words)
        given = {"artist_gap": gaps[0], "album_gap": gaps[1], "drift": drift, **words}
        got = listen(grid, [r.mbid for r in seeds], 15, given)
        assert [row[:2] for row in got] == [row[:2] for row in wanted], (number, given)
        np.testing.assert_allclose([r[2] for r in got], [r[2] for r in wanted], rtol=1e-5)


@pytest.mark.parametrize("grid", ["listed"], indirect=True)
def test_without_gaps_and_drift_it_is_the_question_about_all_seeds(grid: Connection) -> None:
    seeds = [r.mbid for r in Oracle(grid).rows[:3]]
    plain = grid.execute(
        "SELECT mbid, distance::float8, similarity::float8"
        " FROM similar_to_all(%s, 20, minus => %s)",
        (seeds[:2], seeds[2:]),
    ).fetchall()
    assert listen(grid, seeds[:2], 20, {"dislikes": seeds[2:]}) == plain


@pytest.mark.parametrize("grid", ["listed"], indirect=True)
def test_calls_that_pass_what_was_played_never_repeat_a_recording(grid: Connection) -> None:
    rows = Oracle(grid).rows
    played: list[UUID] = []
    for _ in range(100):
        answer = listen(grid, [rows[0].mbid], 3, {"played": played, "artist_gap": 2})
        played += [row[0] for row in answer]
    assert len(set(played)) == len(played) == 300
    left = listen(grid, [rows[0].mbid], 1000, {"played": played, "artist_gap": 1})
    assert not {row[0] for row in left} & {*played, rows[0].mbid}


def test_popularity_weighs_the_rank_of_a_recording_against_its_similarity(
    plane: Connection,
) -> None:
    rng = random.Random(3)
    for number in range(60):
        insert(plane, number, rng.random(), rng.random())
    plane.execute("UPDATE pgsim.recording SET popularity = (id * 37) % 50 WHERE id % 5 <> 0")
    plane.execute("CALL pgsim.refresh_similarity()")
    popular = dict(plane.execute("SELECT mbid, popularity FROM pgsim.recording").fetchall())
    known = [each for each in popular.values() if each is not None]
    near = plane.execute(
        "SELECT mbid, similarity::float8 FROM pgsim.similar_to_all(%s, 40, exclude => %s)",
        ([mbid(0)], [UUID(int=99)]),
    ).fetchall()

    def score(row: tuple[UUID, float], weight: float) -> float:
        less = [each for each in known if each < (popular[row[0]] or 0)]
        return (1 - abs(weight)) * row[1] + weight * len(less) / len(known)

    for weight in (-1, -0.5, 0.3, 1):
        first = listen(plane, [mbid(0)], 5, {"popularity": weight})[0]
        best = max(score(row, weight) for row in near)
        assert score((first[0], first[2]), weight) == pytest.approx(best, abs=1e-6), weight
    plain = listen(plane, [mbid(0)], 5, {})
    assert listen(plane, [mbid(0)], 5, {"popularity": 0}) == plain


def test_a_listener_who_drifts_walks_on(plane: Connection) -> None:
    for number in range(1, 12):
        insert(plane, number, number + 0.01 * number**2)
    at = {drift: listen(plane, [mbid(5)], 4, {"drift": drift}) for drift in (0, 1)}
    assert {row[0].int for row in at[0]} == {3, 4, 6, 7}
    assert [row[0].int for row in at[1]] == [4, 3, 2, 1]
    assert [round(row[1], 2) for row in at[1]] == [1.09, 1.07, 1.05, 1.03]


def test_numbers_that_cannot_be_meant_are_named(plane: Connection) -> None:
    insert(plane, 1, 0)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"artist_gap": -1}, "artist_gap is -1, but must be from 0 to 1000"),
        ({"album_gap": -2}, "album_gap is -2, but must be from 0 to 1000"),
        ({"drift": 1.5}, "drift is 1.5, but must be from 0 to 1"),
        ({"popularity": 1.01}, "popularity is 1.01, but must be from -1 to 1"),
        ({"drift": float("nan")}, "drift is NaN, but must be from 0 to 1"),
        ({"dislikes": [], "drift": 1}, "0 seeds, but there must be from 1 to 1000"),
        ({"dislikes": [mbid(7)], "album_gap": 1}, "unknown recording"),
    ]
    for words, said in wrong:
        with pytest.raises(psycopg.Error, match=said):
            listen(plane, [mbid(1)], 3, words)
    with pytest.raises(psycopg.Error, match="k is 1001"):
        listen(plane, [mbid(1)], 1001, {})
    assert listen(plane, [mbid(1)], 3, {"artist_gap": 1, "drift": 1}) == []
