"""A collection on a grid, which the oracle of questions answers to the last bit."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from pgsim import embedded
from pgsim.postgres.connection import Connection, connect
from tests.support.grid import STATES, change_grid, fill_grid


@pytest.fixture(scope="session")
def grid_template(server: embedded.Server) -> str:
    """The collection on a grid."""
    name = "grid_template"
    embedded.ensure_database(server, name)
    with closing(connect(server.conninfo(name), autocommit=True)) as conn:
        fill_grid(conn)
    return name


@pytest.fixture(params=STATES)
def grid(
    request: pytest.FixtureRequest, new_database: Callable[..., str], grid_template: str
) -> Iterator[Connection]:
    """The collection with its matrix in each state."""
    with closing(connect(new_database(grid_template), autocommit=True)) as conn:
        change_grid(conn, request.param)
        yield conn
