"""The matrix taken away: each format read again, by its own kind of program where there is one."""

import json
import os
import shutil
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pgsim import embedded
from pgsim.cli import run
from pgsim.errors import PgsimError, UsageError
from pgsim.matrix.rebuild import rebuild
from pgsim.postgres.connection import Connection, client_program, connect
from pgsim.transfer.dump import dump
from pgsim.transfer.export import FORMATS, export, matrix
from tests.support.clustered import copy_in, make_collection
from tests.support.databases import install_template
from tests.support.lists import write_made_up_lists
from tests.support.paths import CHECKOUT
from tests.support.plane import insert

RECORDINGS = 300
# The rows of the view in the order of an export.
PAIRS = """
    SELECT m.mbid, m.rank, m.similar_mbid, m.distance
    FROM pgsim.similarity_matrix AS m INNER JOIN pgsim.recording AS r ON m.mbid = r.mbid
    ORDER BY r.id, m.rank
"""


@pytest.fixture(scope="module")
def listed_template(server: embedded.Server) -> str:
    """300 recordings with their lists; one has no vector, and one is gone."""
    name = install_template(server, "listed_template", "acousticbrainz")
    with closing(connect(server.conninfo(name), autocommit=True)) as conn:
        copy_in(conn, make_collection(RECORDINGS, 68, seed=8))
        rebuild(conn, engine="exact", k=60)
        conn.execute("INSERT INTO pgsim.recording (mbid) VALUES (gen_random_uuid())")
        conn.execute("DELETE FROM pgsim.recording WHERE id = 7")
    return name


@pytest.fixture(scope="module")
def listed(server: embedded.Server, listed_template: str) -> Iterator[Connection]:
    """Such a database, which no test changes."""
    with closing(connect(server.conninfo("postgres"), autocommit=True)) as conn:
        conn.execute(f"CREATE DATABASE listed TEMPLATE {listed_template}".encode())
    with closing(connect(server.conninfo("listed"), autocommit=True)) as conn:
        yield conn


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "BLOCK", 64)


def pairs(conn: Connection) -> list[tuple[str, int, str, float]]:
    return [
        (str(mbid), rank, str(similar), float(np.float32(distance)))
        for mbid, rank, similar, distance in conn.execute(PAIRS.encode())
    ]


def test_csv_is_what_copy_makes_of_the_view(listed: Connection, tmp_path: Path) -> None:
    ours, copied = tmp_path / "m.csv", tmp_path / "copied.csv"
    done: list[int] = []
    report = export(listed, ours, advance=done.append)
    copy = f"\\copy ({' '.join(PAIRS.split())}) TO '{copied}' CSV HEADER"
    subprocess.run([client_program("psql"), "-Xqd", listed.info.dsn, "-c", copy], check=True)
    assert ours.read_bytes() == copied.read_bytes()
    assert (report.format, report.file) == ("csv", str(ours))
    assert (report.recordings, report.lists) == (RECORDINGS, RECORDINGS - 1)
    assert report.pairs == len(pairs(listed)) < 60 * (RECORDINGS - 1)
    assert report.pending == 1
    assert report.bytes == ours.stat().st_size
    assert sum(done) == report.lists


def test_distances_of_every_size_are_written_as_postgresql_writes_them(
    plane: Connection, tmp_path: Path
) -> None:
    sizes = [0, 1e-6, 1.5e-4, 0.1, 3, 123456.7, 1234567, 3e7]
    for number, x in enumerate(sizes, start=1):
        insert(plane, number, x)
    rebuild(plane, engine="exact")
    export(plane, tmp_path / "m.csv")
    with plane.cursor().copy(f"COPY ({PAIRS}) TO STDOUT (FORMAT csv, HEADER)".encode()) as copy:
        assert b"".join(copy) == (tmp_path / "m.csv").read_bytes()


def test_distances_lose_no_digit_where_the_database_would_round_them(
    new_database: Any, listed_template: str, tmp_path: Path
) -> None:
    url = new_database(listed_template)
    with closing(connect(url, autocommit=True)) as conn:
        export(conn, tmp_path / "before.csv")
        conn.execute(f"ALTER DATABASE {conn.info.dbname} SET extra_float_digits = 0".encode())
    with closing(connect(url, autocommit=True)) as conn:
        export(conn, tmp_path / "after.csv")
    assert (tmp_path / "after.csv").read_bytes() == (tmp_path / "before.csv").read_bytes()


