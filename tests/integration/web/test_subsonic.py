"""OpenSubsonic's sonicSimilarity, asked by a client that is not ours, and by hand."""

import asyncio
from hashlib import md5
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from libopensonic import AsyncConnection, errors

from pgsim.postgres.connection import Connection
from tests.support.documents import mbid

A, B = mbid(7), mbid(11)


def asked(address: str, method: str, **given: Any) -> dict[str, Any]:
    """A method's answer in JSON."""
    response = httpx.get(f"{address}/rest/{method}", params={"f": "json", **given})
    assert response.status_code == 200
    answer: dict[str, Any] = response.json()["subsonic-response"]
    return answer


def test_a_client_finds_songs_and_what_sounds_like_them(
    address: str, key: str, conn: Connection
) -> None:
    host, _, port = address.rpartition(":")
    rows = conn.execute("SELECT mbid, similarity FROM pgsim.similar_recordings(%s, 3)", (A,))
    path = conn.execute("SELECT mbid FROM pgsim.similar_path(%s, %s, 4)", (A, B)).fetchall()

    async def ask() -> None:
        client = AsyncConnection(host, username="anna", password=key, port=int(port))
        try:
            assert await client.ping()
            names = {each.name for each in await client.get_open_subsonic_extensions()}
            assert {"sonicSimilarity", "apiKeyAuthentication"} <= names
            found = (await client.search3("title 7", song_count=1)).song
            assert [(each.id, each.title) for each in found or ()] == [(str(A), "Title 7")]
            assert (await client.get_song(str(A))).artist == "Artist 2"
            matches = await client.get_sonic_similar_tracks(str(A), count=3)
            assert [(each.entry.id, each.similarity) for each in matches] == [
                (str(recording), similarity) for recording, similarity in rows
            ]
            walk = await client.find_sonic_path(str(A), str(B), count=4)
            assert [each.entry.id for each in walk] == [str(recording) for (recording,) in path]
            assert all(0 <= each.similarity <= 1 for each in walk)
            with pytest.raises(errors.DataNotFoundError):
                await client.get_song(str(mbid(999)))
        finally:
            await client.cleanup()

    asyncio.run(ask())


def test_every_song_comes_once_by_an_empty_search(address: str, key: str) -> None:
    pages = [
        asked(address, "search3", apiKey=key, query='""', songCount=12, songOffset=offset)
        for offset in (0, 12, 24)
    ]
    songs = [song["id"] for page in pages for song in page["searchResult3"]["song"]]
    assert sorted(songs) == [str(mbid(number)) for number in range(30)]


def test_there_are_four_ways_to_log_in(address: str, key: str) -> None:
    token = md5(f"{key}pepper".encode()).hexdigest()
    for given in (
        {"u": "anna", "p": key},
        {"u": "anna", "p": f"enc:{key.encode().hex()}"},
        {"u": "anna", "t": token, "s": "pepper"},
        {"apiKey": key},
    ):
        assert asked(address, "ping.view", **given)["status"] == "ok"
        posted = httpx.post(f"{address}/rest/ping", data={"f": "json", **given})
        assert posted.json()["subsonic-response"]["status"] == "ok"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, 10),
        ({"u": "anna"}, 10),
        ({"u": "anna", "t": "0" * 32}, 10),
        ({"u": "anna", "p": "wrong"}, 40),
        ({"u": "anna", "p": "enc:zz"}, 40),
        ({"u": "anna", "t": "0" * 32, "s": "pepper"}, 40),
        ({"u": "nobody", "t": "0" * 32, "s": "pepper"}, 40),
        ({"apiKey": "wrong"}, 44),
        ({"apiKey": "wrong", "u": "anna"}, 43),
    ],
)
def test_who_does_not_log_in_is_refused(address: str, given: dict[str, str], code: int) -> None:
    answer = asked(address, "getSong", id=str(A), **given)
    assert (answer["status"], answer["error"]["code"]) == ("failed", code)


def test_who_runs_the_server_alone_learns_what_is_wrong_with_its_secret(
    address: str, secret: Path, caplog: pytest.LogCaptureFixture
) -> None:
    given = {"u": "anna", "t": "0" * 32, "s": "pepper"}
    secret.chmod(0o644)
    try:
        response = httpx.get(f"{address}/rest/ping", params=given)
    finally:
        secret.chmod(0o600)
    assert response.status_code == 500
    assert str(secret) not in response.text
    assert f"others can read {secret}" in caplog.text


@pytest.mark.parametrize(
    ("method", "given", "code"),
    [
        ("getSong", {}, 10),
        ("getSong", {"id": "nobody"}, 70),
        ("getSonicSimilarTracks", {"id": str(mbid(999))}, 70),
        ("getSonicSimilarTracks", {"id": str(A), "count": "many"}, 0),
        ("findSonicPath", {"startSongId": str(A)}, 10),
    ],
)
def test_an_error_has_subsonics_code(
    address: str, key: str, method: str, given: dict[str, str], code: int
) -> None:
    assert asked(address, method, apiKey=key, **given)["error"]["code"] == code


def test_xml_has_the_members_of_json(address: str, key: str) -> None:
    given = {"apiKey": key, "id": str(A), "count": 2}
    answer = asked(address, "getSonicSimilarTracks", **given)
    text = httpx.get(f"{address}/rest/getSonicSimilarTracks.view", params=given).text
    space = "{http://subsonic.org/restapi}"
    root = ElementTree.fromstring(text)
    assert (root.tag, root.get("status")) == (f"{space}subsonic-response", "ok")
    for match, same in zip(root.findall(f"{space}sonicMatch"), answer["sonicMatch"], strict=True):
        assert float(match.attrib["similarity"]) == same["similarity"]
        entry = match.find(f"{space}entry")
        assert entry is not None
        texts = {name: str(value) for name, value in same["entry"].items()}
        assert entry.attrib == {**texts, "isDir": "false"}
