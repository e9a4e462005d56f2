"""Titles, artists, albums, years and lengths from MusicBrainz, for recordings that lack them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pgsim.loading.recordings import alone
from pgsim.loading.staging import AT_ONCE, staged, write_rows
from pgsim.postgres.connection import Connection
from pgsim.postgres.rows import one_row, one_value
from pgsim.progress import Advance, Say, silent, still
from pgsim.sources.musicbrainz import (
    CANONICAL_DATA,
    CANONICAL_REDIRECT,
    NAMES,
    RECORDING,
    TABLES,
    TRACK,
    NamesError,
    Unreadable,
    name_rows,
    table_rows,
)
from pgsim.sources.redirects import read_pairs
from pgsim.sources.streams.files import require_readable
from pgsim.sources.streams.parts import Meter, Part, parts
from pgsim.store.collection import read_collection

_NAME = "mbid uuid, title text, artist text, artist_mbids uuid[], album text, year smallint"
# `nameless` has the MBIDs by which a recording that lacks something may be found: after so many
# `steps`, and whether a recording of that MBID `is_same`, or another one of the same song. Those
# that were found are in `found_name`, some more than once.
_TABLES = {
    "nameless": "mbid uuid, id integer, steps integer, is_same boolean",
    "found_name": "id integer",
    "incoming_name": f"place bigint GENERATED ALWAYS AS IDENTITY, {_NAME}, length real",
    "incoming_redirect": "line bigint, mbid uuid, target uuid",
    "recording_batch": TABLES[RECORDING].columns,
    "track_batch": TABLES[TRACK].columns,
    "gathered_name": f"place bigint, {_NAME}, length real",
    **{table.staged: table.columns for table in TABLES.values()},
}
_INDEXES = ("nameless (mbid)", "dump_recording (id)", "gathered_name (place)")
_FOLLOW = """
    INSERT INTO pg_temp.nameless (mbid, id, steps, is_same)
    SELECT d.target, n.id, n.steps + 1, false
    FROM pg_temp.incoming_redirect AS d
    CROSS JOIN LATERAL (
        SELECT w.id, w.steps FROM pg_temp.nameless AS w WHERE w.mbid = d.mbid AND w.is_same OFFSET 0
    ) AS n
    WHERE d.mbid <> d.target
"""
# Of the two largest tables no more is kept than the rows of these recordings.
_KEEP = {
    RECORDING: """
        INSERT INTO pg_temp.dump_recording
        SELECT b.* FROM pg_temp.recording_batch AS b
        CROSS JOIN LATERAL (SELECT FROM pg_temp.nameless AS w WHERE w.mbid = b.gid LIMIT 1) AS n
    """,
    TRACK: """
        INSERT INTO pg_temp.dump_track
        SELECT b.* FROM pg_temp.track_batch AS b
        CROSS JOIN LATERAL (
            SELECT FROM pg_temp.dump_recording AS r WHERE r.id = b.recording LIMIT 1
        ) AS n
    """,
}
_TAKE = """
    INSERT INTO pg_temp.incoming_name (mbid, title, artist, artist_mbids, album, year, length)
    SELECT g.mbid, g.title, g.artist, g.artist_mbids, g.album, g.year, g.length
    FROM pg_temp.gathered_name AS g WHERE g.place > %s AND g.place <= %s
