"""Fixtures: a filled database with roles."""

from collections.abc import Callable, Iterator

import pytest

from pgsim import embedded
from tests.support.roles import AsRole, connections, make_roles_template


@pytest.fixture(scope="session")
def roles_template(server: embedded.Server, filled_template: str) -> str:
    """A filled database with roles, and three people to connect as."""
    make_roles_template(server, "roles_template", filled_template)
    return "roles_template"


@pytest.fixture
def as_role(new_database: Callable[..., str], roles_template: str) -> Iterator[AsRole]:
    """Connections to a filled database of this test's own."""
    with connections(new_database(roles_template)) as connect_as:
        yield connect_as
