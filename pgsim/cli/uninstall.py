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
            help="Drop pgsim_reader and pgsim_writer too, which belong to the whole server.",
        ),
    ] = False,
    cascade: Annotated[
        bool,
        typer.Option(
            "--cascade", help="Drop also what is not pgsim's: what uses it, or is in its schema."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would go, and change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Remove pgsim from a database.

    The schema pgsim goes, with all recordings and lists, and its entry in the search path. Objects
    of others that would go with it are named, and nothing is removed, unless --cascade is given.
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
