"""Audio over HTTP: a recording's own file, and never another one."""

import httpx
import pytest

from pgsim.postgres.connection import Connection
from tests.support.rows import one


def mbid_of(conn: Connection, number: int) -> str:
    return str(one(conn, "SELECT mbid FROM pgsim.recording WHERE id = %s", number))


@pytest.mark.parametrize("number", [1, 5])
def test_a_file_is_found_by_own_id_or_url(
    client: httpx.Client, conn: Connection, number: int
) -> None:
    path = f"recordings/{mbid_of(conn, number)}"
    assert client.get(path).json()["has_audio"] is True
    whole = client.get(f"{path}/audio")
    assert whole.content == bytes(range(256))
    assert whole.headers["content-type"] == "audio/mpeg"


def test_a_range_of_a_file_is_sent_alone(client: httpx.Client, conn: Connection) -> None:
    path = f"recordings/{mbid_of(conn, 1)}/audio"
    part = client.get(path, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, bytes(range(10, 20)))
    assert part.headers["content-range"] == "bytes 10-19/256"


@pytest.mark.parametrize(
    ("asked", "status", "length"),
    [
        ("bytes=-5", 206, 5),
        ("bytes=250-9999", 206, 6),
        ("bytes=0-", 206, 256),
        ("bytes=999-", 416, 0),
        ("bytes=9-3", 400, 0),
        ("bytes=-0", 416, 0),
        ("bytes=x-y", 400, 0),
        ("seconds=1-2", 400, 0),
        ("bytes=" + ",".join(["0-0"] * 5000), 200, 256),
    ],
)
def test_an_odd_range_costs_no_more_than_the_file(
    client: httpx.Client, conn: Connection, asked: str, status: int, length: int
) -> None:
    path = f"recordings/{mbid_of(conn, 1)}/audio"
    part = client.get(path, headers={"Range": asked})
    assert part.status_code == status
    assert status >= 400 or len(part.content) == length


@pytest.mark.parametrize("number", [2, 3, 4, 7, 10, 11])
def test_what_is_outside_of_the_folder_or_no_audio_is_not_sent(
    client: httpx.Client, conn: Connection, number: int
) -> None:
    path = f"recordings/{mbid_of(conn, number)}"
    assert client.get(path).json()["has_audio"] is False
    assert client.get(f"{path}/audio").status_code == 404


def test_a_recording_elsewhere_is_led_to(client: httpx.Client, conn: Connection) -> None:
    response = client.get(f"recordings/{mbid_of(conn, 6)}/audio")
    assert (response.status_code, response.headers["location"]) == (
        307,
        "https://example.org/six.mp3",
    )
