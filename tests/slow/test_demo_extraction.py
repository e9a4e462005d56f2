"""The script makes what ships: three packages again, from Debian's archive and both extractors."""

import gzip
import shutil
import subprocess
import wave
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pgsim.audio.extractors.essentia import document
from pgsim.audio.files import ExtractionError
from pgsim.demo.build import build
from pgsim.demo.packages import read_packages

# Small ones: 14 recordings, with tags and without, among effects that are left out.
PACKAGES = ["amoebax-data", "caveexpress-data", "zaz-data"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        any(find_spec(each) is None for each in ("essentia", "mutagen", "musicnn", "soxr")),
        reason="Essentia or MusiCNN is not installed: pgsim extract says how",
    ),
]


def require_debian_packages() -> None:
    """Skip where apt-get is absent or knows no package of Debian 12's games."""
    if shutil.which("apt-get") is None:
        pytest.skip("apt-get is not there: the demo's music comes from Debian")
    known = subprocess.run(
        ["apt-cache", "show", "--no-all-versions", *PACKAGES], capture_output=True, check=False
    )
    if known.returncode != 0:
        pytest.skip("apt knows none of the packages: run apt-get update on Debian 12")


def test_the_script_makes_the_lines_that_ship(tmp_path: Path) -> None:
    require_debian_packages()
    lines, counts = build(read_packages(PACKAGES), tmp_path, workers=2)
    packed = (files("pgsim.demo") / "recordings.ndjson.gz").read_bytes()
    starts = tuple(f'"source_id":"{package}/'.encode() for package in PACKAGES)
    expected = [
        line
        for line in gzip.decompress(packed).splitlines()
        if any(start in line for start in starts)
    ]
    assert lines == expected
    assert counts["recordings"] == len(lines)
    left_out = ("effect or voice", "too short", "unreadable", "same audio as another")
    assert counts["seen"] == len(lines) + sum(counts[each] for each in left_out)


def test_a_second_run_analyses_nothing_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    require_debian_packages()
    first, _ = build(read_packages(["caveexpress-data"]), tmp_path, workers=1)
    capsys.readouterr()
    second, _ = build(read_packages(["caveexpress-data"]), tmp_path, workers=1)
    assert second == first
    assert "analysed" not in capsys.readouterr().err


def test_a_document_does_not_depend_on_the_files_before_it(tmp_path: Path) -> None:
    """An extractor that met a file that cancels out in mono would go on with one channel."""
    rng = np.random.default_rng(1)
    left, right = rng.normal(0, 3000, (2, 20 * 44100))
    music = write_stereo(tmp_path / "music.wav", left, right)
    before = document(music)
    document(write_stereo(tmp_path / "cancels.wav", left, -left))
    assert document(music) == before


def write_stereo(path: Path, left: NDArray[np.float64], right: NDArray[np.float64]) -> Path:
    """A 44.1 kHz WAV file of two channels, samples of 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(44100)
        file.writeframes(np.stack([left, right], axis=1).astype("<i2").tobytes())
    return path


def test_what_is_no_audio_is_refused(tmp_path: Path) -> None:
    noise = tmp_path / "noise.ogg"
    noise.write_bytes(b"no audio")
    with pytest.raises(ExtractionError, match="MusicExtractor.compute"):
        document(noise)


def test_opus_is_refused_before_essentia_sees_it(tmp_path: Path) -> None:
    with pytest.raises(ExtractionError, match=r"Essentia reads no \.opus"):
        document(tmp_path / "music.opus")
