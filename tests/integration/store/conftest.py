"""Fixtures: a filled database with roles, and servers that are set up in other ways."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from pgsim import embedded
from pgsim.loading.load import load
from pgsim.loading.recordings import refit
from pgsim.matrix.refresh import refresh
from pgsim.postgres.connection import connect
from pgsim.store import schema
from tests.support.databases import install_template
from tests.support.documents import collection, write_lines
from tests.support.findings import FILL
from tests.support.odd import RECORDINGS, SETTINGS, TEMPLATE, New
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


@pytest.fixture(scope="package", params=[pytest.param(16, marks=pytest.mark.slow), 18])
def odd(
    request: pytest.FixtureRequest,
    open_folder: Path,
    fast_settings: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[embedded.Server]:
    """A server of that version with a filled database, to be cloned."""
    home = open_folder / f"odd-{request.param}"
    server = embedded.start(home, settings=fast_settings | SETTINGS, version=request.param)
    install_template(server, TEMPLATE, "acousticbrainz")
    path = write_lines(tmp_path_factory.mktemp("odd") / "all.ndjson", collection(RECORDINGS))
    with closing(connect(server.conninfo(TEMPLATE), autocommit=True)) as conn:
        assert conn.info.server_version // 10000 == request.param
        load(conn, [path])
        refresh(conn)
        schema.add_to_search_path(conn)
        conn.execute("VACUUM (ANALYZE) pgsim.recording")
    yield server
    embedded.stop(home)


@pytest.fixture
def new(odd: embedded.Server) -> Iterator[New]:
    """Make a database on that server, a clone of the filled one; its conninfo."""
    with closing(connect(odd.conninfo("postgres"), autocommit=True)) as admin:
        made: list[str] = []

        def make(options: str = f"TEMPLATE {TEMPLATE}") -> str:
            made.append(f"odd_{os.urandom(6).hex()}")
            admin.execute(f"CREATE DATABASE {made[-1]} {options}".encode())
            if TEMPLATE in options:  # what the path says is not copied
                admin.execute(
                    f'ALTER DATABASE {made[-1]} SET search_path = "$user", public, pgsim'.encode()
                )
            return odd.conninfo(made[-1])

        yield make
        for name in made:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="session")
def healthy_template(
    server: embedded.Server, admin: psycopg.Connection, plane_template: str
) -> str:
    """A database with nothing wrong in it, to be cloned."""
    admin.execute(f"CREATE DATABASE healthy_template TEMPLATE {plane_template}".encode())
    with closing(connect(server.conninfo("healthy_template"), autocommit=True)) as conn:
        # VACUUM cannot mark rows whose commit is still on its way to the disk.
        conn.execute("SET synchronous_commit = on")
        conn.execute(FILL)
        refit(conn)
        refresh(conn)
        conn.execute("VACUUM (ANALYZE) pgsim.recording")
    return "healthy_template"


@pytest.fixture
def healthy(new_database: Callable[..., str], healthy_template: str) -> str:
    """The conninfo of a fresh database with nothing wrong in it."""
    conninfo = new_database(template=healthy_template)
    with closing(connect(conninfo, autocommit=True)) as conn:
        schema.add_to_search_path(conn)
    return conninfo
