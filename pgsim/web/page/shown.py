"""Recordings as a page shows them: with a name, and with what plays them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pgsim.questions.question import recordings

if TYPE_CHECKING:
    from uuid import UUID

    from pgsim.postgres.connection import Connection
    from pgsim.questions.answers import Recording

AUDIO = {".aac", ".flac", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".wav", ".weba"}
MUSICBRAINZ = "https://musicbrainz.org/recording/"

# The address at which this server plays a recording, or None.
Audio = Callable[["Recording"], str | None]


@dataclass(frozen=True, slots=True)
class Shown:
    """A recording of a page. `play` is an address of audio, `link` one of a page about it."""

    mbid: UUID
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


def show(
    conn: Connection, rows: Iterable[Any], audio: Audio, similarities: bool = True
) -> list[Shown]:
    """Return the recordings of rows that have an `mbid`, in their order."""
    rows = list(rows)
    stored = recordings(conn, [row.mbid for row in rows])
    scores = [getattr(row, "similarity", None) if similarities else None for row in rows]
    return [_shown(*each, audio) for each in zip(stored, scores, strict=True)]


def show_named(conn: Connection, named: Sequence[str], audio: Audio) -> list[Shown]:
    """Return the recordings with these MBIDs or own ids; PgsimError for an unknown one."""
    return [_shown(each, None, audio) for each in recordings(conn, named)]


def _shown(row: Recording, similarity: float | None, audio: Audio) -> Shown:
    link = row.url if row.url and urlsplit(row.url).scheme in {"http", "https"} else None
    is_audio = link and PurePosixPath(urlsplit(link).path).suffix.lower() in AUDIO
    return Shown(
        mbid=row.mbid,
        name=row.title or (PurePosixPath(row.source_id).name if row.source_id else str(row.mbid)),
        artist=row.artist,
        album=row.album,
        year=row.year,
        genre=row.genre,
        length=row.length,
        similarity=similarity,
        play=audio(row) or (link if is_audio else None),
        link=None if is_audio else link,
        musicbrainz=None if row.source_id else f"{MUSICBRAINZ}{row.mbid}",
    )
