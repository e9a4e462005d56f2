"""Tags of every format come under AcousticBrainz's names."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pgsim.audio.tags import read_tags
from pgsim.sources.metadata import extract_metadata
from tests.support.audio import needs, noise, write_audio

pytestmark = needs("mutagen", "soundfile", extra="rhythm")

MBID = "0dad432b-16cc-4bf0-8961-fd31d124b01b"
ARTIST = "8f6bd1e4-fbe1-4f50-aa9b-94c450ec0f11"
EXPECTED = {
    "title": "Dub ❤",
    "artist": "Somebody",
    "album": "An album",
    "year": 1998,
    "tags": ["dub"],
    "recording_mbid": MBID,
    "artist_mbids": [ARTIST],
}


def found(tags: dict[str, list[str]]) -> dict[str, Any]:
    metadata, repairs = extract_metadata({"metadata": {"tags": tags}})
    assert repairs == 0
    return metadata


@pytest.mark.parametrize("suffix", [".flac", ".ogg", ".opus"])
def test_vorbis_comments_are_read(tmp_path: Path, suffix: str):
    import mutagen

    path = write_audio(tmp_path / f"music{suffix}", noise(1, 48000), 48000)
    file = mutagen.File(path)
    file["TITLE"], file["Artist"], file["album"] = "Dub ❤", "Somebody", "An album"
    file["date"], file["originaldate"], file["genre"] = "2004", "1998-02", "Dub"
    file["musicbrainz_trackid"], file["musicbrainz_artistid"] = MBID, ARTIST
    file["lyrics"] = "la"
    file.save()
    tags = read_tags(path)
    assert found(tags) == EXPECTED
    assert "lyrics" not in tags


@pytest.mark.parametrize("suffix", [".mp3", ".wav", ".aiff"])
def test_id3_frames_are_read(tmp_path: Path, suffix: str):
    import mutagen
    from mutagen import id3

    path = write_audio(tmp_path / f"music{suffix}", noise(1))
    file = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    for frame in (
        id3.TIT2(text="Dub ❤"),
        id3.TPE1(text="Somebody"),
        id3.TALB(text="An album"),
        id3.TDRC(text="2004"),
        id3.TDOR(text="1998-02-23"),
        id3.TCON(text="Dub"),
        id3.UFID(owner="http://musicbrainz.org", data=MBID.encode()),
        id3.UFID(owner="http://example.org", data=b"7"),
        id3.TXXX(desc="MusicBrainz Artist Id", text=ARTIST),
        id3.TXXX(desc="MusicBrainz Release Track Id", text="another id"),
        id3.APIC(data=b"\x89PNG"),
    ):
        file.tags.add(frame)
    file.save()
    assert found(read_tags(path)) == EXPECTED


def mp4() -> Any:
    from mutagen.mp4 import MP4FreeForm, MP4Tags

    tags = MP4Tags()
    for name, text in (
        ("\xa9nam", "Dub ❤"),
        ("\xa9ART", "Somebody"),
        ("\xa9alb", "An album"),
        ("\xa9day", "1998-02-23T08:00:00Z"),
        ("\xa9gen", "Dub"),
    ):
        tags[name] = [text]
    for name, text in (("Track", MBID), ("Artist", ARTIST)):
        tags[f"----:com.apple.iTunes:MusicBrainz {name} Id"] = [MP4FreeForm(text.encode())]
    return tags


def ape() -> Any:
    from mutagen.apev2 import APEv2

    tags = APEv2()
    tags["Title"], tags["Artist"], tags["Album"] = "Dub ❤", "Somebody", "An album"
    tags["Year"], tags["Genre"] = "1998", "Dub"
    tags["MUSICBRAINZ_TRACKID"], tags["MUSICBRAINZ_ARTISTID"] = MBID, ARTIST
    return tags


def wma() -> Any:
    from mutagen.asf import ASFTags, ASFUnicodeAttribute

    tags = ASFTags()
    for name, text in (
        ("Title", "Dub ❤"),
        ("Author", "Somebody"),
        ("WM/AlbumTitle", "An album"),
        ("WM/Year", "1998"),
        ("WM/Genre", "Dub"),
        ("MusicBrainz/Track Id", MBID),
        ("MusicBrainz/Artist Id", ARTIST),
    ):
        tags.append((name, ASFUnicodeAttribute(text)))
    return tags


@pytest.mark.parametrize("make", [mp4, ape, wma])
def test_tags_of_formats_that_cannot_be_written_here_are_read(
    monkeypatch: pytest.MonkeyPatch, make: Any
):
    """mutagen writes their tags, but no audio around them."""
    monkeypatch.setattr("mutagen.File", lambda _: SimpleNamespace(tags=make()))
    assert found(read_tags(Path("music"))) == EXPECTED


def test_a_numbered_genre_of_id3_is_spelled_out(tmp_path: Path):
    import mutagen
    from mutagen import id3

    path = write_audio(tmp_path / "music.mp3", noise(1))
    file = mutagen.File(path)
    file.add_tags()
    file.tags.add(id3.TCON(text="(17)"))
    file.save()
    assert read_tags(path) == {"genre": ["Rock"]}


def test_no_tags_and_no_audio_are_no_tags(tmp_path: Path):
    assert read_tags(write_audio(tmp_path / "music.wav", noise(1))) == {}
    for name in ("music.txt", "music.mp3", "music.flac"):
        (tmp_path / name).write_text("no audio")
        assert read_tags(tmp_path / name) == {}
