"""An answer as a playlist, to take away: M3U or JSPF."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from starlette.responses import Response

if TYPE_CHECKING:
    from pgsim.web.page.shown import Shown


def m3u(title: str, rows: Iterable[Shown], base: str) -> str:
    """Return an extended M3U of the recordings that can be played."""
    lines = ["#EXTM3U", f"#PLAYLIST:{_line(title)}"]
    for row in rows:
        if row.play:
            name = " - ".join(filter(None, (row.artist, row.name)))
            lines += [f"#EXTINF:{round(row.length or -1)},{_line(name)}", urljoin(base, row.play)]
    return "\n".join(lines) + "\n"


def jspf(title: str, rows: Iterable[Shown], base: str) -> str:
    """Return a playlist of JSPF; a track has its MusicBrainz identifier where there is one."""
    tracks = [
        {
            "identifier": [row.musicbrainz] if row.musicbrainz else None,
            "location": [urljoin(base, row.play)] if row.play else None,
            "title": row.name,
            "creator": row.artist,
            "album": row.album,
            "duration": round(1000 * row.length) if row.length else None,
            "info": row.link,
        }
        for row in rows
    ]
    known = [{key: value for key, value in track.items() if value} for track in tracks]
    return json.dumps({"playlist": {"title": title, "track": known}}, ensure_ascii=False)


def _line(text: str) -> str:
    return " ".join(text.split())


FORMATS: Mapping[str, tuple[str, Callable[[str, Iterable[Shown], str], str]]] = {
    "m3u": ("audio/x-mpegurl; charset=utf-8", m3u),
    "jspf": ("application/jspf+json", jspf),
}


def playlist(name: str, title: str, rows: Iterable[Shown], base: str) -> Response:
    """Return a playlist in one of the FORMATS; `base` is the address of this server."""
    kind, write = FORMATS[name]
    disposition = f'attachment; filename="pgsim.{name}"'
    return Response(
        write(title, rows, base), media_type=kind, headers={"Content-Disposition": disposition}
    )
