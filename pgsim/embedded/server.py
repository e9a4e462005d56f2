"""Start, find and stop the embedded server of a home folder.

home/data             the cluster, owned by the account that runs it; its log is server.log
home/run              the socket, in a folder closed to others
home/*.conf           the configuration (settings.py)
home/binaries         a copy of the programs, only where they can't be run in place
home/lock             held while a server starts or stops
"""

import fcntl
import os
import shlex
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from pgsim.embedded.account import Account, EmbeddedError, account, existing_account
from pgsim.embedded.binaries import programs_for
from pgsim.embedded.folders import (
    check_owner,
    home_folder,
    is_private,
    make_home,
    make_socket_folder,
    socket_folder,
)
from pgsim.embedded.postmaster import PORT, find_postmaster, is_postmaster, remove_remains
from pgsim.embedded.settings import persist_settings, write_configuration

PATIENCE = 600  # seconds: recovery after a crash can take long
MADE_BY_ANOTHER = (  # at the same moment
    psycopg.errors.DuplicateDatabase,
    psycopg.errors.DuplicateObject,
    psycopg.errors.UniqueViolation,
)


@dataclass(frozen=True, slots=True)
class Server:
    """An embedded server, running or not: where its data and its socket are."""

    home: Path
    socket_folder: Path
    port: int = PORT

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.data / "server.log"

    @property
    def is_running(self) -> bool:
        """Return whether it accepts connections now."""
        postmaster = find_postmaster(self.data, self.socket_folder)
        return postmaster is not None and postmaster.status == "ready"

    def conninfo(self, dbname: str) -> str:
        """The URL of one of its databases, for libpq and psql; it holds no secret."""
        folder = quote(str(self.socket_folder))
        return f"postgresql://postgres@/{quote(dbname, safe='')}?host={folder}&port={self.port}"


def start(
    home: Path | None = None, *, settings: Mapping[str, str] | None = None, version: int = 18
) -> Server:
    """Start the server of `home`, made on first use; a running one is returned as it is.

    home: a folder; by default PGSIM_HOME, else the user's data folder, else /var/lib/pgsim (root).
    settings: PostgreSQL settings kept for this and every later start; a running server reloads
        them (those that need a restart take effect at the next start).
    version: the major version of a new server, 18 or 16; an existing one keeps its own.
    Returns when it is ready for connections. EmbeddedError when it cannot be.
    """
    folder = home_folder(home)
    try:
        if not settings:
            found = _running(folder)
            if found:
                return found
        return _start(folder, settings or {}, version)
    except OSError as error:
        raise EmbeddedError(
            f"the embedded server cannot use {error.filename or folder}: {error.strerror}; "
            "PGSIM_HOME may name another folder"
        ) from error


def stop(home: Path | None = None) -> bool:
    """Stop the server of `home`, ending its sessions; False when it was not running."""
    folder = home_folder(home)
    if not (folder / "data").is_dir():
        return False
    check_owner(folder, os.geteuid())
    with _lock(folder):
        server = Server(folder, socket_folder(folder))
        postmaster = find_postmaster(server.data, server.socket_folder)
        if postmaster:
            if not is_postmaster(postmaster.pid, server.data):
                raise EmbeddedError(
                    f"the server of {folder} runs in another container: stop it there"
                )
            os.kill(postmaster.pid, signal.SIGINT)
            _wait_until_gone(server)
        remove_remains(server.data, server.socket_folder)
    return postmaster is not None


def ensure_database(server: Server, name: str) -> None:
    """Create the database `name`, with pgvector, where it does not exist yet."""
    if not 0 < len(name.encode()) < 64:
        raise EmbeddedError(f"'{name}' cannot name a database: use 1 to 63 bytes")
    try:
        with psycopg.connect(server.conninfo("postgres"), autocommit=True) as conn:
            known = conn.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).rowcount
            if not known:
                with suppress(*MADE_BY_ANOTHER):
                    made = sql.SQL("CREATE DATABASE {} TEMPLATE template0")
                    conn.execute(made.format(sql.Identifier(name)))
        with psycopg.connect(server.conninfo(name), autocommit=True) as conn:
            if not conn.execute("SELECT FROM pg_extension WHERE extname = 'vector'").rowcount:
                with suppress(*MADE_BY_ANOTHER):
                    conn.execute("CREATE EXTENSION IF NOT EXISTS vector SCHEMA public")
    except psycopg.Error as error:
        reason = str(error).splitlines()[0]
        raise EmbeddedError(f"cannot open the embedded database '{name}': {reason}") from error


def databases(server: Server) -> list[str]:
    """The names of a server's databases, without PostgreSQL's own."""
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as conn:
        rows = conn.execute(
            "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'"
            " ORDER BY datname"
        )
        return [name for (name,) in rows]


