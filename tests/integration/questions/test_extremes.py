"""Each number that a public function takes, at the ends of its type: an error or the right rows."""

import math
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from pgsim import embedded
from pgsim.postgres.connection import Connection, connect
from tests.support.rows import one

# Functions and procedures whose COMMENT does not call them internal, with their input arguments.
ARGUMENTS = """
    SELECT p.proname, n.name, format_type(p.proargtypes[n.place - 1], NULL)
    FROM pg_proc AS p, unnest(p.proargnames[:p.pronargs]) WITH ORDINALITY AS n (name, place)
    WHERE p.pronamespace = 'pgsim'::regnamespace AND p.prokind = 'f'
        AND obj_description(p.oid, 'pg_proc') NOT LIKE 'Internal:%'
    ORDER BY p.proname, n.place
"""
MBID = "(SELECT mbid FROM recording WHERE id = 1)"
OTHER = "(SELECT mbid FROM recording WHERE id = 2)"
# What stands for the arguments that have no default.
FIRST = {
    "find_recordings": "words => 'title'",
    "similar_recordings": f"seed => {MBID}",
    "how_answered": f"seed => {MBID}",
    "similar_recordings_batch": f"seeds => ARRAY[{MBID}]",
    "similar_to_all": f"seeds => ARRAY[{MBID}]",
    "radio": f"seeds => ARRAY[{MBID}]",
    "rate": f"seed => {MBID}, answer => {OTHER}, by_whom => 'me'",
    "expand_playlist": f"mbids => ARRAY[{MBID}]",
    "similar_artists": "artist => 'artist 1'",
    "similar_albums": "album => 'album 1'",
    "similar_path": f"from_mbid => {MBID}, to_mbid => {OTHER}",
    "dissimilar_recordings": f"seed => {MBID}",
    "nearest_recordings": "query => '[0,0]'",
    "distance_statistics": "query => '[0,0]'",
}
ENDS: dict[str, list[Any]] = {
    "integer": [-(2**31), -1, 0, 2**31 - 1],
    "double precision": [math.nan, math.inf, -math.inf, -1.0, -1e308, 1e308, 5e-324, -0.0],
}
# Bounds inside which lie all recordings, and those inside which lies none.
ALL = {
    ("length_from", 5e-324),
    ("length_from", -0.0),
    ("length_to", math.inf),
    ("length_to", 1e308),
    ("max_per_artist", 2**31 - 1),
    ("max_per_album", 2**31 - 1),
    ("popularity", -1.0),
    ("popularity", -0.0),
    ("popularity", 5e-324),
    ("drift", -0.0),
    ("drift", 5e-324),
    ("artist_gap", 0),
    ("album_gap", 0),
    ("min_similarity", 5e-324),
    ("min_similarity", -0.0),
    ("year_from", 0),
    *(("except_id", end) for end in ENDS["integer"]),
}
NONE = {
    ("length_from", math.inf),
    ("length_from", 1e308),
    ("length_to", 5e-324),
    ("length_to", -0.0),
    ("decade", 0),
    ("year_to", 0),
}


@pytest.fixture(scope="module")
def points(server: embedded.Server, plane_template: str) -> Iterator[Connection]:
    """Ten recordings on a line, each with its year and length, and their lists."""
    name = "extremes"
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {plane_template}".encode())
    with closing(connect(server.conninfo(name), autocommit=True)) as conn:
        conn.execute("SET search_path = public, pgsim")  # a user's
        conn.execute(
            "INSERT INTO recording (mbid, artist, album, title, length, year, vector)"
            " SELECT gen_random_uuid(), 'artist ' || i, 'album ' || i, 'title ' || i, i, 1950 + i,"
            " ARRAY[i, 0]::public.vector FROM generate_series(1, 10) AS i"
        )
        conn.execute("CALL refresh_similarity()")
        yield conn


