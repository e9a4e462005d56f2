"""MBIDs that MusicBrainz has merged into others, from a CSV file into pgsim.redirect."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from pgsim.errors import PgsimError
from pgsim.postgres.connection import Connection
from pgsim.postgres.rows import one_row
from pgsim.progress import Advance, still
from pgsim.regular_file import open_regular, text_lines
from pgsim.sources.streams.files import require_readable
from pgsim.store.collection import read_collection

LINES_AT_ONCE = 20000  # between two calls of `advance`


class RedirectError(PgsimError):
    """A fault in a file of redirects: its line, and what is wrong there."""


@dataclass(frozen=True, slots=True)
class RedirectReport:
    """The account of one file: read = new + updated + unchanged.

    `redirects` counts those in the database afterwards.
    """

    read: int
    new: int
    updated: int
    unchanged: int
    redirects: int


def load_redirects(conn: Connection, path: Path, advance: Advance = still) -> RedirectReport:
    """Load a CSV of old and new MBIDs, a pair a line; a first line without MBIDs is a header.

    One transaction. If lines have the same old MBID, the last one counts. `advance` receives how
    many more lines have been read. RedirectError names the first line that is not a pair.
    """
    read_collection(conn)
    with conn.transaction():
        conn.execute(
            "CREATE TEMP TABLE incoming_redirect (line bigint, mbid uuid, target uuid)"
            " ON COMMIT DROP"
        )
        pairs, read = _pairs(path), 0
        with conn.cursor().copy("COPY incoming_redirect FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int8", "uuid", "uuid"])
            while batch := list(islice(pairs, LINES_AT_ONCE)):
                for pair in batch:
                    copy.write_row(pair)
                read += len(batch)
                advance(len(batch))
        new, updated, redirects = one_row(conn, "SELECT * FROM pgsim.store_redirects()")
    return RedirectReport(read, new, updated, read - new - updated, redirects)


def _pairs(path: Path) -> Iterator[tuple[int, UUID, UUID]]:
    """Yield the line number, old and new MBID of each line."""
    require_readable(path)
    with _opened(path) as file:
        reader = csv.reader(text_lines(file))
        try:
            for row in reader:
                mbids = [each for each in map(_mbid, row[:2]) if each]
                if reader.line_num == 1 and not mbids:
                    continue
                if len(mbids) < 2:
                    raise RedirectError(
                        f"{path}:{reader.line_num}: {','.join(row)!r:.80} is not a pair of MBIDs:"
                        " a line is old,new; nothing was loaded"
                    )
                old, new = mbids
                if old == new:
                    raise RedirectError(
                        f"{path}:{reader.line_num}: {old} redirects to itself; nothing was loaded"
                    )
                yield reader.line_num, old, new
        except csv.Error as error:
            raise RedirectError(f"{path}:{reader.line_num}: not CSV: {error}") from None
        except UnicodeDecodeError as error:
            raise RedirectError(f"{path}: not UTF-8: {error.reason}") from None
        except OSError as error:
            raise RedirectError(f"cannot read {path}: {error.strerror}") from None


def _opened(path: Path) -> BinaryIO:
    try:
        return open_regular(path)
    except OSError as error:
        raise RedirectError(f"cannot read {path}: {error.strerror}") from None


def _mbid(field: str) -> UUID | None:
    try:
        return UUID(field.strip())
    except ValueError:
        return None
