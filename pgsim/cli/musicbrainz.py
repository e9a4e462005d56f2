"""`pgsim redirects` and `pgsim names`: what MusicBrainz publishes about recordings."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pgsim.cli.common import Json, database, print_json, print_table, progress, put, say


def redirects(
    ctx: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            help="A file with two MBIDs in each line (old,new, or in the order of its header);"
            " MusicBrainz's mbdump.tar.bz2, or its tables recording and recording_gid_redirect; or"
            " MetaBrainz's canonical data"
            " (canonical_recording_redirect.csv, or its .tar.zst).",
        ),
    ],
    as_json: Json = False,
) -> None:
    """Load MBIDs that were merged into others.

    Every question follows these redirects: a merged MBID asks about its successor. Files may be
    compressed with gzip, bzip2, xz or zstd.
    """
    with database(ctx) as db, progress("redirects") as advance:
        report = asdict(db.load_redirects(*files, advance=advance))
    if as_json:
        print_json(report)
        return
    left_out = {"lead to themselves": "to_itself", "lead to no recording": "unresolved"}
    put(
        f"{report['read']} redirects read: {report['new']} new, {report['updated']} updated,"
        f" {report['unchanged']} unchanged"
        + "".join(f", {report[key]} {words}" for words, key in left_out.items() if report[key])
        + f"; {report['redirects']} in the database"
    )


def names(
    ctx: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            help="MetaBrainz's canonical data (canonical_musicbrainz_data.csv, or its .tar.zst);"
            " MusicBrainz's mbdump.tar.bz2, or tables of it; or a CSV with the column"
            " recording_mbid.",
        ),
    ],
    as_json: Json = False,
) -> None:
    """Name recordings that lack title, artist or year.

    The command adds titles, artists, albums, years and lengths from MusicBrainz. It never changes a
    value that a recording has. Load redirects first: a recording gets the names of the one that its
    MBID redirects to. Files may be compressed with gzip, bzip2, xz or zstd.
    """
    with database(ctx) as db, progress("recordings") as advance:
        report = asdict(db.load_names(*files, say=say, advance=advance))
    if as_json:
        print_json(report)
    else:
        print_table(["", "count"], [(k.replace("_", " "), v) for k, v in report.items()])
