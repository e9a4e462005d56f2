"""The recordings of an answer on stdout: as a table, as JSON or as CSV."""

import csv
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.cells import cell_len

from pgsim.cli.common import print_json, print_table, table_width
from pgsim.database.database import Database
from pgsim.errors import UsageError
from pgsim.questions.answers import Answer, SimilarRecording
from pgsim.table import INDENT

COLUMNS = (
    *("rank", "mbid", "artist", "title", "album", "year", "genre", "distance", "similarity"),
    *("source_id", "url"),
)
SHOWN: Sequence[str] = ("rank", "similarity", "distance", "year", "genre", "artist", "title")
NARROW = ("rank", "similarity", "artist", "title")
NARROWEST = 72  # columns of a terminal that has room for all that is shown

Csv = Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")]
Rows = list[dict[str, Any]]


def require_one_form(as_csv: bool, as_json: bool) -> None:
    """Refuse to print both CSV and JSON."""
    if as_csv and as_json:
        raise UsageError("--csv or --json, not both")


def rows_of(db: Database, answer: Answer[SimilarRecording]) -> Rows:
    """Return the rows of an answer, each with the recording's own id and URL."""
    stored = db.recordings([row.mbid for row in answer])
    return [
        {**asdict(row), "source_id": own.source_id, "url": own.url}
        for row, own in zip(answer, stored, strict=True)
    ]


def print_rows(rows: Rows, as_csv: bool, as_json: bool) -> None:
    """Print the recordings of an answer; without a form, as a table."""
    if as_json:
        print_json(rows)
    elif as_csv:
        print_csv(rows)
    else:
        print_recordings(rows)


def print_recordings(rows: Rows) -> None:
    """Print recordings as a table, with what names each below it."""
    width = table_width()
    shown = SHOWN if width >= NARROWEST else NARROW
    below = [_ids(row, width) for row in rows]
    print_table(shown, [[row[name] for name in shown] for row in rows], below)


def _ids(row: dict[str, Any], width: int) -> str:
    """Return what to go on with: the MBID, and the own id where it fits whole."""
    both = f"{row['mbid']}  {row['source_id'] or ''}"
    return both if cell_len(both) + INDENT <= width else str(row["mbid"])


def print_csv(rows: Rows, columns: Sequence[str] = COLUMNS) -> None:
    """Print recordings as comma-separated values, with a line of names."""
    writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
