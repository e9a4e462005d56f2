"""The samples of a file are those that are there, whatever its header or its size promises."""

import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pgsim.audio.extract import make_line
from pgsim.audio.extractors import EXTRACTORS
from pgsim.audio.files import ExtractionError, find_audio
from pgsim.audio.samples import read_samples
from tests.support.audio import RATE, needs, noise, require_extractor, sine, write_audio

pytestmark = needs("mutagen", "soundfile", extra="rhythm")

SECONDS = 20


def changing() -> np.ndarray:
    """A second of noise, and 19 of a tone, which take far fewer bits."""
    return np.concatenate([3 * noise(1), sine(440, SECONDS - 1, amplitude=0.3)])


def bare_mp3(path: Path, samples: np.ndarray, mode: str = "CONSTANT") -> Path:
    """An MP3 without the frame of information at its start, as streams and old encoders have it."""
    import soundfile

    with soundfile.SoundFile(path, "w", RATE, 1, bitrate_mode=mode, compression_level=0.5) as file:
        file.write(samples)
    return without_information(path)


def without_information(path: Path) -> Path:
    """The file without its first frame."""
    data = path.read_bytes()
    head = int.from_bytes(data[:4], "big")
    rates = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)  # kbit/s
    size = 144_000 * rates[head >> 12 & 15] // RATE + (head >> 9 & 1)
    assert b"Info" in data[:size] or b"Xing" in data[:size]
    assert data[size] == 0xFF
    path.write_bytes(data[size:])
    return path


def with_picture(folder: Path) -> Path:
    from mutagen.id3 import APIC, ID3

    path = bare_mp3(folder / "picture.mp3", noise(SECONDS))
    tags = ID3()
    tags.add(APIC(mime="image/png", data=noise(2).tobytes()))
    tags.save(path)
    return path


def of_two_tags(folder: Path) -> Path:
    path = with_picture(folder)
    tag = b"ID3\x03\0\0" + bytes([0, 0, 1, 2]) + b"\0" * 130
    path.write_bytes(tag + path.read_bytes())
    return path


def of_variable_rate(folder: Path) -> Path:
    return bare_mp3(folder / "variable.mp3", changing(), "VARIABLE")


def of_variable_rate_backwards(folder: Path) -> Path:
    return bare_mp3(folder / "variable.mp3", changing()[::-1], "VARIABLE")


def with_information(folder: Path) -> Path:
    return write_audio(folder / "music.mp3", changing())


def wav_from_a_pipe(folder: Path) -> Path:
    path = write_audio(folder / "music.wav", noise(SECONDS))
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[4:8] = data[at : at + 4] = b"\xff" * 4
    path.write_bytes(data)
    return path


def flac_from_a_pipe(folder: Path) -> Path:
    path = write_audio(folder / "music.flac", noise(SECONDS))
    data = bytearray(path.read_bytes())
    data[21] &= 0xF0  # the 36 bits of STREAMINFO that count samples
    data[22:26] = bytes(4)
    path.write_bytes(data)
    return path


def wav_cut_off(folder: Path) -> Path:
    path = write_audio(folder / "music.wav", noise(2 * SECONDS))
    path.write_bytes(path.read_bytes()[: 44 + 2 * SECONDS * RATE])
    return path


@pytest.mark.parametrize(
    "make",
    [
        with_picture,
        of_two_tags,
        of_variable_rate,
        of_variable_rate_backwards,
        with_information,
        wav_from_a_pipe,
        flac_from_a_pipe,
        wav_cut_off,
    ],
)
def test_the_length_is_that_of_what_can_be_heard(tmp_path: Path, make: Callable[[Path], Path]):
    samples, rate = read_samples(make(tmp_path))
    assert len(samples) / rate == pytest.approx(SECONDS, abs=0.1)
    assert np.abs(samples[-RATE // 2 : -RATE // 10]).max() > 0.01


def test_an_mp3_sounds_alike_with_and_without_its_frame_of_information(tmp_path: Path):
    path = with_information(tmp_path)
    whole, _ = read_samples(path)
    bare, _ = read_samples(without_information(path))
    delay = 576 + 529  # samples that an encoder and a decoder put in front, as the frame says
    assert np.abs(bare[delay:][: len(whole)] - whole).max() < 1e-6


@pytest.mark.parametrize("name", sorted(EXTRACTORS))
@pytest.mark.parametrize("length", [10, 100, 1000])
def test_a_few_samples_are_no_recording(tmp_path: Path, name: str, length: int):
    extractor = require_extractor(name)
    path = write_audio(tmp_path / "click.wav", noise(1)[:length])
    with pytest.raises(ExtractionError, match=r"^0\.0 s long; at least \d\.\d s are needed$"):
        extractor.document(path)


@pytest.mark.parametrize("suffix", [".aac", ".m4a", ".MP4", ".mpc", ".wma", ".wv"])
def test_a_kind_that_libsndfile_does_not_read_is_refused_with_the_cure(tmp_path: Path, suffix: str):
    path = tmp_path / f"music{suffix}"
    path.write_bytes(b"\xff\xf1\x50\x80" * 100)
    with pytest.raises(ExtractionError) as raised:
        read_samples(path)
    assert str(raised.value) == (
        f"libsndfile reads no {suffix.lower()}: convert it to .flac,"
        " or: pgsim extract --extractor essentia"
    )


def test_what_is_no_audio_at_all_is_said_to_be_none(tmp_path: Path):
    path = tmp_path / "music.mp3"
    path.write_bytes(struct.pack("<I", 7) * 100)
    reason = r"^libsndfile cannot read it: .+; if a player can, convert it to \.flac$"
    with pytest.raises(ExtractionError, match=reason):
        read_samples(path)


def test_file_names_of_any_bytes_are_told_apart_and_written_down(tmp_path: Path):
    import orjson

    folder = os.fsencode(tmp_path)
    for name in (b"caf\xe9.flac", b"caf\xe8.flac", b"caf\xc3\xa9.flac", b"\xff\xfe.flac"):
        write_audio(tmp_path / "x.flac", noise(7, seed=len(name) + name[3]))
        (tmp_path / "x.flac").rename(os.fsdecode(folder + b"/" + name))
    found, closed = find_audio([tmp_path])
    assert closed == []
    names = {each.name.removeprefix(f"{tmp_path}/") for each in found}
    assert names == {r"caf\xe9.flac", r"caf\xe8.flac", "café.flac", r"\xff\xfe.flac"}
    lines = [orjson.loads(make_line("rhythm", each).data) for each in found]
    assert {line["source_id"] for line in lines} == {each.name for each in found}
    titles = {line["metadata"]["tags"]["title"][0] for line in lines}
    assert titles == {r"caf\xe9", r"caf\xe8", "café", r"\xff\xfe"}
    assert len({line["mbid"] for line in lines}) == 4
