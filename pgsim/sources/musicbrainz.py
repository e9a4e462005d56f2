"""The data that MusicBrainz publishes: the tables of its dump, and MetaBrainz's canonical data.

A table of the dump (`mbdump.tar.bz2`) is a file without an ending, as PostgreSQL's COPY writes it;
its archive has them in the order of their names:
https://musicbrainz.org/doc/MusicBrainz_Database/Download. The canonical data are CSV files with
headers, in a `.tar.zst`: https://metabrainz.org/datasets/derived-dumps#canonical
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter

from pgsim.errors import PgsimError
from pgsim.sources.streams.parts import Part
from pgsim.sources.text import Repairs

RECORDING = "recording"
TRACK = "track"
REDIRECT = "recording_gid_redirect"
CANONICAL_REDIRECT = "canonical_recording_redirect.csv"
CANONICAL_DATA = "canonical_musicbrainz_data.csv"
# What a folder or an archive needs to have for `pgsim redirects`: either of these.
REDIRECTS = ((RECORDING, REDIRECT), (CANONICAL_REDIRECT,))

# The columns of a CSV of names, by what they hold: MetaBrainz's own, and plain ones.
_HEADINGS = {
    "mbid": ("recording_mbid", "mbid", "recording_gid", "gid"),
    "title": ("recording_name", "title"),
    "artist": ("artist_credit_name", "artist"),
    "artist_mbids": ("artist_mbids",),
    "album": ("release_name", "album"),
    "year": ("year",),
}
_MBID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.I)
_YEAR = re.compile("[1-9][0-9]{0,3}")
_NOTHING = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class NamesError(PgsimError):
    """A fault in a file of names: its line, what is wrong there, and the cure."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the dump: where it is staged, the columns that are read, and their places."""

    staged: str
    columns: str
    places: tuple[int, ...]


_DATE = "year smallint, month smallint, day smallint"
# The places have been the same since schema 18, of May 2013.
TABLES = {
    "artist": Table("dump_artist", "id integer, gid uuid", (0, 1)),
    "artist_credit": Table("dump_credit", "id integer, name text", (0, 1)),
    "artist_credit_name": Table(
        "dump_credit_name", "credit integer, position smallint, artist integer", (0, 1, 2)
    ),
    "medium": Table("dump_medium", "id integer, release integer", (0, 1)),
    RECORDING: Table(
        "dump_recording",
        "id integer, gid uuid, name text, credit integer, length integer",
        (0, 1, 2, 3, 4),
    ),
    "recording_first_release_date": Table(
        "dump_first_date", f"recording integer, {_DATE}", (0, 1, 2, 3)
    ),
    "release": Table("dump_release", "id integer, name text, status integer", (0, 2, 5)),
    "release_country": Table("dump_event", f"release integer, {_DATE}", (0, 2, 3, 4)),
    "release_unknown_country": Table("dump_event", f"release integer, {_DATE}", (0, 1, 2, 3)),
    TRACK: Table("dump_track", "recording integer, medium integer", (2, 3)),
}
# What a folder or an archive needs to have for `pgsim names`: either of these. An archive is read
# to its last table.
NAMES = (tuple(TABLES), (CANONICAL_DATA, CANONICAL_REDIRECT))


def table_rows(part: Part, table: Table) -> Iterator[bytes]:
    """Yield the wanted columns of each row of a table of the dump, for COPY."""
    pick = itemgetter(*table.places)
    last = max(table.places)
    for number, line in enumerate(part.lines(), 1):
        cells = line.rstrip(b"\n").split(b"\t", last + 1)
        if len(cells) <= last:
            raise NamesError(no_row(part, number, line))
        yield b"\t".join(pick(cells)) + b"\n"


def no_row(part: Part, number: int, line: bytes) -> str:
    """Return the fault of a line that is not a row of a table of the dump, and the cure."""
    text = f"{part.name}:{number}: {line.decode(errors='replace')!r:.80} is not a row of"
    if line.startswith(b"{"):
        return f"{text} a table but JSON: name MusicBrainz's mbdump.tar.bz2, or tables of it"
    return f"{text} MusicBrainz's table {part.base}, whose columns are separated by tabs"


@dataclass(slots=True)
class Unreadable:
    """The number of lines that could not be read, and the first of them."""

    count: int = 0
    first: str = ""

    def add(self, where: str, lines: int) -> None:
        """Count so many more."""
        self.first = self.first or where
        self.count += lines


def name_rows(part: Part, unreadable: Unreadable) -> Iterator[bytes]:
    """Yield the names in each row of a CSV, for COPY: MBID, title, artist, its MBIDs, album, year.

    NamesError where the header has no column of MBIDs, or none of names.
    """
    rows = csv.reader(_text_lines(part))
    try:
        places = _places(part, next(rows, []))
        last, mbid_at = max(places.values()), places["mbid"]
        fields = [(places.get(name), read) for name, read in _READERS.items()]
        line = rows.line_num
        for cells in rows:
            before, line = line, rows.line_num
            is_name = len(cells) > last and _MBID.fullmatch(cells[mbid_at])
            if not is_name or (line - before > 1 and _has_swallowed(cells)):
                unreadable.add(f"{part.name}:{before + 1}", line - before)
                continue
            names = [_NOTHING if at is None else read(cells[at]) for at, read in fields]
            yield "\t".join((cells[mbid_at], *names)).encode() + b"\n"
    except csv.Error as error:
        raise NamesError(f"{part.name}:{rows.line_num}: not CSV: {error}") from None


def _has_swallowed(cells: list[str]) -> bool:
    """Return whether a cell of several lines holds other rows: a quotation mark was not closed."""
    return any("\n" in cell and _MBID.search(cell) for cell in cells)


def _text(cell: str) -> str:
    if not (text := Repairs().text(cell)):
        return _NOTHING
    # Nearly all texts are plain, and `translate` takes three times as long as asking.
    return text if text.isprintable() and "\\" not in text else text.translate(_ESCAPES)


def _mbids(cell: str) -> str:
    """One MBID or several, with anything between them, as an array."""
    mbids = [cell] if _MBID.fullmatch(cell) else _MBID.findall(cell)
    return f"{{{','.join(mbids)}}}" if mbids else _NOTHING


def _year(cell: str) -> str:
    return cell if _YEAR.fullmatch(cell) else _NOTHING


_READERS = {
    "title": _text,
    "artist": _text,
    "artist_mbids": _mbids,
    "album": _text,
    "year": _year,
}


def _places(part: Part, header: list[str]) -> dict[str, int]:
    """The places of the columns that are known, by what they hold."""
    names = [name.strip().lower() for name in header]
    found = {
        name: names.index(heading)
        for name, headings in _HEADINGS.items()
        for heading in headings[::-1]
        if heading in names
    }
    if "mbid" not in found or len(found) < 2:
        raise NamesError(
            f"{part.name}: its header {', '.join(header)!r:.200} does not name recordings: a CSV of"
            " names has the columns recording_mbid and recording_name, artist_credit_name,"
            " artist_mbids, release_name or year"
        )
    return found


def _text_lines(part: Part) -> Iterator[str]:
    encoding = "utf-8-sig"
    for number, line in enumerate(part.lines(), 1):
        try:
            yield line.decode(encoding)
        except UnicodeDecodeError as error:
            raise NamesError(f"{part.name}:{number}: not UTF-8: {error.reason}") from None
        encoding = "utf-8"
