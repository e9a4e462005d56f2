"""An answer as a playlist, to take away: M3U or JSPF."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from starlette.responses import Response

from pgsim.playlists.jspf import write_jspf
from pgsim.playlists.m3u import has_place, write_m3u
from pgsim.playlists.track import Playlist, Track

if TYPE_CHECKING:
    from pgsim.web.page.shown import Shown


def _playable(playlist: Playlist) -> bytes:
    """Return an M3U of the tracks that can be played."""
    return write_m3u(Playlist(tuple(filter(has_place, playlist.tracks)), playlist.title))


FORMATS: Mapping[str, tuple[str, Callable[[Playlist], bytes]]] = {
    "m3u": ("audio/x-mpegurl; charset=utf-8", _playable),
    "jspf": ("application/jspf+json", write_jspf),
}


def playlist(name: str, title: str, rows: Iterable[Shown], base: str) -> Response:
    """Return a playlist in one of the FORMATS; `base` is the address of this server."""
    kind, write = FORMATS[name]
    tracks = tuple(_track(row, base) for row in rows)
    return Response(
        write(Playlist(tracks, title)),
        media_type=kind,
        headers={"Content-Disposition": f'attachment; filename="pgsim.{name}"'},
    )


def _track(row: Shown, base: str) -> Track:
    return Track(
        urljoin(base, row.play) if row.play else None,
        (row.mbid,),
        row.artist,
        row.name,
        row.album,
        row.length,
        jspf={"info": row.link} if row.link else {},
    )
