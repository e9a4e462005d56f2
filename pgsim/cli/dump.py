"""`pgsim dump` and `restore`: the whole database in one file."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pgsim.cli.common import Json, connection, print_json, progress, put, say
from pgsim.errors import PgsimError
from pgsim.postgres.connection import redact, resolve
from pgsim.store.collection import read_collection
from pgsim.transfer import dump as dumping


def dump(
    ctx: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="The file to write: .sql is SQL, any other is an archive.",
        ),
    ],
    matrix: Annotated[
        bool,
        typer.Option(
            "--matrix", help="Only recordings and lists; leave out submissions and rejects."
        ),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    as_json: Json = False,
) -> None:
    """Write the whole database into a file.

    The file holds recordings, matrix and functions; pgsim restore reads it.
    """
    conninfo = resolve(ctx.obj.database)
    with progress("bytes") as advance:
        size = dumping.dump(conninfo, file, matrix=matrix, force=force, advance=advance)
    if as_json:
        print_json({"file": str(file), "bytes": size})
    else:
        put(f"{file}: {size:,} bytes")


def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of pgsim dump.")],
    as_json: Json = False,
) -> None:
    """Restore a dump into a database without pgsim.

    The role must own the database. It need not be a superuser.
    """
    conninfo = resolve(ctx.obj.database, create=True)
    with progress("bytes of SQL") as advance:
        report = asdict(dumping.restore(conninfo, file, advance, say))
    with connection(ctx) as conn:
        try:
            read_collection(conn)
        except PgsimError as error:  # what the dump holds is restored all the same
            say(str(error))
    if as_json:
        print_json({"database": redact(conninfo), **report})
    else:
        counts = ", ".join(f"{count:,} {name}" for name, count in report.items())
        put(f"restored {counts}")
