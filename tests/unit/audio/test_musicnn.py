"""MusiCNN's network against its plain description, and what it makes of sounds."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pgsim.audio.extractors import musicnn as extractor
from pgsim.audio.files import ExtractionError
from pgsim.audio.musicnn import BANDS, FRAMES, MusiCNN
from pgsim.errors import PgsimError
from tests.support.audio import clicks, needs, noise, require_extractor, sine, write_audio

Array = NDArray[np.float64]

HEARING = ((7, 38), (7, 67), (128, 1), (64, 1), (32, 1))  # frames and bands of a filter


def made_up(filters: int, dead: float) -> dict[str, NDArray[np.float32]]:
    """Variables of a network of so many filters a layer; a share of those that hear are dead."""
    rng = np.random.default_rng(1)
    joined = filters * len(HEARING)
    shapes = [*HEARING, (7, joined), (7, filters), (7, filters)]
    variables = {}
    for place, shape in enumerate(shapes):
        kernel = rng.normal(size=(*shape, 1, filters)) / np.sqrt(np.prod(shape))
        if place < len(HEARING):
            kernel[..., rng.random(filters) < dead] *= 1e-30
        variables |= {
            f"conv2d_{place}/kernel": kernel,
            f"conv2d_{place}/bias": rng.normal(size=filters),
        }
    pooled = 2 * (joined + 3 * filters)
    variables |= {"dense/kernel": rng.normal(size=(pooled, 20)), "dense/bias": rng.normal(size=20)}
    for place, channels in enumerate([1, *[filters] * 8, pooled, 20]):
        name = f"batch_normalization_{place}"
        for each in ("gamma", "beta", "moving_mean"):  # a factor can be negative
            variables[f"{name}/{each}"] = rng.normal(size=channels)
        variables[f"{name}/moving_variance"] = rng.uniform(0.5, 2, channels)
    return {name.replace("_0/", "/"): each.astype(np.float32) for name, each in variables.items()}


def plain(variables: dict[str, NDArray[np.float32]], patch: Array) -> Array:
    """The embedding as MusiCNN's paper and program describe it, one step after the other."""

    def of(name: str, place: int) -> Array:
        layer, _, each = name.partition("/")
        return variables[f"{layer}_{place}/{each}" if place else name].astype(np.float64)

    def normalized(values: Array, place: int) -> Array:
        gamma, beta, mean, variance = (
            of(f"batch_normalization/{each}", place)
            for each in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return (values - mean) / np.sqrt(variance + 1e-3) * gamma + beta

    def layer(values: Array, place: int) -> Array:
        kernel, bias = of("conv2d/kernel", place)[:, :, 0], of("conv2d/bias", place)
        frames, bands, filters = kernel.shape
        before = (frames - 1) // 2
        padded = np.pad(values, ((before, frames - 1 - before), (0, 0)))
        answers = np.empty((len(values), values.shape[1] - bands + 1, filters))
        for frame in range(answers.shape[0]):
            for band in range(answers.shape[1]):
                met = padded[frame : frame + frames, band : band + bands]
                answers[frame, band] = np.tensordot(met, kernel, 2) + bias
        return normalized(np.maximum(answers, 0), place + 1).max(axis=1)

    heard = normalized(patch[..., None], 0)[..., 0]
    front = np.concatenate([layer(heard, place) for place in range(5)], axis=1)
    first = layer(front, 5)
    second = first + layer(first, 6)
    third = second + layer(second, 7)
    everything = np.concatenate([front, first, second, third], axis=1)
    pooled = []
    for channel in everything.T:
        pooled += [channel.max(), channel.mean()]
    dense = normalized(np.array(pooled), 9) @ of("dense/kernel", 0) + of("dense/bias", 0)
    return normalized(np.maximum(dense, 0), 10)


@pytest.mark.parametrize("dead", [0.0, 0.5, 1.0])
def test_the_network_is_its_plain_description(dead: float) -> None:
    variables = made_up(4, dead)
    patch = np.random.default_rng(2).uniform(0, 4, (40, BANDS)).astype(np.float32)
    expected = plain(variables, patch.astype(np.float64))
    assert MusiCNN(variables).embedding(patch) == pytest.approx(expected, rel=1e-4, abs=1e-4)


@needs("soundfile", "soxr", extra="musicnn")
def test_patches_lie_side_by_side_and_the_rest_is_not_heard() -> None:
    whole = FRAMES * extractor.HOP / extractor.RATE
    for seconds, count in ((2.97, 0), (2.98, 1), (2 * whole, 2), (10, 3)):
        assert extractor.mel_patches(noise(seconds), 44100).shape == (count, FRAMES, BANDS)
    long = extractor.mel_patches(noise(10), 44100)
    # The end of a sound is mirrored: only the frames near it differ.
    assert extractor.mel_patches(noise(7), 44100)[:2] == pytest.approx(long[:2], abs=1e-4)


@needs("soundfile", "soxr", extra="musicnn")
def test_a_tone_is_in_the_same_band_at_any_rate() -> None:
    for hertz in (100.0, 1000.0, 5000.0):
        found = {
            int(extractor.mel_patches(sine(hertz, 4, rate), rate)[0].mean(axis=0).argmax())
            for rate in (11025, 16000, 44100, 96000)
        }
        assert len(found) == 1


@pytest.fixture
def musicnn() -> None:
    """MusiCNN's wheel, which only some machines have."""
    require_extractor("musicnn")


@pytest.mark.usefixtures("musicnn")
def test_the_same_file_always_has_the_same_embedding(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "music.flac", clicks(120, 8))
    document = extractor.document(path)
    assert document == extractor.document(path)
    assert len(document["musicnn"]) == 200
    assert document["metadata"]["audio_properties"] == {"length": 8.0, "sample_rate": 44100}


@pytest.mark.usefixtures("musicnn")
def test_sounds_of_a_kind_are_nearer_to_one_another(tmp_path: Path) -> None:
    kinds = {
        "noise": [noise(7, seed=1), 0.7 * noise(7, seed=2)],
        "clicks": [clicks(120, 7), 0.7 * clicks(124, 7)],
        "tone": [sine(440, 7), sine(445, 7, amplitude=0.4)],
    }
    embeddings = []
    for name, sounds in kinds.items():
        for number, samples in enumerate(sounds):
            path = write_audio(tmp_path / f"{name}{number}.wav", samples)
            embedding = np.array(extractor.document(path)["musicnn"])
            embeddings.append(embedding / np.linalg.norm(embedding))
    cosines = np.array(embeddings) @ np.array(embeddings).T
    np.fill_diagonal(cosines, -1)
    assert cosines.argmax(axis=1).tolist() == [1, 0, 3, 2, 5, 4]


@pytest.mark.usefixtures("musicnn")
def test_less_than_a_patch_is_refused_and_a_damaged_checkpoint_names_its_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = write_audio(tmp_path / "short.wav", noise(2))
    with pytest.raises(ExtractionError, match=r"^2\.0 s long; at least 3\.0 s are needed$"):
        extractor.document(short)
    monkeypatch.setattr(extractor, "model_folder", lambda: tmp_path)
    extractor._network.cache_clear()
    with pytest.raises(PgsimError) as raised:
        extractor.document(write_audio(tmp_path / "long.wav", noise(4)))
    assert str(raised.value) == (
        f"cannot read {tmp_path}/.index: No such file or directory; install it again:"
        " pip install --force-reinstall --no-deps musicnn==0.1.0"
    )
