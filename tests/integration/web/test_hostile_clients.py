"""Clients that mean harm: what they send, leave out, do not read, or let a browser send."""

import json
import logging
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from pgsim.web import protocol
from pgsim.web.settings import Settings
from tests.support.documents import low_level, mbid
from tests.support.serving import serving
from tests.support.waiting import wait_until

SEED = mbid(7)
BUFFER = 1 << 14  # bytes of an answer that the system keeps for who does not read
EVERY = [str(mbid(number)) for number in range(30)]


@pytest.fixture(scope="module")
def hasty(served_database: str, secret: Path) -> Iterator[str]:
    """The address of a server that waits for nobody, and has one connection beside a data set's."""
    settings = Settings(
        served_database,
        secret=secret,
        connections=2,
        waiting_time=0.2,
        body_time=0.5,
        sending_time=1.5,
        local_names=True,
    )
    with serving(settings, buffer=BUFFER) as address:
        yield address


def connected(address: str, *, buffer: int | None = None) -> socket.socket:
    """A connection to a server; `buffer` is how many bytes of an answer wait for its reader."""
    parts = urlsplit(address)
    raw = socket.socket()
    if buffer is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    raw.settimeout(20)
    raw.connect((str(parts.hostname), int(parts.port or 0)))
    return raw


def status_of(raw: socket.socket) -> str:
    """The status of the answer; nothing where the server has ended the connection without one."""
    try:
        return raw.recv(4000).decode().partition("\r\n")[0].removeprefix("HTTP/1.1 ")[:3]
    except ConnectionResetError:
        return ""


