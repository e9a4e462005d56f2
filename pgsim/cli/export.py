"""`pgsim export` and `import`: the matrix as files that other programs read."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pgsim.cli.common import Json, database, print_json, progress, put, say
from pgsim.errors import UsageError
from pgsim.transfer.export import FORMATS, SHAPES, STDOUT


def export(
    ctx: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="The file to write: .csv, .parquet (a folder), .h5, .mirex, .resp or .faiss;"
            " - is stdout, for csv, mirex and resp.",
        ),
    ],
    format_name: Annotated[
        str | None, typer.Option("--format", help=f"{', '.join(FORMATS)} [default: by the name].")
    ] = None,
    vectors: Annotated[
        bool,
        typer.Option("--vectors", help="Write the vectors, as Parquet: --shape vectors."),
    ] = False,
    shape: Annotated[
        str,
        typer.Option(
            help=f"{', '.join(SHAPES)}: the last is pairs for its table, .csv or .parquet."
        ),
    ] = "matrix",
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    as_json: Json = False,
) -> None:
    """Write the matrix for other programs."""
    if vectors and shape not in ("matrix", "vectors"):
        raise UsageError(f"--vectors and --shape {shape} exclude each other")
    shape = "vectors" if vectors else shape
    if file == STDOUT and format_name is None:
        raise UsageError("stdout does not say in which format: name it with --format")
    if file == STDOUT and as_json:
        raise UsageError("stdout has room for the matrix or for --json, not for both")
    with database(ctx) as db, progress("vectors" if shape == "vectors" else "lists") as advance:
        report = db.export(file, format=format_name, shape=shape, force=force, advance=advance)
    if report.pending and shape != "vectors":
        say(f"{report.pending:,} recordings have changed since the lists were made: pgsim refresh")
    if as_json:
        print_json(asdict(report))
        return
    lists = f"{report.lists:,} lists, " if report.lists else ""
    lists += f"{report.pairs:,} pairs, " if report.pairs else ""
    lists += f"{report.vectors:,} vectors, " if shape == "vectors" else ""
    report_line = say if file == STDOUT else put
    report_line(f"{file}: {report.recordings:,} recordings, {lists}{report.bytes:,} bytes")


def import_(
    ctx: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A file of pgsim export: .csv or .parquet."),
    ],
    as_json: Json = False,
) -> None:
    """Replace the matrix by an exported one.

    The database must hold the recordings already. The command stores each list whose distances
    agree with the database's own vectors. A refresh computes the other lists.
    """
    with database(ctx) as db, progress("pairs") as advance:
        report = asdict(db.import_matrix(file, say=say, advance=advance))
    if as_json:
        print_json(report)
    else:
        put(
            f"{report['stored']:,} of {report['lists']:,} lists stored; left out:"
            f" {report['unknown']:,} of unknown recordings, {report['short']:,} short,"
            f" {report['different']:,} of other vectors than are here"
        )
    if report["unknown_mbids"]:
        some = ", ".join(report["named"])
        more = ", …" if report["unknown_mbids"] > len(report["named"]) else ""
        say(f"{report['unknown_mbids']:,} MBIDs are not here with a vector: {some}{more}")
    if missing := report["recordings"] - report["stored"]:
        say(f"{missing:,} of {report['recordings']:,} recordings have no list: pgsim refresh")
