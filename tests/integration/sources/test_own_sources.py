"""Tables, NumPy archives, TFRecords and a source of one's own, from files to neighbours."""

import csv
import importlib
import json
import shutil
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pgsim.cli import run
from pgsim.errors import PgsimError, UsageError
from pgsim.features.profile import Profile, read_profile
from pgsim.loading.load import load
from pgsim.postgres.connection import Connection, connect
from pgsim.sources import inputs, named
from pgsim.sources.description.proposal import propose_profile
from pgsim.sources.submission import own_mbid
from pgsim.store import schema
from pgsim.store.checks import index_is_used
from pgsim.store.collection import read_collection
from pgsim.store.files import SQL
from tests.support.genuine import GENUINE
from tests.support.paths import CHECKOUT
from tests.support.records import example, write_records
from tests.support.rows import contents, one

EXAMPLE = CHECKOUT / "examples" / "own_source.py"


@pytest.fixture
def database(new_database: Callable[..., str]) -> Iterator[Callable[[Profile], Connection]]:
    """Make a fresh database with pgsim for a profile."""
    opened: list[Connection] = []

    def make(profile: Profile) -> Connection:
        conn = connect(new_database(), autocommit=True)
        opened.append(conn)
        schema.install(conn, profile)
        return conn

    yield make
    for conn in opened:
        conn.close()


