"""The questions over HTTP: they answer what SQL answers, and refuse what it refuses."""

import csv
import io
import json
import subprocess
import sys
from typing import Any

import httpx
import pytest

from pgsim.postgres.connection import Connection
from tests.support.databases import environment
from tests.support.documents import mbid
from tests.support.paths import CHECKOUT

SEED, OTHER = mbid(7), mbid(11)


def in_sql(conn: Connection, query: str) -> list[dict[str, Any]]:
    """The rows of a query as JSON has them."""
    found = conn.execute(f"SELECT to_json(a) FROM ({query}) AS a".encode()).fetchall()
    return [row for (row,) in found]


@pytest.mark.parametrize(
    ("path", "call"),
    [
        (f"recordings/{SEED}/similar", f"similar_recordings('{SEED}')"),
        (
            f"recordings/{SEED}/similar?k=3&genre=pop&year_to=1985&ranking=distance",
            f"similar_recordings('{SEED}', 3, genre => 'pop', year_to => 1985,"
            " ranking => 'distance')",
        ),
        (
            f"recordings/{SEED}/similar?exclude={OTHER}&exclude={mbid(12)}&max_per_artist=1",
            f"similar_recordings('{SEED}', exclude => ARRAY['{OTHER}', '{mbid(12)}']::uuid[],"
            " max_per_artist => 1)",
        ),
        (
            f'recordings/{SEED}/similar?weights={{"moods":2}}&same_decade=true&genre=',
            f"similar_recordings('{SEED}', weights => '{{\"moods\": 2}}', same_decade => true)",
        ),
        ("recordings/one.mp3/similar", "similar_recordings(mbid_of('one.mp3'))"),
        (f"recordings/{SEED}/dissimilar?k=4", f"dissimilar_recordings('{SEED}', 4)"),
        (f"recordings/{SEED}/explain/{OTHER}", f"explain_similarity('{SEED}', '{OTHER}')"),
        (f"recordings/{SEED}/distances/{OTHER}", f"recording_distances('{SEED}', '{OTHER}')"),
        ("recordings?q=title+7&k=3", "find_recordings('title 7', 3)"),
        (
            f"similar?mbid={SEED}&mbid=one.mp3&minus={OTHER}&k=5",
            f"similar_to_all(ARRAY['{SEED}', mbid_of('one.mp3')], 5,"
            f" minus => ARRAY['{OTHER}']::uuid[])",
        ),
        (
            f"radio?seed={SEED}&dislike={OTHER}&artist_gap=2&drift=0.5&k=5",
            f"radio(ARRAY['{SEED}']::uuid[], 5, dislikes => ARRAY['{OTHER}']::uuid[],"
            " artist_gap => 2, drift => 0.5)",
        ),
        (
            f"recordings/{SEED}/path/{OTHER}?steps=5&max_per_artist=1",
            f"similar_path('{SEED}', '{OTHER}', 5, max_per_artist => 1)",
        ),
        (f"recordings/{SEED}/how?genre=pop", f"how_answered('{SEED}', genre => 'pop')"),
        ("recordings/mars%2Fseven.mp3/similar", "similar_recordings(mbid_of('mars/seven.mp3'))"),
        (
            "artists/Artist%202/similar?k=2&min_recordings=2",
            "similar_artists('Artist 2', 2, min_recordings => 2)",
        ),
        ("artists/ac/dc/similar", "similar_artists('AC/DC')"),
        ("albums/A/B/similar?artist=AC/DC", "similar_albums('A/B', 'AC/DC')"),
        ("map?x0=-0.5&x1=0.5&y0=0&limit=5", "map_recordings(-0.5, 0.5, 0, k => 5)"),
        ("status.json", "status()"),
    ],
)
def test_a_question_has_the_rows_of_sql(
    client: httpx.Client, conn: Connection, path: str, call: str
) -> None:
    response = client.get(path)
    assert response.status_code == 200, response.text
    assert response.json() == in_sql(conn, f"SELECT * FROM pgsim.{call}")
    assert response.json()


