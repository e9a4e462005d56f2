"""Fixtures: a collection behind a real server, and a client of it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import psycopg
import pytest

from pgsim import embedded
from pgsim.postgres.connection import Connection, connect
from pgsim.store import schema
from pgsim.web.settings import Settings
from pgsim.web.users import add_user, make_secret
from tests.support.serving import serving


@pytest.fixture(scope="session")
def served_database(server: embedded.Server, filled_template: str) -> str:
    """The URL of a database with 30 recordings and pgsim's roles; tests change nothing in it."""
    name = "served"
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {filled_template}".encode())
    with closing(connect(server.conninfo(name), autocommit=True)) as conn:
        schema.grant_roles(conn)
        conn.execute(
            "UPDATE pgsim.recording SET source_id = 'one.mp3' WHERE id = 1;"
            "UPDATE pgsim.recording SET source_id = '../secret.mp3' WHERE id = 2;"
            "UPDATE pgsim.recording SET source_id = '/etc/passwd' WHERE id = 3;"
            "UPDATE pgsim.recording SET source_id = 'notes.txt' WHERE id = 4;"
            "UPDATE pgsim.recording SET url = 'file:one.mp3' WHERE id = 5;"
            "UPDATE pgsim.recording SET url = 'https://example.org/six.mp3' WHERE id = 6;"
            "UPDATE pgsim.recording SET source_id = 'linked.mp3' WHERE id = 10;"
            "UPDATE pgsim.recording SET url = 'file:%2e%2e/secret.mp3' WHERE id = 11;"
            "UPDATE pgsim.recording SET source_id = 'mars/seven.mp3', artist = 'AC/DC',"
            " album = 'A/B' WHERE id = 7;"
            "UPDATE pgsim.recording SET album = 'Mars' WHERE id IN (8, 9);"
            "INSERT INTO pgsim.map_position (id, x, y)"
            " SELECT id, cos(id), sin(id) FROM pgsim.recording"
        )
    return server.conninfo(name)


@pytest.fixture(scope="session")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a secret that keys are made from."""
    path = tmp_path_factory.mktemp("secret") / "web.secret"
    make_secret(path)
    return path


@pytest.fixture(scope="session")
def key(served_database: str, secret: Path) -> str:
    """The key of the user anna."""
    with closing(connect(served_database, autocommit=True)) as conn:
        return add_user(conn, "anna", make_secret(secret))


@pytest.fixture(scope="session")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one file of audio, beside one that is nobody's."""
    folder = tmp_path_factory.mktemp("music") / "audio"
    folder.mkdir()
    (folder / "one.mp3").write_bytes(bytes(range(256)))
    (folder / "notes.txt").write_text("no audio")
    (folder.parent / "secret.mp3").write_bytes(b"not to be had")
    (folder / "linked.mp3").symlink_to(folder.parent / "secret.mp3")
    return folder


@pytest.fixture(scope="session")
def address(served_database: str, secret: Path, audio: Path) -> Iterator[str]:
    """The address of a server."""
    with serving(Settings(served_database, secret=secret, audio=audio)) as address:
        yield address


@pytest.fixture(scope="session")
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{address}/api/v1", timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def conn(served_database: str) -> Iterator[Connection]:
    """A connection to the database that is served."""
    with closing(connect(served_database, autocommit=True)) as conn:
        yield conn


@pytest.fixture(scope="session")
def strict(served_database: str, secret: Path) -> Iterator[str]:
    """The address of a server with every limit."""
    settings = Settings(
        served_database,
        secret=secret,
        needs_key=True,
        cors=("https://example.org",),
        root_path="/music",
        connections=1,
        statement_time=0.5,
        waiting_time=0.2,
        largest_body=1000,
        largest_upload=200_000,
        upload_time=30,
    )
    with serving(settings) as address:
        yield address
