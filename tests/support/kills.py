"""A server that ends as by a power cut."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from pgsim import embedded
from pgsim.embedded.postmaster import is_postmaster


def kill(server: embedded.Server) -> None:
    """Kill all processes of a server at once, as a power cut would: none ends in its own way."""
    pid = int((server.data / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGSTOP)  # or it would start others
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            _, parent, *_ = folder.joinpath("stat").read_text().rpartition(")")[2].split()
            if int(parent) == pid:
                os.kill(int(folder.name), signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    while is_postmaster(pid, server.data):  # a signal is not delivered at once
        time.sleep(0.01)
