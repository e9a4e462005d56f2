"""A collection with its map."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from pgsim import embedded
from pgsim.mapping.map import make_map
from pgsim.matrix.rebuild import rebuild
from pgsim.postgres.connection import Connection, connect
from tests.support.clustered import copy_in, make_collection
from tests.support.databases import install_template

RECORDINGS = 500


@pytest.fixture(scope="module")
def mapped_template(server: embedded.Server) -> str:
    """500 recordings in clusters, copies among them, their exact lists, and their map."""
    name = install_template(server, "mapped_template", "acousticbrainz")
    with closing(connect(server.conninfo(name), autocommit=True)) as conn:
        copy_in(conn, make_collection(RECORDINGS, 68, seed=3))
        rebuild(conn, engine="exact")
        make_map(conn)
    return name


@pytest.fixture
def mapped(new_database: Callable[..., str], mapped_template: str) -> Iterator[Connection]:
    with closing(connect(new_database(mapped_template), autocommit=True)) as conn:
        yield conn
