"""Exports at size: as much memory for many lists as for few; and read by Spark."""

import os
import re
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pgsim import embedded
from pgsim.matrix.rebuild import rebuild
from pgsim.postgres.connection import Connection, connect
from pgsim.transfer.export import export
from tests.support.clustered import copy_in, make_collection
from tests.support.databases import install_template
from tests.support.lists import write_made_up_lists
from tests.support.paths import CHECKOUT, PLANE

pytestmark = pytest.mark.slow

MEASURED = (
    "import resource, sys\n"
    "from pgsim.cli import run\n"
    "code = run(['--database', sys.argv[1], 'export', sys.argv[2]])\n"
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    "sys.exit(code)\n"
)


def peak(conn: Connection, path: Path) -> int:
    """The most memory, in bytes, that a process takes for an export."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, conn.info.dsn, str(path)],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return int(done.stdout.split()[-1]) * (1 if sys.platform == "darwin" else 1024)


@pytest.mark.parametrize("name", ["m.csv", "m.parquet", "m.h5", "m.resp"])
def test_memory_does_not_grow_with_the_matrix(
    server: embedded.Server, new_database: Any, tmp_path: Path, name: str
) -> None:
    """100,000 lists of 100 are 800 MB of text."""
    peaks = []
    template = install_template(server, "plane_template", str(PLANE))
    for count in (10_000, 100_000):
        with closing(connect(new_database(template), autocommit=True)) as conn:
            write_made_up_lists(conn, count)
            peaks.append(peak(conn, tmp_path / f"{count}{name}"))
    # The recordings themselves take 60 bytes each, and pyarrow gives memory back late.
    assert peaks[1] - peaks[0] < 100e6


def test_spark_joins_the_matrix_with_its_metadata(
    server: embedded.Server, new_database: Any, tmp_path: Path
) -> None:
    pytest.importorskip("pyspark", reason="needs pyspark, which is no part of any extra")
    pytest.importorskip("pyarrow", reason="needs pgsim[parquet]")
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        pytest.skip("no Java here")
    page = (CHECKOUT / "docs" / "howto" / "export.md").read_text(encoding="utf-8")
    [script] = re.findall(r"^```python\n([^`]*pyspark.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(script.splitlines()) <= 12
    template = install_template(server, "acousticbrainz_template", "acousticbrainz")
    with closing(connect(new_database(template), autocommit=True)) as conn:
        copy_in(conn, make_collection(300, 68, seed=8))
        rebuild(conn, engine="exact", k=50)
        export(conn, tmp_path / "music.parquet")
        expected = conn.execute(
            "SELECT a.artist, b.artist, count(*), (avg(m.distance)::numeric(12, 4))::float"
            " FROM pgsim.similarity_matrix AS m"
            " INNER JOIN pgsim.recording AS a ON m.mbid = a.mbid"
            " INNER JOIN pgsim.recording AS b ON m.similar_mbid = b.mbid"
            " WHERE a.artist <> b.artist GROUP BY a.artist, b.artist"
        ).fetchall()
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path,
        env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    row = re.compile(r"^\|(artist \d+) *\|(artist \d+) *\|(\d+) *\|([\d.]+) *\|$", re.MULTILINE)
    found = [(a, b, int(n), float(d)) for a, b, n, d in row.findall(done.stdout)]
    assert len(found) == 20
    known = {(a, b): (n, d) for a, b, n, d in expected}
    for a, b, n, distance in found:
        assert known[a, b][0] == n
        assert known[a, b][1] == pytest.approx(distance, abs=1e-3)
