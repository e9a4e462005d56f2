"""Fixtures: an embedded server of the tests' own, and fresh databases on it."""

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.resources import as_file, files
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql

from pgsim import embedded
from pgsim.features.profile import read_profile
from pgsim.loading.load import load
from pgsim.matrix.refresh import refresh
from pgsim.postgres.connection import connect
from pgsim.store import schema

# Each program that a test starts would compile pgsim anew, which takes longer than most do.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A shell's background job ignores SIGINT, and what it starts would too: tests interrupt programs.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# The first text that Hypothesis draws on a machine takes seconds: it makes tables of characters.
# Tests that share a fixture among their examples clear it themselves.
settings.register_profile(
    "pgsim",
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("pgsim")

MEMORY = Path("/dev/shm")
ROOM = 4 << 30  # bytes: what two servers hold at most


def _has_room(folder: Path) -> bool:
    """Whether a folder can hold the servers of the tests, and a copy of PostgreSQL's programs."""
    if not folder.is_dir():
        return False
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize >= ROOM and not found.f_flag & os.ST_NOEXEC


@pytest.fixture(scope="session")
def fast_settings() -> dict[str, str]:
    """Server settings for tests: what is lost when the machine fails is only a test's."""
    return {
        "fsync": "off",
        "full_page_writes": "off",
        "synchronous_commit": "off",
        "wal_init_zero": "off",
        "wal_recycle": "off",
        "shared_buffers": "256MB",
        "autovacuum": "off",
    }


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A temporary folder that the account of the server can reach; pytest's own are closed.

    It is in memory where that has room: a database is cloned there in a tenth of the time.
    """
    where = MEMORY if _has_room(MEMORY) else None
    folder = Path(tempfile.mkdtemp(prefix="pgsim-tests-", dir=where))
    if os.geteuid() == 0:
        folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def server(open_folder: Path, fast_settings: dict[str, str]) -> Iterator[embedded.Server]:
    """An embedded server, stopped at the end; no other server is touched."""
    home = open_folder / "home"
    yield embedded.start(home, settings=fast_settings)
    embedded.stop(home)


@pytest.fixture(scope="session")
def vector_template(server: embedded.Server) -> str:
    """The name of a database with pgvector, to be cloned."""
    embedded.ensure_database(server, "vector_template")
    return "vector_template"


@pytest.fixture(scope="session")
def demo_template(server: embedded.Server) -> str:
    """A database with the demo's recordings and their lists, to be cloned."""
    name = "demo_template"
    embedded.ensure_database(server, name)
    with closing(connect(server.conninfo(name), autocommit=True)) as conn:
        schema.install(conn, read_profile("essentia"))
        with as_file(files("pgsim.demo") / "recordings.ndjson.gz") as path:
            load(conn, [path])
        refresh(conn)
    return name


@pytest.fixture(scope="session")
def admin(server: embedded.Server) -> Iterator[psycopg.Connection]:
    """A connection by which databases are made and dropped."""
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as conn:
        yield conn


@pytest.fixture
def new_database(
    server: embedded.Server, admin: psycopg.Connection, vector_template: str
) -> Iterator[Callable[..., str]]:
    """Make a database for this test: `new_database(template=NAME)` returns its conninfo.

    It is a clone of `template`, by default of one that holds nothing but pgvector. Its files are
    copied: by way of the write-ahead log, as is the default, it would take twice the time.
    """
    made: list[str] = []

    def make(template: str = vector_template) -> str:
        name = f"test_{os.urandom(6).hex()}"
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        made.append(name)
        return server.conninfo(name)

    yield make
    for name in made:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
