"""A filled database, dumps of it, and databases that an ordinary role owns."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgsim import embedded
from pgsim.transfer.dump import dump
from tests.support.dumps import OWNER, fill, new_session


@pytest.fixture(scope="session")
def filled(server: embedded.Server, admin: psycopg.Connection, plane_template: str) -> str:
    """A filled database on PostgreSQL 18, which no test changes."""
    admin.execute(f"CREATE DATABASE filled TEMPLATE {plane_template}".encode())
    fill(server.conninfo("filled"))
    return server.conninfo("filled")


@pytest.fixture(scope="session")
def archive(filled: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dump of the filled database."""
    path = tmp_path_factory.mktemp("dumps") / "pgsim.dump"
    dump(filled, path)
    return path


@pytest.fixture(scope="session")
def script(filled: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A dump of the filled database in SQL."""
    path = tmp_path_factory.mktemp("dumps") / "pgsim.sql"
    dump(filled, path)
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def role(admin: psycopg.Connection) -> str:
    """An ordinary role."""
    admin.execute(f"CREATE ROLE {OWNER} LOGIN".encode())
    return OWNER


@pytest.fixture
def new_owned(role: str, new_database: Callable[..., str]) -> Callable[..., str]:
    """Make a database that an ordinary role owns; its conninfo as that role."""

    def make(**options: str) -> str:
        conninfo = new_database(**options)
        name = conninfo_to_dict(conninfo)["dbname"]
        with new_session(conninfo) as conn:
            conn.execute(f"ALTER DATABASE {name} OWNER TO {role}".encode())
        return make_conninfo(conninfo, user=role)

    return make
