"""Recordings as a page shows them: with a name, and with what plays them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

# Of pgsim.recording, as r; a row of a page is made of them.
COLUMNS = (
    "r.mbid, r.title, r.artist, r.album, r.year, r.genre, r.length, r.source_id, r.url,"
    " r.artist_mbids[1] AS artist_mbid"
)
MUSICBRAINZ = "https://musicbrainz.org/recording/"
_AUDIO = {".aac", ".flac", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".wav", ".weba"}

# Return the address at which this server plays a recording with these columns, or None.
Audio = Callable[[Mapping[str, Any]], str | None]


@dataclass(frozen=True, slots=True)
class Shown:
    """A recording of a page. `play` is an address of audio, `link` one of a page about it."""

    mbid: str
    name: str
    artist: str | None
    album: str | None
    year: int | None
    genre: str | None
    length: float | None
    similarity: float | None
    play: str | None
    link: str | None
    musicbrainz: str | None
    artist_page: str | None
    album_page: str | None


def artist_path(artist: str) -> str:
    """Return the path of an artist's page, by its MBID or name."""
    return f"/artist/{quote(artist, safe='')}"


def album_path(album: str, artist: str | None) -> str:
    """Return the path of an album's page, by its title and the MBID or name of its artist."""
    query = f"?{urlencode({'artist': artist})}" if artist else ""
    return f"/album/{quote(album, safe='')}{query}"


def show(row: Mapping[str, Any], audio: Audio) -> Shown:
    """Return what a page shows of a row with COLUMNS, and perhaps a similarity."""
    link = row["url"] if urlsplit(row["url"] or "").scheme in {"http", "https"} else None
    is_audio = link is not None and PurePosixPath(urlsplit(link).path).suffix.lower() in _AUDIO
    own_id, artist = row["source_id"], row["artist_mbid"] or row["artist"]
    return Shown(
        mbid=row["mbid"],
        name=row["title"] or (PurePosixPath(own_id).name if own_id else row["mbid"]),
        artist=row["artist"],
        album=row["album"],
        year=row["year"],
        genre=row["genre"],
        length=row["length"],
        similarity=row.get("similarity"),
        play=audio(row) or (link if is_audio else None),
        link=None if is_audio else link,
        musicbrainz=None if own_id else f"{MUSICBRAINZ}{row['mbid']}",
        artist_page=artist_path(artist) if artist else None,
        album_page=album_path(row["album"], artist) if row["album"] else None,
    )
