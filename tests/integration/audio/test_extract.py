"""`pgsim extract` on the command line, and its lines in a database: extractors do not mix."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import pytest

from pgsim import embedded
from pgsim.cli import run
from pgsim.loading.load import load
from pgsim.postgres.connection import Connection, connect
from pgsim.sources.provenance import OriginError
from tests.support.audio import (
    fluctuating,
    needs,
    noise,
    require_extractor,
    sine,
    write_audio,
)
from tests.support.databases import install_template
from tests.support.documents import low_level, write_lines
from tests.support.rows import one


@needs("mutagen", "soundfile", extra="rhythm")
def test_audio_becomes_lines_that_load_and_answer(
    server: embedded.Server,
    new_database: Callable[..., str],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    music = tmp_path / "music"
    for name, samples in (
        ("slow 1", fluctuating(2, 7)),
        ("slow 2", 0.9 * fluctuating(2, 8)),
        ("fast 1", fluctuating(8, 7)),
        ("fast 2", 0.9 * fluctuating(8, 8)),
    ):
        write_audio(music / f"{name}.flac", samples)
    (music / "broken.mp3").write_text("no audio")
    file = tmp_path / "all.ndjson"
    arguments = ["extract", str(music), "-o", str(file), "--extractor", "rhythm"]
    assert run([*arguments, "--workers", "2", "--json"]) == 0
    said = capfd.readouterr()
    assert json.loads(said.out) == {"found": 5, "extracted": 4, "unchanged": 0, "rejected": 1}
    assert said.err.startswith(f"{music / 'broken.mp3'}: libsndfile cannot read it: ")
    assert said.err.count("broken.mp3") == 1

    url = new_database(install_template(server, "rhythm_template", "rhythm"))
    with closing(connect(url, autocommit=True)) as conn:
        report = load(conn, [file])
        assert (report.read, report.new, report.rejected) == (4, 4, 0)
        assert load(conn, [file]).unchanged == 4
        assert one(conn, "SELECT DISTINCT source FROM pgsim.submission") == "audio"
        pairs = conn.execute(
            "SELECT r.title, n.title FROM pgsim.recording AS r,"
            " similar_recordings(r.mbid, 1) AS n ORDER BY r.title"
        ).fetchall()
    assert pairs == [
        ("fast 1", "fast 2"),
        ("fast 2", "fast 1"),
        ("slow 1", "slow 2"),
        ("slow 2", "slow 1"),
    ]
    # A file itself can be asked about: here it lies where its recording does.
    question = ["similar", str(music / "slow 1.flac"), "-k", "1", "--ranking", "distance"]
    assert run(["--database", url, *question, "--json"]) == 0
    [row] = json.loads(capfd.readouterr().out)
    assert (row["title"], row["distance"]) == ("slow 1", pytest.approx(0, abs=1e-6))


def test_embeddings_of_musicnn_load_and_answer(
    server: embedded.Server, new_database: Callable[..., str], tmp_path: Path
) -> None:
    require_extractor("musicnn")
    music, file = tmp_path / "music", tmp_path / "all.ndjson"
    for name, samples in (
        ("noise 1", noise(4, seed=1)),
        ("noise 2", noise(4, seed=2)),
        ("tone 1", sine(440, 4)),
        ("tone 2", sine(445, 4)),
    ):
        write_audio(music / f"{name}.flac", samples)
    arguments = ["extract", str(music), "-o", str(file), "--extractor", "musicnn"]
    assert run([*arguments, "--workers", "1"]) == 0
    url = new_database(install_template(server, "musicnn_template", "musicnn"))
    with closing(connect(url, autocommit=True)) as conn:
        report = load(conn, [file])
        assert (report.read, report.new, report.without_vector) == (4, 4, 0)
        pairs = conn.execute(
            "SELECT r.title, n.title FROM pgsim.recording AS r,"
            " similar_recordings(r.mbid, 1) AS n ORDER BY r.title"
        ).fetchall()
    assert pairs == [
        ("noise 1", "noise 2"),
        ("noise 2", "noise 1"),
        ("tone 1", "tone 2"),
        ("tone 2", "tone 1"),
    ]


@needs("mutagen", "soundfile", extra="rhythm")
def test_file_names_of_any_bytes_are_measured_loaded_and_asked_about(
    server: embedded.Server,
    new_database: Callable[..., str],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    folder = os.fsencode(tmp_path / "music")
    for seed, name in enumerate((b"caf\xe9", b"caf\xe8", b"caf\xc3\xa9", b"tab\there")):
        path = write_audio(tmp_path / "music" / "x.flac", noise(7, seed=seed))
        try:
            path.rename(os.fsdecode(folder + b"/" + name + b".flac"))
        except OSError:
            pytest.skip("this file system takes names of UTF-8 alone")
    (tmp_path / os.fsdecode(b"music/broken\xff.mp3")).write_text("no audio")
    file = tmp_path / "all.ndjson"
    arguments = ["extract", str(tmp_path / "music"), "-o", str(file), "--extractor", "rhythm"]
    assert run([*arguments, "--workers", "2", "--json"]) == 0
    said = capfd.readouterr()
    assert json.loads(said.out) == {"found": 5, "extracted": 4, "unchanged": 0, "rejected": 1}
    assert r"broken\xff.mp3: libsndfile cannot read it" in said.err
    assert run([*arguments, "--json"]) == 0
    again = json.loads(capfd.readouterr().out)
    assert again == {"found": 5, "extracted": 0, "unchanged": 4, "rejected": 1}

    url = new_database(install_template(server, "rhythm_template", "rhythm"))
    with closing(connect(url, autocommit=True)) as conn:
        assert load(conn, [file]).new == 4
        titles = conn.execute('SELECT title FROM pgsim.recording ORDER BY title COLLATE "C"')
        assert titles.fetchall() == [(r"caf\xe8",), (r"caf\xe9",), ("café",), ("tab\there",)]
    named = os.fsdecode(folder + b"/caf\xe9.flac")
    question = ["similar", named, "-k", "1", "--ranking", "distance", "--json"]
    assert run(["--database", url, *question]) == 0
    [row] = json.loads(capfd.readouterr().out)
    assert (row["title"], row["distance"]) == (r"caf\xe9", pytest.approx(0, abs=1e-6))
    # The name that is shown is an own id.
    shown = f"{tmp_path}/music/" + r"caf\xe9.flac"
    assert run(["--database", url, "similar", shown, "-k", "1", "--json"]) == 0
    [row] = json.loads(capfd.readouterr().out)
    assert row["title"] != r"caf\xe9"


@needs("mutagen", "soundfile", extra="rhythm")
def test_extract_fails_where_no_file_has_a_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write_audio(tmp_path / "short.wav", noise(2))
    arguments = ["extract", str(path), "-o", str(tmp_path / "all.ndjson"), "--extractor", "rhythm"]
    assert run(arguments) == 1
    assert run([*arguments[:3], str(tmp_path / "all.txt"), *arguments[4:]]) == 2
    assert "its name has to end in .ndjson" in capfd.readouterr().err


def test_the_help_names_the_licence_of_essentia(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["extract", "--help"]) == 0
    assert "AGPL-3.0" in capsys.readouterr().out


def test_the_command_line_imports_no_extractors_library() -> None:
    program = (
        "import sys; from pgsim.cli.commands import COMMANDS, function_of;"
        "assert all(function_of(name) for name in COMMANDS);"
        "known = {'essentia', 'librosa', 'musicnn', 'soundfile', 'soxr', 'mutagen'};"
        "print(known & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr


def test_a_load_refuses_documents_of_another_extractor_and_keeps_what_it_had(
    conn: Connection, tmp_path: Path
) -> None:
    own = [low_level(i) for i in range(3)]
    load(conn, [write_lines(tmp_path / "own.ndjson", own)])
    packed = (files("pgsim.demo") / "recordings.ndjson.gz").read_bytes()
    mixed = write_lines(tmp_path / "mixed.ndjson", own)
    mixed.write_bytes(mixed.read_bytes() + gzip.decompress(packed).split(b"\n")[0] + b"\n")
    with pytest.raises(OriginError) as raised:
        load(conn, [mixed])
    assert str(raised.value) == (
        "mixed.ndjson:4 was made by extractor 'essentia', and profile 'acousticbrainz' is for"
        " 'acousticbrainz': their numbers are not comparable; load it into a database of its own,"
        " made by: pgsim --database NAME init --profile essentia"
    )
    assert one(conn, "SELECT count(*) FROM pgsim.recording") == 3
    assert load(conn, [tmp_path / "own.ndjson"]).unchanged == 3
