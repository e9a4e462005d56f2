"""Folders with a NumPy file for each track, and MTG-Jamendo's tables: from two commands on."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray

from pgsim.cli import run
from pgsim.features.profile import parse_profile
from pgsim.postgres.connection import connect
from pgsim.sources import inputs
from pgsim.sources.description.proposal import profile_for, propose_profile
from pgsim.sources.submission import own_mbid
from tests.support.commands import report, rows

# MTG-Jamendo's own lines, which end in CR LF and in as many tags as a track has.
AUTOTAGGING = """\
TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\r
track_0000214\tartist_000014\talbum_000031\t14/214.mp3\t124.6\tgenre---punkrock\r
track_0000215\tartist_000014\talbum_000031\t15/215.mp3\t151.4\tgenre---metal\tgenre---rock\
\tinstrument---guitar\tmood/theme---happy\r
track_1376256\tartist_490499\talbum_161779\t56/1376256.mp3\t166.0\tmood/theme---film\r
"""
META = '''\
TRACK_ID\tARTIST_ID\tALBUM_ID\tTRACK_NAME\tARTIST_NAME\tALBUM_NAME\tRELEASEDATE\tURL\r
track_0000214\tartist_000014\talbum_000031\tThe 12" Mix\tThe Band\t"One ""Two"""\t2004-12-28\
\thttp://www.jamendo.com/track/214\r
track_0000215\tartist_000014\talbum_000031\t"Heroes\tThe Band\tOne\t2004-12-28\
\thttp://www.jamendo.com/track/215\r
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """MTG-Jamendo's layout: three tracks with 200 dimensions, and 2, 3 and 1 frames."""
    numbers = np.random.default_rng(5)
    for track, frames in (("14/214", 2), ("15/215", 3), ("56/1376256", 1)):
        save(tmp_path / "musicnn", track, numbers.normal(size=(frames, 200)).astype(np.float32))
    return tmp_path / "musicnn"


def save(folder: Path, track: str, array: NDArray[Any]) -> Path:
    path = folder / f"{track}.npy"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, array)
    return path


def features(url: str) -> dict[UUID, NDArray[np.float32]]:
    with connect(url) as conn:
        found = conn.execute("SELECT mbid, features FROM pgsim.submission").fetchall()
    return {mbid: np.array(values, np.float32) for mbid, values in found}