def test_parquet_holds_the_pairs_and_their_metadata(
    listed: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = pytest.importorskip("pyarrow.dataset", reason="needs pgsim[parquet]")
    from pgsim.transfer.export import parquet

    monkeypatch.setattr(parquet, "GROUPS", 2)
    folder = tmp_path / "m.parquet"
    report = export(listed, folder)
    files = sorted(path.name for path in (folder / "similarity").iterdir())
    assert files == ["part-00000.parquet", "part-00001.parquet", "part-00002.parquet"]
    found = dataset.dataset(folder / "similarity").to_table()
    assert [str(each.type) for each in found.schema] == ["string", "int32", "string", "float"]
    assert list(zip(*found.to_pydict().values(), strict=True)) == pairs(listed)
    recordings = dataset.dataset(folder / "recording").to_table().to_pylist()
    assert len(recordings) == report.recordings
    stored = listed.execute(
        "SELECT mbid::text, title, artist, artist_mbids::text[], album, year, decade, length,"
        " genre, genre_probability, genres, source_id, url, extra::text, submissions, missing"
        " FROM pgsim.recording ORDER BY id"
    ).fetchall()
    assert [tuple(row.values()) for row in recordings] == stored


def test_hdf5_gives_one_row_without_the_rest(listed: Connection, tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="needs pgsim[hdf5]")
    export(listed, tmp_path / "m.h5")
    expected: dict[str, list[tuple[str, float]]] = {}
    for mbid, _, similar, distance in pairs(listed):
        expected.setdefault(mbid, []).append((similar, distance))
    with h5py.File(tmp_path / "m.h5") as file:
        mbids, neighbours, distances = file["mbid"], file["neighbours"], file["distances"]
        assert neighbours.shape == distances.shape == (RECORDINGS, 60)
        assert neighbours.chunks == (32, 60)
        assert neighbours.maxshape == (None, 60)
        names = [mbid.decode() for mbid in mbids]
        for row, mbid in enumerate(names):
            near = neighbours[row][neighbours[row] >= 0]
            apart = distances[row][: len(near)].tolist()
            assert [(names[each], d) for each, d in zip(near, apart, strict=True)] == expected.get(
                mbid, []
            )
            assert np.isinf(distances[row][len(near) :]).all()
        row = names.index(pairs(listed)[0][0])
        known = listed.execute(
            "SELECT title, artist, genre, year FROM pgsim.recording WHERE mbid = %s", (names[row],)
        ).fetchone()
        texts = [file[name].asstr()[row] for name in ("title", "artist", "genre")]
        assert (*texts, file["year"][row]) == known
        assert file["title"].asstr()[-1] == ""
        assert file["year"][-1] == 0


def test_mirex_is_a_line_a_list(listed: Connection, tmp_path: Path) -> None:
    export(listed, tmp_path / "m.mirex")
    found = []
    for line in (tmp_path / "m.mirex").read_text().splitlines():
        query, *others = line.split("\t")
        for other in others:
            name, distance = other.split(",")
            found.append((query, name, float(np.float32(distance))))
    assert found == [(mbid, similar, distance) for mbid, _, similar, distance in pairs(listed)]


def test_a_faiss_index_answers_without_postgresql(listed: Connection, tmp_path: Path) -> None:
    pytest.importorskip("faiss", reason="needs pgsim[bulk]")
    report = export(listed, tmp_path / "m.faiss")
    assert (report.recordings, report.lists, report.pairs) == (RECORDINGS, 0, 0)
    script = (
        "import json, sys, faiss\n"
        "index = faiss.read_index(sys.argv[1])\n"
        "mbids = open(sys.argv[1] + '.mbids').read().split()\n"
        "index.make_direct_map()\n"
        "squares, rows = index.search(index.reconstruct(5)[None], 6)\n"
        "print(json.dumps([mbids[5], [mbids[row] for row in rows[0]], squares[0].tolist()]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "m.faiss")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    mbid, near, squares = json.loads(done.stdout)
    assert near[0] == mbid
    nearest = listed.execute(
        "SELECT mbid::text, distance FROM similar_recordings(%s, 5, ranking => 'distance')", (mbid,)
    ).fetchall()
    assert near[1:] == [name for name, _ in nearest]
    np.testing.assert_allclose(np.sqrt(squares[1:]), [d for _, d in nearest], rtol=1e-4)


@pytest.mark.parametrize("name", FORMATS)
def test_a_collection_without_lists_can_be_exported(
    plane: Connection, tmp_path: Path, name: str
) -> None:
    try:
        report = export(plane, tmp_path / "none", name)
    except UsageError as error:
        if "is not installed" not in str(error):
            raise
        pytest.skip(str(error))
    assert (report.recordings, report.lists, report.pairs) == (0, 0, 0)
    assert (tmp_path / "none").exists()


def test_an_export_sees_one_state_while_the_matrix_is_switched_and_refreshed(
    new_database: Any, listed_template: str, tmp_path: Path
) -> None:
    with closing(connect(new_database(listed_template), autocommit=True)) as conn:
        export(conn, tmp_path / "before.csv")
        changed = []

        def change(_: int) -> None:
            if not changed:
                changed.append(True)
                with closing(connect(conn.info.dsn, autocommit=True)) as other:
                    other.execute("DELETE FROM pgsim.recording WHERE id < 200")
                    rebuild(other, engine="exact")
                    other.execute("CALL pgsim.refresh_similarity()")

        export(conn, tmp_path / "during.csv", advance=change)
        assert (tmp_path / "during.csv").read_bytes() == (tmp_path / "before.csv").read_bytes()
        assert export(conn, tmp_path / "after.csv").recordings == RECORDINGS - 198


def test_a_file_appears_whole_or_not_at_all(listed: Connection, tmp_path: Path) -> None:
    seen = []

    def stop(_: int) -> None:
        seen.append([path.name for path in tmp_path.iterdir()])
        raise KeyboardInterrupt

    for name in ("m.csv", "m.parquet", "m.h5"):
        with pytest.raises((KeyboardInterrupt, UsageError)):
            export(listed, tmp_path / name, advance=stop)
    assert not any(name in names for names in seen for name in ("m.csv", "m.parquet", "m.h5"))
    assert list(tmp_path.iterdir()) == []


def test_what_is_in_the_way_is_replaced_only_on_demand(listed: Connection, tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("of value")
    with pytest.raises(UsageError, match="exists: `force=True` replaces it"):
        export(listed, path)
    assert path.read_text() == "of value"
    assert export(listed, path, force=True).bytes == path.stat().st_size
    pytest.importorskip("pyarrow", reason="needs pgsim[parquet]")
    folder = tmp_path / "m.parquet"
    export(listed, folder)
    (folder / "similarity" / "part-00009.parquet").write_text("of an older export")
    export(listed, folder, force=True)
    assert not (folder / "similarity" / "part-00009.parquet").exists()
    (folder / "mine.txt").write_text("of value")
    with pytest.raises(UsageError, match="is a folder of something else"):
        export(listed, folder, force=True)
    assert (folder / "mine.txt").read_text() == "of value"


def test_a_file_beside_an_index_is_not_replaced_unasked(plane: Connection, tmp_path: Path) -> None:
    (tmp_path / "m.faiss.mbids").write_text("of value")
    with pytest.raises(UsageError, match=r"m.faiss.mbids exists: `force=True` replaces it"):
        export(plane, tmp_path / "m.faiss")
    assert (tmp_path / "m.faiss.mbids").read_text() == "of value"


def test_a_device_is_never_replaced(plane: Connection, tmp_path: Path) -> None:
    device = tmp_path / "device.csv"
    os.mkfifo(device)
    for force in (False, True):
        with pytest.raises(UsageError, match=r"device.csv is no file that could be replaced"):
            export(plane, device, force=force)
        with pytest.raises(UsageError, match=r"device.csv is no file that could be replaced"):
            dump(plane.info.dsn, device, force=force)
    assert device.is_fifo()


@pytest.mark.parametrize("name", ["m.csv", "m.parquet", "m.h5", "m.faiss"])
def test_a_full_disk_is_one_line_and_leaves_nothing(
    listed: Connection, tmp_path: Path, name: str
) -> None:
    """A limit of the size of files fails as a full disk does."""
    script = (
        "import resource, signal, sys\n"
        "from pgsim.cli import main\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (12_000, 12_000))\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "--database", listed.info.dsn, "export", tmp_path / name],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "is not installed" in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == 1
    *_, said = done.stderr.splitlines()
    assert said.startswith("pgsim: cannot write ")
    assert "File too large" in said
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["--version"], ["export", "-", "--format", "csv"]])
def test_output_that_nobody_takes_is_one_line(listed: Connection, words: list[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "pgsim", "--database", listed.info.dsn, *words],
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "pgsim: cannot write the output: No space left on device"
    assert "Traceback" not in done.stderr


def test_a_name_that_the_system_refuses_is_one_line(
    listed: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = str(tmp_path / f"{300 * 'x'}.csv")
    for command in ("export", "import", "dump", "restore"):
        assert run(["--database", listed.info.dsn, command, name]) == 1
        assert capsys.readouterr().err.rstrip().endswith(": File name too long")


@pytest.mark.parametrize(
    ("name", "form", "message"),
    [
        ("m.txt", None, r"'.*m.txt' does not say in which format: end it in one of .csv, .parquet"),
        ("m.csv", "xml", "unknown format 'xml'; known: csv, parquet, hdf5, mirex, resp, faiss"),
        ("-", "hdf5", r"hdf5 cannot go to stdout \(csv, mirex, resp can\): name a file"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    plane: Connection, tmp_path: Path, name: str, form: str | None, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        export(plane, Path(name) if name == "-" else tmp_path / name, form)


def test_a_folder_that_is_not_there_is_named(plane: Connection, tmp_path: Path) -> None:
    with pytest.raises(PgsimError, match=r"cannot write .*/no/m.csv: No such file or directory"):
        export(plane, tmp_path / "no" / "m.csv")


def test_a_missing_extra_is_one_line(
    plane: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name, extra in (
        ("pyarrow", "m.parquet", "parquet"),
        ("h5py", "m.h5", "hdf5"),
        ("faiss", "m.faiss", "bulk"),
    ):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(UsageError, match=rf"is not installed; pip install 'pgsim\[{extra}\]'$"):
            export(plane, tmp_path / name)


def test_the_command_writes_to_stdout_and_reports_on_a_file(
    listed: Connection, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    file = str(tmp_path / "m.csv")
    database = ["--database", listed.info.dsn]
    assert run([*database, "export", file, "--json"]) == 0
    report = json.loads(capfdbinary.readouterr().out)
    assert report["bytes"] == Path(file).stat().st_size
    assert run([*database, "export", "-", "--format", "csv"]) == 0
    out, err = capfdbinary.readouterr()
    assert out == Path(file).read_bytes()
    assert b"1 recordings have changed since the lists were made: pgsim refresh" in err
    assert run([*database, "export", "-"]) == 2
    assert run([*database, "export", "-", "--format", "csv", "--json"]) == 2


def test_an_export_of_many_lists_is_streamed(
    plane: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2,000 lists of 100 are 16 MB of text."""
    monkeypatch.setattr(matrix, "BLOCK", 100)
    write_made_up_lists(plane, 2000)
    tracemalloc.start()
    report = export(plane, tmp_path / "m.csv")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert report.pairs == 200_000
    assert report.bytes > 15e6
    assert peak < 4e6


@pytest.fixture(scope="session")
def redis_programs() -> tuple[str, str]:
    found = shutil.which("redis-server"), shutil.which("redis-cli")
    if not (found[0] and found[1]):
        pytest.skip("no redis-server here: apt-get install redis-server")
    return found[0], found[1]


def test_redis_takes_its_protocol(
    listed: Connection, tmp_path: Path, redis_programs: tuple[str, str]
) -> None:
    server, client = redis_programs
    socket = tmp_path / "redis.sock"
    command = [server, "--port", "0", "--unixsocket", str(socket), "--dir", str(tmp_path)]
    export(listed, tmp_path / "m.resp")

    def ask(*words: str) -> str:
        return subprocess.run(
            [client, "-s", str(socket), *words], capture_output=True, text=True, check=True
        ).stdout

    with subprocess.Popen([*command, "--save", ""], stdout=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 20
            while not socket.exists():
                assert time.monotonic() < deadline
                time.sleep(0.05)
            for _ in range(2):  # the second time it replaces what is there
                with (tmp_path / "m.resp").open("rb") as file:
                    said = subprocess.run(
                        [client, "-s", str(socket), "--pipe"],
                        stdin=file, capture_output=True, text=True, check=True,
                    ).stdout  # fmt: skip
                assert "errors: 0" in said
            assert ask("DBSIZE").strip() == str(RECORDINGS - 1)
            mbid = pairs(listed)[0][0]
            words = ask("ZRANGE", f"pgsim:similar:{mbid}", "0", "-1", "WITHSCORES").split()
            found = list(zip(words[::2], map(float, words[1::2]), strict=True))
            assert [(name, np.float32(d)) for name, d in found] == [
                (similar, distance) for seed, _, similar, distance in pairs(listed) if seed == mbid
            ]
        finally:
            process.terminate()
