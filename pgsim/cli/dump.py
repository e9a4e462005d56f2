"""`pgsim dump` and `restore`: the whole of it in one file."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pgsim.cli.common import Json, connection, print_json, progress, put_on_search_path, say
from pgsim.postgres.connection import redact, resolve
from pgsim.store import schema
from pgsim.transfer import dump as dumping


def dump(
    ctx: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="SQL where it ends in .sql, else a smaller archive."),
    ],
    matrix: Annotated[
        bool,
        typer.Option(
            "--matrix", help="Only recordings and lists: neither submissions nor accounts."
        ),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
    as_json: Json = False,
) -> None:
    """Write recordings, matrix and functions into a file that another database can restore."""
    conninfo = resolve(ctx.obj.database)
    with progress("bytes") as advance:
        size = dumping.dump(conninfo, file, matrix=matrix, force=force, advance=advance)
    if as_json:
        print_json({"file": str(file), "bytes": size})
    else:
        typer.echo(f"{file}: {size:,} bytes")


def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What pgsim dump has made.")],
    as_json: Json = False,
) -> None:
    """Restore a dump into a database without pgsim: an ordinary role will do that owns it."""
    conninfo = resolve(ctx.obj.database, create=True)
    with progress("bytes of SQL") as advance:
        report = asdict(dumping.restore(conninfo, file, advance))
    with connection(ctx) as conn:
        put_on_search_path(conn)
        if schema.revision(conn) != schema.newest_revision():
            say("the dump is of another version of pgsim; to see what to do: pgsim check")
    if as_json:
        print_json({"database": redact(conninfo), **report})
    else:
        counts = ", ".join(f"{count:,} {name}" for name, count in report.items())
        typer.echo(f"restored {counts}")
