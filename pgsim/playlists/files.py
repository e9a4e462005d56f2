"""The files of playlists, each format by the end of its name."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pgsim.errors import PgsimError, UsageError
from pgsim.playlists.jspf import read_jspf, write_jspf
from pgsim.playlists.m3u import has_place, read_m3u, write_m3u
from pgsim.playlists.paths import as_uri, is_absolute, is_url, path_of
from pgsim.playlists.tables import read_table
from pgsim.playlists.track import Playlist, Track
from pgsim.regular_file import read_small
from pgsim.sources.streams.files import SourceError
from pgsim.transfer.output import require_free, working_folder

READERS: dict[str, Callable[[bytes, Path], Playlist]] = {
    **dict.fromkeys((".m3u", ".m3u8"), read_m3u),
    **dict.fromkeys((".jspf", ".json"), read_jspf),
    **dict.fromkeys((".csv", ".tsv", ".txt"), read_table),
}
JSPF = (".jspf", ".json")
WRITTEN = (".m3u", ".m3u8", *JSPF)
_LARGEST = 100 << 20  # bytes


def read_playlist(path: Path) -> Playlist:
    """Return the playlist of a file; UsageError, in one line, for what is none."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise UsageError(f"'{path}' does not say what it is: end it in one of {', '.join(READERS)}")
    try:
        return reader(read_small(path, _LARGEST), path)
    except OSError as error:
        raise PgsimError(f"cannot read {path}: {error.strerror}") from None
    except SourceError as error:
        raise UsageError(f"{path} is no playlist: {error}") from None


def require_writable(path: Path, force: bool) -> None:
    """UsageError where the path's name says no format that is written, or it exists."""
    if path.suffix.lower() not in WRITTEN:
        raise UsageError(
            f"'{path}' does not say what to write: end it in one of {', '.join(WRITTEN)}"
        )
    if path.is_dir():
        raise UsageError(f"{path} is a folder: name a file in it")
    require_free(path, force)


def write_playlist(playlist: Playlist, path: Path, old_folder: Path) -> list[Track]:
    """Write a playlist, whose relative paths start from a folder; return the tracks left out.

    An M3U has no place for a track without a location, or with one of several lines.
    """
    if path.suffix.lower() in JSPF:
        left_out: list[Track] = []
        tracks = [_with_uri(track, old_folder) for track in playlist.tracks]
        data = write_jspf(replace(playlist, tracks=tuple(tracks)))
    else:
        left_out = [track for track in playlist.tracks if not has_place(track)]
        tracks = [
            _moved(each, old_folder, path.parent) for each in playlist.tracks if has_place(each)
        ]
        data = write_m3u(replace(playlist, tracks=tuple(tracks)))
    try:
        with working_folder(path) as folder:
            whole = folder / path.name
            whole.write_bytes(data)
            whole.replace(path)
    except OSError as error:
        raise PgsimError(f"cannot write {path}: {error.strerror}") from None
    return left_out


def _with_uri(track: Track, folder: Path) -> Track:
    """Return a track whose location is a URI, as JSPF has it; one that came in JSPF stays."""
    if "location" in track.jspf or not track.location:
        return track
    return replace(track, location=as_uri(track.location, folder))


def _moved(track: Track, old: Path, new: Path) -> Track:
    """Return a track whose path is relative to another folder."""
    location = path_of(track.location or "")
    if not (is_url(location) or is_absolute(location)) and old.resolve() != new.resolve():
        location = os.path.relpath(old.resolve() / location, new.resolve())
    return replace(track, location=location)