def clips(folder: Path) -> tuple[Path, Path, dict[str, NDArray[Any]]]:
    """The tutorial's case, small: an archive of features, a table of titles, and the features."""
    values = np.random.default_rng(7)
    arrays = {
        "clip_id": np.arange(50),
        "rp": values.lognormal(size=(50, 1440)),
        "ssd": values.normal(size=(50, 168)).astype(np.float32),
    }
    np.savez(folder / "features.npz", **arrays)
    with (folder / "metadata.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["", "clip_id", "title", "artist", "album", "url"])
        writer.writerows([i, i, f"Title {i}", f"Artist {i % 5}", "Album", ""] for i in range(50))
    return folder / "features.npz", folder / "metadata.csv", arrays


def test_features_of_an_archive_and_titles_of_a_table_meet_in_one_recording(
    tmp_path: Path, database: Callable[[Profile], Connection]
) -> None:
    archive, titles, arrays = clips(tmp_path)
    conn = database(read_profile("magnatagatune"))
    report = load(conn, [archive, titles])
    assert (report.read, report.new, report.updated, report.rejected) == (100, 50, 50, 0)
    assert (report.recordings, report.without_vector, report.without_title) == (50, 0, 0)
    # The tutorial's distance: z-scores, each set divided by its length and weighted.
    scaled = []
    for name, weight in (("rp", 0.5), ("ssd", 0.9)):
        values = arrays[name].astype(np.float64)
        z = (values - values.mean(axis=0)) / values.std(axis=0)
        scaled.append(z * np.sqrt(weight / 1.4 / (2 * z.shape[1])))
    space = np.hstack(scaled)
    expected = np.sort(np.linalg.norm(space - space[7], axis=1))[1:11]
    rows = conn.execute(
        "SELECT title, distance FROM pgsim.similar_recordings(%s, 10, ranking => 'distance')",
        (own_mbid("table:magnatagatune", "7"),),
    ).fetchall()
    np.testing.assert_allclose([distance for _, distance in rows], expected, rtol=1e-4)
    assert rows[0][0].startswith("Title ")
    again = load(conn, [titles, archive])
    assert (again.unchanged, again.recordings) == (100, 50)


def test_the_order_of_the_files_does_not_matter(
    tmp_path: Path, database: Callable[[Profile], Connection]
) -> None:
    archive, titles, _ = clips(tmp_path)
    one_way, other_way = (database(read_profile("magnatagatune")) for _ in range(2))
    load(one_way, [archive, titles])
    load(other_way, [titles])
    load(other_way, [archive])
    ids = ("id",)
    assert contents(one_way, without=ids) == contents(other_way, without=ids)


def test_a_vector_of_more_than_2000_dimensions_has_an_index_of_half_precision(
    tmp_path: Path, database: Callable[[Profile], Connection]
) -> None:
    values = np.random.default_rng(9).normal(size=(300, 2001))
    np.savez(tmp_path / "wide.npz", id=np.arange(300), wide=values)
    # Farther out than half precision reaches, by centres and scales that are fitted already.
    np.savez(tmp_path / "far.npz", id=[300], wide=values[:1] * 1e30)
    (tmp_path / "wide.toml").write_text(propose_profile(tmp_path / "wide.npz"))
    conn = database(read_profile(str(tmp_path / "wide.toml")))
    load(conn, [tmp_path / "wide.npz"])
    report = load(conn, [tmp_path / "far.npz"])
    assert (report.recordings, report.without_vector) == (301, 0)
    assert index_is_used(conn) is None
    scans = "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'recording_vector'"
    assert one(conn, scans) == 0
    found, exact = (
        conn.execute(
            f"SELECT s.id, n.id, n.distance FROM pgsim.recording AS s, pgsim.{kernel} AS n"
            " WHERE s.source_id IN ('1', '2') ORDER BY 1, 3, 2".encode()
        ).fetchall()
        for kernel in (
            "nearest_approximate(s.vector, 10, NULL, NULL, 200, 200)",
            "nearest_exact(s.vector, 10)",
        )
    )
    assert len(set(found) & set(exact)) >= 19
    conn.execute("SELECT pg_stat_force_next_flush()")
    assert one(conn, scans) == 2


def test_what_describe_proposes_loads_without_a_touch(
    tmp_path: Path, database: Callable[[Profile], Connection]
) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    values = np.random.default_rng(3).normal(size=(30, 64))
    table = {
        "track_id": [f"t{i}" for i in range(30)],
        "name": [f"Title {i}" for i in range(30)],
        "genres": [["Rock", "Pop"]] * 30,
        "release_date": ["1999-01-02"] * 30,
        "embedding": values.tolist(),
        "tempo": [100.0 + i for i in range(30)],
    }
    path = tmp_path / "songs.parquet"
    pytest.importorskip("pyarrow.parquet").write_table(pyarrow.table(table), path)
    proposed = tmp_path / "songs.toml"
    proposed.write_text(propose_profile(path))
    conn = database(read_profile(str(proposed)))
    report = load(conn, [path])
    assert (report.new, report.rejected, report.without_vector) == (30, 0, 0)
    assert (report.without_title, report.without_year, report.without_genre) == (0, 0, 0)
    query = "SELECT genres FROM pgsim.recording LIMIT 1"
    assert one(conn, query) == ["tag:rock", "tag:pop"]


def test_describe_prints_a_profile_as_toml_and_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "songs.csv"
    path.write_text("song,t1,t2\na,1,2\nb,2,1\n")
    assert run(["describe", str(path)]) == 0
    text = capsys.readouterr().out
    assert text == propose_profile(path)
    assert run(["describe", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == tomllib.loads(text)
    assert run(["describe", str(tmp_path)]) == 2
    assert "cannot describe" in capsys.readouterr().err


def test_columns_can_change_in_an_installed_database_and_sets_cannot(
    tmp_path: Path, database: Callable[[Profile], Connection]
) -> None:
    text = (SQL.parent / "pgsim" / "features" / "profiles" / "msd.toml").read_text()
    changed = tmp_path / "msd.toml"
    conn = database(read_profile("msd"))
    assert read_collection(conn).profile == read_profile("msd")
    changed.write_text(text.replace('"release"', '"album_name"'))
    schema.install(conn, read_profile(str(changed)))
    assert dict(read_collection(conn).profile.columns)["album"] == "album_name"
    changed.write_text(text.replace('"timbre_avg*"', '"timbre*"'))
    with pytest.raises(PgsimError, match="feature sets timbre_average"):
        schema.install(conn, read_profile(str(changed)))


def test_clips_of_a_tfrecord_become_recordings_with_labels(
    tmp_path: Path, database: Callable[[Profile], Connection]
) -> None:
    seconds = np.random.default_rng(5).integers(0, 256, (20, 10, 128), np.uint8)
    write_records(
        tmp_path / "clips.tfrecord",
        [
            example(f"video{i % 19}", [row.tobytes() for row in rows], start=i, labels=[i % 4])
            for i, rows in enumerate(seconds)
        ],
    )
    conn = database(read_profile("audioset"))
    report = load(conn, [tmp_path])
    assert (report.read, report.new, report.rejected, report.recordings) == (20, 20, 0, 19)
    found = conn.execute(
        "SELECT genre, genres, submissions FROM pgsim.recording WHERE source_id = 'video1'"
    ).fetchall()
    genres = ["audioset:Rock music", "music_genre:Rock music"]
    assert found == [("Rock music", genres, 1)]
    by_label = conn.execute(
        "SELECT count(*) FROM pgsim.similar_recordings(%s, 3, genre => 'audioset:Guitar')",
        (own_mbid("audioset", "video1"),),
    ).fetchone()
    assert by_label == (3,)
    assert one(conn, "SELECT submissions FROM pgsim.recording WHERE source_id = 'video0'") == 2


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module that can be imported: the example of a source of one's own."""
    shutil.copy(EXAMPLE, tmp_path / "my_lines.py")
    monkeypatch.syspath_prepend(tmp_path)
    return "my_lines"


def test_a_source_of_ones_own_loads_by_its_name(
    tmp_path: Path, conn: Connection, own_module: str
) -> None:
    path = tmp_path / "songs.lines"
    path.write_text(f"a Aria {'1 ' * 13}\nb Ballad {'2 ' * 13}\nc Chaos\n")
    report = load(conn, [path], source=f"{own_module}:Lines")
    assert (report.new, report.rejected, report.recordings) == (2, 1, 2)
    assert one(conn, "SELECT reason FROM pgsim.reject") == "no MFCCs"
    assert one(conn, "SELECT min(title) FROM pgsim.recording") == "Aria"


def test_an_installed_source_is_found_by_the_files_that_it_accepts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_module: str
) -> None:
    info = tmp_path / "lines-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lines\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[pgsim.sources]\nlines = {own_module}:Lines\n")
    importlib.invalidate_caches()
    path = tmp_path / "songs.lines"
    path.touch()
    [found] = inputs(tmp_path)
    assert (found.path, found.source and found.source.name) == (path, "lines")
    assert named("lines").name == "lines"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (
            "x",
            r"unknown source 'x'; known: bliss, .*, table, .*and your own as MODULE:",
        ),
        ("no_module:X", "source 'no_module:X': No module named 'no_module'; add the folder"),
        ("my_lines:X", "source 'my_lines:X': module 'my_lines' has no attribute 'X'"),
    ],
)
def test_the_error_for_an_unknown_source_names_the_known_ones(
    own_module: str, name: str, reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        named(name)


def rows_of(conn: Connection, columns: str) -> tuple[list[Any], NDArray[np.float64]]:
    """Columns of all recordings, as arrays, and their distances, (n, n), infinite to themselves."""
    rows = conn.execute(f"SELECT {columns}, vector FROM pgsim.recording ORDER BY mbid".encode())
    *found, vectors = zip(*rows.fetchall(), strict=True)
    values = np.stack([each.to_numpy() for each in vectors]).astype(np.float64)
    squares = (values**2).sum(axis=1)
    apart = squares[:, None] + squares - 2 * values @ values.T
    np.fill_diagonal(apart, np.inf)
    return found, apart


def precision_and_chance(
    apart: NDArray[np.float64], shared: NDArray[np.bool_]
) -> tuple[float, float]:
    """precision@10, and that of random neighbours among those at a finite distance."""
    nearest = np.argpartition(apart, 10, axis=1)[:, :10]
    found = np.take_along_axis(shared, nearest, axis=1).mean()
    return float(found), float(shared[np.isfinite(apart)].mean())


def test_the_4680_genuine_songs_load_and_their_neighbours_share_artists(
    database: Callable[[Profile], Connection], capsys: pytest.CaptureFixture[str]
) -> None:
    path = GENUINE / "msd_subset" / "msd_subset_4680x90.csv"
    if not path.is_file():
        pytest.skip(f"the genuine recordings are not in {path}")
    conn = database(read_profile("msd"))
    report = load(conn, [path])
    assert (report.read, report.new, report.rejected, report.recordings) == (4680, 4680, 0, 4680)
    assert (report.without_title, report.without_year, report.without_vector) == (0, 0, 0)
    (ids, genres), apart = rows_of(conn, "source_id, genre")
    with path.open(newline="", encoding="utf-8") as file:
        songs = {song["song_id"]: song for song in csv.DictReader(file)}
    artist, album, genre = (
        np.unique(values, return_inverse=True)[1]
        for values in (
            [songs[each]["artist_id"] for each in ids],
            [songs[each]["release_id"] for each in ids],
            genres,
        )
    )
    apart[album[:, None] == album] = np.inf
    by_artist, artist_chance = precision_and_chance(apart, artist[:, None] == artist)
    by_genre, genre_chance = precision_and_chance(apart, genre[:, None] == genre)
    with capsys.disabled():
        print(
            f"\nMSD, album mates left out, precision@10: artist {by_artist:.5f}, random"
            f" {artist_chance:.5f}; genre {by_genre:.4f}, random {genre_chance:.4f}"
        )
    assert by_artist > 10 * artist_chance
    assert by_genre > 4 * genre_chance


@pytest.mark.slow
def test_the_407_genuine_files_of_clips_load_and_their_neighbours_share_labels(
    database: Callable[[Profile], Connection], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = GENUINE / "audioset"
    if not folder.is_dir():
        pytest.skip(f"the genuine clips are not in {folder}")
    conn = database(read_profile("audioset"))
    report = load(conn, [folder])
    assert (report.read, report.new, report.rejected, report.recordings) == (2268, 2268, 0, 2268)
    assert report.without_vector == 0
    (labels, genres), apart = rows_of(conn, "genres, genre")
    known = sorted({label for each in labels for label in each if label.startswith("audioset:")})
    place = {label: index for index, label in enumerate(known)}
    has = np.zeros((len(labels), len(known)))
    for row, each in enumerate(labels):
        has[row, [place[label] for label in each if label in place]] = 1
    by_label, label_chance = precision_and_chance(apart, has @ has.T > 0)
    # Every second clip has one of these two.
    has[:, [place["audioset:Speech"], place["audioset:Music"]]] = 0
    by_other, other_chance = precision_and_chance(apart, has @ has.T > 0)
    # Of the clips with a genre, among themselves: whether they share one.
    music = np.array([genre is not None for genre in genres])
    genre = has * [label.removeprefix("audioset:") in set(genres) for label in known]
    by_genre, genre_chance = precision_and_chance(
        apart[music][:, music], (genre @ genre.T > 0)[music][:, music]
    )
    with capsys.disabled():
        print(
            f"\nAudioSet, precision@10: a label shared {by_label:.4f}, random {label_chance:.4f};"
            f" one other than Speech and Music {by_other:.4f}, random {other_chance:.4f};"
            f" a music genre shared {by_genre:.4f}, random {genre_chance:.4f}"
        )
    assert by_label > 2 * label_chance
    assert by_other > 10 * other_chance
    assert by_genre > 4 * genre_chance
