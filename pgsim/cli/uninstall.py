"""`pgsim uninstall`: take pgsim out of a database."""

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from pgsim.cli.common import Json, connection, print_json, put, say
from pgsim.errors import UsageError
from pgsim.printable import one_line
from pgsim.store.uninstall import Removal, removal
from pgsim.store.uninstall import uninstall as remove


def uninstall(
    ctx: typer.Context,
    roles: Annotated[
        bool,
        typer.Option(
            "--roles",
            help="Also drop pgsim's roles, which belong to the whole server.",
        ),
    ] = False,
    cascade: Annotated[
        bool,
        typer.Option(
            "--cascade", help="Also drop objects of others that use pgsim or are in its schema."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be dropped, and change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Remove pgsim from a database.

    It drops the schema pgsim with all recordings and lists, and removes it from the search path. If
    other objects depend on the schema or are in it, the command names them and removes nothing,
    unless you give --cascade.
    """
    with connection(ctx) as conn:
        found = removal(conn, roles=roles)
        if not dry_run:
            if not yes:
                _require_consent(found)
            found = remove(conn, roles=roles, cascade=cascade, say=say)
    if as_json:
        print_json({"removed": not dry_run, **asdict(found)})
        return
    put(
        "\n".join(
            one_line(line) for line in _lines(found, "would be removed" if dry_run else "removed")
        )
    )


def _lines(found: Removal, done: str) -> list[str]:
    return [
        f"{done}: schema pgsim of database '{found.database}'",
        *(f"{done}: {each}, which is not pgsim's" for each in found.others),
        *([f"{done}: pgsim on the search path, by {found.search_path}"] * bool(found.search_path)),
        *(f"{done}: role {role}" for role in found.roles),
    ]


def _require_consent(found: Removal) -> None:
    """Ask on a terminal; without one, UsageError."""
    if not sys.stdin.isatty():
        raise UsageError("uninstall asks first, and here is no terminal: give `yes=True`")
    for line in _lines(found, "to be removed"):
        say(line)
    typer.confirm("Remove it?", abort=True, err=True)
