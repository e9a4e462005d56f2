"""M3U and M3U8: a path or URL a line, and above it what it is: #EXTINF:seconds,artist - title.

Paths are relative to the playlist's folder, or absolute.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from pgsim.errors import UsageError
from pgsim.playlists.track import Playlist, Track
from pgsim.sources.delimited.encoding import decoded, encoding_of

_DETAILS = re.compile(r"#EXTINF:\s*(-?\d+(?:\.\d+)?)?([^,]*),(.*)", re.IGNORECASE)
_ALBUM = re.compile(r"#EXTALB:(.*)", re.IGNORECASE)
_SEGMENTS = "#EXT-X-"  # of a stream
_LINE_ENDS = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")


def has_place(track: Track) -> bool:
    """Return whether a track can be a line of an M3U."""
    return track.location is not None and not re.search("[\r\n]", track.location)


def read_m3u(data: bytes, path: Path) -> Playlist:
    """Return the playlist; UsageError for a list of a stream's segments."""
    text = "".join(decoded(iter([data]), encoding_of(data)))
    tracks: list[Track] = []
    above: list[str] = []
    for line in (each.strip("\r \t") for each in text.split("\n")):
        if line.startswith(_SEGMENTS):
            raise UsageError(
                f"{path} lists the segments of a stream (HLS): give a playlist of recordings"
            )
        if not line or line.upper() == "#EXTM3U":
            continue
        if line.startswith("#"):
            above.append(line)
            continue
        tracks.append(_track(line, above))
        above = []
    return Playlist(tuple(tracks), path.stem, rest=tuple(above))


def _track(location: str, above: list[str]) -> Track:
    """Return the track of a location, by the lines above it."""
    creator = title = album = seconds = None
    kept = []
    for line in above:
        if found := _DETAILS.fullmatch(line):
            name = found[3].strip()
            first, dash, last = name.partition(" - ")
            creator, title = (first.strip(), last.strip()) if dash else (None, name)
            length = float(found[1] or 0)
            seconds = length if length > 0 else None
            continue
        if found := _ALBUM.fullmatch(line):
            album = found[1].strip()
        kept.append(line)
    return Track(location, (), creator, title, album, seconds, lines=tuple(kept))


def write_m3u(playlist: Playlist) -> bytes:
    """Return the playlist as an M3U in UTF-8; each of its tracks has a location."""
    lines = [line for track in playlist.tracks for line in _lines(track)]
    text = "\n".join(["#EXTM3U", *lines, *playlist.rest, ""])
    return text.encode("utf-8", "surrogateescape")


def _lines(track: Track) -> Iterator[str]:
    yield from track.lines
    name = " - ".join(text for text in (track.creator, track.title) if text)
    if name or track.seconds:
        length = -1 if track.seconds is None else round(track.seconds)
        yield f"#EXTINF:{length},{_LINE_ENDS.sub(' ', name)}"
    location = track.location or ""
    yield f"./{location}" if location.startswith("#") else location
