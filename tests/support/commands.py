"""The commands, with what each one takes; commands run in the tests' process, and their rows."""

import json
from functools import cache
from typing import Any

import pytest
import typer

from pgsim.cli import app, command, run
from pgsim.cli.commands import COMMANDS
from pgsim.postgres.connection import connect


def program() -> Any:
    """The program as typer knows it, with every command imported."""
    group: Any = typer.main.get_command(app)
    group.commands = {name: command(name) for name in COMMANDS}
    return group


@cache
def commands() -> dict[str, Any]:
    """The program itself as `pgsim`, and its commands."""
    group = program()
    return {"pgsim": group, **group.commands}


def report(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> Any:
    """The JSON that a command prints."""
    assert run([*map(str, arguments), "--json"]) == code, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query, by a connection of their own."""
    with connect(url) as conn:
        return conn.execute(query.encode()).fetchall()
