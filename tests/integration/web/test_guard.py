"""What a server refuses: more requests, larger bodies, longer questions, other origins, no key."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgsim.errors import PgsimError
from pgsim.postgres.connection import connect
from pgsim.store import schema
from pgsim.web.app import make_app
from pgsim.web.reader import check_rights
from pgsim.web.settings import Settings
from tests.support.documents import low_level, mbid
from tests.support.serving import serving

SEED = mbid(7)


@pytest.fixture
def keyed(strict: str, key: str) -> Iterator[httpx.Client]:
    """A client with a key."""
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=f"{strict}/api/v1", headers=headers, timeout=60) as client:
        yield client


def test_who_has_no_key_is_asked_for_one(strict: str, key: str) -> None:
    path = f"{strict}/api/v1/recordings/{SEED}/similar"
    refused = httpx.get(path)
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert "pgsim user add" in refused.json()["hint"]
    assert httpx.get(path, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert httpx.get(path, headers={"X-API-Key": key}).status_code == 200
    assert httpx.get(f"{strict}/api/v1/health").status_code == 200


def test_a_large_body_is_refused_before_all_of_it_has_come(strict: str, key: str) -> None:
    parts = urlsplit(strict)
    head = (
        f"POST /api/v1/similar HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
        "Content-Length: 1000000000\r\n\r\n"
    )
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), 20) as raw:
        raw.sendall(head.encode() + b"x" * 2000)
        assert b"413" in raw.recv(4000).splitlines()[0]


def test_a_question_that_takes_too_long_is_ended(keyed: httpx.Client, served_database: str) -> None:
    with closing(psycopg.connect(served_database)) as other:
        other.execute("LOCK TABLE pgsim.recording IN ACCESS EXCLUSIVE MODE")
        started = time.monotonic()
        response = keyed.get(f"recordings/{SEED}/similar")
        assert response.status_code == 504
        assert time.monotonic() - started < 10


def test_other_origins_may_ask_only_where_they_are_named(
    keyed: httpx.Client, client: httpx.Client
) -> None:
    for origin, allowed in (("https://example.org", True), ("https://example.com", False)):
        headers = keyed.get("genres", headers={"Origin": origin}).headers
        assert (headers.get("access-control-allow-origin") == origin) is allowed
    headers = client.get("genres", headers={"Origin": "https://example.org"}).headers
    assert "access-control-allow-origin" not in headers


def test_a_proxys_path_is_before_the_addresses(strict: str, key: str) -> None:
    headers = {"X-API-Key": key}
    document = httpx.get(f"{strict}/openapi.json", headers=headers).json()
    assert document["servers"] == [{"url": "/music"}]
    assert 'href="/music/openapi.json"' in httpx.get(f"{strict}/docs", headers=headers).text


def test_a_client_that_asks_too_often_has_to_wait(served_database: str) -> None:
    with serving(Settings(served_database, rate=0.01, connections=1)) as address:
        responses = [httpx.get(f"{address}/api/v1/genres") for _ in range(2)]
        assert [each.status_code for each in responses] == [200, 429]
        assert "retry-after" in responses[1].headers


def test_a_server_that_is_away_is_not_a_fault(
    served_database: str, filled_template: str, new_database: Callable[..., str]
) -> None:
    url = new_database(filled_template)
    with closing(connect(url, autocommit=True)) as conn:
        schema.grant_roles(conn)
    with serving(Settings(url, connections=1, waiting_time=0.5)) as address:
        path = f"{address}/api/v1/recordings/{SEED}/similar"
        assert httpx.get(path).status_code == 200
        with closing(connect(served_database, autocommit=True)) as admin:
            name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
            end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            admin.execute(end, (name,))
            assert httpx.get(path).status_code == 200  # by another connection
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
            admin.execute(end, (name,))
            response = httpx.get(path, timeout=30)
            assert (response.status_code, response.headers["retry-after"]) == (503, "2")
            page = httpx.get(address, timeout=30)
            assert (page.status_code, page.headers["retry-after"]) == (503, "2")
            assert page.headers["content-type"].startswith("text/html")
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())


def test_it_asks_as_one_who_may_only_read(served_database: str, client: httpx.Client) -> None:
    assert check_rights(Settings(served_database)) == "pgsim_reader"
    assert check_rights(Settings(served_database, as_owner=True)) is None
    reader = make_conninfo(served_database, user="test_served")
    with closing(connect(served_database, autocommit=True)) as conn:
        conn.execute("CREATE ROLE test_served LOGIN IN ROLE pgsim_reader")
        try:
            assert check_rights(Settings(reader)) is None
            conn.execute("GRANT INSERT ON pgsim.recording TO test_served WITH GRANT OPTION")
            conn.execute("GRANT INSERT ON pgsim.recording TO pgsim_reader")
            with pytest.raises(PgsimError, match="pgsim_reader may write: REVOKE INSERT"):
                make_app(Settings(reader))
        finally:
            conn.execute("REVOKE INSERT ON pgsim.recording FROM pgsim_reader, test_served")
            conn.execute("DROP ROLE test_served")


def test_a_document_is_a_question(client: httpx.Client) -> None:
    content = low_level(7).line.encode()
    answer = client.post("upload", files={"file": ("../../song.json", content)})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert len(body["recordings"]) == len(body["worst"]) == 10
    assert body["worst"][0]["distance"] > body["recordings"][-1]["distance"]
    assert "moods" in body["missing"]


@pytest.mark.parametrize(
    ("name", "content", "detail"),
    [
        ("song.mp3", b"no audio", "file.mp3 is no document"),
        ("deep.json", b"[" * 100_000, "file.json"),
    ],
)
def test_a_file_that_cannot_be_measured_is_refused(
    client: httpx.Client, name: str, content: bytes, detail: str
) -> None:
    response = client.post("upload", files={"file": (name, content)})
    assert response.status_code == 422
    assert response.json()["detail"].startswith(detail)


def test_a_file_that_is_too_large_or_none_is_refused(keyed: httpx.Client) -> None:
    large = keyed.post("upload", files={"file": ("song.json", b" " * 300_000)})
    assert large.status_code == 413
    assert keyed.post("upload", data={"file": "text"}).status_code == 422
