"""A connection to one database, or a pool of them, lent to one piece of work at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Self, TypeVar

from psycopg.rows import class_row

from pgsim.errors import PgsimError, UsageError
from pgsim.postgres.connection import Connection, connect, defaults_of, prepare, redact
from pgsim.postgres.errors import as_pgsim_errors
from pgsim.postgres.pooler import is_pooled, own_transaction
from pgsim.questions.answers import Answer
from pgsim.questions.question import Question
from pgsim.store.collection import read_collection

if TYPE_CHECKING:
    from psycopg_pool import ConnectionPool

Row = TypeVar("Row")


class Connected:
    """The connection of a `Database`, or its pool."""

    def __init__(self, conninfo: str, *, pool: int | None = None) -> None:
        self._conninfo = conninfo
        self._pool: ConnectionPool[Connection] | None = None
        self._conn: Connection | None = None
        self._is_pooled = False  # by a pooler in transaction mode
        self._is_known = False  # whether the database was seen to hold a collection
        if pool is None:
            self._conn = connect(conninfo, autocommit=True)
            self._is_pooled = is_pooled(self._conn)
        else:
            # A pool would try for half a minute to connect, and say less.
            with closing(connect(conninfo, autocommit=True)) as conn:
                self._is_pooled = is_pooled(conn)
            self._pool = _open_pool(conninfo, pool)

    def __repr__(self) -> str:
        return f"<pgsim.Database {redact(self._conninfo)}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, or all of the pool's."""
        if self._conn is not None:
            self._conn.close()
        if self._pool is not None:
            self._pool.close()

    @property
    def connection(self) -> Connection:
        """The connection of psycopg, in autocommit mode, for SQL of your own.

        UsageError with a pool: there, `with db.pool.connection() as conn`.
        """
        if self._conn is None:
            raise UsageError(
                "with a pool there is no one connection: `with db.pool.connection() as conn`"
            )
        return self._conn

    @property
    def pool(self) -> ConnectionPool[Connection]:
        """The pool of psycopg_pool; UsageError where none was asked for."""
        if self._pool is None:
            raise UsageError("no pool was asked for: pgsim.connect(..., pool=4)")
        return self._pool

    def _ask(
        self,
        question: Question[Row],
        first: Mapping[str, object],
        words: Mapping[str, object] | None = None,
    ) -> Answer[Row]:
        with self._use() as conn:
            return question.ask(conn, first, words)

    def _read(self, kind: type[Row], query: str) -> Answer[Row]:
        with self._use() as conn:
            cursor = conn.cursor(row_factory=class_row(kind))
            return Answer(kind, cursor.execute(query.encode()).fetchall())

    @contextmanager
    def _use(self, *, installed: bool = True, commits: bool = False) -> Iterator[Connection]:
        """Lend a connection; psycopg's errors become PgsimError, and so does a lack of pgsim.

        Work that `commits` has transactions of its own. Other work is in one, behind a pooler.
        """
        with ExitStack() as stack:
            stack.enter_context(as_pgsim_errors())
            conn = stack.enter_context(self._lent())
            if self._is_pooled and not commits:
                stack.enter_context(own_transaction(conn))
            if installed and not self._is_known:
                read_collection(conn)
                self._is_known = True
            yield conn

    @contextmanager
    def _lent(self) -> Iterator[Connection]:
        if self._pool is None:
            yield self.connection
        else:
            with self._pool.connection() as conn:
                yield conn


def _open_pool(conninfo: str, size: int) -> ConnectionPool[Connection]:
    """Return a pool of at most `size` connections; PgsimError where the server does not answer."""
    try:
        from psycopg_pool import ConnectionPool
    except ImportError:
        raise PgsimError("a pool needs psycopg_pool: pip install 'pgsim[pool]'") from None
    if size < 1:
        raise UsageError(f"`pool` is {size}, but must be at least 1")
    return ConnectionPool(
        conninfo,
        kwargs={"autocommit": True, **defaults_of(conninfo)},
        min_size=1,
        max_size=size,
        configure=prepare,
        name="pgsim",
        open=True,
    )
