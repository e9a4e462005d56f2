"""AcousticBrainz's similarity API: its answers, its limits, its errors."""

from typing import Any

import httpx
import pytest

from pgsim.postgres.connection import Connection
from tests.support.documents import mbid

A, B, UNKNOWN = mbid(7), mbid(11), mbid(999)


def nearest(conn: Connection, seed: object, k: int) -> list[dict[str, Any]]:
    """What AcousticBrainz's answer holds for a seed, from SQL."""
    rows = conn.execute(
        "SELECT mbid, distance FROM pgsim.similar_recordings(%s, %s, metric => 'mfccs',"
        " ranking => 'distance')",
        (seed, k),
    )
    return [{"recording_mbid": str(each), "offset": 0, "distance": far} for each, far in rows]


def test_one_or_many_recordings_have_their_nearest(client: httpx.Client, conn: Connection) -> None:
    ids = f"{A};{B}:3;{str(A).upper()}:0;{UNKNOWN}"
    answer = client.get(f"similarity/mfccs/?recording_ids={ids}&n_neighbours=4").json()
    assert answer == {
        str(A): {"0": nearest(conn, A, 4)},
        str(B): {"3": nearest(conn, B, 4)},
    }


def test_all_are_within_the_threshold(client: httpx.Client, conn: Connection) -> None:
    near = nearest(conn, A, 29)
    threshold = near[4]["distance"]
    answer = client.get(f"similarity/mfccs/?recording_ids={A}&threshold={threshold}").json()
    assert answer == {str(A): {"0": [each for each in near if each["distance"] <= threshold]}}


def test_equal_distances_count_once_where_duplicates_are_removed(
    client: httpx.Client, conn: Connection
) -> None:
    far = {row["distance"] for row in nearest(conn, A, 29)}
    for wish in ("samescore", "all"):
        answer = client.get(f"similarity/mfccs/?recording_ids={A}&remove_dups={wish}").json()
        assert [row["distance"] for row in answer[str(A)]["0"]] == sorted(far)


def test_two_recordings_have_a_distance(client: httpx.Client, conn: Connection) -> None:
    distances: dict[str, float] = dict(
        conn.execute(
            "SELECT metric, distance FROM pgsim.recording_distances(%s, %s)", (A, B)
        ).fetchall()
    )
    for metric in ("mfccsw", "key"):
        answer = client.get(f"similarity/{metric}/between/?recording_ids={A};{B}")
        assert answer.json() == {metric: distances[metric]}
    assert client.get(f"similarity/mfccs/between/?recording_ids={A};{UNKNOWN}").json() == {}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("similarity/mfccs/", "Missing `recording_ids` parameter"),
        ("similarity/mfccs/?recording_ids=x", "'x' is not a valid UUID"),
        (f"similarity/mfccs/?recording_ids={A}:x", "Offset must be an integer >= 0"),
        (
            "similarity/mfccs/?recording_ids=" + ";".join(str(mbid(n)) for n in range(26)),
            "More than 25 recordings not allowed per request",
        ),
        (f"similarity/polka/?recording_ids={A}", "unknown metric 'polka'; known: mfccs, "),
        (f"similarity/polka/between/?recording_ids={A};{B}", "unknown metric 'polka'; known: "),
        (f"similarity/mfccs/between/?recording_ids={A}", "Does not contain two recordings"),
        (f"similarity/mfccs/?recording_ids={A}&n_neighbours=0", "n_neighbours must be an integer"),
        (f"similarity/mfccs/?recording_ids={A}&n_neighbours=1001", "n_neighbours must be an"),
        (
            f"similarity/mfccs/?recording_ids={A}&n_neighbours=000000001{'0' * 5000}",
            "n_neighbours must be an",
        ),
        (f"similarity/mfccs/?recording_ids={A}&remove_dups=some", "remove_dups must be one of"),
        (f"similarity/mfccs/?recording_ids={A}&threshold=far", "threshold must be a number"),
        ("similarity_search/", "Missing `recording_id` parameter"),
    ],
)
def test_an_error_is_a_message(client: httpx.Client, path: str, message: str) -> None:
    response = client.get(path)
    assert response.status_code == 400
    assert response.json()["message"].startswith(message)


def test_the_earlier_form_answers_too(client: httpx.Client, conn: Connection) -> None:
    rows = conn.execute("SELECT mbid FROM pgsim.similar_recordings(%s, 3)", (A,))
    expected = [str(each) for (each,) in rows]
    one = client.get(f"{A}/similarity_search/?k=3").json()
    assert [row["recording_mbid"] for row in one] == expected
    many = client.get(f"similarity_search/?recording_id={A}&recording_id={B}&k=3").json()
    assert many.keys() == {str(A), str(B)}
    assert many[str(A)] == one
