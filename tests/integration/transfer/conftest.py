"""Filled databases, dumps and exports of them, and databases that an ordinary role owns."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgsim import embedded
from pgsim.matrix import rebuild as rebuilding
from pgsim.matrix.rebuild import rebuild
from pgsim.postgres.connection import Connection, connect
from pgsim.transfer import pairs
from pgsim.transfer.dump import dump
from pgsim.transfer.export import export, matrix
from tests.support import line
from tests.support.clustered import copy_in, make_collection
from tests.support.databases import install_template
from tests.support.dumps import OWNER, fill, new_session
from tests.support.lists import LISTED


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


@pytest.fixture(scope="session")
def rebuilt(
    server: embedded.Server, admin: psycopg.Connection, plane_template: str
) -> Iterator[Connection]:
    """80 recordings on a line, 60 neighbours each, which no test changes."""
    admin.execute(f"CREATE DATABASE rebuilt TEMPLATE {plane_template}".encode())
    with closing(connect(server.conninfo("rebuilt"), autocommit=True)) as conn:
        line.fill(conn)
        rebuild(conn, engine="exact", k=60)
        yield conn


@pytest.fixture(scope="session")
def exported_rows(rebuilt: Connection, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Their matrix as CSV."""
    path = tmp_path_factory.mktemp("exported") / "m.csv"
    export(rebuilt, path)
    return path.read_text(encoding="utf-8")


@pytest.fixture
def exported(exported_rows: str, tmp_path: Path) -> Path:
    """A file with their matrix, of this test's own."""
    path = tmp_path / "m.csv"
    path.write_text(exported_rows, encoding="utf-8")
    return path


@pytest.fixture
def other(new_database: Callable[..., str], plane_template: str) -> Iterator[Connection]:
    """Another database whose vectors have two dimensions."""
    with closing(connect(new_database(plane_template), autocommit=True)) as conn:
        yield conn


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an import read several chunks, and notice another rebuild at once."""
    monkeypatch.setattr(pairs, "CHUNK", 100)
    monkeypatch.setattr(rebuilding, "GRACE", 0.2)


@pytest.fixture(scope="session")
def listed_template(server: embedded.Server) -> str:
    """300 recordings with their lists; one has no vector, and one is gone."""
    name = install_template(server, "listed_template", "acousticbrainz")
    with closing(connect(server.conninfo(name), autocommit=True)) as conn:
        copy_in(conn, make_collection(LISTED, 68, seed=8))
        rebuild(conn, engine="exact", k=60)
        conn.execute("INSERT INTO pgsim.recording (mbid) VALUES (gen_random_uuid())")
        conn.execute("DELETE FROM pgsim.recording WHERE id = 7")
    return name


@pytest.fixture(scope="session")
def listed(
    server: embedded.Server, admin: psycopg.Connection, listed_template: str
) -> Iterator[Connection]:
    """Such a database, which no test changes."""
    admin.execute(f"CREATE DATABASE listed TEMPLATE {listed_template}".encode())
    with closing(connect(server.conninfo("listed"), autocommit=True)) as conn:
        yield conn


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an export read several blocks."""
    monkeypatch.setattr(matrix, "BLOCK", 64)
