"""make bench-load: AcousticBrainz archives to committed rows, by pgsim and by a plain loader.

Both read the same `.tar.zst` of high-level documents of real size (tests/archives.py says what is
real about them) into fresh databases of one schema on one server, the plain loader first: whoever
is first waits some tenths of a second more for a new server's files and memory.

- `submissions`: each document's features and metadata in a committed row of `submission`, on disk;
- `recordings`: then also each recording in a committed row, fused from all its submissions by
  statistics of the whole collection. pgsim builds the HNSW index in that step too; the plain loader
  does not, and what the index takes, built once more by itself, is taken off pgsim's time.

The plain loader is what one writes in an afternoon: `tarfile` over a stream, `json`, lists, and
`executemany` with a commit every 1,000 rows, on disk before it goes on. It explains no reject and
stores less metadata.

For low-level documents: the CPU time of each stage, measured by itself in one process, and that of
the database while it stores the rows. CPU times and memory are read from /proc, on Linux.
"""

import argparse
import json
import math
import os
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray
from psycopg.types.json import Jsonb

from pgsim import embedded
from pgsim.features.profile import Profile, read_profile
from pgsim.loading.chunks import LIMITS, Chunk, Chunker
from pgsim.loading.load import load
from pgsim.loading.parsing import parse
from pgsim.postgres.connection import Connection, connect
from pgsim.sources import inputs
from pgsim.sources.acousticbrainz_fast import read_wanted
from pgsim.store import schema
from pgsim.store.index import build_index, drop_indexes
from tests.support.archives import write_archives

PROFILE = read_profile("acousticbrainz")
TICKS = os.sysconf("SC_CLK_TCK")


def fresh_database(server: embedded.Server, name: str) -> Connection:
    embedded.ensure_database(server, name)
    conn = connect(server.conninfo(name), autocommit=True)
    schema.install(conn, PROFILE)
    return conn


def cpu_seconds(pid: int) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_memory() -> int:
    """Bytes that this process and its children have had at most, each at its own worst."""
    total = 0
    me = str(os.getpid())
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if folder.name == me or me in folder.joinpath("stat").read_text().split()[3:4]:
                status = folder.joinpath("status").read_text()
                total += int(status.partition("VmHWM:")[2].split()[0]) * 1024
        except (OSError, IndexError):
            continue  # it has ended
    return total


def plain_features(document: dict[str, Any], profile: Profile) -> list[float]:
    features: list[float] = []
    for each in profile.sets:
        values: list[float] = []
        for path in each.paths:
            value: Any = document
            for key in path.split("."):
                value = value.get(key) if isinstance(value, dict) else None
            if isinstance(value, dict):
                values += [value[label] for label in sorted(value)]
            elif isinstance(value, list):
                values += value
            elif value is not None:
                values.append(value)
        features += values if len(values) == each.length else [math.nan] * each.length
    return features


def plain_metadata(document: dict[str, Any]) -> dict[str, Any]:
    tags = document["metadata"]["tags"]
    metadata = {name: tags[name][0] for name in ("title", "artist", "album") if name in tags}
    if "date" in tags:
        metadata["year"] = int(tags["date"][0][:4])
    metadata["genres"] = {
        model: [result["value"], result["probability"]]
        for model, result in document["highlevel"].items()
    }
    return metadata


def plain_submissions(conn: Connection, path: Path) -> int:
    """tarfile, json and executemany: documents to committed rows; how many there were."""
    rows: list[tuple[Any, ...]] = []

    def store() -> None:
        with conn.transaction():
            conn.cursor().executemany(
                "INSERT INTO pgsim.submission (mbid, source, number, features, documents)"
                " VALUES (%s, 'acousticbrainz', %s, %s, %s) ON CONFLICT DO NOTHING",
                rows,
            )
        rows.clear()

    count = 0
    with (
        path.open("rb") as file,
        zstandard.ZstdDecompressor().stream_reader(file) as stream,
        tarfile.open(fileobj=stream, mode="r|") as archive,
    ):
        for member in archive:
            if not member.name.endswith(".json"):
                continue
            count += 1
            mbid, _, number = Path(member.name).stem.rpartition("-")
            content = archive.extractfile(member)
            assert content is not None
            try:
                document = json.load(content)
                metadata = plain_metadata(document)
            except (ValueError, KeyError, TypeError):
                continue
            features = plain_features(document, PROFILE)
            rows.append((mbid, int(number), features, Jsonb({"highlevel": metadata})))
            if len(rows) == 1000:
                store()
    store()
    return count


