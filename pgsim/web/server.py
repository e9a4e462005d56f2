"""The server: uvicorn, on an address or a Unix socket, with one process or several."""

import os
import signal
from collections.abc import Sequence
from dataclasses import asdict, replace
from ipaddress import ip_address
from pathlib import Path

import orjson
import uvicorn
from fastapi import FastAPI

from pgsim.progress import Say
from pgsim.web.app import make_app
from pgsim.web.protocol import BoundedProtocol
from pgsim.web.reader import check_rights
from pgsim.web.settings import Settings

_MOST_AT_ONCE = 1000  # connections of clients to one process; others are answered with 503
_GRACE = 10  # seconds that an answer may take after the server was told to stop
_SETTINGS = "PGSIM_SERVE_SETTINGS"  # by which a process of several is told them


def listen(
    settings: Settings,
    *,
    host: str,
    port: int,
    socket: Path | None,
    workers: int,
    proxies: Sequence[str],
    say: Say,
) -> None:
    """Serve until a signal ends it; PgsimError where it may not ask, or cannot listen."""
    check_rights(settings)  # once, before several processes say it
    # A name that another site gives to this machine's loopback would make its pages this site's.
    is_loopback = socket is None and _is_loopback(host)
    settings = replace(settings, local_names=is_loopback and not proxies and not settings.needs_key)
    os.environ[_SETTINGS] = orjson.dumps(asdict(settings), default=str).decode()
    say(f"answering at {f'{socket}' if socket else f'http://{host}:{port}'}")
    # uvicorn hears the signals, and sends them again once it has stopped.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    uvicorn.run(
        "pgsim.web.server:app_of_environment",
        factory=True,
        http=BoundedProtocol,
        ws="none",
        host=host,
        port=port,
        uds=None if socket is None else str(socket),
        workers=workers,
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=_MOST_AT_ONCE,
        timeout_graceful_shutdown=_GRACE,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def app_of_environment() -> FastAPI:
    """Return the application with the settings that `listen` left in the environment."""
    given = orjson.loads(os.environ[_SETTINGS])
    for name in ("secret", "audio"):
        given[name] = None if given[name] is None else Path(given[name])
    return make_app(Settings(**{**given, "cors": tuple(given["cors"])}))