def _running(home: Path) -> Server | None:
    """The server of `home` if it is ready, found without the lock."""
    owner = existing_account()
    if owner is None or not (home / "data").is_dir():
        return None
    check_owner(home, os.geteuid())
    server = Server(home, socket_folder(home))
    if not is_private(server.socket_folder, owner.uid):
        return None
    return server if server.is_running else None


def _start(home: Path, settings: Mapping[str, str], version: int) -> Server:
    make_home(home)
    with _lock(home) as lock:
        owner = account()
        server = Server(home, socket_folder(home))
        make_socket_folder(server.socket_folder, owner)
        changed = persist_settings(home, settings)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            postmaster = find_postmaster(server.data, server.socket_folder)
            if postmaster is None:
                owner.check_reaches(home)
                _launch(server, owner, settings, version, lock)
                changed = False
            elif postmaster.status == "ready":
                if changed:
                    os.kill(postmaster.pid, signal.SIGHUP)
                return server
            else:  # a killed client's pg_ctl started it a moment ago, or it is going down
                time.sleep(0.05)
    raise EmbeddedError(f"the embedded server was not ready after {PATIENCE} s: see {server.log}")


def _launch(
    server: Server, owner: Account, settings: Mapping[str, str], version: int, lock: int
) -> None:
    """Try to start once; EmbeddedError unless a postmaster lives afterwards."""
    if (server.data / "PG_VERSION").is_file():
        check_owner(server.data, owner.uid)
        version = int((server.data / "PG_VERSION").read_text())
        programs = programs_for(owner, version, server.home)
        remove_remains(server.data, server.socket_folder)
    else:
        programs = programs_for(owner, version, server.home)
        _initialise(server, owner, programs, version, lock, sync=settings.get("fsync") != "off")
    write_configuration(server.home, server.socket_folder, owner)
    written = server.log.stat().st_size if server.log.exists() else 0
    configuration = shlex.quote(str(server.home / "postgresql.conf"))
    tried = owner.run(
        *(programs / "pg_ctl", "start", "-w", "-s", "-t", str(PATIENCE)),
        *("-D", server.data, "-l", server.log, "-o", f"-c config_file={configuration}"),
    )
    if tried.returncode and not find_postmaster(server.data, server.socket_folder):
        reason = _reason(server.log, written) or tried.stderr.strip().splitlines()[-1]
        raise EmbeddedError(f"the embedded server did not start: {reason}; see {server.log}")


def _initialise(
    server: Server, owner: Account, programs: Path, version: int, lock: int, *, sync: bool
) -> None:
    """Make a new cluster in a sibling of `data`, and rename it when it is whole."""
    for unfinished in server.home.glob("data.*"):
        shutil.rmtree(unfinished)
    growing = Path(tempfile.mkdtemp(prefix="data.", dir=server.home))
    os.chown(growing, owner.uid, owner.gid)
    # PostgreSQL 16 knows no built-in locale.
    locale = (
        ("--locale=C.UTF-8",)
        if version < 17
        else ("--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    )
    # The lock stays with initdb, should this process be killed: no second one beside it.
    made = owner.run(
        *(programs / "initdb", "-D", growing, "-U", "postgres", "--encoding=UTF8", *locale),
        *("--auth=peer", "--auth-host=reject", "--data-checksums"),
        *(() if sync else ("--no-sync",)),
        keep_open=(lock,),
    )
    if made.returncode:
        shutil.rmtree(growing)
        reason = " ".join(made.stderr.split()) or f"initdb ended with {made.returncode}"
        raise EmbeddedError(f"cannot make a database cluster in {server.home}: {reason}")
    growing.rename(server.data)


def _reason(log: Path, written: int) -> str:
    """The first fatal line of the log since byte `written`."""
    with log.open("rb") as lines:
        lines.seek(written)
        text = lines.read().decode(errors="replace")
    fatal = [line.split("FATAL:", 1)[1].strip() for line in text.splitlines() if "FATAL:" in line]
    return fatal[0] if fatal else ""


def _wait_until_gone(server: Server) -> None:
    deadline = time.monotonic() + PATIENCE
    while find_postmaster(server.data, server.socket_folder):
        if time.monotonic() > deadline:
            raise EmbeddedError(
                f"the embedded server did not stop in {PATIENCE} s: see {server.log}"
            )
        time.sleep(0.02)


@contextmanager
def _lock(home: Path) -> Iterator[int]:
    """Wait for the lock of `home` and hold it; its file descriptor."""
    lock = os.open(home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock
    finally:
        os.close(lock)