"""
_MATCHED = "SELECT count(DISTINCT id) FROM pg_temp.found_name"
_WITHOUT = "SELECT count(*) FILTER (WHERE title IS NULL), count(*) FROM pgsim.recording"


@dataclass(frozen=True, slots=True)
class NamesReport:
    """The account of some files of names.

    `read` counts the recordings in the files, and among them `unreadable` lines. `lacking` counts
    the recordings of the database that lacked something, and `matched` those of them that the files
    know. `titles` to `lengths` are how many recordings got each; `without_title` and `recordings`
    are those of the database afterwards.
    """

    read: int
    unreadable: int
    lacking: int
    matched: int
    titles: int
    artists: int
    albums: int
    years: int
    lengths: int
    without_title: int
    recordings: int


def load_names(
    conn: Connection, paths: Sequence[Path], advance: Advance = still, say: Say = silent
) -> NamesReport:
    """Give names from MusicBrainz's dump or the canonical data to recordings that lack them.

    What a recording has is never changed. A recording whose MBID redirects to another one gets the
    names of that one; where the canonical data lead to another recording of the same song, its
    title and artist. The files are read as streams. Names are committed in batches, and a run that
    was stopped can be repeated: it gives what is still lacking. `advance` receives how many more
    recordings of the files have been read, and the share of the bytes; `say` what is not there.
    NamesError or SourceError where a file cannot be read, or has no names.
    """
    read_collection(conn)
    for path in paths:
        require_readable(path)
    work = _Work(conn, say)
    with staged(conn, _TABLES):
        for index in _INDEXES:
            conn.execute(f"CREATE INDEX ON pg_temp.{index}".encode())
        lacking = one_value(conn, "SELECT pgsim.list_nameless()")
        conn.execute("ANALYZE pg_temp.nameless")
        if lacking:
            csvs = work.read_tables(paths, Meter(advance))
            work.read_csvs(csvs, Meter(advance))
            if work.read == work.unreadable.count:
                raise NamesError(f"{', '.join(map(str, paths))}: there is no recording in it")
        else:
            say("no recording lacks a name: nothing is read")
        matched = one_value(conn, _MATCHED)
    conn.execute("VACUUM (ANALYZE) pgsim.recording")
    return NamesReport(
        work.read, work.unreadable.count, lacking, matched, *work.given, *one_row(conn, _WITHOUT)
    )


class _Work:
    """The reading of some files: what has been read, and what was given."""

    def __init__(self, conn: Connection, say: Say) -> None:
        self._conn = conn
        self._say = say
        self.read = 0
        self.unreadable = Unreadable()
        self.given = (0, 0, 0, 0, 0)

    def read_tables(self, paths: Sequence[Path], meter: Meter) -> list[Path]:
        """Read the dump's tables and the canonical redirects; return the files that have CSVs.

        A CSV is read later, since an archive has the canonical redirects behind it.
        """
        csvs: list[Path] = []
        seen: set[str] = set()
        for part in parts(paths, NAMES, meter):
            if part.base in TABLES:
                self._read_table(part, seen, meter)
                seen.add(part.base)
            elif part.base == CANONICAL_REDIRECT:
                self._follow(part, meter)
            elif part.path not in csvs:
                csvs.append(part.path)
        if seen:
            if RECORDING not in seen:
                raise NamesError(
                    f"the tables {', '.join(sorted(seen))} name no recordings: name the file"
                    f" mbdump/{RECORDING} of the same dump too"
                )
            if missing := [name for name in TABLES if name not in seen]:
                self._say(f"not there, so that what they say is left out: {', '.join(missing)}")
            self._give_gathered(meter)
        return csvs

    def read_csvs(self, paths: Sequence[Path], meter: Meter) -> None:
        """Give the names of CSV files, bare or in an archive, in batches."""

        def then(count: int) -> None:
            self._give()
            meter.count(count)

        for part in parts(paths, ((CANONICAL_DATA,),), meter):
            columns = "incoming_name (mbid, title, artist, artist_mbids, album, year)"
            self.read += write_rows(self._conn, columns, name_rows(part, self.unreadable), then)
        if self.unreadable.count:
            self.read += self.unreadable.count
            self._say(
                f"{self.unreadable.first}: not a row of names; such lines were left out:"
                f" {self.unreadable.count}"
            )

    def _read_table(self, part: Part, seen: set[str], meter: Meter) -> None:
        table = TABLES[part.base]
        staged_in = table.staged
        # Where an archive has another order than MusicBrainz's, all tracks are kept.
        keep = _KEEP.get(part.base) if part.base == RECORDING or RECORDING in seen else None
        if keep:
            staged_in = f"{part.base}_batch"

        def then(count: int) -> None:
            if keep:
                self._conn.execute(keep.encode())
                self._conn.execute(f"TRUNCATE pg_temp.{staged_in}".encode())
            meter.count(count if part.base == RECORDING else 0)

        rows = write_rows(self._conn, staged_in, table_rows(part, table), then)
        if part.base == RECORDING:
            self.read += rows

    def _follow(self, part: Part, meter: Meter) -> None:
        """Let recordings be found by the canonical recording of their song."""

        def then(_: int) -> None:
            self._conn.execute(_FOLLOW.encode())
            self._conn.execute("TRUNCATE pg_temp.incoming_redirect")
            meter.count(0)

        rows = (f"0\t{old}\t{new}\n".encode() for old, new in read_pairs(part).each)
        write_rows(self._conn, "incoming_redirect", rows, then)

    def _give_gathered(self, meter: Meter) -> None:
        staged_in = sorted({f"pg_temp.{table.staged}" for table in TABLES.values()})
        self._conn.execute(f"ANALYZE {', '.join(staged_in)}".encode())
        gathered = one_value(self._conn, "SELECT pgsim.gather_names()")
        for start in range(0, gathered, AT_ONCE):
            self._conn.execute(_TAKE, (start, start + AT_ONCE))
            self._give()
            meter.count(0)

    def _give(self) -> None:
        """Store the names that are in `incoming_name`."""
        with alone(self._conn, self._say):
            more = one_row(self._conn, "SELECT * FROM pgsim.store_names()")
        self.given = tuple(a + b for a, b in zip(self.given, more, strict=True))
        self._conn.execute("TRUNCATE pg_temp.incoming_name")
