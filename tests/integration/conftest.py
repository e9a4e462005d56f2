"""Fixtures: databases with pgsim in them."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from pgsim import embedded, schema
from pgsim.collection import Connection
from pgsim.database import connect
from pgsim.index import build_index
from pgsim.loader import load
from pgsim.profile import read_profile
from tests.clustered import copy_in, make_collection
from tests.documents import collection, write_lines
from tests.lists import write_lists

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
        write_lists(conn, "SELECT id FROM pgsim.recording WHERE id % 24 = 0")
        conn.execute("TRUNCATE pgsim.stale")
        yield conn
