"""The matrix by Apache Spark, on this machine and on a cluster that loses a worker."""

import os
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import pgsim
from pgsim.matrix.engines import make_searcher
from pgsim.planning.synthetic import make_vectors
from pgsim.postgres.connection import Connection, connect
from pgsim.store.vectors import read_vectors
from tests.support.genuine import GENUINE

pyspark = pytest.importorskip("pyspark", reason="needs pgsim[spark]")
SONGS = GENUINE / "msd_subset" / "msd_subset_4680x90.csv"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("java"), reason="Spark needs Java"),
    pytest.mark.filterwarnings("default"),  # of PySpark's own
]


def matrix(conn: Connection) -> list[Any]:
    """The matrix, and the reaches."""
    return conn.execute(
        "SELECT m.*, s.reach FROM pgsim.similarity_matrix AS m"
        " INNER JOIN pgsim.recording AS r USING (mbid) INNER JOIN pgsim.similarity AS s USING (id)"
        " ORDER BY m.mbid, m.rank"
    ).fetchall()


@pytest.mark.skipif(not SONGS.is_file(), reason=f"the genuine recordings are not in {SONGS}")
def test_spark_makes_the_matrix_of_the_engine_cells_and_leaves_changes_to_refresh(
    new_database: Callable[..., str], tmp_path: Path
) -> None:
    url = new_database()
    with pgsim.connect(url) as db:
        db.install("msd")
        db.load(SONGS)
        report = db.rebuild()
        with closing(connect(url, autocommit=True)) as conn:
            before = matrix(conn)
            mbid = uuid.uuid4()

            def say(what: str) -> None:
                if "cells" in what:  # the vectors have been read
                    conn.execute(
                        "INSERT INTO pgsim.recording (mbid, vector)"
                        " SELECT %s, vector FROM pgsim.recording ORDER BY id LIMIT 1",
                        (mbid,),
                    )

            made = db.spark_rebuild(master="local[2]", work=tmp_path, say=say)
            assert matrix(conn) == before
            assert (made.engine, made.lists) == ("spark", report.lists)
            assert made.recall == pytest.approx(report.recall, abs=1e-3)
            assert conn.execute(
                "SELECT r.mbid FROM pgsim.stale INNER JOIN pgsim.recording AS r USING (id)"
            ).fetchall() == [(mbid,)]
            assert len(read_vectors(conn).ids) == report.recordings + 1
            db.refresh()
            assert [row for row in matrix(conn) if row[0] == mbid]
    assert not [*tmp_path.iterdir()]


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[tuple[str, list["subprocess.Popen[bytes]"]]]:
    """A standalone cluster: its URL, and its workers with a core each."""
    home = Path(pyspark.__file__).parent
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    started = []

    def start(name: str, *arguments: str) -> "subprocess.Popen[bytes]":
        with (folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [home / "bin" / "spark-class", f"org.apache.spark.deploy.{arguments[0]}",
                 "--host", "127.0.0.1", "--webui-port", "0", *arguments[1:]],
                env={**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1"},
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        started.append(process)
        return process

    try:
        start("master", "master.Master", "--port", str(port))
        url = f"spark://127.0.0.1:{port}"
        made = [
            start(f"worker{number}", "worker.Worker", "-c", "1", "-m", "1g",
                  "-d", str(folder / f"worker{number}"), url)
            for number in range(workers)
        ]  # fmt: skip
        deadline = time.monotonic() + 120
        while (folder / "master.log").read_text().count("Registering worker") < workers:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        yield url, made
    finally:
        for process in started:
            end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Kill a worker with its executors."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_cluster_that_loses_a_worker_in_mid_job_makes_the_same_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from pgsim.spark.job import make_lists
    from pgsim.spark.session import spark_session

    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    n, k = 6000, 50
    vectors = make_vectors(n)
    names = [str(uuid.UUID(int=number * 7919 % n << 96)) for number in range(n)]
    (tmp_path / "v").mkdir()
    pq.write_table(
        pa.table({"mbid": names, "vector": [*vectors]}), tmp_path / "v" / "0.parquet",
        row_group_size=1000,
    )  # fmt: skip
    with cluster(tmp_path, 2) as (url, workers), spark_session(url) as spark:

        def say(what: str) -> None:
            if "cells" in what:  # which are on the disks of both workers
                end(workers[0])

        report = make_lists(spark, str(tmp_path / "v"), str(tmp_path / "l"), k=k, say=say)
    assert workers[0].returncode == -signal.SIGKILL
    assert report.recordings == n

    order = np.argsort(np.argsort(names)).astype(np.int32)
    searcher = make_searcher("cells", vectors, order, k, 0.99, 2, lambda _: None)
    found, apart = searcher.search(np.arange(n))
    made = pq.read_table(tmp_path / "l" / "similarity").to_pydict()
    row = {name: at for at, name in enumerate(names)}
    assert report.index == searcher.description
    own = np.full((n, k), -1, np.int32)
    away: NDArray[np.float32] = np.full((n, k), np.inf, np.float32)
    for one, rank, other, distance in zip(*made.values(), strict=True):
        own[row[one], rank - 1], away[row[one], rank - 1] = row[other], distance
    np.testing.assert_array_equal(own, found)
    np.testing.assert_array_equal(away, apart)
