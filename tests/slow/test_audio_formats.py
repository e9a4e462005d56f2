"""The tables of docs/reference/audio.md, cell by cell: real encoders' files, and Picard's tags.

After a change that is wanted, PGSIM_GOLDEN=write makes these tests write the cells.
"""

import fcntl
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from pgsim.audio.extractors import EXTRACTORS
from pgsim.audio.files import ExtractionError
from pgsim.audio.samples import read_samples
from pgsim.audio.tags import read_tags
from pgsim.sources.metadata import extract_metadata
from tests.support import picard
from tests.support.audio import RATE, clicks, needs, noise, require_extractor, sine
from tests.support.encoders import ENCODERS, encode
from tests.support.pages import is_to_be_written
from tests.support.paths import CHECKOUT

pytestmark = [pytest.mark.slow, needs("mutagen", "soundfile", extra="rhythm")]

PAGE = CHECKOUT / "docs" / "reference" / "audio.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if re.match(r"\| [^-]", line) and not line.startswith(("| file", "| tags"))
]
MEASURED = [row[0] for row in ROWS if len(row) == 6]
TAGGED = [row[:3] for row in ROWS if len(row) == 9]
SECONDS = 8

MBID = "0dad432b-16cc-4bf0-8961-fd31d124b01b"
ARTISTS = ["8f6bd1e4-fbe1-4f50-aa9b-94c450ec0f11", "b10bbbfc-cf9e-42e0-be17-e2c3e1d2600d"]
TAGS = {
    "title": "Dub ❤",
    "artist": ["Somebody", "Another"],
    "artists": ["Somebody", "Another"],
    "album": "An album",
    "genre": ["Dub", "Trip Hop"],
    "date": "2004-02",
    "originaldate": "1998-02-23",
    "musicbrainz_recordingid": MBID,
    "musicbrainz_artistid": ARTISTS,
    "musicbrainz_albumid": "382ae825-5f48-4534-b2d5-5a633e3b0734",
    "musicbrainz_trackid": "47125734-d38b-3d80-a005-e112dc841bfb",
}
# In programs' own names, for tags that hold a single value.
SINGLE = {
    "title": "Dub ❤",
    "artist": "Somebody, Another",
    "author": "Somebody, Another",  # as AIFF calls it
    "album": "An album",
    "genre": "Dub; Trip Hop",
    "date": "1998",
}
EXPECTED = {
    "title": {"title": "Dub ❤"},
    "artists": {"artist": "Somebody, Another"},
    "album": {"album": "An album"},
    "genres": {"tags": ["dub", "trip hop"]},
    "year": {"year": 1998},
    "MBIDs": {"recording_mbid": MBID, "artist_mbids": ARTISTS},
}


def hold(begin: list[str], column: int, seen: str) -> None:
    """Hold the cell of the row that begins so to what was seen, or write it."""
    with PAGE.open("r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        lines = file.read().splitlines()
        start = f"| {' | '.join(begin)} |"
        [number] = [at for at, line in enumerate(lines) if line.startswith(start)]
        cells = [cell.strip() for cell in lines[number].strip("|").split("|")]
        if is_to_be_written():
            cells[column] = seen
            lines[number] = f"| {' | '.join(cells)} |"
            file.seek(0)
            file.truncate()
            file.write("\n".join([*lines, ""]))
        else:
            assert cells[column] == seen, (begin, column)


def test_the_page_has_a_row_for_every_encoder() -> None:
    assert list(ENCODERS) == MEASURED
    assert {file for _, file, _ in TAGGED} == ENCODERS.keys() - {
        "`.mp3`, MPEG layer II",
        "`.ogg`, Opus",
    }


@pytest.mark.parametrize("name", EXTRACTORS)
@pytest.mark.parametrize("kind", MEASURED)
def test_the_extractor_reads_what_the_page_says(tmp_path: Path, kind: str, name: str) -> None:
    extractor = require_extractor(name)
    path = encode(kind, tmp_path, clicks(120, SECONDS))
    program = ENCODERS[kind].split()[0]
    column = 2 + list(EXTRACTORS).index(name)
    reason = ""
    try:
        document = extractor.document(path)
    except ExtractionError as error:
        reason = str(error)
    hold([kind, program], column, "no" if reason else "yes")
    if reason:
        assert "convert it to .flac" in reason
    else:
        length = document["metadata"]["audio_properties"]["length"]
        assert length == pytest.approx(SECONDS, abs=0.1)


@pytest.mark.parametrize(("tags", "kind", "program"), TAGGED)
def test_the_tags_are_read_that_the_page_says(
    tmp_path: Path, tags: str, kind: str, program: str
) -> None:
    sound = clicks(120, 1)
    if program == "Picard":
        path = encode(kind, tmp_path, sound)
        picard.tag(path, TAGS, write_id3v23=tags == "ID3v2.3", write_wave_riff_info=False)
    else:
        options = [
            word for name, text in SINGLE.items() for word in ("-metadata", f"{name}={text}")
        ]
        path = encode(kind, tmp_path, sound, *options)
        assert b"ID3" not in path.read_bytes()
    found, _ = extract_metadata({"metadata": {"tags": read_tags(path)}})
    for column, (_, wanted) in enumerate(EXPECTED.items(), start=3):
        seen = {key: found.get(key) for key in wanted}
        hold([tags, kind, program], column, "yes" if seen == wanted else "no")
        assert seen == wanted or not any(seen.values())


def test_each_length_is_that_of_the_sound_though_encoders_and_headers_differ(
    tmp_path: Path,
) -> None:
    """An MP3 without an Info header, with a picture, and of variable rate."""
    from mutagen.id3 import APIC, ID3

    loud = np.concatenate([3 * noise(1), sine(440, 19, amplitude=0.3)])
    path = encode("`.mp3`", tmp_path, loud, "-t", "-V2")
    assert b"Info" not in path.read_bytes()
    assert b"Xing" not in path.read_bytes()
    samples, rate = read_samples(path)
    assert len(samples) / rate == pytest.approx(20, abs=0.1)
    tags = ID3()
    tags.add(APIC(mime="image/png", data=bytes(500_000)))
    tags.save(path)
    samples, rate = read_samples(path)
    assert len(samples) / rate == pytest.approx(20, abs=0.1)
    piped = tmp_path / "piped.flac"
    wav = tmp_path / "plain" / "sound.wav"
    with piped.open("wb") as file:
        command = ["ffmpeg", "-loglevel", "error", "-i", str(wav), "-f", "flac", "-"]
        done = subprocess.run(command, capture_output=True, check=True)
        file.write(done.stdout)
    samples, rate = read_samples(piped)
    assert len(samples) / rate == pytest.approx(20, abs=0.001)
    assert rate == RATE
