"""MusiCNN's embedding, compared with what TensorFlow makes of its checkpoint."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pgsim.audio.extractors import musicnn
from pgsim.audio.musicnn import BANDS, FRAMES
from tests.support.audio import clicks, fluctuating, needs, noise, require_extractor, sine
from tests.support.paths import CHECKOUT

pytestmark = pytest.mark.slow

PROGRAM = CHECKOUT / "tests" / "support" / "tensorflow_embedding.py"


@pytest.fixture(scope="module")
def tensorflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with TensorFlow, of half a gigabyte, in a folder of its own."""
    folder = tmp_path_factory.mktemp("tensorflow")
    python = folder / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    package = "tensorflow-cpu" if sys.platform == "linux" else "tensorflow"
    install = [python, "-m", "pip", "install", "--quiet", package]
    if subprocess.run(install, capture_output=True, check=False).returncode:
        pytest.skip(f"pip cannot install {package} for Python {sys.version.split()[0]}")
    return python


def test_the_embedding_is_that_of_tensorflow(tensorflow: Path, tmp_path: Path) -> None:
    require_extractor("musicnn")
    sounds = (clicks(120, 7), noise(4), 3 * noise(4), sine(440, 4), fluctuating(4, 7))
    patches = [musicnn.mel_patches(samples, 44100) for samples in sounds]
    patches.append(np.random.default_rng(1).uniform(0, 5, (3, FRAMES, BANDS)).astype(np.float32))
    given, output = tmp_path / "patches.npy", tmp_path / "embeddings.npy"
    np.save(given, np.concatenate(patches))
    command = [tensorflow, PROGRAM, f"{musicnn.model_folder()}/", given, output]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    expected = np.load(output)
    assert expected.std() > 1
    found = np.array([musicnn._network().embedding(each) for each in np.load(given)])
    assert np.abs(found - expected).max() < 1e-4


@needs("librosa", extra="librosa")
def test_mel_bands_are_those_of_librosa() -> None:
    from librosa.feature import melspectrogram

    from pgsim.audio.mel import mel_power

    samples = clicks(120, 10, musicnn.RATE)
    found = mel_power(samples, musicnn.RATE, musicnn.WINDOW, musicnn.HOP, BANDS)
    expected = melspectrogram(
        y=samples,
        sr=musicnn.RATE,
        n_fft=musicnn.WINDOW,
        hop_length=musicnn.HOP,
        n_mels=BANDS,
        pad_mode="reflect",  # as in librosa 0.7, of the year of the wheel
    ).T
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-6)
