"""`pgsim init`: install pgsim in a database, or bring it up to date."""

from typing import Annotated

import typer

from pgsim.cli.common import Json, connection, print_json, put, put_on_search_path, say
from pgsim.errors import UsageError
from pgsim.postgres.connection import require_server
from pgsim.sources.description.proposal import profile_for
from pgsim.store import schema
from pgsim.store.collection import read_collection

DEFAULT_PROFILE = "acousticbrainz"


def init(
    ctx: typer.Context,
    profile: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="The profile, which says what a vector is made of: a shipped profile's name, a"
            " TOML file, or a table or folder of .npy files, as describe proposes it"
            f" [default: {DEFAULT_PROFILE}].",
        ),
    ] = None,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Bring an installed schema up to this version.")
    ] = False,
    roles: Annotated[
        bool,
        typer.Option(
            "--roles",
            help="Create the roles pgsim_reader, which may ask questions, pgsim_listener, which may"
            " also rate answers, and pgsim_writer, which may also load.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Install pgsim in a database, or upgrade it.

    Tables and functions are in the schema pgsim.
    """
    if upgrade and profile:
        raise UsageError("--upgrade keeps the database's profile: leave --profile out")
    wanted = None if upgrade else profile_for(profile or DEFAULT_PROFILE, say)
    with connection(ctx, create=not upgrade) as conn:
        require_server(conn)
        if wanted is None:
            before, after = schema.upgrade(conn, say)
            answer: dict[str, object] = {"upgraded": True, "from": before, "to": after}
            text = f"the tables were of revision {before} and are of {after}; functions are current"
        else:
            if roles and not profile and schema.is_installed(conn):
                wanted = read_collection(conn).profile
            is_new = schema.install(conn, wanted, say)
            answer = {"installed": is_new, "profile": wanted.name, "dimensions": wanted.dimensions}
            text = f"profile '{wanted.name}', {wanted.dimensions} dimensions: " + (
                "installed" if is_new else "was installed already"
            )
        put_on_search_path(conn)
        if roles:
            schema.grant_roles(conn)
            answer["roles"] = ["pgsim_reader", "pgsim_listener", "pgsim_writer"]
            text += (
                "\nroles pgsim_reader, pgsim_listener and pgsim_writer have their rights:"
                " GRANT pgsim_reader TO ..."
            )
    print_json(answer) if as_json else put(text)