def plain_recordings(conn: Connection) -> int:
    """Means over submissions, standardised over all, by executemany; how many there were."""
    rows = conn.execute("SELECT mbid, features, documents FROM pgsim.submission ORDER BY mbid")
    mbids, means, metadata = [], [], []
    for mbid, group in groupby(rows, key=lambda row: row[0]):
        submissions = list(group)
        mbids.append(mbid)
        means.append(np.array([features for _, features, _ in submissions]).mean(axis=0))
        metadata.append(submissions[0][2]["highlevel"])
    vectors = np.array(means)
    deviation = vectors.std(axis=0)
    vectors = np.nan_to_num((vectors - vectors.mean(axis=0)) / np.where(deviation, deviation, 1))
    with conn.transaction():
        conn.cursor().executemany(
            "INSERT INTO pgsim.recording (mbid, title, artist, album, year, genre, vector)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    mbid,
                    *(about.get(name) for name in ("title", "artist", "album", "year")),
                    about["genres"]["genre_rosamerica"][0],
                    vector.astype(np.float32),
                )
                for mbid, about, vector in zip(mbids, metadata, vectors, strict=True)
            ],
        )
    return len(mbids)


def spent_so_far(conn: Connection) -> NDArray[np.float64]:
    """Seconds of CPU of this process, of its worker processes that have ended, of the database."""
    times = os.times()
    workers = times.children_user + times.children_system
    return np.array([time.process_time(), workers, cpu_seconds(conn.info.backend_pid)])


def run_plain(conninfo: str, path: Path) -> dict[str, Any]:
    with closing(connect(conninfo, autocommit=True)) as conn:
        started, before = time.monotonic(), spent_so_far(conn)
        count = plain_submissions(conn, path)
        submissions = time.monotonic() - started
        spent = spent_so_far(conn) - before
        plain_recordings(conn)
    return {
        "documents": count,
        "submissions": submissions,
        "recordings": time.monotonic() - started,
        "cpu": spent.tolist(),
    }


def run_pgsim(conn: Connection, path: Path, workers: int) -> dict[str, Any]:
    before = spent = spent_so_far(conn)
    started = stored = time.monotonic()
    memory = seen = 0

    def advance(_: int, share: float | None = None) -> None:
        nonlocal memory, seen
        seen += 1
        if seen % 10 == 1:
            memory = max(memory, peak_memory())

    def say(_: str) -> None:
        """All submissions are committed, as is said first; here they get to the disk too."""
        nonlocal spent, stored
        if spent is before:
            with closing(connect(conn.info.dsn, autocommit=True)) as other:
                other.execute("SELECT pg_logical_emit_message(true, 'bench', '')")
            stored, spent = time.monotonic(), spent_so_far(conn)

    report = load(conn, [path], advance, say, workers=workers)
    ended = time.monotonic()
    memory = max(memory, peak_memory())
    drop_indexes(conn)
    dropped = time.monotonic()
    build_index(conn)
    index = time.monotonic() - dropped
    return {
        "documents": report.read,
        "submissions": stored - started,
        "recordings": ended - started - index,
        "cpu": (spent - before).tolist(),
        "index": index,
        "memory": memory / 2**20,
    }


