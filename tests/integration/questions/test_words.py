"""The words of a question: alike in every function, asked with Python's own values."""

import math
from typing import Any

import psycopg
import pytest

from pgsim.postgres.connection import Connection
from tests.support.rows import one

FUNCTIONS = (
    "similar_recordings",
    "how_answered",
    "similar_recordings_batch",
    "nearest_recordings",
    "similar_to_all",
    "radio",
    "similar_path",
    "dissimilar_recordings",
    "distance_statistics",
)
# What a question starts from: no function shares these with another in a different sense.
OWN = {
    *("seed", "seeds", "query", "except_id", "method", "minus"),
    *("dislikes", "played", "artist_gap", "album_gap", "drift", "popularity"),
    *("from_mbid", "to_mbid", "steps"),
}
NUMBERS = "length_from => %s, length_to => %s, min_similarity => %s"
QUESTIONS = {
    "similar_recordings": ("(SELECT mbid FROM pgsim.recording WHERE id = 1)", NUMBERS),
    "similar_recordings_batch": ("ARRAY(SELECT mbid FROM pgsim.recording WHERE id = 1)", NUMBERS),
    "nearest_recordings": ("'[0,0]'", NUMBERS),
    "similar_to_all": ("ARRAY(SELECT mbid FROM pgsim.recording WHERE id = 1)", NUMBERS),
    "dissimilar_recordings": (
        "(SELECT mbid FROM pgsim.recording WHERE id = 1)",
        "length_from => %s, length_to => %s",
    ),
    "distance_statistics": ("'[0,0]'", "length_from => %s, length_to => %s"),
}


@pytest.fixture
def points(plane: Connection) -> Connection:
    """Sixty recordings on a line, with lengths of 0.1, 0.2, 0.3, … seconds, and their lists."""
    plane.execute("SET search_path = public, pgsim")
    plane.execute(
        "INSERT INTO recording (mbid, title, length, year, vector) SELECT gen_random_uuid(),"
        " 'title ' || i, i / 10.0, 1950 + i, ARRAY[i, 0]::public.vector"
        " FROM generate_series(1, 60) AS i"
    )
    plane.execute("CALL refresh_similarity()")
    return plane


def words_of(conn: Connection, function: str) -> list[tuple[str, str, str | None]]:
    """Name, type and default of each argument of a function, in their order."""
    return conn.execute(
        "SELECT n.name, format_type(p.proargtypes[n.place - 1], NULL),"
        " pg_get_function_arg_default(p.oid, n.place::integer)"
        " FROM pg_proc AS p, unnest(p.proargnames[:p.pronargs]) WITH ORDINALITY AS n (name, place)"
        " WHERE p.oid = to_regproc('pgsim.' || %s) ORDER BY n.place",
        (function,),
    ).fetchall()


def test_every_function_has_the_words_of_a_question_alike(plane: Connection) -> None:
    asked = {name: words_of(plane, name) for name in FUNCTIONS}
    whole = [word for word in asked["similar_recordings"] if word[0] not in OWN]
    for name in FUNCTIONS:
        shared = [word for word in asked[name] if word[0] not in OWN]
        assert len(shared) >= 10, name
        assert shared == [word for word in whole if word in shared], name
        # What a question starts from comes first; all that follows has a default.
        assert asked[name][0][0] in OWN, name
        assert all(
            default is not None or word == "to_mbid" for word, _, default in asked[name][1:]
        ), name


@pytest.mark.parametrize("function", QUESTIONS)
def test_numbers_are_plain_python_floats(points: Connection, function: str) -> None:
    first, words = QUESTIONS[function]
    values = [0.1, 5.5, 0.0001][: words.count("%s")]
    rows = points.execute(f"SELECT * FROM {function}({first}, {words})".encode(), values)
    assert rows.fetchall()


@pytest.mark.parametrize("function", ["similar_recordings", "dissimilar_recordings"])
def test_a_bound_keeps_the_rows_that_are_shown_with_it(points: Connection, function: str) -> None:
    seed = one(points, "SELECT mbid FROM recording WHERE id = 1")
    question = f"SELECT r.length FROM {function}(%s, 60, length_from => %s, length_to => %s)"
    for tenths in range(2, 60):
        shown = points.execute(
            f"{question} JOIN recording AS r USING (mbid)".encode(),
            (seed, tenths / 10, tenths / 10),
        )
        assert [row for (row,) in shown] == [tenths / 10]


@pytest.mark.parametrize("metric", [None, "place"])
@pytest.mark.parametrize("binary", [False, True])
def test_the_least_similarity_of_an_answer_asks_for_that_answer(
    points: Connection, binary: bool, metric: str | None
) -> None:
    """As the number was shown, in text or as the float that it is in binary."""
    seed = one(points, "SELECT mbid FROM recording WHERE id = 30")
    cursor = points.cursor(binary=binary)
    question = "SELECT similarity FROM similar_recordings(%s, 20, metric => %s"
    whole = cursor.execute(f"{question})".encode(), (seed, metric)).fetchall()
    for (least,) in whole:
        rows = points.execute(
            f"{question}, min_similarity => %s)".encode(), (seed, metric, least)
        ).fetchall()
        assert len(rows) >= sum(similarity >= least for (similarity,) in whole) > 0


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        ({"length_from": math.nan}, "length_from is NaN, but must be 0 seconds or more", "leave"),
        ({"length_to": math.nan}, "length_to is NaN, but must be 0 seconds or more", "leave it"),
        ({"length_to": -1.0}, "length_to is -1, but must be 0 seconds or more", "leave it out"),
        ({"length_from": -math.inf}, "length_from is -Infinity, but must be 0", "leave it out"),
        ({"year_from": 2147483647}, "year_from is 2147483647, but must be from 0", "leave it out"),
        ({"year_to": -1}, "year_to is -1, but must be from 0 to 9999", "leave it out for no limit"),
        ({"min_similarity": math.nan}, "min_similarity is NaN, but must be from 0 to 1", "leave"),
        ({"min_similarity": 70.0}, "min_similarity is 70, but must be from 0 to 1", "leave it out"),
    ],
)
def test_numbers_that_nothing_can_match_are_refused(
    points: Connection, words: dict[str, Any], message: str, hint: str
) -> None:
    named = ", ".join(f"{word} => %({word})s" for word in words)
    with pytest.raises(psycopg.errors.InvalidParameterValue) as caught:
        points.execute(f"SELECT * FROM nearest_recordings('[0,0]', {named})".encode(), words)
    assert message in str(caught.value)
    assert (caught.value.diag.message_hint or "").startswith(hint)


@pytest.mark.parametrize(
    "words",
    [
        {"length_from": 0.0},
        {"length_from": 1e-300},
        {"length_to": math.inf},
        {"length_to": 1e300},
        {"year_from": 0, "year_to": 9999},
        {"min_similarity": 1e-300},
    ],
)
def test_numbers_that_everything_matches_are_no_errors(
    points: Connection, words: dict[str, Any]
) -> None:
    named = ", ".join(f"{word} => %({word})s" for word in words)
    question = f"SELECT * FROM nearest_recordings('[0,0]', 60, {named})"
    assert len(points.execute(question.encode(), words).fetchall()) == 60
