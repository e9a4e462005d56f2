"""From audio files to lines: who a recording is, what is done already, and what goes wrong."""

import fcntl
import json
import os
from pathlib import Path
from typing import Any
from uuid import uuid5

import numpy as np
import orjson
import pytest

from pgsim.audio.extract import extract, make_line, rejects_of
from pgsim.audio.extractors import EXTRACTORS, installed_extractor
from pgsim.audio.files import AudioFile, content_hash, find_audio
from pgsim.audio.samples import read_samples
from pgsim.errors import PgsimError, UsageError
from pgsim.features.profile import SHIPPED, read_profile
from pgsim.sources.submission import NAMESPACE
from tests.support.audio import clicks, needs, noise, sine, write_audio

pytestmark = needs("mutagen", "soundfile", extra="rhythm")

MBID = "0dad432b-16cc-4bf0-8961-fd31d124b01b"


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_bytes().splitlines()]


def described(path: Path) -> dict[str, Any]:
    [audio], _ = find_audio([path])
    line: dict[str, Any] = json.loads(make_line("rhythm", audio).data)
    return line


def run(file: Path, *paths: Path, workers: int = 1) -> tuple[int, int, int, int]:
    report = extract(paths, file, "rhythm", workers)
    assert report.found == report.extracted + report.unchanged + report.rejected
    return report.found, report.extracted, report.unchanged, report.rejected


def test_every_extractor_has_a_profile_of_its_name():
    for name in EXTRACTORS:
        assert read_profile(name).extractor == name
        assert (SHIPPED / f"{name}.toml").is_file()


