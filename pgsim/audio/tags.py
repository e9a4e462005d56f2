"""The tags of audio files, read by mutagen, under the names that AcousticBrainz's documents use."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pgsim.sources.text import Repairs

# ID3 frames, MP4 atoms, and names of WMA and APE. Vorbis comments have the same names as ours.
_NAMES = {
    "TIT2": "title", "TPE1": "artist", "TALB": "album", "TCON": "genre",
    "TDRC": "date", "TDOR": "originaldate",
    "\xa9nam": "title", "\xa9ART": "artist", "\xa9alb": "album", "\xa9gen": "genre",
    "\xa9day": "date",
    "Author": "artist", "WM/AlbumTitle": "album", "WM/Genre": "genre", "WM/Year": "date",
    "WM/OriginalReleaseYear": "originalyear",
    "Year": "date",
}  # fmt: skip
_KEPT = ("title", "artist", "album", "genre", "date", "originaldate", "originalyear")
_MUSICBRAINZ_ID = "UFID:http://musicbrainz.org"
# The prefixes of free names in ID3 and in MP4.
_PREFIXES = ("TXXX:", "----:com.apple.iTunes:")


def read_tags(path: Path) -> dict[str, list[str]]:
    """Return the title, artist, album, genre, dates and MusicBrainz ids that a file has.

    The result is empty for a file without tags, or with broken ones.
    """
    import mutagen

    try:
        file = mutagen.File(path)
    except mutagen.MutagenError:
        return {}
    found: dict[str, list[str]] = {}
    for name, value in (file.tags or {}).items() if file is not None else ():
        ours = _name(name)
        if ours in _KEPT or ours.startswith("musicbrainz"):
            texts = [Repairs().text(text) for text in _texts(value)]
            found.setdefault(ours, []).extend(text for text in texts if text)
    return {name: found[name] for name in sorted(found) if found[name]}


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
    """Yield the texts of one tag, from the types that each format has for them."""
    if isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, bytes):  # MP4's own names
        yield value.decode(errors="replace")
    elif isinstance(value, str):
        yield value
    elif hasattr(value, "genres"):  # ID3's genres can be numbers of its list
        yield from value.genres
    elif hasattr(value, "data"):  # a UFID frame
        yield from _texts(value.data)
    elif hasattr(value, "text"):
        yield from map(str, value.text)
    elif hasattr(value, "value"):  # WMA
        yield str(value.value)
