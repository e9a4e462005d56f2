"""CSV and plain lists: columns of MBIDs, artists and titles, as exports of playlists have them."""

import csv
import re
from io import StringIO
from pathlib import Path

from pgsim.errors import UsageError
from pgsim.playlists.track import Playlist, Track
from pgsim.sources.delimited.encoding import decoded, encoding_of

# The names of columns in lower case, without signs and without a plural in brackets, as they are in
# the exports of ListenBrainz, Spotify (by Exportify), Soundiiz, TuneMyMusic and Picard.
_NAMES = {
    "identifier": ("recordingmbid", "mbid", "musicbrainzrecordingid", "musicbrainztrackid"),
    "creator": ("artist", "artistname", "artists", "artistcreditname", "creator"),
    "title": ("title", "trackname", "track", "tracktitle", "recordingname", "songname", "name"),
    "album": ("album", "albumname", "releasename", "albumtitle"),
    "location": ("location", "path", "filepath", "file", "filename"),
    "milliseconds": ("durationms", "trackdurationms"),
}
_SIGNS = re.compile(r"\(s\)|[^a-z0-9]")
_SEPARATORS = ",;\t"
_MBID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def read_table(data: bytes, path: Path) -> Playlist:
    """Return the playlist; UsageError where neither columns nor MBIDs are to be found."""
    text = "".join(decoded(iter([data]), encoding_of(data)))
    first = text.partition("\n")[0]
    reader = csv.reader(
        StringIO(text, newline=""), delimiter=max(_SEPARATORS, key=first.count), strict=True
    )
    try:
        rows = [row for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise UsageError(f"{path}, line {reader.line_num}: not CSV: {error}") from None
    header = rows[0] if rows else []
    if any(_MBID.search(cell) for cell in header):
        return Playlist(tuple(map(_listed, rows)), path.stem)
    columns = _columns(header)
    if not columns.keys() & {"identifier", "title", "location"}:
        found = ", ".join(header)[:60] or "nothing"
        raise UsageError(
            f"{path} begins with '{found}', and has neither MBIDs nor a column of them, of paths or"
            " of titles: call it mbid, path or title (and artist)"
        )
    return Playlist(tuple(_named(row, columns) for row in rows[1:]), path.stem)


def _columns(header: list[str]) -> dict[str, int]:
    """Return the places of the columns that say something, the first name of each that is there."""
    places = {
        _SIGNS.sub("", name.strip().lower()): place
        for place, name in reversed([*enumerate(header)])
    }
    found = {
        meaning: [places[name] for name in names if name in places]
        for meaning, names in _NAMES.items()
    }
    return {meaning: each[0] for meaning, each in found.items() if each}


def _listed(row: list[str]) -> Track:
    return Track(identifiers=tuple(cell.strip() for cell in row if cell.strip()))


def _named(row: list[str], columns: dict[str, int]) -> Track:
    said = {
        meaning: row[place].strip()
        for meaning, place in columns.items()
        if place < len(row) and row[place].strip()
    }
    length = said.get("milliseconds", "")
    return Track(
        said.get("location"),
        (said["identifier"],) if "identifier" in said else (),
        said.get("creator"),
        said.get("title"),
        said.get("album"),
        float(length) / 1000 if length.isdecimal() else None,
    )
