"""SQLite databases that other programs wrote, opened for reading alone.

A source says which tables it knows and what their documents are. Here are what all such sources
share: the file's first bytes, its tables, its documents as members, and errors that name the cure.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from pgsim.sources.streams import files
from pgsim.sources.streams.files import (
    COMPRESSIONS,
    Member,
    SourceError,
    reason,
    require_readable,
    storable,
)

if TYPE_CHECKING:
    from sqlite3 import Connection, DatabaseError

MAGIC = b"SQLite format 3\0"

_ENDINGS = (".db", ".db3", ".sqlite", ".sqlite3")
_WAL = 2  # at byte 18 of the header: changes go to a file beside the database
_WAIT = 5.0  # seconds for a program that is writing
# SQLite's primary result codes.
_BUSY, _LOCKED, _READONLY, _CORRUPT, _CANTOPEN, _NOTADB = 5, 6, 8, 11, 14, 26
_STOPPED = "a program was stopped while it wrote: open it once with that program"
_CURES = {
    _BUSY: "another program is writing: load it when that one is done",
    _LOCKED: "another program is writing: load it when that one is done",
    _READONLY: _STOPPED,
    _CANTOPEN: _STOPPED,
    _CORRUPT: "it is damaged: sqlite3 FILE .recover saves what is left",
    _NOTADB: "it is encrypted or damaged: save it without encryption",
}

Row = dict[str, Any]
# The columns of each table, all in lower case: to SQLite, names in either case are the same.
Tables = Mapping[str, tuple[str, ...]]


def is_sqlite(path: Path) -> bool:
    """Return whether a file is a SQLite database, judging by its first bytes."""
    return _header(path).startswith(MAGIC)


def why_none(path: Path) -> str:
    """Return why a file that seems to be a database cannot be read; empty if none seems so.

    What is compressed cannot be read, since SQLite reads a database in any order.
    """
    compression = next((each for each in COMPRESSIONS if path.name.lower().endswith(each)), "")
    if compression and path.is_file():
        try:
            with files.opened(path) as stream:
                is_database = stream.read(len(MAGIC)) == MAGIC
        except SourceError:
            return ""
        if not is_database:
            return ""
        command = {".gz": "gunzip", ".bz2": "bunzip2", ".xz": "unxz", ".zst": "unzstd"}[compression]
        return (
            f"{path} is a compressed SQLite database, which is read in any order: unpack it first,"
            f" by {command} {path.name}"
        )
    if path.suffix.lower() in _ENDINGS and path.is_file() and not is_sqlite(path):
        return (
            f"{path} has the name of a SQLite database, and does not begin as one: it is encrypted"
            " (as by SQLCipher), damaged or empty: save it without encryption"
        )
    return ""


@contextmanager
def opened(path: Path) -> Iterator["Connection"]:
    """Open a database for reading, as it is now; SourceError if that cannot be done."""
    import sqlite3  # slow to import, for worker processes too

    require_readable(path)
    uri = f"{path.absolute().as_uri()}?mode=ro"
    has_log = path.with_name(f"{path.name}-wal").exists()
    if _header(path)[18:19] == bytes([_WAL]) and not has_log:
        uri += "&immutable=1"  # or else reading would make files beside it
    try:
        with closing(
            sqlite3.connect(
                uri, uri=True, timeout=_WAIT, isolation_level=None, check_same_thread=False
            )
        ) as connection:
            # A text that is not UTF-8 gets lone surrogates, which no JSON holds.
            connection.text_factory = lambda data: data.decode(errors="surrogateescape")
            connection.execute("BEGIN")
            yield connection
    except sqlite3.DatabaseError as error:
        raise SourceError(f"{path} cannot be read: {_why(error)}") from None


def tables_of(path: Path) -> Tables:
    """Return the tables of a database; none if the file is no SQLite database."""
    if not is_sqlite(path):
        return {}
    with opened(path) as connection:
        return tables_in(connection)


def tables_in(connection: "Connection") -> Tables:
    """Return the tables and views of an open database."""
    names = connection.execute(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name"
    ).fetchall()
    query = "SELECT name FROM pragma_table_info(?) ORDER BY cid"
    return {
        name.lower(): tuple(column.lower() for (column,) in connection.execute(query, (name,)))
        for (name,) in names
    }


def rows_of(connection: "Connection", query: str) -> Iterator[Row]:
    """Yield the rows of a query by the names of their columns."""
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description]
    for row in cursor:
        yield dict(zip(names, row, strict=True))


def members(
    path: Path, documents: Callable[["Connection"], Iterable[tuple[str, Row]]]
) -> Iterator[Member]:
    """Yield each document of a database, given with where it stands, as JSON.

    A document that JSON cannot hold, and a failure to read, is a Member with a fault.
    """
    name = storable(path.name)
    read = 0
    try:
        with opened(path) as connection:
            for where, document in documents(connection):
                yield _member(f"{name}:{storable(where)}", document)
                read += 1
    except SourceError as error:
        yield Member(name, b"", f"broken after {read} documents: {error}")
    else:
        if not read:
            yield Member(name, b"", "no document in it")


def _member(where: str, document: Row) -> Member:
    for key, value in document.items():
        # JSON has no infinity; SQLite has no NaN.
        values = value if isinstance(value, list) else (value,)
        if math.inf in values or -math.inf in values:
            return Member(where, b"", f"{key}: infinity is not a number")
    try:
        return Member(where, orjson.dumps(document))
    except TypeError:
        pass
    for key, value in document.items():
        try:
            orjson.dumps(value)
        except TypeError as error:
            is_blob = isinstance(value, bytes)
            why = f"a blob of {len(value)} bytes" if is_blob else f"not UTF-8: {error}"
            return Member(where, b"", f"{key}: {why}")
    raise AssertionError("a document of values that are JSON each is JSON")


def _header(path: Path) -> bytes:
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(20)
    except OSError:
        return b""


def _why(error: "DatabaseError") -> str:
    text = reason(error)
    cure = _CURES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    return f"{text}; {cure}" if cure else text
