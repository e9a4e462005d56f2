"""MBIDs that MusicBrainz has merged into others, from a CSV file into pgsim.redirect."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from uuid import UUID

from pgsim.errors import PgsimError
from pgsim.postgres.connection import Connection
from pgsim.sources.streams.files import require_readable
from pgsim.store.collection import read_collection

BATCH = 20000  # lines between two words to `advance`


class RedirectError(PgsimError):
    """A file of redirects that cannot be read: its line, and what is wrong there."""


@dataclass(frozen=True, slots=True)
class RedirectReport:
    """The accounting of one file: read = new + updated + unchanged.

    `redirects` counts those in the database afterwards.
    """

    read: int
    new: int
    updated: int
    unchanged: int
    redirects: int


def load_redirects(
    conn: Connection, path: Path, advance: Callable[[int], None] = lambda _: None
) -> RedirectReport:
    """Load a CSV of old and new MBIDs, a pair a line; a first line without MBIDs is a header.

    One transaction. Of lines with the same old MBID the last one counts. `advance` is told how many
    more lines are read. RedirectError names the first line that is no pair.
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
            while batch := list(islice(pairs, BATCH)):
                for pair in batch:
                    copy.write_row(pair)
                read += len(batch)
                advance(len(batch))
        row = conn.execute("SELECT * FROM pgsim.store_redirects()").fetchone()
        assert row is not None
        new, updated, redirects = row
    return RedirectReport(read, new, updated, read - new - updated, redirects)


def _pairs(path: Path) -> Iterator[tuple[int, UUID, UUID]]:
    """Line number, old and new MBID of each line."""
    require_readable(path)
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines)
        try:
            for row in reader:
                pair = [_mbid(field) for field in row[:2]]
                if reader.line_num == 1 and not any(pair):
                    continue
                if None in pair or len(pair) < 2:
                    raise RedirectError(
                        f"{path}:{reader.line_num}: {','.join(row)!r:.80} is no pair of MBIDs:"
                        " a line is old,new; nothing was loaded"
                    )
                old, new = pair
                assert old is not None
                assert new is not None
                if old == new:
                    raise RedirectError(
                        f"{path}:{reader.line_num}: {old} redirects to itself; nothing was loaded"
                    )
                yield reader.line_num, old, new
        except csv.Error as error:
            raise RedirectError(f"{path}:{reader.line_num}: no CSV: {error}") from None
        except UnicodeDecodeError as error:
            raise RedirectError(f"{path}: not UTF-8: {error.reason}") from None


def _mbid(field: str) -> UUID | None:
    try:
        return UUID(field.strip())
    except ValueError:
        return None
