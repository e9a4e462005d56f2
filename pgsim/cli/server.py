"""`pgsim start`, `stop`, `url` and `psql`: the embedded server, and the way into the database."""

import os
import sys
from typing import Annotated

import typer

from pgsim import embedded
from pgsim.cli.common import Json, print_json, put
from pgsim.postgres.connection import DEFAULT_DATABASE, client_program, password_of, redact, resolve


def start(as_json: Json = False) -> None:
    """Start the embedded PostgreSQL server.

    The first start creates the server. If it is running already, nothing changes.
    """
    server = embedded.start()
    embedded.ensure_database(server, DEFAULT_DATABASE)
    url = server.conninfo(DEFAULT_DATABASE)
    if as_json:
        print_json({"running": True, "home": str(server.home), "url": url})
    else:
        put(f"the embedded server of {server.home} is running: {url}")


def stop(as_json: Json = False) -> None:
    """Stop the embedded PostgreSQL server.

    Open sessions on the server end.
    """
    stopped = embedded.stop()
    if as_json:
        print_json({"running": False, "stopped": stopped})
    else:
        put("stopped" if stopped else "the embedded server was not running")


def url(ctx: typer.Context, as_json: Json = False) -> None:
    """Print the database's URL, without a password.

    Other programs connect by this URL: psql "$(pgsim url)"
    """
    shown = redact(resolve(ctx.obj.database))
    print_json({"url": shown}) if as_json else put(shown)


def psql(
    ctx: typer.Context,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="ARGUMENT", help="Arguments for psql: pgsim psql -- -c 'SELECT 1'."),
    ] = None,
) -> None:
    """Open psql on the database.

    Arguments after -- go to psql.
    """
    conninfo = resolve(ctx.obj.database)
    program = client_program("psql")
    environment = dict(os.environ)
    if password := password_of(conninfo):  # in the environment no other user can see it
        environment["PGPASSWORD"] = password
    sys.stdout.flush()
    command = [str(program), redact(conninfo), *(arguments or [])]
    os.execve(program, command, environment)  # noqa: S606
