"""JSPF, the playlist of ListenBrainz and MusicBrainz Picard: XSPF as JSON, with MBIDs as URLs."""

from pathlib import Path
from typing import Any

import orjson

from pgsim.errors import UsageError
from pgsim.playlists.track import Playlist, Track

_EXTENSION = "https://musicbrainz.org/doc/jspf#playlist"


def read_jspf(data: bytes, path: Path) -> Playlist:
    """Return the playlist; UsageError for other JSON, and for what is no JSON."""
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{path} is no JSPF: {error}") from None
    playlist = document.get("playlist") if isinstance(document, dict) else None
    head = dict(playlist) if isinstance(playlist, dict) else {"track": None}
    tracks = head.pop("track", [])
    if not isinstance(tracks, list) or not all(isinstance(each, dict) for each in tracks):
        raise UsageError(f'{path} is no JSPF: it has to be {{"playlist": {{"track": [{{…}}, …]}}}}')
    return Playlist(tuple(map(_track, tracks)), head.get("title") or path.stem, head)


def _track(given: dict[str, Any]) -> Track:
    duration = given.get("duration")
    return Track(
        _text(given.get("location")),
        _texts(given.get("identifier")),
        _text(given.get("creator")),
        _text(given.get("title")),
        _text(given.get("album")),
        duration / 1000 if isinstance(duration, int | float) and duration > 0 else None,
        jspf=given,
    )


def _texts(value: object) -> tuple[str, ...]:
    """Return the texts of a list, or the one text."""
    values = value if isinstance(value, list) else [value]
    return tuple(each for each in values if isinstance(each, str))


def _text(value: object) -> str | None:
    """Return the first of the texts; None for none, and for an empty one."""
    return next(filter(None, _texts(value)), None)


def write_jspf(playlist: Playlist) -> bytes:
    """Return the playlist as JSPF."""
    head = playlist.jspf or {
        "title": playlist.title,
        "extension": {_EXTENSION: {"public": False}},
    }
    whole = {"playlist": {**head, "track": [each.as_jspf() for each in playlist.tracks]}}
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
