"""The matrix taken away: each format read again, by its own kind of program where there is one."""

import json
import shutil
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pgsim.errors import UsageError
from pgsim.matrix.rebuild import rebuild
from pgsim.postgres.connection import Connection, client_program, connect
from pgsim.store.vectors import read_vectors
from pgsim.transfer.export import FORMATS, export, matrix
from tests.support.lists import LISTED, write_made_up_lists
from tests.support.plane import insert

pytestmark = pytest.mark.usefixtures("small_blocks")
# The rows of the view in the order of an export.
PAIRS = """
    SELECT m.mbid, m.rank, m.similar_mbid, m.distance
    FROM pgsim.similarity_matrix AS m INNER JOIN pgsim.recording AS r ON m.mbid = r.mbid
    ORDER BY r.id, m.rank
"""


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
    assert (report.recordings, report.lists) == (LISTED, LISTED - 1)
    assert report.pairs == len(pairs(listed)) < 60 * (LISTED - 1)
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
        " genre, genre_probability, genres, source_id, url, popularity, extra::text,"
        " submissions, missing"
        " FROM pgsim.recording ORDER BY id"
    ).fetchall()
    assert [tuple(row.values()) for row in recordings] == stored


def test_vectors_are_written_for_every_reader_of_parquet(
    listed: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow", reason="needs pgsim[parquet]")
    polars = pytest.importorskip("polars")
    from pgsim.transfer.export import parquet

    monkeypatch.setattr(parquet, "GROUPS", 2)
    report = export(listed, tmp_path / "m.parquet", shape="vectors")
    found = polars.read_parquet(tmp_path / "m.parquet" / "vector" / "*.parquet")
    stored = read_vectors(listed)
    np.testing.assert_array_equal(np.array(found["vector"].to_list(), np.float32), stored.vectors)
    names = listed.execute(
        "SELECT mbid::text FROM pgsim.recording WHERE vector IS NOT NULL ORDER BY id"
    ).fetchall()
    assert found["mbid"].to_list() == [name for (name,) in names]
    assert (report.lists, report.vectors) == (0, len(names))
    assert report.recordings == LISTED


# Of https://github.com/metabrainz/listenbrainz-server, admin/timescale.
LISTENBRAINZ = """
    CREATE SCHEMA similarity;
    CREATE TABLE similarity.recording (
        mbid0 uuid NOT NULL, mbid1 uuid NOT NULL, score integer NOT NULL, CHECK (mbid0 <= mbid1)
    );
    CREATE UNIQUE INDEX ON similarity.recording (mbid0, mbid1)
"""


def test_pairs_for_listenbrainz_load_into_its_table_each_once_with_its_similarity(
    new_database: Callable[..., str], filled_template: str, tmp_path: Path
) -> None:
    dataset = pytest.importorskip("pyarrow.dataset", reason="needs pgsim[parquet]")
    with closing(connect(new_database(filled_template), autocommit=True)) as conn:
        report = export(conn, tmp_path / "m.csv", shape="listenbrainz")
        conn.execute(LISTENBRAINZ.encode())
        with conn.cursor().copy(
            b"COPY similarity.recording FROM STDIN (FORMAT csv, HEADER)"
        ) as copy:
            copy.write((tmp_path / "m.csv").read_bytes())
        loaded = conn.execute(b"SELECT * FROM similarity.recording ORDER BY 1, 2").fetchall()
        mbids = conn.execute(b"SELECT mbid FROM pgsim.recording").fetchall()
        expected = {}
        for (mbid,) in mbids:
            for hit in conn.execute(
                "SELECT mbid, similarity FROM pgsim.similar_recordings(%s, 29)", (mbid,)
            ):
                one, other = sorted((mbid, hit[0]))
                expected[one, other] = round(1000 * hit[1])
        assert {(one, other): score for one, other, score in loaded} == expected
        assert report.pairs == len(loaded) == 30 * 29 / 2

        export(conn, tmp_path / "m.parquet", shape="listenbrainz")
        found = dataset.dataset(tmp_path / "m.parquet" / "similarity").to_table().to_pylist()
        assert [(row["mbid0"], row["mbid1"], row["score"]) for row in found] == [
            (str(one), str(other), score) for one, other, score in loaded
        ]
    assert {row["algorithm"] for row in found} == {"pgsim_acousticbrainz_limit_100"}


@pytest.mark.parametrize(
    ("shape", "name", "said"),
    [
        ("list", "m.csv", "unknown shape 'list'; known: matrix, vectors, listenbrainz"),
        ("vectors", "m.csv", "m.csv' does not say in which format: end it in one of .parquet"),
        ("listenbrainz", "m.h5", "end it in one of .csv, .parquet"),
    ],
)
def test_a_shape_has_formats_of_its_own(
    listed: Connection, tmp_path: Path, shape: str, name: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        export(listed, tmp_path / name, shape=shape)


def test_hdf5_gives_one_row_without_the_rest(listed: Connection, tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="needs pgsim[hdf5]")
    export(listed, tmp_path / "m.h5")
    expected: dict[str, list[tuple[str, float]]] = {}
    for mbid, _, similar, distance in pairs(listed):
        expected.setdefault(mbid, []).append((similar, distance))
    with h5py.File(tmp_path / "m.h5") as file:
        mbids, neighbours, distances = file["mbid"], file["neighbours"], file["distances"]
        assert neighbours.shape == distances.shape == (LISTED, 60)
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
    assert (report.recordings, report.lists, report.pairs) == (LISTED, 0, 0)
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
        assert export(conn, tmp_path / "after.csv").recordings == LISTED - 198


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
            assert ask("DBSIZE").strip() == str(LISTED - 1)
            mbid = pairs(listed)[0][0]
            words = ask("ZRANGE", f"pgsim:similar:{mbid}", "0", "-1", "WITHSCORES").split()
            found = list(zip(words[::2], map(float, words[1::2]), strict=True))
            assert [(name, np.float32(d)) for name, d in found] == [
                (similar, distance) for seed, _, similar, distance in pairs(listed) if seed == mbid
            ]
        finally:
            process.terminate()
