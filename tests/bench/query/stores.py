"""The same lists in other stores: Redis, and rows of an HDF5 file."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from tests.bench.query.asking import DISTANCE, Pgsim
from tests.bench.query.collection import K, metadata
from tests.bench.query.measuring import Route, Run, keep_asking


def redis_routes(run: Run, pgsim: Pgsim, server: Any) -> list[Route]:
    """The same lists and titles, by Redis: two round trips, or one for a ready answer."""
    import orjson

    fill_redis(server, run, pgsim)
    row_of = pgsim.row_of

    def neighbours(seed: int) -> Sequence[int]:
        members = _redis_answer(server, run.all.mbid(seed))
        return [row_of[UUID(bytes=mbid)] for mbid, *_ in members]

    def ready(seed: int) -> Sequence[int]:
        answer = server.get(b"answer:" + run.all.mbid(seed).bytes)
        assert isinstance(answer, bytes)
        return [row_of[UUID(each["mbid"])] for each in orjson.loads(answer)]

    return [
        Route("Redis: list, then hashes in one pipeline", lambda: neighbours),
        Route("Redis: GET of ready JSON", lambda: ready),
    ]


def ask_redis(socket: str, mbids: list[UUID], seconds: float) -> tuple[float, NDArray[np.float64]]:
    import redis

    server = redis.Redis(unix_socket_path=socket)
    return keep_asking(lambda mbid: _redis_answer(server, mbid), mbids, seconds)


def fill_redis(server: Any, run: Run, pgsim: Pgsim) -> None:
    import orjson

    names = ("artist", "title", "album", "year", "genre")
    pipeline = server.pipeline(transaction=False)
    for row in range(len(run.all.vectors)):
        key = b"recording:" + run.all.mbid(row).bytes
        pipeline.hset(key, mapping=dict(zip(names, metadata(run.all, row), strict=True)))
        if row % 20000 == 0:
            pipeline.execute()
    for seed in run.asked.tolist():
        mbid = run.all.mbid(seed)
        rows = pgsim.cursor.execute(DISTANCE.encode(), (mbid,), prepare=True).fetchall()
        flat = [value for row in rows for value in (row[1].bytes, row[7])]
        pipeline.rpush(b"list:" + mbid.bytes, *flat)
        keys = ("rank", "mbid", *names, "distance", "similarity")
        named = [dict(zip(keys, row, strict=True)) for row in rows]
        pipeline.set(b"answer:" + mbid.bytes, orjson.dumps(named))
    pipeline.execute()


def _redis_answer(server: Any, mbid: UUID) -> list[tuple[Any, ...]]:
    flat = server.lrange(b"list:" + mbid.bytes, 0, 2 * K - 1)
    pipeline = server.pipeline(transaction=False)
    for member in flat[::2]:
        pipeline.hgetall(b"recording:" + member)
    return list(zip(flat[::2], flat[1::2], pipeline.execute(), strict=True))


@contextmanager
def hdf5_route(run: Run, pgsim: Pgsim, folder: Path) -> Iterator[list[Route]]:
    """A row of a matrix of neighbours and distances in a file, without any metadata."""
    try:
        import h5py
    except ImportError as error:
        print(f"  HDF5: skipped, not installed ({error})", file=sys.stderr)
        yield []
        return

    lists = pgsim.conn.execute(
        "SELECT r.mbid, array(SELECT o.mbid FROM unnest(s.neighbours[:10]) WITH ORDINALITY AS n"
        " (id, place) JOIN pgsim.recording AS o ON o.id = n.id ORDER BY n.place), s.distances[:10]"
        " FROM pgsim.recording AS r JOIN pgsim.similarity AS s ON s.id = r.id"
        " WHERE r.mbid = ANY(%s)",
        ([run.all.mbid(seed) for seed in run.asked.tolist()],),
    ).fetchall()
    shape, chunks = (len(run.all.vectors), K), (1024, K)
    with h5py.File(folder / "matrix.h5", "w") as file:
        neighbours = file.create_dataset("neighbours", shape, "i4", chunks=chunks)
        distances = file.create_dataset("distances", shape, "f4", chunks=chunks)
        for mbid, mbids, apart in lists:
            row = pgsim.row_of[mbid]
            neighbours[row] = [pgsim.row_of[each] for each in mbids]
            distances[row] = apart

        def ask(seed: int) -> Sequence[int]:
            distances[seed]
            found: list[int] = neighbours[seed].tolist()
            return found

        yield [Route("HDF5 row, numbers only", lambda: ask)]
