"""A PgBouncer between the tests and their server."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from pgsim.embedded import Server
from pgsim.embedded.account import account

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")

_CONFIGURATION = """
[databases]
* = host={host} port={port}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = {mode}
default_pool_size = 4
logfile = {log}
"""


@contextmanager
def pooler(server: Server, folder: Path, mode: str) -> Iterator[int]:
    """Run a PgBouncer in that mode in front of a server; yield its port on 127.0.0.1."""
    assert PROGRAM is not None
    owner = account()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = int(probe.getsockname()[1])
    own = folder / f"pooler-{mode}"
    own.mkdir()
    os.chown(own, owner.uid, owner.gid)
    (own / "users").write_text('"postgres" ""\n')
    words = conninfo_to_dict(server.conninfo("postgres"))
    (own / "pgbouncer.ini").write_text(
        _CONFIGURATION.format(
            host=words["host"],
            port=words["port"],
            listen=listen,
            users=own / "users",
            mode=mode,
            log=own / "log",
        )
    )
    is_root = os.geteuid() == 0
    process = subprocess.Popen(
        [PROGRAM, "-q", own / "pgbouncer.ini"],
        user=owner.uid if is_root else None,
        group=owner.gid if is_root else None,
        extra_groups=() if is_root else None,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 20
        while True:
            assert process.poll() is None, (own / "log").read_text()
            assert time.monotonic() < until, (own / "log").read_text()
            with (
                suppress(psycopg.OperationalError),
                closing(psycopg.connect(pooled_url(listen, "postgres"))),
            ):
                break
            time.sleep(0.05)
        yield listen
    finally:
        process.terminate()
        process.wait(20)


def pooled_url(port: int, database: str) -> str:
    """The URL of a database behind the pooler."""
    return f"postgresql://postgres@127.0.0.1:{port}/{database}"
