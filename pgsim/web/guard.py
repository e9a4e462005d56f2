"""What stands before every path: how often a client may ask, how much it may send, and its key."""

import asyncio
import logging
import time
from collections.abc import Callable
from http import HTTPStatus
from ipaddress import IPv6Network, ip_address
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pgsim.web.login import Login
from pgsim.web.metrics import Metrics
from pgsim.web.problems import Problem, failed, problem_of
from pgsim.web.settings import Settings

_log = logging.getLogger("pgsim.web")

# What asks for no key: the first says nothing, the others log in, or are what that page loads.
OPEN = ("/api/v1/health", "/login")
OPEN_BELOW = ("/rest/", "/static/")
UPLOADS = ("/api/v1/upload", "/upload")  # of the API, and of the page
_SLOWEST = 64_000  # bytes a second, of a body that takes long
_MOST_CLIENTS = 10_000  # that are remembered
_READING = ("GET", "HEAD", "OPTIONS")


class Rates:
    """How many requests each client has left: `rate` more each second, and twice that at most.

    A client is an address; in IPv6 it is a network of 64 bits, for a host may use all of its
    addresses.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, address: str) -> bool:
        """Return whether the client may ask now, and count it."""
        now = self._clock()
        client = _client(address)
        most = max(2 * self._rate, 1.0)
        left, since = self._left.pop(client, (most, now))
        left = min(most, left + (now - since) * self._rate)
        if len(self._left) >= _MOST_CLIENTS:  # the one that has asked least lately
            del self._left[next(iter(self._left))]
        self._left[client] = (left - 1 if left >= 1 else left), now
        return left >= 1


def _client(address: str) -> str:
    try:
        return str(IPv6Network((address.partition("%")[0], 64), strict=False))
    except ValueError:
        return address


class Guard:
    """An application of ASGI around another one, which refuses what is too much.

    `refusal` makes the answer of a request that is refused.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        login: Login,
        metrics: Metrics,
        refusal: Callable[[Request, Problem], Response],
    ) -> None:
        self._app, self._settings = app, settings
        self._login, self._metrics, self._refusal = login, metrics, refusal
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
        status: int | None = None

        async def guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._add_headers(path, MutableHeaders(scope=message))
            try:
                async with asyncio.timeout(self._settings.sending_time):
                    await send(message)
            except TimeoutError:
                raise Problem(
                    HTTPStatus.REQUEST_TIMEOUT, "the client takes nothing of its answer"
                ) from None

        try:
            await self._check(scope, path)
        except Exception as error:
            await self._refusal(Request(scope), failed(error))(scope, receive, guarded)
        else:
            try:
                await self._app(scope, self._bounded(path, receive), guarded)
            except Exception as error:
                if status is None:
                    raise
                # uvicorn ends the connection, by which the client sees that this was not all.
                _log.warning("%.200r ended early: %s", path, problem_of(error).detail)
        finally:
            taken = time.perf_counter() - started
            self._metrics.count(scope, status or HTTPStatus.INTERNAL_SERVER_ERROR, taken)

    async def _check(self, scope: Scope, path: str) -> None:
        request = Request(scope)
        client = scope["client"][0] if scope["client"] else ""
        if self._rates is not None and not self._rates.take(client):
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"more than {self._settings.rate:g} requests a second",
                "ask more slowly",
            )
        if self._settings.local_names and not _is_local(request.headers.get("host", "")):
            raise Problem(
                HTTPStatus.MISDIRECTED_REQUEST,
                f"this server is localhost, and not {request.headers['host']!r:.80}",
                "behind a proxy, start pgsim serve with --proxy ADDRESS",
            )
        if request.method not in _READING and not _is_own(request, self._settings.cors):
            raise Problem(HTTPStatus.FORBIDDEN, "the form is not one of this site")
        is_open = path in OPEN or path.startswith(OPEN_BELOW)
        if self._settings.needs_key and not is_open:
            scope["user"] = await self._login.require_key(request)

    def _add_headers(self, path: str, headers: MutableHeaders) -> None:
        headers.setdefault("X-Content-Type-Options", "nosniff")
        if self._settings.needs_key and not path.startswith("/static/"):
            known = headers.get("cache-control")
            headers["Cache-Control"] = f"private, {known}" if known else "private"

    def _bounded(self, path: str, receive: Receive) -> Receive:
        """Return a `receive` that ends a body that is too long, or comes too slowly."""
        most = self._settings.largest_upload if path in UPLOADS else self._settings.largest_body
        started = time.monotonic()
        length = 0
        is_complete = False

        async def bounded() -> Message:
            nonlocal length, is_complete
            if is_complete:  # what is left is that the client goes away
                return await receive()
            taken = time.monotonic() - started
            try:
                async with asyncio.timeout(self._settings.body_time + length / _SLOWEST - taken):
                    message = await receive()
            except TimeoutError:
                raise Problem(HTTPStatus.REQUEST_TIMEOUT, "the body comes too slowly") from None
            length += len(message.get("body", b""))
            if length > most:
                raise Problem(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                    f"the body has more than {most:,} bytes",
                    "send less, or start pgsim serve with a greater limit",
                )
            is_complete = not message.get("more_body", False)
            return message

        return bounded


def _is_local(host: str) -> bool:
    """Return whether a Host is this machine's own: no name that another site may give it."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        if name != "localhost" and not name.endswith(".localhost"):
            ip_address(name)
    except ValueError:
        return not host
    return True


def _is_own(request: Request, others: tuple[str, ...]) -> bool:
    """Return whether a form is sent by a page of this site, by one of `others`, or by no page."""
    origin, site = (request.headers.get(name) for name in ("origin", "sec-fetch-site"))
    if origin in others or "*" in others:
        return True
    if site is not None:  # not sent to an address of HTTP that is not this machine's
        return site in ("same-origin", "none")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")
