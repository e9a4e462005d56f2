"""A server of pages and questions for tests: uvicorn, in a thread, at a free port."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from pgsim.web.app import make_app
from pgsim.web.protocol import BoundedProtocol
from pgsim.web.settings import Settings
from tests.support.waiting import wait_until


@contextmanager
def serving(settings: Settings, *, buffer: int | None = None) -> Iterator[str]:
    """Serve as `pgsim serve` does; lend the address.

    `buffer` is how many bytes of an answer the system keeps for a client that does not read.
    """
    config = uvicorn.Config(
        make_app(settings), port=0, log_level="warning", access_log=False, http=BoundedProtocol
    )
    server = uvicorn.Server(config)
    listening = config.bind_socket()
    if buffer is not None:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
