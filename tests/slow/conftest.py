"""A server that can be killed."""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pgsim import embedded
from pgsim.embedded.postmaster import is_postmaster


@pytest.fixture(scope="module")
def durable() -> Iterator[embedded.Server]:
    """A server as a user has it: nothing is switched off."""
    with tempfile.TemporaryDirectory(prefix="pgsim-kills-") as folder:
        Path(folder).chmod(0o755)
        home = Path(folder, "home")
        yield embedded.start(home)
        embedded.stop(home)


def kill(server: embedded.Server) -> None:
    """Kill the postmaster, and wait until it is dead: a signal is not delivered at once."""
    pid = int((server.data / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    while is_postmaster(pid, server.data):
        time.sleep(0.01)
