"""A path from one recording to another, against the best of all paths and against its promises."""

import random
from collections import Counter
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
import pytest
from psycopg.types.json import Jsonb

from pgsim.postgres.connection import Connection
from tests.support.chains import apart, least_largest_step, steps_of
from tests.support.oracle import Oracle, Recording, draw
from tests.support.plane import insert, mbid

MOST = 1.3  # the largest step, in that of the best path
WORDS = (
    *("genre", "decade", "year_from", "year_to", "length_from", "length_to", "exclude"),
    *("exclude_artists", "max_per_artist", "max_per_album", "distinct_titles", "metric"),
    *("weights", "approximate"),
)
CASES = 6


def walk(
    conn: Connection, first: UUID, last: UUID, steps: int, words: dict[str, Any] | None = None
) -> list[Any]:
    given = {w: Jsonb(v) if isinstance(v, dict) else v for w, v in (words or {}).items()}
    named = "".join(
        f", {w} => %({w})s" + ("::uuid[]" if w.startswith("exclude") else "") for w in given
    )
    return conn.execute(
        "SELECT rank, mbid, distance::float8, similarity::float8"
        f" FROM similar_path(%(first)s, %(last)s, %(steps)s{named})".encode(),
        {**given, "first": first, "last": last, "steps": steps},
    ).fetchall()


def test_the_largest_step_is_near_that_of_the_best_of_all_paths(plane: Connection) -> None:
    rng = np.random.default_rng(0)
    for cloud in range(6):
        plane.execute("TRUNCATE pgsim.recording")
        points = rng.normal(size=(12, 2)).astype(np.float32)
        points[6:] += [[3 * (cloud % 2), 0]]
        for number, (x, y) in enumerate(points.tolist()):
            insert(plane, number, x, y)
        distances = apart(points)
        for steps in (2, 3, 4, 6):
            rows = walk(plane, mbid(0), mbid(11), steps)
            path = [row[1].int for row in rows]
            assert (path[0], path[-1], len(set(path))) == (0, 11, steps)
            best = least_largest_step(distances, 0, 11, steps)
            assert max(steps_of(distances, path)) <= MOST * best + 1e-5, (cloud, steps)


def test_a_path_keeps_its_promises_whatever_is_asked(grid: Connection) -> None:
    oracle = Oracle(grid)
    rng = random.Random(11)
    mbids = [r.mbid for r in oracle.rows]
    row_of = {r.mbid: r for r in oracle.rows}
    for number in range(CASES):
        first, last = rng.sample(oracle.rows, 2)
        words = {w: v for w, v in draw(rng, mbids).items() if w in WORDS}
        named = set((words.get("metric") or "").split("+"))
        if named & {*first.missing, *last.missing}:
            continue
        steps = rng.choice([2, 3, 8, 25, 60])
        rows = walk(grid, first.mbid, last.mbid, steps, words)
        case = (number, steps, words)
        path = [row_of[row[1]] for row in rows]
        assert (path[0], path[-1], len({r.id for r in path})) == (first, last, len(rows)), case
        between = path[1:-1]
        fitting = [r for r in oracle.rows if oracle.matches(r, words) and r not in (first, last)]
        assert all(r in fitting for r in between), case
        if not {"max_per_artist", "max_per_album", "distinct_titles"} & words.keys():
            assert len(rows) == min(steps, len(fitting) + 2), case
        assert_rules(oracle, first, last, between, words)
        assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
        assert rows[0][2:] == (0, 1)
        for one, other, row in zip(path, path[1:], rows[1:], strict=False):
            step = oracle.distance(one.vector, other.vector, words)
            assert row[2] == pytest.approx(step, rel=1e-5), case
            like = oracle.similarity(step, oracle.reach[one.id], other, words)
            assert row[3] == pytest.approx(like, rel=1e-4, abs=1e-6), case
        assert walk(grid, first.mbid, last.mbid, steps, words) == rows


def assert_rules(
    oracle: Oracle, first: Recording, last: Recording, between: list[Recording], words: Any
) -> None:
    artists = Counter(r.artists[0] if r.artists else r.artist and r.artist.lower() for r in between)
    albums = Counter(
        r.album and (r.album.lower(), r.artists[0] if r.artists else r.artist and r.artist.lower())
        for r in between
    )
    songs = Counter(oracle.song_keys[r.id] for r in between)
    for counted, most in (
        (artists, words.get("max_per_artist")),
        (albums, words.get("max_per_album")),
        (songs, 1 if words.get("distinct_titles") else None),
    ):
        assert most is None or all(n <= most for key, n in counted.items() if key is not None)
    if words.get("distinct_titles"):
        ends = {oracle.song_keys[r.id] for r in (first, last)} - {None}
        assert not ends & songs.keys()


def test_a_path_leads_from_one_part_of_the_collection_to_another(plane: Connection) -> None:
    for number in range(60):
        insert(plane, number, number % 30 / 10 + 100 * (number // 30))
    plane.execute("CALL pgsim.refresh_similarity()")
    rows = walk(plane, mbid(0), mbid(59), 25)
    assert len({row[1] for row in rows}) == 25
    assert max(row[2] for row in rows) == pytest.approx(97.1)
    assert sorted(row[2] for row in rows)[-2] <= 1


@pytest.mark.parametrize("steps", [5, 25])
def test_recordings_that_lie_evenly_make_an_even_path(plane: Connection, steps: int) -> None:
    for number in range(steps):
        insert(plane, number, number, number)
    rows = walk(plane, mbid(0), mbid(steps - 1), steps)
    assert [row[1].int for row in rows] == list(range(steps))


def test_ends_that_cannot_be_meant_are_named(plane: Connection) -> None:
    for number in range(4):
        insert(plane, number, number)
    plane.execute("INSERT INTO pgsim.recording (mbid) VALUES (%s)", (mbid(7),))
    plane.execute("INSERT INTO pgsim.redirect (mbid, target) VALUES (%s, %s)", (mbid(9), mbid(1)))
    assert [row[1].int for row in walk(plane, mbid(9), mbid(3), 3)] == [1, 2, 3]
    wrong: list[tuple[tuple[int, int, int], str]] = [
        ((1, 1, 5), f"both ends are recording {mbid(1)}"),
        ((9, 1, 5), f"both ends are recording {mbid(9)}"),
        ((1, 8, 5), f"unknown recording {mbid(8)}"),
        ((7, 1, 5), f"recording {mbid(7)} has no vector"),
        ((1, 2, 1), "steps is 1, but must be from 2 to 200"),
        ((1, 2, 201), "steps is 201, but must be from 2 to 200"),
    ]
    for (first, last, steps), said in wrong:
        with pytest.raises(psycopg.Error, match=said):
            walk(plane, mbid(first), mbid(last), steps)
    with pytest.raises(psycopg.Error, match="max_per_artist is 0"):
        walk(plane, mbid(1), mbid(3), 3, {"max_per_artist": 0})
    assert len(walk(plane, mbid(1), mbid(3), 25)) == 4
