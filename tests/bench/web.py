"""How much HTTP costs: the same questions over HTTP, and by SQL from a pool of psycopg's.

    python -m tests.bench.web --recordings 10000

Both have one client at first, then 32 at a time, on a collection whose lists are complete. Where
wrk is installed, HTTP is measured by it, too: it takes less of the processors than a client in
Python, which the server shares with it.
"""

import argparse
import asyncio
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from uuid import UUID

from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from pgsim import embedded
from pgsim.features.profile import read_profile
from pgsim.matrix.refresh import refresh
from pgsim.postgres.connection import connect
from pgsim.store import schema
from tests.support.clustered import copy_in, make_collection
from tests.support.databases import environment

CLIENTS = 32
WRK = shutil.which("wrk")
_SECONDS = 8  # of wrk
_SQL = "SELECT * FROM pgsim.similar_recordings(%s, 10)"
Ask = Callable[[UUID], Awaitable[None]]


def main() -> None:
    """Print a line for each way and number of clients."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--recordings", type=int, default=10_000)
    parser.add_argument("--questions", type=int, default=4000)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        server = embedded.start(Path(folder) / "home")
        try:
            url = _filled(server, given.recordings)
            with socket.create_server(("127.0.0.1", 0)) as probe:
                port = probe.getsockname()[1]
            with subprocess.Popen(
                [
                    *(sys.executable, "-m", "pgsim", "--database", url, "serve"),
                    *("--port", str(port), "--workers", str(given.workers)),
                    *("--connections", "8"),
                ],
                env=environment(),
            ) as process:
                try:
                    seeds = _seeds(url, given.questions)
                    asyncio.run(_measure(url, port, seeds))
                    if WRK is not None:
                        for clients in (1, CLIENTS):
                            _print("HTTP by wrk", clients, *_by_wrk(WRK, port, seeds, clients))
                finally:
                    process.terminate()
        finally:
            embedded.stop(server.home)


def _filled(server: embedded.Server, recordings: int) -> str:
    embedded.ensure_database(server, "bench")
    url = server.conninfo("bench")
    with connect(url, autocommit=True) as conn:
        schema.install(conn, read_profile("acousticbrainz"))
        copy_in(conn, make_collection(recordings, 68))
        conn.execute("UPDATE pgsim.recording SET title = concat('Title ', id), artist = 'Artist'")
        refresh(conn)
        schema.grant_roles(conn)
        conn.execute("VACUUM ANALYZE pgsim.recording")
    return url


def _seeds(url: str, questions: int) -> list[UUID]:
    with connect(url) as conn:
        rows = conn.execute("SELECT mbid FROM pgsim.recording ORDER BY mbid LIMIT 2000")
        seeds = [mbid for (mbid,) in rows]
    return (seeds * (questions // len(seeds) + 1))[:questions]


def _by_wrk(wrk: str, port: int, seeds: list[UUID], clients: int) -> tuple[float, float, float]:
    """Return p50 and p95 in milliseconds, and the answers a second."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("\n".join(map(str, seeds)))
        file.flush()
        ran = subprocess.run(
            [
                *(wrk, "-t", "1", "-c", str(clients), "-d", f"{_SECONDS}s"),
                *("-s", str(Path(__file__).with_suffix(".lua")), f"http://127.0.0.1:{port}"),
                *("--", file.name),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
    [figures] = [line.split()[1:] for line in ran.stdout.splitlines() if line.startswith("figures")]
    p50, p95, rate, failures = map(float, figures)
    assert failures == 0, ran.stdout
    return p50, p95, rate


async def _measure(url: str, port: int, seeds: list[UUID]) -> None:
    async with AsyncConnectionPool(
        url, kwargs={"autocommit": True}, min_size=16, max_size=16, open=False
    ) as pool:
        await pool.wait()

        async def by_sql(seed: UUID) -> None:
            async with pool.connection() as conn, conn.cursor(row_factory=dict_row) as cursor:
                assert len(await (await cursor.execute(_SQL, (seed,))).fetchall()) == 10

        for clients in (1, CLIENTS):
            _print("SQL and pool", clients, *await _times([by_sql] * clients, seeds))
    for clients in (1, CLIENTS):
        opened = [await _open(port) for _ in range(clients)]
        _print("HTTP", clients, *await _times([ask for ask, _ in opened], seeds))
        for _, writer in opened:
            writer.close()


async def _open(port: int) -> tuple[Ask, asyncio.StreamWriter]:
    """Return a function that asks over a connection of its own."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            break
        except ConnectionRefusedError:
            await asyncio.sleep(0.1)

    async def ask(seed: UUID) -> None:
        writer.write(
            f"GET /api/v1/recordings/{seed}/similar HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = next(
            line.split(b":")[1]
            for line in head.splitlines()
            if line.lower().startswith(b"content-length")
        )
        assert (await reader.readexactly(int(length))).count(b'"rank"') == 10

    return ask, writer


async def _times(clients: list[Ask], seeds: list[UUID]) -> tuple[float, float, float]:
    """Return p50 and p95 in milliseconds, and the answers a second; the first do not count."""

    async def work(ask: Ask, waiting: Iterator[UUID], times: list[float]) -> None:
        for seed in waiting:
            started = time.perf_counter()
            await ask(seed)
            times.append(time.perf_counter() - started)

    for asked in (seeds[: 20 * len(clients)], seeds):
        waiting, times = iter(asked), list[float]()
        started = time.perf_counter()
        await asyncio.gather(*(work(ask, waiting, times) for ask in clients))
    whole = time.perf_counter() - started
    quantiles = statistics.quantiles(times, n=20)
    return quantiles[9] * 1000, quantiles[18] * 1000, len(times) / whole


def _print(name: str, clients: int, p50: float, p95: float, rate: float) -> None:
    print(
        f"{name:13} {clients:3} clients: p50 {p50:7.2f} ms, p95 {p95:7.2f} ms,"
        f" {rate:8.0f} a second",
        flush=True,
    )


if __name__ == "__main__":
    main()
