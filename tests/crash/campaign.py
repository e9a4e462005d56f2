"""The campaign's own server and small disk, in one folder."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path

import psycopg
from psycopg import sql

from pgsim import embedded
from pgsim.embedded.binaries import find_program
from tests.crash.disk import SmallDisk

TABLESPACE = "small"
PATIENCE = 120.0  # seconds in which the server is ready again, or a command has ended
BLANK = ""  # the base of an empty database


class Campaign:
    """A folder with an embedded server in it, which writes to the disk as a user's does."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pgsim-crash-"))
        self.folder.chmod(0o755)  # as root, the server's account passes here
        self.inputs = self.folder / "inputs"
        self.inputs.mkdir()
        # A share of the machine's memory would be too much for small collections.
        self.server = embedded.start(
            self.folder / "home", settings={"shared_buffers": "256MB", "max_wal_size": "1GB"}
        )

    def start(self) -> None:
        """Start the server, if it does not run, and wait until it answers."""
        embedded.start(self.server.home)
        with self.admin():
            pass

    @contextmanager
    def admin(self) -> Iterator[psycopg.Connection]:
        """A connection to the server, which may be recovering from a crash."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                conn = psycopg.connect(self.server.conninfo("postgres"), autocommit=True)
                break
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        with conn:
            yield conn

    @cached_property
    def disk(self) -> SmallDisk:
        """The small disk; a tablespace of the server lies there too."""
        disk = SmallDisk(self.folder / "disk")
        if not disk.problem:
            space = disk.folder / "space"
            space.mkdir(mode=0o700)
            owner = self.server.data.stat()
            os.chown(space, owner.st_uid, owner.st_gid)
            with self.admin() as conn:
                conn.execute(f"CREATE TABLESPACE {TABLESPACE} LOCATION '{space}'".encode())
        return disk

    def make_base(self, name: str) -> str:
        """The URL of a new database with pgvector, to be copied later."""
        embedded.ensure_database(self.server, f"base_{name}")
        return self.server.conninfo(f"base_{name}")

    def copy(self, base: str, name: str, *, on_small_disk: bool) -> None:
        """Make a database of that name, a copy of a base.

        A crash before the next checkpoint could set its sequences back, since a copied sequence
        says that its next numbers are in the write-ahead log already: of the base they are.
        """
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(f"base_{base}" if base else "template0")
        )
        if on_small_disk:
            statement += sql.SQL(f" TABLESPACE {TABLESPACE}")
        with self.admin() as conn:
            deadline = time.monotonic() + PATIENCE
            while True:
                try:
                    conn.execute(statement)
                    conn.execute("CHECKPOINT")
                    return
                except psycopg.errors.ObjectInUse:  # by autovacuum
                    if time.monotonic() > deadline:
                        raise

    def drop(self, name: str) -> None:
        """Drop a database."""
        with self.admin() as conn:
            conn.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def keep(self, name: str) -> None:
        """Move a database away from the small disk."""
        with self.admin() as conn, suppress(psycopg.Error):
            conn.execute(
                sql.SQL("ALTER DATABASE {} SET TABLESPACE pg_default").format(sql.Identifier(name))
            )

    def damage(self) -> str:
        """What pg_checksums finds in the files of the server, which is stopped; empty for none."""
        embedded.stop(self.server.home)
        program = find_program("pg_checksums")
        assert program is not None
        checked = subprocess.run(
            [program, "--check", "-D", self.server.data],
            capture_output=True,
            text=True,
            check=False,
        )
        return checked.stderr.strip() if checked.returncode else ""

    def close(self) -> None:
        """Stop the server and unmount the disk; the folder is left."""
        embedded.stop(self.server.home)
        if "disk" in self.__dict__:
            self.disk.close()
