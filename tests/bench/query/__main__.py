"""make bench-query: questions to pgsim and to its peers; one run, one machine, one collection.

Everything is warm, asked one question at a time by one process unless it says so; PostgreSQL by
psycopg with prepared statements, Redis by redis-py (with hiredis where that is installed), both
through Unix sockets. The ways to ten neighbours take turns, so that what else the machine does
meets all alike; who asks has one core and the servers another, because on which core they meet is
else the scheduler's whim, and doubles or halves a figure. Every answer has ten recordings with
their metadata (the HDF5 row, which has none, says so). Redis holds the lists and answers of the
seeds asked for only, which favours it. A peer that searches live is set to the least effort that
reaches recall@10 >= 0.99; ties count as found.

Filters are a genre and a decade: the recordings of a filter lie anywhere (mixed), or all in one
corner of the space, far from most seeds (far).
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from pgsim.matrix.engines import make_searcher
from pgsim.matrix.rebuild import rebuild
from pgsim.planning.synthetic import DIMENSIONS
from pgsim.postgres.connection import Connection, another
from pgsim.progress import silent
from pgsim.store.index import build_index
from pgsim.threads import cores
from tests.bench.common import apart, fresh_database
from tests.bench.query.artists import ask_artists
from tests.bench.query.asking import Pgsim, ask_pgsim, stored_routes
from tests.bench.query.collection import Collection, K, make_collection, write
from tests.bench.query.filters import ask_filtered
from tests.bench.query.measuring import Run, rate
from tests.bench.query.report import plot, print_bars, print_growth
from tests.bench.query.searches import live_routes, make_searches
from tests.bench.query.stores import ask_redis, hdf5_route, redis_routes
from tests.bench.redis import running


def ask_at_once(run: Run, pgsim: Pgsim, socket: str) -> None:
    """Questions a second by one client and by eight."""
    mbids = [run.all.mbid(seed) for seed in run.asked.tolist()]
    for clients in (1, 8):
        words = pgsim.conn.info.dsn, mbids
        rate(run, f"pgsim, by similarity, {clients} clients", clients, ask_pgsim, words)
    for clients in (1, 8) if socket else ():
        words = socket, mbids
        rate(run, f"Redis: list and hashes, {clients} clients", clients, ask_redis, words)


@contextmanager
def collection_in(all_: Collection) -> Iterator[Connection]:
    """A database with the recordings, their index and their lists."""
    with fresh_database(DIMENSIONS) as conn:
        for what, step in (
            ("loaded", lambda: write(conn, all_)),
            ("indexed", lambda: build_index(conn)),
            ("lists made", lambda: rebuild(conn)),
            ("vacuumed", lambda: conn.execute("VACUUM (ANALYZE)")),
        ):
            started = time.monotonic()
            step()
            print(f"  {what} in {time.monotonic() - started:.0f} s", flush=True)
        yield conn


def bench(n: int, words: argparse.Namespace) -> Run:
    print(f"\n{n:,} recordings", flush=True)
    all_ = make_collection(n)
    seeds = np.random.default_rng(1).choice(n, min(words.seeds, n), replace=False)
    run = Run(all_, seeds)
    order = np.arange(n, dtype=np.int32)
    exact = make_searcher("exact", all_.vectors, order, K, 1, cores(), silent)
    truth = exact.search(seeds)[1]
    with collection_in(all_) as conn, tempfile.TemporaryDirectory() as name:
        pgsim, folder = Pgsim(conn, all_), Path(name)
        searches = make_searches(all_.vectors)
        run.section("ten neighbours with titles", truth)
        with (
            closing(another(conn)) as other,
            running(folder / "redis") as socket,
            hdf5_route(run, pgsim, folder) as hdf5,
        ):
            routes = [*stored_routes(pgsim), *hdf5]
            servers = [conn.info.backend_pid, other.info.backend_pid]
            if socket:
                import redis

                server = redis.Redis(unix_socket_path=socket)
                routes += redis_routes(run, pgsim, server)
                servers.append(server.info("server")["process_id"])
            live, curves = live_routes(run, pgsim, other, searches)
            with apart(servers):
                run.compare(routes + live)
            ask_at_once(run, pgsim, socket)
        ask_artists(run, pgsim, words.filtered)
        ask_filtered(run, pgsim, searches, words.filtered)
        print("\n  Redis 8 vector sets with FILTER: skipped, Debian has Redis 7")
    print_bars(run)
    if words.plot:
        plot(curves, run, words.plot.with_stem(f"{words.plot.stem}-{n}"))
    return run


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.query", description=__doc__)
    parser.add_argument("--recordings", type=int, nargs="+", default=[100_000])
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--filtered", type=int, default=200, help="seeds asked with each filter")
    parser.add_argument("--plot", type=Path, help="a PNG file; the size is put into its name")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    words = parser.parse_args()
    runs = [bench(n, words) for n in words.recordings]
    if len(runs) > 1:
        print_growth(runs)
    if words.json:
        figures = {
            len(run.all.vectors): [{s: getattr(f, s) for s in f.__slots__} for f in run.figures]
            for run in runs
        }
        words.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
