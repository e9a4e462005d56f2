"""Fixtures: databases with pgsim in them."""

from collections.abc import Callable, Iterator
from contextlib import closing

import psycopg
import pytest

from pgsim import embedded
from pgsim.loading.load import load
from pgsim.postgres.connection import Connection, connect
from pgsim.store.index import build_index
from tests.support.clustered import copy_in, make_collection
from tests.support.databases import install_template
from tests.support.documents import collection, write_lines
from tests.support.lists import write_lists
from tests.support.paths import PLANE


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


@pytest.fixture(scope="session")
def filled_template(
    server: embedded.Server, acousticbrainz_template: str, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """A database with 30 recordings and their lists."""
    name = "filled_template"
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {acousticbrainz_template}".encode())
    path = write_lines(tmp_path_factory.mktemp("filled") / "all.ndjson", collection(30))
    with closing(connect(server.conninfo(name), autocommit=True)) as conn:
        load(conn, [path])
        conn.execute("CALL pgsim.refresh_similarity()")
    return name


@pytest.fixture(scope="session")
def clustered(server: embedded.Server) -> Iterator[Connection]:
    """A collection of clusters with its index, and some lists; tests change nothing in it."""
    name = install_template(server, "clustered", "acousticbrainz")
    with closing(connect(server.conninfo(name), autocommit=True)) as conn:
        copy_in(conn, make_collection(10_000, 68))
        build_index(conn)
        write_lists(conn, "SELECT id FROM pgsim.recording WHERE id % 96 = 0")
        conn.execute("TRUNCATE pgsim.stale")
        yield conn
