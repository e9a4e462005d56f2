"""The proxy: what it lets through before the cut, and after it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.crash.proxy import PORT, proxied

ANSWER = b"0123456789"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Path]:
    """A server that answers each 4 bytes with 10, until its client ends."""
    path = tmp_path / "server"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        listening.settimeout(0.05)

        def answer(conn: socket.socket) -> None:
            with conn:
                try:
                    while conn.recv(4, socket.MSG_WAITALL):
                        conn.sendall(ANSWER)
                except OSError:
                    return

        def serve() -> None:
            while not ended.is_set():
                try:
                    conn, _ = listening.accept()
                except TimeoutError:
                    continue
                conn.settimeout(30)
                threads.append(threading.Thread(target=answer, args=(conn,)))
                threads[-1].start()

        ended, threads = threading.Event(), []
        thread = threading.Thread(target=serve)
        thread.start()
        yield path
        ended.set()
        for each in (thread, *threads):
            each.join()


def connected(url: str) -> socket.socket:
    """A client of the proxy."""
    words = parse_qs(urlsplit(url).query)
    host, port = words["host"][0], int(words["port"][0])
    if host.startswith("/"):
        client = socket.socket(socket.AF_UNIX)
        client.connect(f"{host}/.s.PGSQL.{PORT}")
    else:
        client = socket.create_connection((host, port))
    client.settimeout(30)
    return client


def asked(client: socket.socket) -> bytes:
    """What comes of one question, until it is whole or the connection is cut."""
    answer = b""
    try:
        client.sendall(b"ask.")
        while len(answer) < len(ANSWER) and (more := client.recv(100)):
            answer += more
    except OSError:
        pass
    return answer


@pytest.mark.parametrize("tcp", [False, True])
def test_all_goes_through_and_is_counted(server: Path, tmp_path: Path, tcp: bool) -> None:
    with proxied(server, tmp_path, "music", tcp=tcp) as (proxy, url):
        assert url.startswith("postgresql://postgres@/music?")
        with closing(connected(url)) as client:
            assert [asked(client) for _ in range(3)] == [ANSWER] * 3
        assert proxy.passed == 3 * 14
        assert not proxy.was_cut.is_set()


@pytest.mark.parametrize("tcp", [False, True])
def test_every_connection_is_cut_at_one_byte(server: Path, tmp_path: Path, tcp: bool) -> None:
    with (
        proxied(server, tmp_path, "music", tcp=tcp, cut_at=4 + 10 + 4 + 10 + 4 + 3) as (proxy, url),
        closing(connected(url)) as one,
        closing(connected(url)) as other,
    ):
        assert asked(one) == asked(other) == ANSWER
        assert len(asked(one)) <= 3
        assert proxy.was_cut.wait(30)
        assert asked(other) == b""
        # Who connects again goes on.
        with closing(connected(url)) as client:
            assert [asked(client) for _ in range(9)] == [ANSWER] * 9
