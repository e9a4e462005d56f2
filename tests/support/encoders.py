"""Audio files that real encoders write, by the names that docs/reference/audio.md gives them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.audio import RATE, Samples, write_audio

_FFMPEG = "ffmpeg -loglevel error -y -i {wav}"
# The command that writes a file of that kind; its first word is the program.
ENCODERS = {
    "`.aac`, AAC": f"{_FFMPEG} {{out}}",
    "`.aiff`": f"{_FFMPEG} {{out}}",
    "`.flac`": "flac --silent {wav} -o {out}",
    "`.m4a`, AAC": f"{_FFMPEG} -c:a aac {{out}}",
    "`.m4a`, ALAC": f"{_FFMPEG} -c:a alac {{out}}",
    "`.mp3`": "lame --quiet {wav} {out}",
    "`.mp3`, MPEG layer II": f"{_FFMPEG} -c:a mp2 -f mp2 {{out}}",
    "`.mpc`, Musepack": "mpcenc --silent {wav} {out}",
    "`.oga`, FLAC": "flac --silent --ogg {wav} -o {out}",
    "`.ogg`, Opus": "opusenc --quiet {wav} {out}",
    "`.ogg`, Vorbis": "oggenc --quiet {wav} -o {out}",
    "`.opus`": "opusenc --quiet {wav} {out}",
    "`.wav`": f"{_FFMPEG} {{out}}",
    "`.wav`, RF64": f"{_FFMPEG} -rf64 always {{out}}",
    "`.wma`": f"{_FFMPEG} -c:a wmav2 {{out}}",
    "`.wv`, WavPack": "wavpack -q {wav} -o {out}",
}


def encode(kind: str, folder: Path, samples: Samples, *options: str) -> Path:
    """Write a file of that kind; skip the test where its encoder is not installed."""
    program, *words = ENCODERS[kind].split()
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    wav = write_audio(folder / "plain" / "sound.wav", samples, RATE)
    out = folder / f"sound{kind.split('`')[1]}"
    words = [word.format(wav=wav, out=out) for word in words]
    subprocess.run(
        [program, *words[:-1], *options, words[-1]], check=True, stdin=subprocess.DEVNULL
    )
    return out
