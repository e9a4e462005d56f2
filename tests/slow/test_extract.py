"""Extraction by librosa and by Essentia, and runs that are killed again and again."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pgsim.audio.extract import extract, rejects_of
from pgsim.features.profile import read_profile
from pgsim.features.reading import extract as extract_features
from pgsim.sources.acousticbrainz import submission
from pgsim.sources.streams.files import Member
from tests.support.audio import clicks, needs, noise, sine, write_audio
from tests.support.paths import CHECKOUT

pytestmark = pytest.mark.slow


EXTRACTORS = [
    pytest.param("librosa", marks=needs("librosa", "soundfile", "mutagen", extra="librosa")),
    pytest.param("essentia", marks=needs("essentia", "soundfile", "mutagen", extra="audio")),
]


def lines(file: Path) -> dict[str, dict[str, Any]]:
    """The lines of a file by the name of the audio file."""
    found = [json.loads(line) for line in file.read_bytes().splitlines()]
    return {Path(line["source_id"]).name: line for line in found}


@pytest.mark.parametrize("extractor", EXTRACTORS)
def test_tempo_key_and_length_are_measured_and_nothing_is_missing(
    tmp_path: Path, extractor: str
) -> None:
    write_audio(tmp_path / "music" / "clicks.wav", clicks(120, 20))
    write_audio(tmp_path / "music" / "noise.flac", noise(20))
    write_audio(tmp_path / "music" / "silence.flac", noise(20) * 0)
    write_audio(tmp_path / "music" / "chord.ogg", sine(440, 20) + sine(523.25, 20))
    (tmp_path / "music" / "text.mp3").write_text("no audio")
    once, again = tmp_path / "once.ndjson", tmp_path / "again.ndjson"
    report = extract([tmp_path / "music"], once, extractor, workers=2)
    assert (report.found, report.extracted, report.rejected) == (5, 3, 2)
    rejected = rejects_of(once).read_bytes().splitlines()
    assert {Path(json.loads(line)["path"]).name for line in rejected} == {
        "silence.flac",
        "text.mp3",
    }
    found = lines(once)
    profile = read_profile(extractor)
    missing = {
        name: [
            each.name
            for each in profile.sets
            if np.isnan(extract_features(line, profile)[each.slice]).any()
        ]
        for name, line in found.items()
    }
    assert missing["clicks.wav"] == []
    beat = found["clicks.wav"]["rhythm"]["bpm"]
    assert min(abs(beat / tempo - 1) for tempo in (60, 120, 240)) < 0.04
    assert found["clicks.wav"]["rhythm"]["onset_rate"] == pytest.approx(2, abs=0.5)
    length = found["noise.flac"]["metadata"]["audio_properties"]["length"]
    assert length == pytest.approx(20, abs=0.1)
    # One process and another order: the same lines.
    extract([tmp_path / "music"], again, extractor, workers=1)
    assert lines(again) == found


@needs("librosa", "soundfile", "mutagen", extra="librosa")
def test_librosa_hears_the_key_of_a_chord() -> None:
    from pgsim.audio.extractors.librosa import estimate_key

    minor = np.zeros(12)
    minor[[9, 0, 4]] = 1.0, 0.8, 0.7  # A, C, E
    assert {key: estimate_key(minor)[key] for key in ("key", "scale")} == {
        "key": "A",
        "scale": "minor",
    }


ESSENTIA = """
import sys
import essentia.standard as standard
for path, name in zip(sys.argv[1::2], sys.argv[2::2]):
    pool, _ = standard.MusicExtractor()(path)
    standard.YamlOutput(filename=name, format="json", writeVersion=False)(pool)
"""


@needs("essentia", "soundfile", "mutagen", extra="audio")
def test_documents_that_essentia_itself_writes_are_known_by_their_audio(tmp_path: Path) -> None:
    import mutagen

    music, arguments = tmp_path / "music", []
    for name, samples in (("a", clicks(120, 8)), ("b", clicks(90, 8)), ("tagged anew", None)):
        path = music / f"{name}.flac"
        if samples is None:
            path.write_bytes((music / "a.flac").read_bytes())
            file = mutagen.File(path)
            file["title"], file["date"] = "Tune", "1987"
            file.save()
        else:
            write_audio(path, samples)
        arguments += [path, tmp_path / f"{name}.json"]
    subprocess.run([sys.executable, "-c", ESSENTIA, *arguments], check=True, capture_output=True)
    profile = read_profile("essentia")
    first, second, again = (
        submission(Member(path.name, path.read_bytes()), profile) for path in arguments[1::2]
    )
    assert (first.metadata["title"], first.metadata["source_id"]) == ("a", "a.flac")
    assert (again.metadata["title"], again.metadata["year"]) == ("Tune", 1987)
    assert (first.mbid, first.number) == (again.mbid, again.number)
    assert first.mbid != second.mbid
    assert not np.isnan(first.features).all()


RUN = """
import sys
from pathlib import Path
from pgsim.audio.extract import extract
music, file = map(Path, sys.argv[1:])
extract([music], file, "rhythm", 2, advance=lambda done: print(done, flush=True))
"""


@needs("mutagen", "soundfile", extra="rhythm")
def test_a_run_that_is_killed_ten_times_ends_with_each_line_once(tmp_path: Path) -> None:
    for number in range(24):
        write_audio(tmp_path / "music" / f"{number}.wav", noise(7, seed=number))
    file = tmp_path / "all.ndjson"
    for _ in range(10):
        with subprocess.Popen(
            [sys.executable, "-c", RUN, tmp_path / "music", file],
            stdout=subprocess.PIPE,
            cwd=CHECKOUT,
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()  # what was there already
            process.stdout.readline()  # a line more
            process.kill()
    kept = len(file.read_bytes().splitlines())
    assert kept >= 10
    report = extract([tmp_path / "music"], file, "rhythm", 2)
    assert (report.found, report.rejected) == (24, 0)
    assert report.unchanged in (kept, kept - 1)
    assert sorted(lines(file)) == sorted(f"{number}.wav" for number in range(24))
    assert len(file.read_bytes().splitlines()) == 24