def shares(conn: Connection, path: Path) -> dict[str, float]:
    """Seconds of CPU that each stage takes, for all documents of an archive."""
    (each,) = inputs(path)
    assert each.source is not None

    def decompressed() -> Iterator[bytes]:
        with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
            while block := stream.read(2**20):
                yield block

    def spent(work: Callable[[], object]) -> float:
        before = time.process_time()
        work()
        return time.process_time() - before

    def read(slots: Sequence[memoryview]) -> Iterator[Chunk]:
        return Chunker({}, slots).chunks([each])

    def memory(count: int) -> list[memoryview]:
        return [memoryview(bytearray(LIMITS.slot)) for _ in range(count)]

    pair = memory(2)
    slots = memory(1 + sum(1 for _ in read(pair)))
    found = list(read(slots))  # each in a slot of its own
    decompression = spent(lambda: sum(map(len, decompressed())))
    reading = spent(lambda: sum(len(chunk.origin.names) for chunk in read(pair)))

    def wanted() -> None:
        for chunk in found:
            for member in chunk.documents.members(slots[chunk.slot]):
                read_wanted(member.view, PROFILE, member.is_utf8)

    parsing = spent(wanted)
    rows = spent(lambda: [parse(chunk.documents, slots[chunk.slot], PROFILE) for chunk in found])
    before = cpu_seconds(conn.info.backend_pid)
    last = before

    def advance(_: int, share: float | None = None) -> None:
        nonlocal last
        last = cpu_seconds(conn.info.backend_pid)

    load(conn, [path], advance, workers=1)
    return {
        "decompression": decompression,
        "reading the tar": reading - decompression,
        "parsing and extraction": parsing,
        "packing rows, and the rest": max(0.0, rows - parsing),
        "database": last - before,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=300_000, help="high-level documents")
    parser.add_argument("--low-level", type=int, default=5_000, help="low-level documents")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    words = parser.parse_args()
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="pgsim-bench-") as folder:
        Path(folder).chmod(0o755)
        home = Path(folder, "home")
        server = embedded.start(home)
        try:
            if words.documents:
                fresh_database(server, "plain_side").close()
                # In a process of its own, whose memory is none of pgsim's; and what the server
                # would do for its rows later is none of pgsim's time.
                with ProcessPoolExecutor(1, get_context("spawn")) as pool:
                    archives = pool.submit(
                        write_archives, Path(folder), "highlevel", words.documents
                    )
                    (path,) = archives.result()
                    size = path.stat().st_size
                    print(f"{words.documents:,} high-level documents, {size:,} bytes", flush=True)
                    plain = pool.submit(run_plain, server.conninfo("plain_side"), path).result()
                results["plain"] = plain
                with closing(connect(server.conninfo("postgres"), autocommit=True)) as conn:
                    conn.execute("DROP DATABASE plain_side")
                    conn.execute("CHECKPOINT")
                with closing(fresh_database(server, "pgsim_side")) as conn:
                    ours = results["pgsim"] = run_pgsim(conn, path, words.workers)
                for step in ("submissions", "recordings"):
                    print(
                        f"{step:12} pgsim {ours[step]:8.1f} s"
                        f" ({words.documents / ours[step]:8,.0f}/s)"
                        f"   plain {plain[step]:8.1f} s   {plain[step] / ours[step]:.1f} times"
                    )
                for side, figures in (("pgsim", ours), ("plain", plain)):
                    client, workers, database = (
                        f"{seconds / words.documents * 1e6:.0f}" for seconds in figures["cpu"]
                    )
                    print(
                        f"{side}'s submissions, µs of CPU a document:"
                        f" client {client}, workers {workers}, database {database}"
                    )
                print(f"index {ours['index']:.1f} s; memory at most {ours['memory']:.0f} MiB")
            if words.low_level:
                (path,) = write_archives(Path(folder), "lowlevel", words.low_level)
                print(f"{words.low_level:,} low-level documents, {path.stat().st_size:,} bytes")
                with closing(fresh_database(server, "low_level")) as conn:
                    stages = results["low level"] = shares(conn, path)
                for stage, seconds in stages.items():
                    print(
                        f"{stage:28} {seconds / words.low_level * 1e6:6.0f} µs a document"
                        f" {seconds / sum(stages.values()):6.1%}"
                    )
        finally:
            embedded.stop(home)
    if words.json:
        words.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