def test_the_error_for_a_missing_extractor_names_its_cure(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pgsim.audio.extractors.find_spec", lambda _: None)
    with pytest.raises(UsageError) as raised:
        installed_extractor("librosa")
    assert str(raised.value) == "librosa is not installed: pip install 'pgsim[librosa]'"
    with pytest.raises(UsageError) as raised:
        installed_extractor("musicnn")
    assert str(raised.value) == (
        "soundfile is not installed: pip install 'pgsim[musicnn]';"
        " pip install --no-deps musicnn==0.1.0"
    )
    with pytest.raises(UsageError, match=r"unknown extractor 'x'; known: essentia, librosa, rhy"):
        installed_extractor("x")


def test_a_recording_without_tags_goes_by_its_content_and_its_files_name(tmp_path: Path):
    path = write_audio(tmp_path / "My song.wav", noise(7))
    line = described(path)
    sha256 = content_hash(path)
    assert line["mbid"] == str(uuid5(NAMESPACE, f"audio:{sha256}"))
    assert line["source_id"] == str(path)
    assert line["extractor"] == "rhythm"
    assert line["metadata"]["tags"] == {"title": ["My song"]}
    assert line["metadata"]["audio_properties"] == {"length": 7.0, "sample_rate": 44100}
    status = path.stat()
    assert line["extra"] == {
        "sha256": sha256,
        "bytes": status.st_size,
        "modified": int(status.st_mtime),
    }


def test_a_recordings_own_mbid_is_that_of_its_tags_and_its_files_are_submissions(tmp_path: Path):
    import mutagen

    found = []
    for name, seed in (("a.flac", 1), ("b.flac", 2)):
        path = write_audio(tmp_path / name, noise(7, seed=seed))
        file = mutagen.File(path)
        file["musicbrainz_trackid"], file["title"] = MBID, "Known"
        file.save()
        found.append(described(path))
    assert [line["mbid"] for line in found] == [MBID, MBID]
    assert found[0]["number"] != found[1]["number"]
    assert all(0 <= line["number"] < 2**31 for line in found)
    assert found[0]["metadata"]["tags"]["title"] == ["Known"]


def test_the_same_file_always_gives_the_same_line(tmp_path: Path):
    path = write_audio(tmp_path / "music.ogg", clicks(120, 8))
    assert described(path) == described(path)


def test_channels_that_cancel_each_other_out_are_heard_by_the_first(tmp_path: Path):
    left = noise(1)
    stereo = write_audio(tmp_path / "stereo.flac", np.stack([left, -left], axis=1))
    samples, rate = read_samples(stereo)
    assert rate == 44100
    assert abs(samples - left).max() < 1e-3


def test_folders_are_walked_for_known_suffixes_and_named_files_are_taken_as_they_are(
    tmp_path: Path,
):
    for name in ("b/2.FLAC", "b/c/3.mp3", "1.opus", "cover.png", "._1.opus", "odd.bin"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "b" / "up").symlink_to(tmp_path)
    found, closed = find_audio([tmp_path, tmp_path / "odd.bin", tmp_path / "1.opus"])
    names = [each.path.relative_to(tmp_path).as_posix() for each in found]
    assert names == ["1.opus", "b/2.FLAC", "b/c/3.mp3", "odd.bin"]
    assert closed == []
    with pytest.raises(PgsimError, match="not found"):
        find_audio([tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(PgsimError, match="no audio there"):
        find_audio([tmp_path / "empty"])


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three recordings, a copy of one, and three files that cannot be measured."""
    folder = tmp_path_factory.mktemp("music")
    write_audio(folder / "a.wav", clicks(120, 7))
    write_audio(folder / "b" / "b.flac", sine(440, 7))
    write_audio(folder / "b" / "c.ogg", noise(7))
    (folder / "z.wav").write_bytes((folder / "a.wav").read_bytes())
    write_audio(folder / "short.wav", noise(2))
    write_audio(folder / "silent.flac", noise(7) * 0)
    (folder / "text.mp3").write_text("no audio")
    return folder


def test_each_file_is_accounted_for_once(music: Path, tmp_path: Path):
    file = tmp_path / "all.ndjson"
    assert run(file, music, workers=2) == (7, 3, 0, 4)
    assert {Path(line["source_id"]).name for line in lines(file)} in (
        {"a.wav", "b.flac", "c.ogg"},
        {"z.wav", "b.flac", "c.ogg"},
    )
    reasons = {Path(each["path"]).name: each["reason"] for each in lines(rejects_of(file))}
    assert reasons.pop("short.wav") == "2.0 s long; at least 6.0 s are needed"
    assert reasons.pop("silent.flac") == "nothing but silence"
    assert reasons.pop("text.mp3").startswith("libsndfile cannot read it: ")
    [copy] = reasons.values()
    assert copy.startswith("the same bytes as ")

    written, rejected = file.read_bytes(), rejects_of(file).read_bytes()
    assert run(file, music) == (7, 0, 3, 4)
    assert (file.read_bytes(), rejects_of(file).read_bytes()) == (written, rejected)


def test_a_run_goes_on_where_one_was_killed_while_it_wrote(music: Path, tmp_path: Path):
    whole, broken = tmp_path / "whole.ndjson", tmp_path / "broken.ndjson"
    run(whole, music / "b")
    first, second = whole.read_bytes().splitlines(keepends=True)
    broken.write_bytes(first + second[:-1])
    assert run(broken, music / "b") == (2, 1, 1, 0)
    assert broken.read_bytes() == whole.read_bytes()
    broken.write_bytes(b'{"extr')
    assert run(broken, music / "b") == (2, 2, 0, 0)
    assert broken.read_bytes() == whole.read_bytes()
    assert not rejects_of(broken).exists()


def test_a_file_that_has_changed_is_measured_again(tmp_path: Path):
    path = write_audio(tmp_path / "music" / "a.wav", noise(2))
    file = tmp_path / "all.ndjson"
    assert run(file, path.parent) == (1, 0, 0, 1)
    write_audio(path, noise(7))
    assert run(file, path.parent) == (1, 1, 0, 0)
    assert not rejects_of(file).exists()
    os.utime(path, (0, 0))
    # Its bytes have a line already.
    assert run(file, path.parent) == (1, 0, 0, 1)


def test_what_may_be_different_next_time_is_tried_again(tmp_path: Path):
    path = write_audio(tmp_path / "music" / "a.wav", noise(7))
    file = tmp_path / "all.ndjson"
    rejects_of(file).write_bytes(orjson.dumps({"path": str(path), "reason": "died"}) + b"\n")
    assert run(file, path.parent) == (1, 1, 0, 0)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"mbid":"x"}\n', "pgsim extract did not write line 1; give another `output`"),
        (b"a diary", "pgsim extract did not write line 1"),
        (b'{"extractor":\n', "pgsim extract did not write line 1"),
        (b'{"extractor":"librosa"}\n', "holds lines of extractor 'librosa', not 'rhythm'"),
    ],
)
def test_a_file_of_something_else_is_left_alone(
    music: Path, tmp_path: Path, content: bytes, reason: str
):
    file = tmp_path / "all.ndjson"
    file.write_bytes(content)
    with pytest.raises(UsageError) as raised:
        extract([music], file, "rhythm")
    assert reason in str(raised.value)
    assert file.read_bytes() == content


def test_two_runs_do_not_write_one_file(music: Path, tmp_path: Path):
    file = tmp_path / "all.ndjson"
    with file.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(PgsimError, match="being written by another pgsim extract"):
            extract([music], file, "rhythm")


def test_the_output_has_a_name_that_load_reads(music: Path, tmp_path: Path):
    with pytest.raises(UsageError, match=r"its name has to end in \.ndjson"):
        extract([music], tmp_path / "all.json", "rhythm")
    with pytest.raises(PgsimError, match="cannot write .*: No such file or directory"):
        extract([music], tmp_path / "nowhere" / "all.ndjson", "rhythm")


def test_a_file_that_goes_away_is_a_reason(tmp_path: Path):
    gone = AudioFile(tmp_path / "gone.wav", "gone.wav", 0, 0)
    with pytest.raises(PgsimError, match="cannot be read: No such file or directory"):
        make_line("rhythm", gone)
