"""Expand a playlist: find its tracks in the collection, and append what sounds like them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from pgsim.errors import PgsimError
from pgsim.playlists.files import read_playlist, require_writable, write_playlist
from pgsim.playlists.paths import Places
from pgsim.playlists.track import Playlist, Track, identifier_of
from pgsim.postgres.connection import Connection
from pgsim.questions.answers import Answer, MatchedRecording, Recording, SimilarRecording
from pgsim.questions.question import EXPANSION, MATCHES, recordings
from pgsim.questions.words import Mbids


@dataclass(frozen=True, slots=True)
class ExpandedPlaylist:
    """What became of a playlist of `tracks` tracks, and the recordings that were appended.

    `matched` counts them by the way in which they were found. `unmatched` names the tracks that are
    no recordings here, `without_vector` those whose recording cannot be compared, and `left_out`
    those that have no place in the written file, since it is not known where theirs lies.
    """

    tracks: int
    matched: dict[str, int]
    unmatched: list[str]
    without_vector: list[str]
    added: Answer[SimilarRecording]
    written: str | None
    left_out: list[str]


def expand_playlist(
    conn: Connection,
    given: str | Path | Mbids,
    k: int | None,
    words: Mapping[str, object],
    *,
    output: Path | None = None,
    force: bool = False,
) -> ExpandedPlaylist:
    """Expand the playlist of a file, or one of MBIDs and own ids, and write it to `output`.

    PgsimError where none of its tracks is a recording with a vector.
    """
    if output is not None:
        require_writable(output, force)
    playlist, folder = _read(given)
    matches = MATCHES.ask(conn, {"tracks": Jsonb([_asked(each) for each in playlist.tracks])})
    named = [track.name or f"track {place}" for place, track in enumerate(playlist.tracks, 1)]
    unmatched = [name for name, row in zip(named, matches, strict=True) if row.mbid is None]
    usable = [row.mbid for row in matches if row.has_vector]
    if not usable:
        some = ": " + "; ".join(unmatched[:3]) if unmatched else ""
        raise PgsimError(
            f"none of the {len(named):,} tracks is a recording with a vector here{some}"
        )
    added = EXPANSION.ask(conn, {"mbids": usable, "k": k}, words)
    left_out = []
    if output is not None:
        whole = _expanded(conn, playlist, matches, added)
        left_out = write_playlist(whole, output, folder)
    return ExpandedPlaylist(
        tracks=len(named),
        matched=dict(Counter(row.matched_by for row in matches if row.matched_by)),
        unmatched=unmatched,
        without_vector=[
            name for name, row in zip(named, matches, strict=True) if row.has_vector is False
        ],
        added=added,
        written=None if output is None else str(output),
        left_out=[each.name or "a track of which nothing is said" for each in left_out],
    )


def _read(given: str | Path | Mbids) -> tuple[Playlist, Path]:
    """Return a playlist, and the folder from which its relative paths start."""
    if isinstance(given, str | Path):
        return read_playlist(Path(given)), Path(given).parent
    ids = [given] if isinstance(given, UUID) else given
    return Playlist(tuple(Track(identifiers=(str(each),)) for each in ids)), Path()


def _asked(track: Track) -> dict[str, Any]:
    """Return what match_recordings() reads; a byte that is no text is a sign of its own."""
    names = ("identifier", "location", "creator", "title", "album", "duration")
    said = track.as_jspf()
    return {name: _clean(said[name]) for name in names if name in said}


def _clean(value: Any) -> Any:
    if isinstance(value, list):
        return [_clean(each) for each in value]
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    return value


def _expanded(
    conn: Connection,
    playlist: Playlist,
    matches: Answer[MatchedRecording],
    added: Answer[SimilarRecording],
) -> Playlist:
    """Return the playlist with what was added, its tracks with a place where one is known."""
    mbids = [row.mbid for row in matches if row.mbid is not None]
    stored = {row.mbid: row for row in recordings(conn, [*mbids, *(each.mbid for each in added)])}
    pairs = [
        (track.location, own)
        for track, row in zip(playlist.tracks, matches, strict=True)
        if row.mbid is not None and track.location
        for own in (stored[row.mbid].url, stored[row.mbid].source_id)
        if own
    ]
    places = Places(pairs)
    tracks = [
        track if row.mbid is None else _completed(track, _track(places, stored[row.mbid]))
        for track, row in zip(playlist.tracks, matches, strict=True)
    ]
    appended = [_track(places, stored[each.mbid]) for each in added]
    return replace(playlist, tracks=(*tracks, *appended))


def _completed(track: Track, known: Track) -> Track:
    """Return a track of the playlist, with what it does not say taken from its recording."""
    named = track if track.title else known
    return replace(
        track,
        location=track.location or known.location,
        identifiers=known.identifiers,
        creator=named.creator,
        title=named.title,
        album=track.album or known.album,
        seconds=track.seconds or known.seconds,
        artists=known.artists,
    )


def _place(places: Places, recording: Recording) -> str | None:
    return places.of(recording.url) or places.of(recording.source_id)


def _track(places: Places, recording: Recording) -> Track:
    return Track(
        _place(places, recording),
        (identifier_of(recording.mbid),),
        recording.artist,
        recording.title,
        recording.album,
        recording.length,
        tuple(recording.artist_mbids or ()),
    )
