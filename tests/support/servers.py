"""Servers of a test's own."""

import time
from collections.abc import Callable

import psycopg

from pgsim import embedded

START = """
import json, sys
from pathlib import Path
from pgsim import embedded
server = embedded.start(settings=json.loads(sys.argv[1]))
print((server.data / "postmaster.pid").read_text().split()[0], flush=True)
"""


def postmaster_pid(server: embedded.Server) -> int:
    return int((server.data / "postmaster.pid").read_text().split()[0])


def answers(server: embedded.Server) -> bool:
    with psycopg.connect(server.conninfo("postgres")) as conn:
        return conn.execute("SELECT true").fetchone() == (True,)


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
