"""Fixtures: databases with pgsim in them."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pgsim import embedded, schema
from pgsim.collection import Connection
from pgsim.database import connect
from pgsim.profile import read_profile

PLANE = Path(__file__).parents[1] / "profiles" / "plane.toml"


def install_template(server: embedded.Server, name: str, profile: str) -> str:
    """A database of that name with pgsim for a profile, to be cloned."""
    embedded.ensure_database(server, name)
    with closing(connect(server.conninfo(name), autocommit=True)) as conn:
        schema.install(conn, read_profile(profile))
    return name


@pytest.fixture(scope="session")
def acousticbrainz_template(server: embedded.Server) -> str:
    return install_template(server, "acousticbrainz_template", "acousticbrainz")


@pytest.fixture(scope="session")
def plane_template(server: embedded.Server) -> str:
    return install_template(server, "plane_template", str(PLANE))


@pytest.fixture
def conn(new_database: Callable[..., str], acousticbrainz_template: str) -> Iterator[Connection]:
    """A connection to a fresh database with pgsim and the profile acousticbrainz."""
    with closing(connect(new_database(acousticbrainz_template), autocommit=True)) as conn:
        yield conn


@pytest.fixture
def plane(new_database: Callable[..., str], plane_template: str) -> Iterator[Connection]:
    """A connection to a fresh database whose vectors have two dimensions."""
    with closing(connect(new_database(plane_template), autocommit=True)) as conn:
        yield conn
