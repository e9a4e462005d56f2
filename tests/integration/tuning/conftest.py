"""A collection whose artists can be told apart, but not by what varies most."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from pgsim import embedded
from pgsim.loading.load import load
from pgsim.matrix.rebuild import rebuild
from pgsim.postgres.connection import Connection, connect
from pgsim.tuning.tune import tune
from tests.support.databases import install_template
from tests.support.taught import PROFILE, write_table


@pytest.fixture(scope="session")
def taught_template(server: embedded.Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("taught")
    (folder / "taught.toml").write_text(PROFILE)
    name = install_template(server, "taught_template", str(folder / "taught.toml"))
    with closing(connect(server.conninfo(name), autocommit=True)) as conn:
        load(conn, [write_table(folder / "songs.csv")])
    return name


@pytest.fixture
def taught(new_database: Callable[..., str], taught_template: str) -> Iterator[Connection]:
    with closing(connect(new_database(taught_template), autocommit=True)) as conn:
        yield conn


@pytest.fixture(scope="session")
def tuned_template(server: embedded.Server, taught_template: str) -> str:
    """The collection after pgsim tune, with its lists."""
    with closing(connect(server.conninfo("postgres"), autocommit=True)) as conn:
        conn.execute(f"CREATE DATABASE tuned_template TEMPLATE {taught_template}".encode())
    with closing(connect(server.conninfo("tuned_template"), autocommit=True)) as conn:
        assert tune(conn).written
        rebuild(conn, engine="exact")
    return "tuned_template"


@pytest.fixture
def tuned(new_database: Callable[..., str], tuned_template: str) -> Iterator[Connection]:
    with closing(connect(new_database(tuned_template), autocommit=True)) as conn:
        yield conn
