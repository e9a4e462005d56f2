"""What stands before every path: how often a client may ask, how much it may send, and its key."""

import asyncio
import time
from collections.abc import Callable
from http import HTTPStatus

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pgsim.web.login import Login
from pgsim.web.metrics import Metrics
from pgsim.web.problems import Problem, problem_of, response_of
from pgsim.web.settings import Settings

OPEN = ("/api/v1/health", "/rest/")  # what asks for no key: the one says nothing, the other logs in
UPLOADS = ("/api/v1/upload", "/upload")  # of the API, and of the page
_BODY_TIME = 30.0  # seconds between two pieces of a body
_MOST_CLIENTS = 10_000  # that are remembered


class Rates:
    """How many requests each client has left: `rate` more each second, and twice that at most."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, client: str) -> bool:
        """Return whether the client may ask now, and count it."""
        now = self._clock()
        most = max(2 * self._rate, 1.0)
        left, since = self._left.pop(client, (most, now))
        left = min(most, left + (now - since) * self._rate)
        if len(self._left) >= _MOST_CLIENTS:  # the one that has asked least lately
            del self._left[next(iter(self._left))]
        self._left[client] = (left - 1 if left >= 1 else left), now
        return left >= 1


class Guard:
    """An application of ASGI around another one, which refuses what is too much."""

    def __init__(self, app: ASGIApp, settings: Settings, login: Login, metrics: Metrics) -> None:
        self._app, self._settings = app, settings
        self._login, self._metrics = login, metrics
        self._rates = Rates(settings.rate) if settings.rate else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or the events of the application's life."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        root_path = self._settings.root_path
        if root_path:
            scope["root_path"] = root_path
        path = scope["path"].removeprefix(root_path)
        started = time.perf_counter()
        status = HTTPStatus.INTERNAL_SERVER_ERROR.value

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._check(scope, path)
        except Exception as error:
            await response_of(problem_of(error))(scope, receive, note)
        else:
            await self._app(scope, self._bounded(path, receive), note)
        finally:
            self._metrics.count(scope, status, time.perf_counter() - started)

    async def _check(self, scope: Scope, path: str) -> None:
        client = scope["client"][0] if scope["client"] else ""
        if self._rates is not None and not self._rates.take(client):
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"more than {self._settings.rate:g} requests a second",
                "ask more slowly",
            )
        if self._settings.needs_key and not path.startswith(OPEN):
            await self._login.require_key(Request(scope))

    def _bounded(self, path: str, receive: Receive) -> Receive:
        """Return a `receive` that ends a body that is too long, or comes too slowly."""
        most = self._settings.largest_upload if path in UPLOADS else self._settings.largest_body
        length = 0

        async def bounded() -> Message:
            nonlocal length
            try:
                message = await asyncio.wait_for(receive(), _BODY_TIME)
            except TimeoutError:
                raise Problem(HTTPStatus.REQUEST_TIMEOUT, "the body comes too slowly") from None
            length += len(message.get("body", b""))
            if length > most:
                raise Problem(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                    f"the body has more than {most:,} bytes",
                    "send less, or start pgsim serve with a greater limit",
                )
            return message

        return bounded
