"""Commands run in the tests' process, and the rows that they leave."""

import json
from typing import Any

import pytest

from pgsim.cli import run
from pgsim.postgres.connection import connect


def report(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> Any:
    """The JSON that a command prints."""
    assert run([*map(str, arguments), "--json"]) == code, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query, by a connection of their own."""
    with connect(url) as conn:
        return conn.execute(query.encode()).fetchall()
