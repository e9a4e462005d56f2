"""HTTP as uvicorn speaks it, from clients whose heads are of bounded length and time."""

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pgsim.web.problems import Problem, response_of

LONGEST_HEAD = 64 * 1024  # bytes of the first line and the headers
HEAD_TIME = 10.0  # seconds until all of them have come
_LINGERING = 1.0  # seconds in which a client that is refused can read why
_TOO_LONG = response_of(
    Problem(
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        f"the address and the headers have more than {LONGEST_HEAD:,} bytes",
        "send a long list in the body of a POST",
    )
)


class BoundedProtocol(HttpToolsProtocol):
    """A connection that ends when the head of a request is too long, or does not come."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._length = 0
        self._waiting: asyncio.TimerHandle | None = None  # for the end of a head
        self._is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait(HEAD_TIME)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._wait_no_longer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has come; refuse a head that goes on for too long."""
        if self._is_refused:
            return
        if self._waiting is not None:
            self._length += len(data)
        super().data_received(data)
        if self._waiting is not None and self._length > LONGEST_HEAD:
            self._refuse()

    def on_message_begin(self) -> None:
        """Begin to wait for the rest of a head."""
        super().on_message_begin()
        self._wait(HEAD_TIME)

    def on_headers_complete(self) -> None:
        """Wait no longer."""
        self._wait_no_longer()
        super().on_headers_complete()

    def _refuse(self) -> None:
        """Answer by hand: there is no request that an application could answer."""
        status = _TOO_LONG.status_code
        head = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode(), b"connection: close"]
        head += [name + b": " + value for name, value in _TOO_LONG.raw_headers]
        self.transport.write(b"\r\n".join((*head, b"", bytes(_TOO_LONG.body))))
        self._is_refused = True
        self._wait(_LINGERING)

    def _wait(self, seconds: float) -> None:
        self._wait_no_longer()
        self._length = 0
        self._waiting = self.loop.call_later(seconds, self.transport.close)

    def _wait_no_longer(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
