"""Tags of every format come under AcousticBrainz's names."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pgsim.audio.tags import read_tags
from pgsim.sources.metadata import extract_metadata
from tests.support.audio import encoded, needs, needs_program, noise, write_audio

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


def mp4(path: Path) -> None:
    from mutagen.mp4 import MP4, MP4FreeForm

    file = MP4(path)
    for name, text in (
        ("\xa9nam", "Dub ❤"),
        ("\xa9ART", "Somebody"),
        ("\xa9alb", "An album"),
        ("\xa9day", "1998-02-23T08:00:00Z"),
        ("\xa9gen", "Dub"),
    ):
        file[name] = [text]
    for name, text in (("Track", MBID), ("Artist", ARTIST)):
        file[f"----:com.apple.iTunes:MusicBrainz {name} Id"] = [MP4FreeForm(text.encode())]
    file.save()


def ape(path: Path) -> None:
    from mutagen.apev2 import APEv2

    tags = APEv2()
    tags["Title"], tags["Artist"], tags["Album"] = "Dub ❤", "Somebody", "An album"
    tags["Year"], tags["Genre"] = "1998", "Dub"
    tags["MUSICBRAINZ_TRACKID"], tags["MUSICBRAINZ_ARTISTID"] = MBID, ARTIST
    tags.save(path)


def wma(path: Path) -> None:
    from mutagen.asf import ASF, ASFUnicodeAttribute

    file = ASF(path)
    for name, text in (
        ("Title", "Dub ❤"),
        ("Author", "Somebody"),
        ("WM/AlbumTitle", "An album"),
        ("WM/Year", "1998"),
        ("WM/Genre", "Dub"),
        ("MusicBrainz/Track Id", MBID),
        ("MusicBrainz/Artist Id", ARTIST),
    ):
        file.tags.append((name, ASFUnicodeAttribute(text)))
    file.save()


@needs_program("ffmpeg")
@pytest.mark.parametrize(
    ("suffix", "tag"),
    [(".m4a", mp4), (".wma", wma), (".wv", ape), (".aac", ape), (".mp3", ape)],
)
def test_tags_of_other_formats_are_read(tmp_path: Path, suffix: str, tag: Callable[[Path], None]):
    path = encoded(tmp_path / f"music{suffix}", noise(1))
    tag(path)
    assert found(read_tags(path)) == EXPECTED


@pytest.mark.parametrize("suffix", [".mp3", ".wav", ".flac", ".ogg"])
def test_several_values_of_apev2_are_several(tmp_path: Path, suffix: str):
    """mutagen keeps a NUL between them. Such a tag can stand behind any format."""
    from mutagen.apev2 import APEv2

    path = write_audio(tmp_path / f"music{suffix}", noise(1))
    tags = APEv2()
    tags["Artist"], tags["Genre"] = ["AC/DC", "Somebody"], ["Dub", "Rock/Pop", "Dub"]
    tags["MUSICBRAINZ_ARTISTID"] = [ARTIST, MBID]
    tags.save(path)
    assert found(read_tags(path)) == {
        "artist": "AC/DC, Somebody",
        "tags": ["dub", "rock/pop"],
        "artist_mbids": [ARTIST, MBID],
    }


def id3(path: Path, version: int, separator: str = "/", **texts: list[str]) -> Path:
    """Write ID3: a text for each frame, and for TXXX by the description in lower case."""
    from mutagen import id3

    tags = id3.ID3()
    for name, values in texts.items():
        frame = getattr(id3, name, None)
        tags.add(
            frame(encoding=1, text=values)
            if frame
            else id3.TXXX(encoding=1, desc=name.replace("_", " "), text=values)
        )
    if version == 3:
        tags.update_to_v23()
    tags.save(path, v2_version=version, v23_sep=separator)
    return path


ALONE = {"MusicBrainz_Artist_Id": [ARTIST]}
TWO = {"MusicBrainz_Artist_Id": [ARTIST, MBID]}


@pytest.mark.parametrize(
    ("texts", "artist"),
    [
        ({"TPE1": ["AC/DC"]}, "AC/DC"),
        ({"TPE1": ["AC/DC"], "ARTISTS": ["AC/DC"], **ALONE}, "AC/DC"),
        ({"TPE1": ["A", "B"], "ARTISTS": ["A", "B"], **TWO}, "A, B"),
        # Two ids, and a slash: the credit is no list, since it is not that of the artists.
        ({"TPE1": ["AC/DC feat. B"], "ARTISTS": ["AC/DC", "B"], **TWO}, "AC/DC feat. B"),
        # A list, and one artist with a slash: which slash is whose cannot be known.
        ({"TPE1": ["AC/DC", "B"], "ARTISTS": ["AC/DC", "B"], **TWO}, "AC/DC/B"),
        ({"TPE1": ["A", "B"], **TWO}, "A/B"),
    ],
)
def test_artists_of_id3v23_are_several_where_the_other_tags_say_so(
    tmp_path: Path, texts: dict[str, list[str]], artist: str
):
    path = write_audio(tmp_path / "music.mp3", noise(1))
    tags = found(read_tags(id3(path, 3, **texts)))
    assert tags["artist"] == artist
    assert tags.get("artist_mbids", []) == texts.get("MusicBrainz_Artist_Id", [])


def test_artists_of_id3v23_may_be_joined_by_semicolons(tmp_path: Path):
    path = write_audio(tmp_path / "music.mp3", noise(1))
    id3(path, 3, "; ", TPE1=["A", "B"], ARTISTS=["A", "B"], **TWO)
    assert found(read_tags(path)) == {"artist": "A, B", "artist_mbids": [ARTIST, MBID]}


@pytest.mark.parametrize("separator", ["/", " / ", "; ", None])
@pytest.mark.parametrize("suffix", [".mp3", ".wav", ".aiff"])
def test_genres_of_id3v23_are_several(tmp_path: Path, suffix: str, separator: str):
    path = write_audio(tmp_path / f"music{suffix}", noise(1))
    if suffix != ".mp3":
        import mutagen

        file = mutagen.File(path)
        file.add_tags()
        file.tags.add(mutagen.id3.TCON(encoding=1, text=["Dub", "Trip Hop", "(17)"]))
        file.save(v2_version=3, v23_sep=separator)
    else:
        id3(path, 3, separator, TCON=["Dub", "Trip Hop", "(17)"])
    assert found(read_tags(path))["tags"] == ["dub", "trip hop", "rock"]


def test_a_slash_in_a_genre_of_id3v24_is_its_own(tmp_path: Path):
    path = write_audio(tmp_path / "music.mp3", noise(1))
    id3(path, 4, TCON=["Rock/Pop", "Dub"], TPE1=["AC/DC", "B"])
    assert found(read_tags(path)) == {"artist": "AC/DC, B", "tags": ["rock/pop", "dub"]}


def with_strings(path: Path, **options: str) -> Path:
    """Audio whose title, artist, album, genre and date libsndfile wrote, without any ID3."""
    import soundfile

    with soundfile.SoundFile(path, "w", 44100, 1, **options) as file:
        file.title, file.artist, file.album = "Café 77", "Somebody", "An album"
        file.genre, file.date = "Dub; Pop", "1998-02"
        file.write(noise(1.00001))
    return path


@pytest.mark.parametrize(
    "options", [{}, {"format": "RF64"}, {"endian": "BIG"}, {"format": "WAVEX"}], ids=str
)
def test_the_list_info_of_a_wav_is_read(tmp_path: Path, options: dict[str, str]):
    path = with_strings(tmp_path / "music.wav", **options)
    expected = {
        "title": "Café 77",
        "artist": "Somebody",
        "album": "An album",
        "year": 1998,
        "tags": ["dub", "pop"],
    }
    assert found(read_tags(path)) == expected
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xe9\0"))
    assert found(read_tags(path))["title"] == "Caf\xe9"  # as Windows wrote it, and cut at a NUL


@pytest.mark.parametrize("suffix", [".aiff", ".aifc"])
def test_the_name_and_the_author_of_an_aiff_are_read(tmp_path: Path, suffix: str):
    path = with_strings(tmp_path / f"music{suffix}", format="AIFF")
    assert found(read_tags(path)) == {"title": "Café 77", "artist": "Somebody"}


def test_id3_of_a_wav_counts_before_its_list_info_and_each_fills_the_others_gaps(tmp_path: Path):
    import mutagen

    path = with_strings(tmp_path / "music.wav")
    file = mutagen.File(path)
    file.add_tags()
    file.tags.add(mutagen.id3.TIT2(text="Dub ❤"))
    file.tags.add(mutagen.id3.TALB(text=""))
    file.save()
    tags = found(read_tags(path))
    assert (tags["title"], tags["artist"], tags["album"]) == ("Dub ❤", "Somebody", "An album")


@pytest.mark.parametrize("end", [4, 12, 16, 20, 40, 60, 80, 100])
def test_a_wav_cut_off_in_its_list_is_no_failure(tmp_path: Path, end: int):
    path = with_strings(tmp_path / "music.wav")
    data = path.read_bytes()
    at = data.index(b"LIST")
    path.write_bytes(data[at - 8 :][:end] if end < 8 else data[: at + end])
    assert read_tags(path).keys() <= {"title", "artist", "album", "genre", "date"}


@pytest.mark.parametrize(
    ("name", "year"),
    [("year", 1987), ("YEAR", 1987), ("releaseyear", 1987), ("TYER", 1987), ("yearbook", None)],
)
def test_a_year_is_a_date_in_vorbis_comments_too(tmp_path: Path, name: str, year: int | None):
    import mutagen

    path = write_audio(tmp_path / "music.flac", noise(1))
    file = mutagen.File(path)
    file[name] = "1987"
    file.save()
    assert found(read_tags(path)).get("year") == year


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