@pytest.fixture(scope="module")
def arguments(points: Connection) -> list[tuple[str, str, str]]:
    """The function, name and type of each argument of a public function."""
    return points.execute(ARGUMENTS.encode()).fetchall()


def refusal(conn: Connection, call: str, value: Any) -> str:
    """What the function says of a value that it refuses; nothing where it answers."""
    try:
        conn.execute(call.encode(), (value,))
    except psycopg.errors.InvalidParameterValue as error:
        return error.diag.message_primary or ""
    return ""


def test_no_public_function_takes_a_real_that_a_float_of_a_driver_does_not_fit(
    arguments: list[tuple[str, str, str]],
) -> None:
    assert {kind for _, _, kind in arguments} >= {"double precision", "integer", "uuid"}
    assert not [each for each in arguments if each[2] in ("real", "real[]", "smallint")]


def test_each_number_is_refused_by_name_and_value_or_asks_for_the_right_rows(
    points: Connection, arguments: list[tuple[str, str, str]]
) -> None:
    tried = 0
    for function, name, kind in arguments:
        for end in ENDS.get(kind, []):
            first = FIRST.get(function, "")
            call = f"SELECT * FROM {function}({', '.join(filter(None, [first, f'{name} => %s']))})"
            tried += 1
            if (name, end) in ALL | NONE:
                found = points.execute(call.encode(), (end,)).fetchall()
                whole = points.execute(f"SELECT * FROM {function}({first})".encode()).fetchall()
                if function == "how_answered" and (name, end) in ALL:
                    assert found[0][2] == whole[0][2], (name, end)
                elif (name, end) in ALL:
                    assert found == whole, (function, name, end)
                elif function == "distance_statistics":
                    assert found == [(0, None, None, None, None)], (name, end)
                elif function == "how_answered":
                    assert [row[2] for row in found] == [0], (name, end)
                elif function == "similar_path":
                    assert len(found) == 2, (name, end)  # the ends
                else:
                    assert not found, (function, name, end)
                continue
            said = refusal(points, call, end)
            if function == "map_recordings" and kind == "double precision" and end == end:
                assert not said, (name, end)  # the map lies inside, or outside
                continue
            if function == "rate" and end in (-1, 0):
                assert not said, end
                continue
            # All changes in one batch; artists of more recordings than there are.
            if name in ("most", "min_recordings") and end == 2**31 - 1:
                assert not said
                continue
            assert said.startswith(f"{name} is "), (function, name, end, said)
            value = float(said.removeprefix(f"{name} is ").partition(",")[0])
            assert value == end or math.isnan(end), said
            assert "must be" in said
    assert tried > 100


@pytest.mark.parametrize("function", ["nearest_recordings", "distance_statistics"])
@pytest.mark.parametrize(
    ("vector", "message"),
    [
        (None, "the query vector is NULL"),
        ("[1,2,3]", "the query vector has 3 dimensions, but the recordings have 2"),
        ("[3e38,3e38]", "the query vector is 4.24264"),
    ],
)
def test_a_vector_that_is_none_of_the_database_is_refused(
    points: Connection, function: str, vector: str | None, message: str
) -> None:
    with pytest.raises(psycopg.errors.DataError, match=message) as caught:
        points.execute(f"SELECT * FROM {function}(%s::public.vector)".encode(), (vector,))
    assert caught.value.diag.message_hint


def test_a_text_without_letters_finds_nothing_and_a_notice_says_why(points: Connection) -> None:
    said: list[str] = []
    points.add_notice_handler(lambda notice: said.append(notice.message_primary or ""))
    assert points.execute("SELECT * FROM find_recordings('!!!')").fetchall() == []
    assert said == ["no recording is found by '!!!': it has no letter and no digit"]
    assert points.execute("SELECT * FROM find_recordings('', title => '')").fetchall() == []
    assert one(points, "SELECT title FROM find_recordings('!!!', title => '10')") == "title 10"
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="nothing to search for"):
        points.execute("SELECT * FROM find_recordings()")
