"""Recordings that lack names, and files that hold them."""

from pathlib import Path
from typing import Any
from uuid import UUID

from pgsim.loading.names import NamesReport
from pgsim.postgres.connection import Connection
from tests.support import musicbrainz
from tests.support.documents import mbid
from tests.support.musicbrainz import recording

DATA = "canonical_musicbrainz_data.csv"
REDIRECTS = "canonical_recording_redirect.csv"
COLUMNS = "title, artist, artist_mbids, album, year, length, named"


def artist(number: int) -> UUID:
    return mbid(900_000 + number)


def data_row(number: int, title: str, *artists: int, album: str = "Album") -> tuple[Any, ...]:
    """A row of the canonical data, about the recording of that number."""
    credit = " & ".join(f"Artist {each}" for each in artists)
    mbids = ",".join(str(artist(each)) for each in artists)
    return (number, 1, mbids, credit, mbid(800_000), album, mbid(number), title, "lookup", 7)


def write_data(path: Path, *rows: tuple[Any, ...]) -> Path:
    path.write_bytes(musicbrainz.with_header(DATA, rows))
    return path


def insert(conn: Connection, number: int, **values: Any) -> None:
    """A recording by plain SQL."""
    names = ", ".join(["mbid", *values])
    marks = ", ".join(["%s"] * (1 + len(values)))
    query = f"INSERT INTO pgsim.recording ({names}) VALUES ({marks})"
    conn.execute(query.encode(), [mbid(number), *values.values()])


def row(conn: Connection, number: int, columns: str = COLUMNS) -> tuple[Any, ...]:
    query = f"SELECT {columns} FROM pgsim.recording WHERE mbid = %s"
    found = conn.execute(query.encode(), [mbid(number)]).fetchone()
    assert found is not None
    return found


def report(**counts: int) -> NamesReport:
    return NamesReport(**dict.fromkeys(NamesReport.__dataclass_fields__, 0) | counts)


DUMP: dict[str, Any] = {
    "artist": [(at, artist(at), f"Artist {at}", "Sort name") for at in range(1, 4)],
    "artist_credit": [
        (1, "One feat. Two", 2, 5, musicbrainz.CREATED, 0, mbid(1)),
        (2, "Three", 1, 5, musicbrainz.CREATED, 0, mbid(2)),
    ],
    "artist_credit_name": [
        (1, 1, 2, "Two", ""),
        (1, 0, 1, "One", " feat. "),
        (2, 0, 3, "Three", ""),
    ],
    "medium": [(at, at + 100, 1, 1, "", 0, musicbrainz.CREATED, 9, mbid(at)) for at in range(1, 6)],
    "recording": [
        recording(10, mbid(1), "Back\\slash\tand tab", 1, 215_500),
        recording(11, mbid(2), "Song", 2),
        recording(12, mbid(3), "Never released", 2, 1),
        recording(13, mbid(700), "Not in the database", 2, 1),
    ],
    "recording_gid_redirect": [musicbrainz.redirect(mbid(4), 11)],
    # A bootleg is the earliest release; among the official ones the one without a date is the last.
    "release": [
        (101, mbid(801), "Undated", 1, 1, 1, None),
        (102, mbid(802), "Bootleg", 1, 1, 3, None),
        (103, mbid(803), "Best of", 1, 1, 1, None),
        (104, mbid(804), "Album", 1, 1, 1, None),
        (105, mbid(805), "Unknown status", 2, 1, None, None),
    ],
    "release_country": [
        (103, 222, 1999, 1, None),
        (104, 222, 1987, None, None),
        (104, 81, 1986, 12, 1),
        (102, 81, 1985, 5, 5),
    ],
    "release_unknown_country": [(105, None, None, None)],
    "track": [
        *((at, mbid(600 + at), 10, at, 1, "A1", "Track", 1, None) for at in range(1, 5)),
        (5, mbid(605), 11, 5, 1, "A1", "Track", 1, None),
        (6, mbid(606), 13, 5, 1, "A2", "Track", 1, None),
    ],
}