@pytest.mark.parametrize(
    ("path", "body", "call"),
    [
        (
            "similar",
            {"mbids": [str(SEED), str(OTHER)], "k": 3, "weights": {"moods": 2}, "genre": None},
            f"similar_to_all(ARRAY['{SEED}', '{OTHER}']::uuid[], 3, weights => '{{\"moods\": 2}}')",
        ),
        (
            "radio",
            {"seeds": [str(SEED)], "played": [str(OTHER)], "album_gap": 1},
            f"radio(ARRAY['{SEED}']::uuid[], played => ARRAY['{OTHER}']::uuid[], album_gap => 1)",
        ),
        (
            "nearest",
            {"vector": [0.25] * 68, "k": 2},
            "nearest_recordings(array_fill(0.25::real, ARRAY[68])::public.vector, 2)",
        ),
        (
            "statistics",
            {"vector": [0.25] * 68},
            "distance_statistics(array_fill(0.25::real, ARRAY[68])::public.vector)",
        ),
        (
            "playlists/match",
            {"tracks": [{"title": "Title 7", "creator": "Artist 2"}, {"title": "none of them"}]},
            """match_recordings('[{"title": "Title 7", "creator": "Artist 2"}, {}]')""",
        ),
        (
            "playlists/expand",
            {"mbids": [str(SEED), str(OTHER)], "k": 3, "artist_gap": 0},
            f"expand_playlist(ARRAY['{SEED}', '{OTHER}']::uuid[], 3, artist_gap => 0)",
        ),
    ],
)
def test_a_question_can_come_as_a_body(
    client: httpx.Client, conn: Connection, path: str, body: dict[str, Any], call: str
) -> None:
    response = client.post(path, json=body)
    assert response.status_code == 200, response.text
    assert response.json() == in_sql(conn, f"SELECT * FROM pgsim.{call}")


# Work for who keeps a collection, and what names a recording for every path.
ELSEWHERE = {
    *("fill_reaches", "index_metric", "measure_recall", "refresh_batch", "refresh_similarity"),
    *("mbid_of", "recording_of"),
}


def test_every_public_question_has_a_path(client: httpx.Client, conn: Connection) -> None:
    comments = dict(
        conn.execute(
            "SELECT obj_description(oid, 'pg_proc'), proname FROM pg_proc"
            " WHERE pronamespace = 'pgsim'::regnamespace"
            " AND obj_description(oid, 'pg_proc') NOT LIKE 'Internal: %'"
        ).fetchall()
    )
    document = client.get("../../openapi.json").json()
    described = {
        operation.get("description")
        for methods in document["paths"].values()
        for operation in methods.values()
    }
    assert {comments[each] for each in comments.keys() - described} == ELSEWHERE


def test_csv_and_ndjson_have_the_rows_of_json(client: httpx.Client) -> None:
    path = f"recordings/{SEED}/similar"
    rows = client.get(path).json()
    lines = client.get(f"{path}.ndjson")
    assert [json.loads(line) for line in lines.text.splitlines()] == rows
    table = client.get(path, headers={"Accept": "text/csv"})
    assert table.text == client.get(f"{path}.csv").text
    assert table.headers["content-type"].startswith("text/csv")
    texts = [{name: "" if v is None else str(v) for name, v in row.items()} for row in rows]
    assert list(csv.DictReader(io.StringIO(table.text))) == texts


def test_a_data_set_is_every_answer_and_every_seed_without_one(
    client: httpx.Client, conn: Connection
) -> None:
    unknown = mbid(999)
    body = {"mbids": [str(SEED), str(unknown), str(OTHER)], "k": 2}
    response = client.post("datasets", json=body)
    seeds = ", ".join(f"'{each}'" for each in (SEED, unknown, OTHER))
    expected = in_sql(
        conn, f"SELECT * FROM pgsim.similar_recordings_batch(ARRAY[{seeds}]::uuid[], 2)"
    )
    assert [json.loads(line) for line in response.text.splitlines()] == expected
    assert len(list(csv.DictReader(io.StringIO(client.post("datasets.csv", json=body).text)))) == 5