def test_embeddings_and_mtg_jamendos_tables_load_in_two_commands(
    folder: Path,
    tmp_path: Path,
    new_database: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = new_database()
    tags, meta = tmp_path / "autotagging.tsv", tmp_path / "raw.meta.tsv"
    tags.write_bytes(AUTOTAGGING.encode())
    meta.write_bytes(META.encode())
    made = report(capsys, "--database", url, "init", "--profile", folder)
    assert (made["profile"], made["dimensions"]) == ("musicnn", 200)
    loaded = report(capsys, "--database", url, "load", folder, tags, meta)
    assert [loaded[key] for key in ("read", "new", "updated", "rejected")] == [8, 3, 5, 0]
    assert (loaded["recordings"], loaded["without_vector"]) == (3, 0)
    assert rows(
        url,
        "SELECT source_id, title, artist, album, year, length::text, genre, genres, url"
        " FROM pgsim.recording ORDER BY length",
    ) == [
        (
            *("214", 'The 12" Mix', "The Band", 'One "Two"', 2004, "124.6", "punkrock"),
            *(["genre:punkrock"], "http://www.jamendo.com/track/214"),
        ),
        (
            *("215", '"Heroes', "The Band", "One", 2004, "151.4", "metal"),
            ["genre:metal", "genre:rock", "instrument:guitar", "mood:happy"],
            "http://www.jamendo.com/track/215",
        ),
        ("1376256", None, None, None, None, "166", None, ["mood:film"], None),
    ]
    for track in ("14/214", "15/215", "56/1376256"):
        mean = np.load(folder / f"{track}.npy").mean(axis=0, dtype=np.float64)
        stored = features(url)[own_mbid("table:musicnn", track.partition("/")[2])]
        np.testing.assert_allclose(stored, mean, rtol=1e-6)
    again = report(capsys, "--database", url, "load", folder, tags, meta)
    assert (again["read"], again["unchanged"]) == (8, 8)


def test_a_title_meets_its_track_whichever_is_loaded_first(
    folder: Path,
    tmp_path: Path,
    new_database: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    titles = tmp_path / "titles.csv"
    titles.write_text("id,title,artist\n214,One,A\n215,Two,B\n1376256,Three,C\n")
    for paths in ((titles, folder), (folder, titles)):
        url = new_database()
        report(capsys, "--database", url, "init", "--profile", folder)
        loaded = report(capsys, "--database", url, "load", *paths)
        assert (loaded["recordings"], loaded["without_title"], loaded["without_vector"]) == (
            3,
            0,
            0,
        )


def test_each_file_that_is_no_track_is_rejected_with_its_reason(
    folder: Path, new_database: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    url = new_database()
    report(capsys, "--database", url, "init", "--profile", folder)
    one = np.ones(200, np.float32)
    nan = np.full((3, 200), np.nan, np.float32)
    nan[1] = 2
    save(folder, "ok_flat", one)
    save(folder, "ok_one", one.reshape(1, 200).astype(np.float16))
    save(folder, "ok_nan", nan)
    save(folder, "all_nan", nan[[0, 2]])
    save(folder, "cube", np.ones((2, 10, 20)))
    save(folder, "empty", np.empty((0, 200)))
    save(folder, "infinite", np.full(200, np.inf))
    save(folder, "objects", np.array([{"a": 1}], dtype=object))
    save(folder, "scalar", np.array(1.0))
    save(folder, "short", np.ones((4, 128)))
    save(folder, "texts", np.array(["a"] * 200))
    (folder / "broken.npy").write_bytes((folder / "ok_flat.npy").read_bytes()[:300])
    (folder / "nothing.npy").write_bytes(b"")
    loaded = report(capsys, "--database", url, "load", folder)
    assert [loaded[key] for key in ("read", "new", "rejected")] == [16, 6, 10]
    reasons = {
        member.removesuffix(".npy"): reason
        for member, reason in rows(url, "SELECT member, reason FROM pgsim.reject")
    }
    assert reasons.pop("broken").startswith("not NumPy's format: ")
    assert reasons.pop("nothing").startswith("not NumPy's format: ")
    assert reasons.pop("objects").startswith("an array of Python objects")
    assert reasons == {
        "all_nan": "each of its 2 frames has a NaN",
        "cube": "an array of shape (2, 10, 20); a track is frames x dimensions, or one vector",
        "empty": "an array of shape (0, 200): there is no frame in it",
        "infinite": "infinity is not a number",
        "scalar": "an array of shape (); a track is frames x dimensions, or one vector",
        "short": "128 dimensions; set 'embedding' of profile 'musicnn' has 200",
        "texts": "an array of <U1, which are no numbers",
    }
    found = features(url)
    for track, value in (("ok_flat", 1), ("ok_one", 1), ("ok_nan", 2)):
        assert set(found[own_mbid("table:musicnn", track)]) == {value}


def test_arrays_in_a_folder_are_left_alone_unless_the_profile_reads_them(
    folder: Path, new_database: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    url = new_database()
    report(capsys, "--database", url, "init", "--profile", "magnatagatune")
    assert run(["--database", url, "load", str(folder)]) == 1
    assert f"no documents in {folder}" in capsys.readouterr().err
    # One that is named by itself is a table of rows, whatever the profile.
    profile = profile_for(str(folder))
    [found] = inputs(folder / "14" / "214.npy", profile=profile)
    assert found.source is not None
    assert found.source.name == "table"
    names = [each.source.name for each in inputs(folder, profile=profile) if each.source]
    assert names == ["vectors"] * 3


def test_two_models_in_two_folders_are_two_sets(
    folder: Path,
    tmp_path: Path,
    new_database: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    for track in ("14/214", "15/215", "56/1376256"):
        save(tmp_path / "effnet", track, np.full((2, 3), len(track)))
    text = propose_profile(folder).replace("*.npy", "musicnn/*.npy")
    first = text[text.index("[[set]]") :]
    second = first.replace("musicnn", "effnet").replace("200", "3")
    (tmp_path / "both.toml").write_text(f"{text}\n{second.replace('embedding', 'effnet')}")
    url = new_database()
    report(capsys, "--database", url, "init", "--profile", tmp_path / "both.toml")
    loaded = report(capsys, "--database", url, "load", folder, tmp_path / "effnet")
    assert (loaded["recordings"], loaded["new"], loaded["updated"]) == (3, 3, 3)
    stored = features(url)[own_mbid("table:musicnn", "214")]
    np.testing.assert_allclose(stored[:200], np.load(folder / "14" / "214.npy").mean(axis=0), 1e-5)
    assert set(stored[200:]) == {6}


def test_compressed_files_and_names_in_any_bytes_are_tracks_too(
    tmp_path: Path, new_database: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "clap"
    vectors = np.random.default_rng(8).normal(size=(3, 8))
    odd = folder / os.fsdecode(b"\xff")
    for path, vector in zip((folder, odd, odd), vectors, strict=True):
        save(path, f"track{len(list(folder.rglob('*.npy')))}", vector)
    plain = odd / "track2.npy"
    (odd / os.fsdecode(b"caf\xe9.NPY.gz")).write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    url = new_database()
    report(capsys, "--database", url, "init", "--profile", folder)
    loaded = report(capsys, "--database", url, "load", folder)
    assert (loaded["recordings"], loaded["without_vector"], loaded["rejected"]) == (3, 0, 0)
    found = rows(url, "SELECT source_id FROM pgsim.recording ORDER BY 1")
    assert found == [("caf\ufffd",), ("track0",), ("track1",)]


def test_files_named_by_mbids_are_recordings_of_musicbrainz(
    tmp_path: Path, new_database: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    mbids = [UUID(int=number << 64) for number in range(1, 4)]
    for number, mbid in enumerate(mbids):
        save(tmp_path / "clap", str(mbid), np.eye(3, 8)[number])
    url = new_database()
    report(capsys, "--database", url, "init", "--profile", tmp_path / "clap")
    report(capsys, "--database", url, "load", tmp_path / "clap")
    found = rows(url, "SELECT mbid FROM pgsim.recording ORDER BY mbid")
    assert found == [(mbid,) for mbid in mbids]


def test_a_folder_that_cannot_be_one_set_is_refused_with_the_cure(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refusal() -> str:
        assert run(["describe", str(folder)]) == 1
        return capsys.readouterr().err

    other = save(folder, "99/214", np.ones((2, 200)))
    said = refusal()
    assert "14/214.npy and " in said
    assert "99/214.npy have the same id, '214'" in said
    other.unlink()
    other = save(folder, "99/melspec", np.ones((96, 1366)))
    assert "14/214.npy has 200, 99/melspec.npy has 1366" in refusal()
    other.unlink()
    assert parse_profile(propose_profile(folder), folder).dimensions == 200
    (folder / "99" / "broken.npy").write_bytes(b"no")
    assert "# Look at this: 99/broken.npy: not NumPy's format" in propose_profile(folder)


def test_two_files_of_one_id_are_refused_by_a_load_too(
    folder: Path, new_database: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    url = new_database()
    report(capsys, "--database", url, "init", "--profile", folder)
    save(folder, "99/214", np.ones((2, 200)))
    assert run(["--database", url, "load", str(folder)]) == 1
    assert "14/214.npy and" in (said := capsys.readouterr().err)
    assert "99/214.npy have the same id, '214'" in said
    assert rows(url, "SELECT FROM pgsim.submission") == []


def test_frames_that_are_left_out_are_counted_in_the_recording(
    folder: Path, new_database: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    url = new_database()
    frames = np.full((5, 200), np.nan, np.float32)
    frames[1] = 2
    save(folder, "99/99", frames)
    report(capsys, "--database", url, "init", "--profile", folder)
    report(capsys, "--database", url, "load", folder)
    found = rows(url, "SELECT source_id, extra FROM pgsim.recording WHERE extra <> '{}'")
    assert found == [("99", {"frames_with_nan": 4})]


def test_files_named_as_mtg_jamendos_track_ids_meet_its_tables(
    tmp_path: Path, new_database: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = np.random.default_rng(6)
    for track in ("track_0000214", "track_0000215", "track_1376256"):
        save(tmp_path / "effnet", track, numbers.normal(size=(2, 8)))
    (tmp_path / "raw_30s.tsv").write_bytes(AUTOTAGGING.encode())
    url = new_database()
    report(capsys, "--database", url, "init", "--profile", tmp_path / "effnet")
    loaded = report(
        capsys, "--database", url, "load", tmp_path / "effnet", tmp_path / "raw_30s.tsv"
    )
    assert (loaded["recordings"], loaded["without_length"], loaded["without_vector"]) == (3, 0, 0)


def test_lines_that_are_no_tracks_of_mtg_jamendo_are_rejected(
    folder: Path,
    tmp_path: Path,
    new_database: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = new_database()
    report(capsys, "--database", url, "init", "--profile", folder)
    header, first, *_ = AUTOTAGGING.splitlines(keepends=True)
    lines = [
        header,
        first,
        first.replace("track_0000214", "214"),
        "track_0000001\tartist\r\n",
        first.replace("genre---punkrock", "punkrock"),
        first.replace("\tgenre---punkrock", "").replace("0000214", "0000300"),
    ]
    long = first.replace("0000214", "0000301").replace("124.6", '"' + "9" * 200_000)
    data = "".join(lines).encode() + first.replace("mp3", "\xfc").encode("latin-1")
    data += long.encode()
    (tmp_path / "raw.tsv").write_bytes(data)
    loaded = report(capsys, "--database", url, "load", folder, tmp_path / "raw.tsv")
    assert (loaded["read"], loaded["rejected"]) == (10, 4)
    assert rows(url, "SELECT member, reason FROM pgsim.reject ORDER BY member") == [
        ("raw.tsv:3", "TRACK_ID '214' is not such as track_0000214"),
        ("raw.tsv:4", "2 cells; the header has 6"),
        ("raw.tsv:5", "'punkrock' is not a tag such as genre---rock"),
        ("raw.tsv:7", "not UTF-8"),
    ]
    other = new_database()
    report(capsys, "--database", other, "init")
    assert run(["--database", other, "load", str(tmp_path / "raw.tsv")]) == 2
    assert "pgsim init --profile FOLDER" in capsys.readouterr().err
