"""`pgsim user`: who may log in to pgsim serve."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pgsim.cli.common import Json, database, print_json, print_table, put, say
from pgsim.errors import UsageError
from pgsim.store.collection import read_collection
from pgsim.web.users import add_user, list_users, make_secret, remove_user, secret_file


class _What(StrEnum):
    ADD = "add"
    REMOVE = "remove"
    LIST = "list"


def user(
    ctx: typer.Context,
    what: Annotated[_What, typer.Argument(metavar="add|remove|list", help="What to do.")],
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Whom to add or remove.")
    ] = None,
    secret: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The secret that keys are made from, as for pgsim serve [default: web.secret in"
            " the home folder].",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Add, remove or list users of pgsim serve.

    A user's key is printed once. It is the API key, and the password for Subsonic's clients.
    """
    if (name is None) != (what == _What.LIST):
        raise UsageError("write pgsim user add NAME, pgsim user remove NAME, or pgsim user list")
    with database(ctx) as db:
        conn = db.connection
        read_collection(conn)  # refuses tables of another version
        if name is None:
            users = [asdict(each) for each in list_users(conn)]
            columns = ("name", "created_at")
            if as_json:
                print_json(users)
            else:
                print_table(columns, [[each[column] for column in columns] for each in users])
        elif what == _What.ADD:
            key = add_user(conn, name, make_secret(secret_file(secret)))
            say(f"the key of '{name}', which is not shown again:")
            print_json({"name": name, "key": key}) if as_json else put(key)
        else:
            remove_user(conn, name)
            print_json({"removed": name}) if as_json else put(f"removed '{name}'")