@pytest.mark.parametrize(
    ("path", "status", "detail", "hint"),
    [
        (
            f"recordings/{mbid(999)}/similar",
            404,
            f"unknown recording {mbid(999)}",
            "pgsim.recording has no row with this mbid",
        ),
        ("recordings/nobody/similar", 404, "'nobody' is neither an MBID", "an MBID has 36"),
        (f"recordings/{SEED}/similar?same_genre=1", 422, "has no genre", "leave out same_genre"),
        (f"recordings/{SEED}/similar?genre=polka", 422, "unknown genre 'polka'", "known: "),
        (f"recordings/{SEED}/similar?k=0", 422, "k is 0, but must be from 1 to 1000", None),
        (f"recordings/{SEED}/similar?k=99999999999", 422, "k is '99999999999', but", "How many"),
        (f"recordings/{SEED}/similar?k=1&k=2", 422, "'k' is given twice", "once"),
        (f"recordings/{SEED}/similar?length_from=nan", 422, "length_from is 'nan'", "Shortest"),
        (f"recordings/{SEED}/similar?genre=a%00b", 422, "genre is 'a\\x00b', but", "Only this"),
        (f"recordings/{SEED}/similar?weights=[]", 422, "weights is '[]', but", "Weights"),
        (f"recordings/{SEED}/similar?gener=pop", 422, "there is no parameter 'gener'", "genre, "),
        (f"recordings/{SEED}/similar?exclude_artists=x", 422, "invalid input syntax", None),
        ("recordings/a%00b", 404, "the recording's name has a NUL", None),
        ("similar", 422, "mbid is missing", "The recordings to start from"),
        ("recordings", 422, "there is nothing to search for", None),
        ("nowhere", 404, "Not Found", None),
        ("artists/nobody/similar", 404, "unknown artist 'nobody'", "find_recordings()"),
        ("albums/none/similar", 404, "unknown album 'none'", "pgsim.recording.album"),
    ],
)
def test_an_error_has_sqls_message_and_hint(
    client: httpx.Client, path: str, status: int, detail: str, hint: str | None
) -> None:
    response = client.get(path)
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert (response.status_code, body["status"]) == (status, status)
    assert detail in body["detail"]
    assert hint is None or hint in body["hint"]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"mbids": 1}', b"\xff", b'{"k": true}'])
def test_a_body_that_is_no_question_is_refused(client: httpx.Client, content: bytes) -> None:
    response = client.post("similar", content=content)
    assert response.status_code in (400, 422)
    assert response.headers["content-type"] == "application/problem+json"


def test_a_method_that_a_path_lacks_is_refused(client: httpx.Client) -> None:
    response = client.delete("similar")
    assert response.status_code == 405
    assert set(response.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}


def test_an_answer_is_sent_again_only_when_something_was_written(
    client: httpx.Client, conn: Connection
) -> None:
    path = f"recordings/{SEED}/similar"
    first = client.get(path)
    known = {"If-None-Match": first.headers["etag"]}
    again = client.get(path, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(f"{path}.csv", headers=known).status_code == 200  # another form
    conn.execute("UPDATE pgsim.recording SET album = album WHERE id = 30")
    changed = client.get(path, headers=known)
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


def test_a_recording_has_what_is_stored_about_it(client: httpx.Client, conn: Connection) -> None:
    (row,) = in_sql(conn, f"SELECT * FROM pgsim.recording WHERE mbid = '{SEED}'")
    answer = client.get(f"recordings/{SEED}").json()
    assert answer.pop("has_audio") is False
    assert answer == {name: row[name] for name in answer}
    assert answer["genres"]


def test_genres_decades_and_sets_are_those_of_the_collection(
    client: httpx.Client, conn: Connection
) -> None:
    genres = client.get("genres").json()
    assert {each["genre"]: each["recordings"] for each in genres} == dict(
        conn.execute(
            "SELECT genre, count(*) FROM pgsim.recording WHERE genre IS NOT NULL GROUP BY genre"
        ).fetchall()
    )
    decades = client.get("decades").json()
    assert sum(each["recordings"] for each in decades) == 30
    names = [
        name for (name,) in conn.execute("SELECT name FROM pgsim.feature_set ORDER BY position")
    ]
    assert [each["name"] for each in client.get("sets").json()] == names


def test_the_example_asks_for_a_radio(address: str) -> None:
    ran = subprocess.run(
        [sys.executable, CHECKOUT / "examples" / "ask_server.py", "title", "7"],
        env={**environment(), "PGSIM_SERVER": address},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = ran.stdout.splitlines()
    assert lines[0] == "from Artist 2: Title 7"
    assert len(lines) == 8