def posted(path: str, body: bytes, length: int | None = None, kind: str = "") -> bytes:
    """A request with a body, which may be longer than what is sent of it."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind or 'application/json'}\r\n"
        f"Content-Length: {length or len(body)}\r\n\r\n"
    ).encode() + body


def data_set(seeds: int) -> bytes:
    """A request for a data set of so many times 29 rows."""
    mbids = (EVERY * (seeds // len(EVERY) + 1))[:seeds]
    return posted("/api/v1/datasets", json.dumps({"mbids": mbids, "k": 29}).encode())


@pytest.mark.parametrize("begin", [b"GET /?", b"GET / HTTP/1.1\r\nHost: x\r\nX: ", b"\r\n" * 3])
def test_a_head_without_an_end_is_refused(hasty: str, begin: bytes) -> None:
    with connected(hasty) as raw:
        raw.sendall(begin + (b"x" if begin.strip() else b"\r\n") * 300_000)
        assert status_of(raw) == "431"
        assert raw.recv(1) == b""


def test_a_head_that_is_too_long_has_a_problem_as_its_answer(hasty: str) -> None:
    response = httpx.get(f"{hasty}/api/v1/genres", headers={"X-Long": "x" * 1_000_000})
    assert response.status_code == response.json()["status"] == 431
    assert response.headers["content-type"] == "application/problem+json"


def test_a_head_that_does_not_come_ends_the_connection(
    hasty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_TIME", 0.3)
    for begin in (b"", b"GET / HT", b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n"):
        with connected(hasty) as raw:
            raw.sendall(begin)
            assert raw.recv(100) == b""


def test_a_body_that_drips_is_refused(hasty: str) -> None:
    with connected(hasty) as raw:
        raw.sendall(posted("/api/v1/similar", b"{", 1000))
        began = time.monotonic()
        raw.setblocking(False)

        def is_refused() -> bool:
            assert time.monotonic() - began < 10
            try:
                return status_of(raw) == "408"
            except BlockingIOError:
                raw.send(b" ")
                return False

        wait_until(is_refused)


def test_who_reads_slowly_gets_all_and_who_does_not_read_gives_way(hasty: str) -> None:
    with connected(hasty, buffer=BUFFER) as slow:
        slow.sendall(data_set(60))
        time.sleep(1)  # longer than a body may take
        received = b""
        while not received.endswith(b"0\r\n\r\n"):
            piece = slow.recv(1 << 20)
            assert piece, received[-1000:]
            received += piece
    assert received.count(b'"rank"') == 60 * 29
    stalled = [connected(hasty, buffer=BUFFER) for _ in range(3)]
    for raw in stalled:
        raw.sendall(data_set(60))
    assert httpx.get(f"{hasty}/api/v1/recordings/{SEED}/similar").status_code == 200
    path = f"{hasty}/api/v1/datasets?mbid={SEED}"
    wait_until(lambda: httpx.get(path).status_code == 200)
    for raw in stalled:
        raw.close()


def test_an_upload_that_stops_keeps_nobody_waiting(address: str) -> None:
    kind = "multipart/form-data; boundary=x"
    begin = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.json"\r\n\r\n{'
    with connected(address) as raw:
        raw.sendall(posted("/api/v1/upload", begin, 10_000, kind))
        time.sleep(0.2)
        files = {"file": ("one.json", low_level(7).line.encode())}
        assert httpx.post(f"{address}/api/v1/upload", files=files, timeout=60).status_code == 200


def test_who_hangs_up_is_no_fault(hasty: str, caplog: pytest.LogCaptureFixture) -> None:
    form = "multipart/form-data; boundary=x"
    for path, kind in (("/api/v1/similar", ""), ("/upload", form), ("/rest/ping", form)):
        with connected(hasty) as raw:
            raw.sendall(posted(path, b"--x\r\n", 1000, kind))
            time.sleep(0.1)
    assert httpx.get(f"{hasty}/api/v1/health").status_code == 200
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("path", ["/rest/ping", "/api/v1/upload", "/upload", "/rate"])
@pytest.mark.parametrize("content", [b"no form", b"--x\r\n\r\n\r\n--x--", b"--x\r\nA: b\r\n\r\n1"])
def test_a_broken_form_is_the_clients_fault(address: str, path: str, content: bytes) -> None:
    kind = {"Content-Type": "multipart/form-data; boundary=x", "Accept": "text/html"}
    response = httpx.post(f"{address}{path}", content=content, headers=kind)
    assert response.status_code in (400, 422)


def test_many_files_in_one_form_are_refused(address: str) -> None:
    files = [("file", ("a.json", b"{}"))] * 50
    assert httpx.post(f"{address}/api/v1/upload", files=files).status_code == 400


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8080", 200),
        ("127.0.0.1", 200),
        ("[::1]:8080", 200),
        ("pgsim.localhost", 200),
        ("rebound.example.org", 421),
        ("localhost.example.org:8080", 421),
        ("[", 421),
    ],
)
def test_a_name_that_another_site_gives_to_this_machine_is_not_answered(
    hasty: str, host: str, status: int
) -> None:
    response = httpx.get(f"{hasty}/api/v1/genres", headers={"Host": host})
    assert response.status_code == status


@pytest.mark.parametrize(
    ("headers", "is_own"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://before.a.proxy"}, True),
        ({"Origin": "http://localhost"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "https://example.org"}, False),
        ({"Origin": "null"}, False),
    ],
)
def test_no_form_of_another_site_is_taken(
    hasty: str, headers: dict[str, str], is_own: bool
) -> None:
    body = {"mbids": [str(SEED)]}
    for path in ("similar", "upload"):
        response = httpx.post(
            f"{hasty}/api/v1/{path}", json=body, headers={"Host": "localhost", **headers}
        )
        assert (response.status_code == 403) is not is_own


def test_nothing_is_taken_for_what_it_is_not(address: str) -> None:
    for path in ("/", "/api/v1/genres", "/api/v1/nowhere", "/docs", "/rest/ping"):
        assert httpx.get(f"{address}{path}").headers["x-content-type-options"] == "nosniff"


def test_head_has_the_headers_of_get(address: str) -> None:
    path = f"{address}/api/v1/recordings/{SEED}/similar"
    head, got = httpx.head(path), httpx.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"]
