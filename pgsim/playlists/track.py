"""A playlist and its tracks, in whatever format it came."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

_MUSICBRAINZ = "https://musicbrainz.org"
_EXTENSION = f"{_MUSICBRAINZ}/doc/jspf#track"
_LENGTH = 36  # of an MBID
_OWN = 5  # the version of a UUID that is made of an own id: MusicBrainz does not know it


def identifier_of(mbid: UUID) -> str:
    """Return the URL of a recording of MusicBrainz, or the URN of one that only pgsim knows."""
    return f"urn:uuid:{mbid}" if mbid.version == _OWN else f"{_MUSICBRAINZ}/recording/{mbid}"


def _as_uri(identifier: str) -> str:
    """Return an MBID alone as a URI, and any other identifier as it is."""
    try:
        return identifier_of(UUID(identifier)) if len(identifier) == _LENGTH else identifier
    except ValueError:
        return identifier


@dataclass(frozen=True, slots=True)
class Track:
    """What a playlist says of a recording; `location` is a path or a URL, as it is written there.

    `identifiers` are MBIDs, URLs of MusicBrainz or own ids; `artists` are MBIDs. `lines` are the
    comments above it in an M3U, `jspf` is its object in a JSPF: both are written as they were.
    """

    location: str | None = None
    identifiers: tuple[str, ...] = ()
    creator: str | None = None
    title: str | None = None
    album: str | None = None
    seconds: float | None = None
    artists: tuple[UUID, ...] = ()
    lines: tuple[str, ...] = ()
    jspf: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str | None:
        """What a person calls it; None where the playlist says nothing of it."""
        named = " – ".join(text for text in (self.creator, self.title) if text)
        return named or self.location or ", ".join(self.identifiers) or None

    def as_jspf(self) -> dict[str, Any]:
        """Return it as an object of JSPF, with its duration in ms.

        An identifier and an extension are always there: troi does not read a track without them.
        """
        urls = [f"{_MUSICBRAINZ}/artist/{mbid}" for mbid in self.artists]
        known = {
            "location": [self.location] if self.location else [],
            "creator": self.creator,
            "title": self.title,
            "album": self.album,
            "duration": None if self.seconds is None else round(self.seconds * 1000),
        }
        return {
            "identifier": [*map(_as_uri, self.identifiers)],
            **{name: value for name, value in known.items() if value},
            "extension": {_EXTENSION: {"artist_identifiers": urls} if urls else {}},
            **self.jspf,
        }


@dataclass(frozen=True, slots=True)
class Playlist:
    """The tracks of a playlist. `jspf` is its object in a JSPF without the tracks.

    `rest` are the lines below the last track of an M3U.
    """

    tracks: tuple[Track, ...]
    title: str | None = None
    jspf: Mapping[str, Any] = field(default_factory=dict)
    rest: tuple[str, ...] = ()
