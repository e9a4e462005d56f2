"""The programs that watch a database: the exporter of its metrics, and what is asked of them."""

import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.request import urlopen

from pgsim.postgres.connection import Connection
from tests.support.paths import CHECKOUT

EXPORTER = "prometheus-postgres-exporter"
MONITORING = CHECKOUT / "examples" / "monitoring"
DASHBOARD = MONITORING / "grafana-dashboard.json"


def dashboard() -> dict[str, Any]:
    """The dashboard as JSON."""
    whole: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return whole


def queries() -> list[str]:
    """The queries of the dashboard, in PromQL for every database."""
    return [
        target["expr"].replace("$instance", ".*")
        for panel in dashboard()["panels"]
        for target in panel["targets"]
    ]


def names_in(text: str) -> set[str]:
    """The rows of pgsim.metrics that queries ask for, by name."""
    return set(re.findall(r'pgsim_metric_value\{name="(\w+)"', text))


def free_address() -> str:
    """An address on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"127.0.0.1:{free.getsockname()[1]}"


def page(url: str, seconds: float = 20) -> str:
    """The page of a program that may not listen yet."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(OSError), urlopen(url, timeout=seconds) as answer:
            text: str = answer.read().decode()
            return text
        time.sleep(0.05)
    raise TimeoutError(url)


@contextmanager
def exporter(conn: Connection) -> Iterator[str]:
    """Run the exporter for a database, with the file of the examples; its address."""
    names = ("host", "port", "user", "dbname")
    source = " ".join(f"{name}={getattr(conn.info, name)}" for name in names)
    address = free_address()
    command = [
        EXPORTER,
        f"--web.listen-address={address}",
        f"--extend.query-path={MONITORING / 'postgres_exporter.yaml'}",
        *("--disable-default-metrics", "--disable-settings-metrics", "--log.level=error"),
    ]
    environment = {**os.environ, "DATA_SOURCE_NAME": f"{source} sslmode=disable"}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            yield address
        finally:
            process.terminate()
