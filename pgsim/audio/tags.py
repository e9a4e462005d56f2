"""The tags of audio files, under the names that AcousticBrainz's documents use."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pgsim.audio.chunks import read_chunks
from pgsim.sources.metadata import DATES
from pgsim.sources.text import Repairs

# ID3 frames, MP4 atoms, and names of WMA and APE. Vorbis comments have the same names as ours.
_NAMES = {
    "TIT2": "title", "TPE1": "artist", "TALB": "album", "TCON": "genre",
    "TDRC": "date", "TDOR": "originaldate", "TDRL": "releasedate",
    "\xa9nam": "title", "\xa9ART": "artist", "\xa9alb": "album", "\xa9gen": "genre",
    "\xa9day": "date",
    "Author": "artist", "WM/AlbumTitle": "album", "WM/Genre": "genre", "WM/Year": "date",
    "WM/OriginalReleaseTime": "originaldate", "WM/OriginalReleaseYear": "originalyear",
    "WM/ARTISTS": "artists",
}  # fmt: skip
_KEPT = ("title", "artist", "album", "genre", *DATES)
_MUSICBRAINZ_ID = "UFID:http://musicbrainz.org"
_ARTIST_IDS = "musicbrainz_artist_id"
# The prefixes of free names in ID3 and in MP4.
_PREFIXES = ("TXXX:", "----:com.apple.iTunes:")
_SEPARATOR = re.compile("[/;]")  # in ID3v2.3


def read_tags(path: Path) -> dict[str, list[str]]:
    """Return the title, artist, album, genre, dates and MusicBrainz ids that a file has.

    The result is empty for a file without tags, or with broken ones.
    """
    found: dict[str, list[str]] = {}
    for tags in _tags(path):
        # What a kind of tag lacks, the next one may have.
        found |= {name: texts for name, texts in _named(tags).items() if not found.get(name)}
    for name, text in read_chunks(path).items():
        found[name] = found.get(name) or [text]
    return {
        name: found[name]
        for name in sorted(found)
        if found[name] and (name in _KEPT or name.startswith("musicbrainz"))
    }


def _tags(path: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the tags of a file: those of its format, then ID3 and APEv2, if there are any."""
    import mutagen
    from mutagen.apev2 import APEv2
    from mutagen.id3 import ID3

    kinds: tuple[Any, ...] = (lambda path: getattr(mutagen.File(path), "tags", None), ID3, APEv2)
    for read in kinds:
        with suppress(mutagen.MutagenError):
            yield read(path) or {}


def _named(tags: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the texts of tags, by our names."""
    found: dict[str, list[str]] = {}
    for name, value in tags.items():
        texts = [Repairs().text(text) for text in _texts(value)]
        found.setdefault(_name(name), []).extend(text for text in texts if text)
    if getattr(tags, "version", (2, 4)) < (2, 4):
        _separate(found)
    return found


def _separate(tags: dict[str, list[str]]) -> None:
    """Separate values that ID3v2.3 joins by a slash, as Picard does, or by a semicolon.

    An artist's name can have a slash itself: artists are separated if the list of their names is
    the same text, and if there are as many MusicBrainz ids.
    """
    from mutagen import id3

    genres = [each.strip() for text in tags.get("genre", []) for each in _SEPARATOR.split(text)]
    frame: Any = id3.TCON  # knows genres by their numbers
    tags["genre"] = frame(text=genres).genres
    artists = tags.get("artist", [])
    names = [name for text in artists for name in _SEPARATOR.split(text)]
    ids = [each for text in tags.get(_ARTIST_IDS, []) for each in _SEPARATOR.split(text)]
    if artists == tags.get("artists") and len(names) == len(ids):
        tags["artist"] = [name.strip() for name in names]


def _name(name: str) -> str:
    if name == _MUSICBRAINZ_ID:
        return "musicbrainz_recordingid"
    if name in _NAMES:
        return _NAMES[name]
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    # WMA: MusicBrainz/Track Id; ID3 and MP4: MusicBrainz Track Id.
    return name.lower().replace("/", "_").replace(" ", "_")


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts of one tag, from the types that each format has for them.

    In APEv2 and in ID3 a NUL is between two texts.
    """
    if isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, bytes):  # MP4's own names
        yield from value.decode(errors="replace").split("\0")
    elif isinstance(value, str):
        yield from value.split("\0")
    elif hasattr(value, "genres"):  # ID3's genres can be numbers of its list
        yield from value.genres
    elif hasattr(value, "data"):  # a UFID frame
        yield from _texts(value.data)
    elif hasattr(value, "text"):
        yield from _texts([*map(str, value.text)])
    elif hasattr(value, "value"):  # WMA and APE
        yield from _texts(value.value if isinstance(value.value, bytes) else str(value.value))
