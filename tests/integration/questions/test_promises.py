"""Random questions with any words together, against the definition of an answer in plain Python."""

import random

import numpy as np
import psycopg
import pytest

from pgsim.postgres.connection import Connection
from pgsim.store.lists import REACH
from tests.support.grid import SETS
from tests.support.lists import fill_reaches
from tests.support.oracle import Oracle, ask, compare, draw
from tests.support.plane import insert, mbid
from tests.support.rows import one

QUESTIONS = 45


def test_any_words_together_give_the_answer_of_their_definition(grid: Connection) -> None:
    oracle = Oracle(grid)
    rng = random.Random(3)
    for number in range(QUESTIONS):
        words = draw(rng, [r.mbid for r in oracle.rows])
        k = rng.choice([1, 3, 10, 10, 100, 1000])
        seed = rng.choice(oracle.rows)
        if set(seed.missing) & set((words.get("metric") or "").split("+")):
            continue
        own = oracle.reach[seed.id]
        wanted = oracle.answer(seed.vector, own, seed.id, k, words)
        got = ask(grid, "similar_recordings", seed.mbid, k, words)
        compare(got, wanted, f"{number}: {seed.mbid} {k} {words}")
        vector = tuple(float(rng.randrange(4)) for _ in SETS)
        wanted = oracle.answer(vector, oracle.live_reach(vector, None), None, k, words)
        got = ask(grid, "nearest_recordings", str(list(vector)), k, words)
        compare(got, wanted, f"{number}: {vector} {k} {words}")


@pytest.mark.parametrize("grid", ["listed"], indirect=True)
def test_what_is_far_from_others_is_nearest_to_the_vector_moved_away_from_their_mean(
    grid: Connection,
) -> None:
    oracle = Oracle(grid)
    rng = random.Random(4)
    for number in range(QUESTIONS // 3):
        seeds, minus = (rng.sample(oracle.rows, rng.choice([1, 2])) for _ in range(2))
        words = draw(rng, [r.mbid for r in oracle.rows])
        named = set((words.get("metric") or "").split("+"))
        if any(named & set(r.missing) for r in (*seeds, *minus)):
            continue
        start, away = (
            np.mean([r.vector for r in some], axis=0, dtype=float).astype(np.float32)
            for some in (seeds, minus)
        )
        moved = tuple((start + (start - away) / 2).tolist())
        out = [*(words.pop("exclude", None) or []), *(r.mbid for r in minus)]
        reach = oracle.live_reach(moved, None)
        wanted = oracle.answer(moved, reach, None, 10, {**words, "exclude": out})
        given = {**words, "minus": [r.mbid for r in minus], "exclude": out[: -len(minus)]}
        got = ask(grid, "nearest_recordings", str(start.tolist()), 10, given)
        compare(got, wanted, f"{number}: {seeds} {given}")
        if not words.get("distinct_titles"):
            others = [r for r in oracle.rows if r not in seeds and r not in minus]
            apart = sorted(oracle.distance(moved, r.vector, {}) for r in others)
            reach = float(np.float32(np.mean(apart[:REACH])))
            out += [r.mbid for r in seeds]
            wanted = oracle.answer(moved, reach, None, 10, {**words, "exclude": out})
            got = ask(grid, "similar_to_all", [r.mbid for r in seeds], 10, given)
            compare(got, wanted, f"{number}: {seeds} {given}")


def test_a_recording_far_from_what_is_not_wanted_comes_first(plane: Connection) -> None:
    for number, (x, y) in enumerate([(0, 0), (1, 1), (-1.1, -1.1), (3, 3)], start=1):
        insert(plane, number, x, y)
    seed, _, _, unwanted = (mbid(number) for number in range(1, 5))
    question = "SELECT s.mbid FROM similar_to_all(%s, ranking => 'distance', minus => %s) AS s"
    rows = plane.execute(question.encode(), ([seed], [unwanted])).fetchall()
    assert [row[0] for row in rows] == [mbid(3), mbid(2)]
    rows = plane.execute(question.encode(), ([seed], None)).fetchall()
    assert [row[0] for row in rows] == [mbid(2), mbid(3), mbid(4)]
    for wrong, said in (
        ("minus => '{}'", "0 seeds"),
        ("'rank', minus => ARRAY[%(b)s]", "minus cannot go with the method rank"),
        ("minus => ARRAY[gen_random_uuid()]", "unknown recording"),
    ):
        with pytest.raises(psycopg.Error, match=said):
            plane.execute(f"SELECT * FROM similar_to_all(ARRAY[%(a)s], 5, {wrong})".encode(),
                          {"a": seed, "b": unwanted})  # fmt: skip


@pytest.mark.parametrize("grid", ["listed"], indirect=True)
@pytest.mark.parametrize(
    "words",
    [
        "distinct_titles => NULL",
        "exclude => '{}'",
        "exclude => '{NULL}'",
        "exclude_artists => '{}'",
        "min_similarity => 0",
        "weights => '{}'",
        "same_genre => NULL, same_decade => NULL, approximate => NULL",
    ],
)
def test_a_word_that_asks_for_nothing_changes_nothing(grid: Connection, words: str) -> None:
    seed = one(grid, "SELECT mbid FROM pgsim.recording WHERE id = 1")
    # One of the farther half of the 100 nearest becomes the most similar of all.
    far = one(
        grid,
        "UPDATE pgsim.similarity SET reach = 1e6 WHERE id = (SELECT min(n.id)"
        " FROM pgsim.similarity AS s, unnest(s.neighbours[70:100]) AS n (id)"
        " WHERE s.id = 1 AND mod(n.id, 3) > 0)"
        " RETURNING (SELECT mbid FROM pgsim.recording AS r WHERE r.id = similarity.id)",
    )
    fill_reaches(grid)
    plain = grid.execute("SELECT * FROM similar_recordings(%s)", (seed,)).fetchall()
    assert far in [row[1] for row in plain]
    asked = f"SELECT * FROM similar_recordings(%s, {words})"
    assert grid.execute(asked.encode(), (seed,)).fetchall() == plain
    asked = f"SELECT a.* FROM nearest_recordings('[1,1,1,1]', {words}) AS a"
    if "same" not in words:
        assert (
            grid.execute(asked.encode()).fetchall()
            == grid.execute("SELECT * FROM nearest_recordings('[1,1,1,1]')").fetchall()
        )


@pytest.mark.parametrize("grid", ["listed"], indirect=True)
@pytest.mark.parametrize("method", ["centroid", "rank"])
def test_several_seeds_that_are_one_have_its_own_answer(grid: Connection, method: str) -> None:
    seeds = grid.execute(
        "SELECT mbid FROM pgsim.recording WHERE id % 20 = 1 AND vector IS NOT NULL"
    ).fetchall()
    for (seed,) in seeds:
        assert (
            grid.execute(
                "SELECT * FROM similar_to_all(%s, 8, %s, ranking => 'distance')",
                ([seed, seed], method),
            ).fetchall()
            == grid.execute(
                "SELECT * FROM similar_recordings(%s, 8, ranking => 'distance')", (seed,)
            ).fetchall()
        )
