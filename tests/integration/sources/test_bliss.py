"""Databases of bliss-mixer and blissify: every track is loaded, or rejected with its reason."""

import gzip
import lzma
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from pgsim.cli import run
from pgsim.errors import PgsimError, UsageError
from pgsim.features.profile import read_profile
from pgsim.sources import bliss, inputs
from pgsim.sources.description.proposal import profile_for, propose_profile
from pgsim.sources.submission import own_mbid
from tests.support.commands import report, rows
from tests.support.libraries import (
    analyser,
    analyser_row,
    bliss_mixer,
    blissify,
    execute,
    library,
    song_rows,
)

OLD_SONGS = """
create table song (
    id integer primary key, path text not null unique, duration float, album_artist text,
    artist text, title text, album text, track_number text, genre text, cue_path text,
    audio_file_path text, stamp timestamp default current_timestamp, version integer,
    analyzed boolean default false, extra_info json, error text
);
create table feature (
    id integer primary key, song_id integer not null, feature real not null,
    feature_index integer not null, unique(song_id, feature_index)
);
"""


def values(number: int, length: int = 23) -> list[float]:
    """Features between -1 and 1, as bliss has them."""
    found: list[float] = np.random.default_rng(number).uniform(-1, 1, length).tolist()
    return found


def loaded(
    new_database: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
    path: Path,
    profile: object = "bliss",
) -> tuple[str, Any]:
    """A new database with the file loaded, and the report of that."""
    url = new_database()
    report(capsys, "--database", url, "init", "--profile", profile)
    return url, report(capsys, "--database", url, "load", path)


def reasons(url: str) -> dict[str, str]:
    return dict(rows(url, "SELECT member, reason FROM pgsim.reject"))


