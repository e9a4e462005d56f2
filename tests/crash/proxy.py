"""A way to the server that is cut: every connection through it ends at one byte."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select
from typing import Any
from urllib.parse import quote

PORT = 5432  # in the name of a socket
TICK = 0.05  # seconds in which the wish to end is heard
AT_ONCE = 1 << 16  # bytes


class _Side:
    """One of the two sockets of a connection, and what it has still to send."""

    def __init__(self, end: socket.socket) -> None:
        self.socket, self.peer = end, self
        self.pending = b""
        self.is_closing = self.has_ended = False
        end.setblocking(False)

    def fileno(self) -> int:
        """For select()."""
        return self.socket.fileno()

    def receive(self) -> bytes:
        """What has come; nothing where the other end has gone."""
        try:
            return self.socket.recv(AT_ONCE)
        except OSError:
            return b""

    def send(self) -> None:
        """Send what can be sent, and after the last of it say that there is no more."""
        try:
            self.pending = self.pending[self.socket.send(self.pending) :] if self.pending else b""
            if self.is_closing and not self.pending:
                self.socket.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            return
        except OSError:
            self.pending, self.has_ended = b"", True


class Proxy:
    """Passes on what comes through its own socket, and counts the bytes of both directions.

    When `cut_at` bytes have passed, every connection ends at once; new ones go through again, and
    are not cut.
    """

    def __init__(self, listening: socket.socket, server: Path, cut_at: int | None = None) -> None:
        self._listening, self._server, self._cut_at = listening, server, cut_at
        self._sides: list[_Side] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.passed = 0
        self.was_cut = threading.Event()
        self._thread.start()

    def close(self) -> None:
        """End all connections."""
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.is_set():
            reading = [each for each in self._sides if not (each.has_ended or each.peer.pending)]
            writing = [each for each in self._sides if each.pending]
            waiting: list[Any] = [self._listening, *reading]
            ready, able, _ = select(waiting, writing, [], TICK)
            for each in able:
                each.send()
            for each in ready:
                if isinstance(each, _Side):
                    self._pass_on(each)
                else:
                    self._accept()
            for each in self._sides:
                if each.has_ended and each.peer.has_ended and not each.pending:
                    each.socket.close()
            self._sides = [each for each in self._sides if each.fileno() >= 0]
        self._drop()

    def _accept(self) -> None:
        client = _Side(self._listening.accept()[0])
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(str(self._server))
        except OSError:  # it is away
            client.socket.close()
            server.close()
            return
        client.peer = _Side(server)
        client.peer.peer = client
        self._sides += [client, client.peer]

    def _pass_on(self, side: _Side) -> None:
        if side.fileno() < 0:  # cut a moment ago
            return
        data = side.receive()
        left = len(data) if self._cut_at is None else self._cut_at - self.passed
        self.passed += len(data)
        side.peer.pending += data[:left]
        side.has_ended = side.peer.is_closing = not data
        side.peer.send()
        if left < len(data):
            self._cut_at = None
            self._drop()
            self.was_cut.set()

    def _drop(self) -> None:
        for each in self._sides:
            each.socket.close()


@contextmanager
def proxied(
    server: Path, folder: Path, database: str, *, tcp: bool, cut_at: int | None = None
) -> Iterator[tuple[Proxy, str]]:
    """A proxy to the server's socket, and the URL of a database through it.

    It listens on TCP, at a free port of this machine, or on a socket in `folder`.
    """
    path = folder / f".s.PGSQL.{PORT}"
    with socket.socket(socket.AF_INET if tcp else socket.AF_UNIX) as listening:
        listening.bind(("127.0.0.1", 0) if tcp else str(path))
        listening.listen()
        where = f"host={quote(str(folder))}&port={PORT}"
        if tcp:
            where = f"host=127.0.0.1&port={listening.getsockname()[1]}"
        proxy = Proxy(listening, server, cut_at)
        try:
            yield proxy, f"postgresql://postgres@/{database}?{where}"
        finally:
            proxy.close()
            path.unlink(missing_ok=True)
