"""A server of pages and questions for tests: uvicorn, in a thread, at a free port."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from pgsim.web.app import make_app
from pgsim.web.settings import Settings
from tests.support.waiting import wait_until


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """Serve as `pgsim serve` does; lend the address."""
    config = uvicorn.Config(make_app(settings), port=0, log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    listening = config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