def test_the_features_of_each_table_come_in_blisss_own_order(
    tmp_path: Path, new_database: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    for make, name, source_id, seed in (
        (bliss_mixer, "bliss.db", "Artist/Album/03.flac", 7),
        (blissify, "songs.db", "/music/03.flac", 8),
    ):
        make(tmp_path)
        url, counts = loaded(new_database, capsys, tmp_path / name)
        assert (counts["read"], counts["new"], counts["rejected"]) == (40, 40, 0)
        expected = np.random.default_rng(seed).uniform(-1, 1, (40, 23))[3].astype(np.float32)
        mbid = own_mbid("bliss", source_id)
        [(found,)] = rows(url, f"SELECT features FROM pgsim.submission WHERE mbid = '{mbid}'")
        np.testing.assert_array_equal(np.array(found, np.float32), expected)
    labels = [label for each in read_profile("bliss").sets for label in each.labels]
    assert tuple(labels) == bliss.FEATURES


def test_a_database_is_known_by_its_tables_under_any_name(
    tmp_path: Path, new_database: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    [made] = bliss_mixer(tmp_path)
    for name in ("no ending", "100 % of it?#1.csv", "music.json"):
        path = made.rename(tmp_path / name)
        made = path
        _, counts = loaded(new_database, capsys, path, path)
        assert (counts["new"], counts["rejected"]) == (40, 0)
    # In a folder it is left alone, as a table is.
    made.rename(tmp_path / "bliss.db")
    with pytest.raises(PgsimError, match="no documents in"):
        inputs(tmp_path)


def test_what_was_not_analysed_is_rejected_with_the_programs_reason(
    tmp_path: Path, new_database: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    mixer = analyser(
        tmp_path / "bliss.db",
        "TracksV2",
        analyser_row("TracksV2", "good.mp3", values(1), title="A"),
        analyser_row("TracksV2", "also.mp3", values(2), artist="", album_artist="B", ignore=1),
        analyser_row("TracksV2", "empty.mp3", [None] * 23),
        analyser_row("TracksV2", "short.mp3", [*values(3, 20), None, None, None]),
        analyser_row("TracksV2", "text.mp3", ["fast", *values(4, 22)]),
        analyser_row("TracksV2", "endless.mp3", [float("inf"), *values(5, 22)]),
        analyser_row("TracksV2", "blob.mp3", values(6), title=b"\xff\x00"),
        analyser_row("TracksV2", None, values(7)),
        (
            "INSERT INTO TracksV2 SELECT 'x.mp3', CAST(x'41ff' AS text), 0, 0, 0, 0, 0, 0,"
            + ", ".join("0.5" * 1 for _ in range(23)),
            [],
        ),
        ("INSERT INTO Failures VALUES ('broken.mp3', 1700000000, 'no stream in it')", []),
    )
    url, counts = loaded(new_database, capsys, mixer)
    assert [counts[key] for key in ("read", "new", "rejected")] == [10, 2, 8]
    found = reasons(url)
    assert found.pop("bliss.db:x.mp3").startswith("Title: not UTF-8")
    assert found.pop("bliss.db:text.mp3").endswith("'fast' is not a number")
    assert found == {
        "bliss.db:empty.mp3": "not analysed: it has no features",
        "bliss.db:short.mp3": "20 features; 'bliss' has 23",
        "bliss.db:endless.mp3": "features: infinity is not a number",
        "bliss.db:blob.mp3": "Title: a blob of 2 bytes",
        "bliss.db:None": "no id: File is None",
        "bliss.db:broken.mp3": "not analysed: no stream in it",
    }
    assert rows(url, "SELECT source_id, title, artist, extra FROM pgsim.recording ORDER BY 1") == [
        ("also.mp3", None, "B", {"album_artist": "B", "ignore": True}),
        ("good.mp3", "A", None, {}),
    ]


def test_songs_that_are_not_analysed_are_rejected_with_blissifys_reason(
    tmp_path: Path, new_database: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    gap = song_rows(7, "/gap", values(7))
    del gap[5]
    made = library(
        tmp_path / "songs.db",
        *song_rows(1, "/good", values(1), title="A", album_artist="B", genre="Rock", duration=2.5),
        # As bliss-audio's store_failed_song writes it.
        (
            "insert or replace into song (path, error, version) values (?, ?, ?)",
            ("/broken", "error while decoding file: no stream", 2),
        ),
        *song_rows(3, "/waiting", [], analyzed=0),
        *song_rows(4, "/nothing", []),
        *song_rows(5, "/short", values(5, 20)),
        *song_rows(6, "/newer", values(6, 30), version=3),
        *gap,
    )
    url, counts = loaded(new_database, capsys, made)
    assert [counts[key] for key in ("read", "new", "rejected")] == [7, 1, 6]
    assert reasons(url) == {
        "songs.db:/broken": "not analysed: error while decoding file: no stream",
        "songs.db:/waiting": "not analysed: no reason is given",
        "songs.db:/nothing": "not analysed: it has no features",
        "songs.db:/short": "20 features; 'bliss' has 23",
        "songs.db:/newer": "features of bliss's version 3; the known ones are 1 and 2",
        "songs.db:/gap": "its features are numbered "
        + ", ".join(str(index) for index in range(23) if index != 4),
    }
    assert rows(url, "SELECT title, artist, genre, length::text, extra FROM pgsim.recording") == [
        ("A", "B", "rock", "2.5", {"album_artist": "B"})
    ]


def test_older_features_have_a_profile_of_their_own_and_are_never_mixed(
    tmp_path: Path, new_database: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    old = analyser(
        tmp_path / "old.db", "Tracks", analyser_row("Tracks", "a.mp3", values(1, 20), title="A")
    )
    url, counts = loaded(new_database, capsys, old, "bliss20")
    assert (counts["new"], counts["rejected"]) == (1, 0)
    [(found,)] = rows(url, "SELECT features FROM pgsim.submission")
    np.testing.assert_array_equal(np.array(found, np.float32), np.float32(values(1, 20)))
    [new] = bliss_mixer(tmp_path)
    for profile, path, other in (("bliss", old, "bliss20"), ("bliss20", new, "bliss")):
        url = new_database()
        report(capsys, "--database", url, "init", "--profile", profile)
        assert run(["--database", url, "load", str(path)]) == 1
        assert f"pgsim --database NAME init --profile {other}\n" in capsys.readouterr().err
        assert rows(url, "SELECT count(*) FROM pgsim.recording") == [(0,)]


def test_a_library_with_both_versions_loads_those_of_the_profile(
    tmp_path: Path, new_database: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    made = library(
        tmp_path / "songs.db",
        *song_rows(1, "/new", values(1)),
        *song_rows(2, "/newer", values(2)),
        *song_rows(3, "/old", values(3, 20), version=1),
    )
    url, counts = loaded(new_database, capsys, made, made)
    assert (counts["new"], counts["rejected"]) == (2, 1)
    [reason] = reasons(url).values()
    assert reason.startswith("made by extractor 'bliss20'; profile 'bliss' is for 'bliss'")
    assert reason.endswith("pgsim --database NAME init --profile bliss20")
    first, *_ = propose_profile(made).splitlines()
    assert first == (
        "# Look at this: 1 of 3 tracks are of 'bliss20', and are rejected beside those of 'bliss'."
    )


def test_a_library_from_before_versions_is_of_version_1(
    tmp_path: Path, new_database: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    # Such as bliss-audio's own data/old_database.sql, whose features are numbered from 1.
    made = execute(
        tmp_path / "songs.db",
        OLD_SONGS,
        [
            ("insert into song (id, path, version, analyzed) values (1, '/a', null, true)", ()),
            *(
                ("insert into feature (song_id, feature, feature_index) values (1, ?, ?)", each)
                for each in zip(values(1, 20), range(1, 21), strict=True)
            ),
        ],
    )
    assert profile_for(str(made)).name == "bliss20"
    _, counts = loaded(new_database, capsys, made, made)
    assert (counts["new"], counts["rejected"]) == (1, 0)


def test_a_load_reads_a_database_that_another_program_has_open_and_changes_nothing(
    tmp_path: Path, new_database: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    [path] = bliss_mixer(tmp_path)
    before = path.read_bytes()
    with closing(sqlite3.connect(path)) as other:
        other.execute("SELECT count(*) FROM TracksV2").fetchall()
        url, counts = loaded(new_database, capsys, path)
    assert counts["new"] == 40
    again = report(capsys, "--database", url, "load", path)
    assert (again["read"], again["unchanged"]) == (40, 40)
    # In SQLite's mode WAL, reading would make files beside it.
    execute(path, "PRAGMA journal_mode = WAL")
    assert loaded(new_database, capsys, path)[1]["new"] == 40
    assert [each.name for each in tmp_path.iterdir()] == ["bliss.db"]
    assert path.read_bytes()[100:] == before[100:]


def test_a_database_that_cannot_be_read_names_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgsim.sources.sqlite._WAIT", 0.1)
    [path] = bliss_mixer(tmp_path)

    def refusal() -> str:
        with pytest.raises(PgsimError) as caught:
            list(inputs(path))
        return str(caught.value)

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert refusal() == (
            f"{path} cannot be read: database is locked; another program is writing: load it when"
            " that one is done"
        )
        other.execute("ROLLBACK")
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("UPDATE TracksV2 SET Ignore = 1")
        # What a running program has committed is read, though it is not in the file yet.
        [found] = inputs(path)
        assert found.source is not None
        documents = [orjson.loads(each.data) for each in found.source.members(path)]
        assert len(documents) == 40
        assert "ignore" in str(documents[0]).lower()
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b"\xff" * 4000 + whole[4100:])
    assert refusal().endswith("it is damaged: sqlite3 FILE .recover saves what is left")
    path.write_bytes(whole[:16] + np.random.default_rng(1).bytes(len(whole) - 16))
    assert refusal().endswith("it is encrypted or damaged: save it without encryption")
    path.write_bytes(np.random.default_rng(1).bytes(len(whole)))
    with pytest.raises(UsageError, match="does not begin as one: it is encrypted"):
        inputs(path)
    with pytest.raises(UsageError, match="does not begin as one: it is encrypted"):
        profile_for(str(path))
    path.unlink()
    execute(path, "CREATE TABLE song (id, path); CREATE TABLE play (at)")
    with pytest.raises(UsageError, match=r"a SQLite database with play, song; the known ones are"):
        inputs(path)


@pytest.mark.parametrize(
    ("name", "compress", "command"),
    [("bliss.db.gz", gzip.compress, "gunzip"), ("songs.xz", lzma.compress, "unxz")],
)
def test_a_compressed_database_names_the_cure(
    tmp_path: Path, name: str, compress: Callable[[bytes], bytes], command: str
) -> None:
    [path] = bliss_mixer(tmp_path)
    packed = tmp_path / name
    packed.write_bytes(compress(path.read_bytes()))
    for refuse in (lambda: inputs(packed), lambda: profile_for(str(packed))):
        with pytest.raises(UsageError, match=f"unpack it first, by {command} {name}"):
            refuse()


def test_a_damaged_page_ends_the_file_and_keeps_what_was_read(
    tmp_path: Path, new_database: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    [path] = bliss_mixer(tmp_path)
    whole = path.read_bytes()
    pages = [whole[at : at + 4096] for at in range(0, len(whole), 4096)]
    # The last one with rows of the table, which begins with the number 13.
    damaged = max(at for at, page in enumerate(pages) if page[0] == 13 and b".flac" in page)
    path.write_bytes(b"".join((*pages[:damaged], b"\xff" * 4096, *pages[damaged + 1 :])))
    url, counts = loaded(new_database, capsys, path)
    assert (counts["rejected"], 0 < counts["new"] < 40) == (1, True)
    assert counts["read"] == counts["new"] + 1
    [reason] = reasons(url).values()
    assert reason == (
        f"broken after {counts['new']} documents: {path} cannot be read: database disk image is"
        " malformed; it is damaged: sqlite3 FILE .recover saves what is left"
    )


def test_weights_are_those_of_blisss_own_distance() -> None:
    """bliss-rs 0.13 counts the tempo 1/4, and the 13 chroma features 3 together."""
    weights = {each.name: each.weight for each in read_profile("bliss").sets}
    own = {"tempo": 0.25, "timbre": 7, "loudness": 2, "chroma": 3}
    assert weights == pytest.approx({name: each / 12.25 for name, each in own.items()}, rel=0.01)
