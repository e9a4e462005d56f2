"""MBIDs that MusicBrainz has merged into others, from files into pgsim.redirect."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pgsim.loading.staging import staged, write_rows
from pgsim.postgres.connection import Connection
from pgsim.postgres.rows import one_row
from pgsim.progress import Advance, still
from pgsim.sources.musicbrainz import RECORDING, REDIRECT, REDIRECTS, no_row
from pgsim.sources.redirects import RedirectError, read_pairs
from pgsim.sources.streams.parts import Meter, Part, parts
from pgsim.store.collection import read_collection

# `incoming_merge` has targets that are rows of MusicBrainz's table `recording`.
_TABLES = {
    "incoming_redirect": "line bigint, mbid uuid, target uuid",
    "incoming_merge": "line bigint, mbid uuid, row_id bigint",
    "incoming_row": "id bigint, gid uuid",
}
_RESOLVE = """
    INSERT INTO pg_temp.incoming_redirect (line, mbid, target)
    SELECT m.line, m.mbid, r.gid
    FROM pg_temp.incoming_merge AS m INNER JOIN pg_temp.incoming_row AS r ON m.row_id = r.id
"""
_ROW = re.compile(rb"[0-9]+\t[0-9a-f-]{36}(?=\t)")


@dataclass(frozen=True, slots=True)
class RedirectReport:
    """The account of some files: read = new + updated + unchanged + to_itself + unresolved.

    `to_itself` counts redirects of an MBID to itself, and `unresolved` those to a row that the
    table `recording` lacks: neither is stored. `redirects` counts those in the database afterwards.
    """

    read: int
    new: int
    updated: int
    unchanged: int
    to_itself: int
    unresolved: int
    redirects: int


def load_redirects(
    conn: Connection, paths: Sequence[Path], advance: Advance = still
) -> RedirectReport:
    """Load old and new MBIDs from texts of pairs, MusicBrainz's dump and the canonical data.

    Files are read as streams into temporary tables, and all is stored in one short transaction: all
    or nothing. If lines have the same old MBID, the last one counts. `advance` receives how many
    more redirects have been read, and the share of the bytes. RedirectError or SourceError where a
    file cannot be read, names the first line that is no pair, or where there is none.
    """
    read_collection(conn)
    names = ", ".join(map(str, paths))
    with staged(conn, _TABLES):
        read, merges = _read(conn, paths, Meter(advance))
        if not read:
            raise RedirectError(f"{names}: there is no redirect in it; a line is old,new")
        with conn.transaction():
            unresolved = merges - conn.execute(_RESOLVE).rowcount
            new, updated, to_itself, redirects = one_row(
                conn, "SELECT * FROM pgsim.store_redirects()"
            )
            if unresolved == read:
                raise RedirectError(
                    f"{names}: no row of the table {RECORDING} has a number that {REDIRECT} names:"
                    " take both from one dump; nothing was loaded"
                )
            if to_itself == read:
                raise RedirectError(f"{names}: every MBID redirects to itself; nothing was loaded")
    unchanged = read - new - updated - to_itself - unresolved
    return RedirectReport(read, new, updated, unchanged, to_itself, unresolved, redirects)


def _read(conn: Connection, paths: Sequence[Path], meter: Meter) -> tuple[int, int]:
    """Fill the temporary tables; return how many redirects there are, and how many name rows."""
    read = merges = rows = 0
    merged = RECORDING
    for part in parts(paths, REDIRECTS, meter):
        table = part.base.partition(".")[0]
        if table == RECORDING:
            rows += write_rows(conn, "incoming_row", _rows(part), lambda _: meter.count(0))
            continue
        if table.endswith("_gid_redirect") and table != REDIRECT:
            raise RedirectError(f"{part.name} has no redirects of recordings: name {REDIRECT}")
        pairs = read_pairs(part)
        count = write_rows(
            conn,
            "incoming_merge" if pairs.are_rows else "incoming_redirect",
            (f"{read + at}\t{old}\t{new}\n".encode() for at, (old, new) in enumerate(pairs.each)),
            meter.count,
        )
        read += count
        if pairs.are_rows:
            merges, merged = merges + count, part.name
    if merges and not rows:
        raise RedirectError(
            f"{merged}: its second column is the number of a row of MusicBrainz's table"
            f" {RECORDING}: name the file mbdump/{RECORDING} of the same dump too; nothing was"
            " loaded"
        )
    if rows and not read:
        raise RedirectError(f"name the file mbdump/{REDIRECT} too: {RECORDING} has no redirects")
    return read, merges


def _rows(part: Part) -> Iterator[bytes]:
    """Yield number and MBID of each row of the table `recording`, for COPY."""
    for number, line in enumerate(part.lines(), 1):
        found = _ROW.match(line)
        if found is None:
            raise RedirectError(no_row(part, number, line))
        yield found[0] + b"\n"
