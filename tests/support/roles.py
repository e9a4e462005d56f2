"""A database with roles, and connections to it as people of each role."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager

from psycopg.conninfo import make_conninfo

from pgsim import embedded
from pgsim.postgres.connection import Connection, connect
from pgsim.store import schema

ROLES = {
    "reader": "IN ROLE pgsim_reader",
    "listener": "IN ROLE pgsim_listener",
    "writer": "IN ROLE pgsim_writer",
    "stranger": "",
}

AsRole = Callable[[str], Connection]


def make_roles_template(server: embedded.Server, name: str, template: str) -> None:
    """Make a clone of a filled database with pgsim's roles, and a person of each to connect as."""
    with closing(connect(server.conninfo("postgres"), autocommit=True)) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    with closing(connect(server.conninfo(name), autocommit=True)) as conn:
        schema.grant_roles(conn)
        for person, membership in ROLES.items():
            conn.execute(f"CREATE ROLE test_{person} LOGIN {membership}".encode())
        # As after a restore, which brings no rights and leaves every function to everybody.
        conn.execute("GRANT USAGE ON SCHEMA pgsim TO test_stranger")


def conninfo_of(url: str, person: str) -> str:
    """The connection string of a person."""
    return url if person == "owner" else make_conninfo(url, user=f"test_{person}")


@contextmanager
def connections(url: str) -> Iterator[AsRole]:
    """Connect as reader, listener, writer, stranger or owner."""
    with ExitStack() as opened:
        yield lambda person: opened.enter_context(
            closing(connect(conninfo_of(url, person), autocommit=True))
        )
