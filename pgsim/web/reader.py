"""The database as requests ask it: a bounded pool of connections that may only read."""

from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import orjson
import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from pgsim.errors import PgsimError
from pgsim.postgres.connection import Connection, connect, defaults_of
from pgsim.postgres.pooler import require_session
from pgsim.postgres.rows import one_value
from pgsim.postgres.session import SETTINGS
from pgsim.questions.question import Question
from pgsim.store.collection import read_collection
from pgsim.web.problems import is_away
from pgsim.web.settings import Settings

READER = "pgsim_reader"
_CAN_WRITE = "SELECT has_table_privilege('pgsim.recording', 'INSERT')"
# Statements with the same snapshot see the same rows: each transaction on the server that writes
# changes it. Another server, in the place of this one, has started at another time.
_STATE = "concat(pg_current_snapshot(), ' ', pg_postmaster_start_time())"


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of an answer, as a JSON array; and the state of the database that they are of."""

    json: bytes
    state: str

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows with the names of SQL's columns."""
        rows: list[dict[str, Any]] = orjson.loads(self.json)
        return rows


def check_rights(settings: Settings) -> str | None:
    """Return the role to ask as, None for that of the connection; refuse one that may write.

    PgsimError where the database cannot be reached, holds no collection, or where a role that may
    write cannot become pgsim_reader.
    """
    with closing(connect(settings.conninfo, autocommit=True)) as conn:
        require_session(conn, "pgsim serve")
        read_collection(conn)
        if settings.as_owner or not one_value(conn, _CAN_WRITE):
            return None
        user = conn.info.user
        if one_value(conn, "SELECT to_regrole(%s) IS NULL", (READER,)):
            raise PgsimError(
                f"role '{user}' may write, and there is no {READER} to ask as: run pgsim init"
                " --roles, or serve with `as_owner`"
            )
        _become_reader(conn, user)
        if one_value(conn, _CAN_WRITE):
            raise PgsimError(
                f"{READER} may write: REVOKE INSERT ON pgsim.recording FROM {READER}, or serve"
                " with `as_owner`"
            )
        return READER


def _become_reader(conn: Connection, user: str) -> None:
    try:
        conn.execute(f"SET ROLE {READER}".encode())
    except psycopg.errors.InsufficientPrivilege:
        raise PgsimError(
            f"role '{user}' may write and cannot become {READER}: GRANT {READER} TO {user},"
            " connect as another role, or serve with `as_owner`"
        ) from None


class Reader:
    """A pool of connections in which every transaction only reads, as `role` where there is one."""

    def __init__(self, settings: Settings, role: str | None) -> None:
        values = {
            **SETTINGS,
            "default_transaction_read_only": "on",
            "statement_timeout": f"{settings.statement_time * 1000:.0f}",
            **({"role": role} if role else {}),
        }
        self._settings = list(values.items())
        self._pool = AsyncConnectionPool(
            settings.conninfo,
            kwargs={"autocommit": True, **defaults_of(settings.conninfo)},
            min_size=settings.connections,
            max_size=settings.connections,
            max_waiting=16 * settings.connections,
            timeout=settings.waiting_time,
            reconnect_timeout=settings.waiting_time,
            configure=self._configure,
            name="pgsim-serve",
            open=False,
        )

    async def _configure(self, conn: AsyncConnection[TupleRow]) -> None:
        calls = ", ".join(["pg_catalog.set_config(%s, %s, false)"] * len(self._settings))
        values = [each for setting in self._settings for each in setting]
        await conn.execute(f"SELECT {calls}".encode(), values)

    async def open(self) -> None:
        """Connect; the server need not answer yet."""
        await self._pool.open()

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.close()

    async def stream(
        self, query: str, parameters: Mapping[str, Any]
    ) -> AsyncGenerator[tuple[Any, ...]]:
        """Yield the rows of a query as they come; the connection is in use until the last."""
        async with self._pool.connection() as conn, conn.cursor() as cursor:
            async for row in cursor.stream(query.encode(), parameters):
                yield row

    async def write(self, query: str, parameters: Mapping[str, Any]) -> None:
        """Run one statement that writes, where the role may do so."""
        async with self._pool.connection() as conn, conn.transaction():
            await conn.execute("SET TRANSACTION READ WRITE")
            await conn.execute(query.encode(), parameters)

    async def ask(
        self,
        question: Question[Any],
        given: Mapping[str, Any],
        own_ids: Collection[str] = (),
    ) -> Found:
        """Return the answer to a question; `own_ids` names the arguments that SQL looks up."""
        return await self.found(f"SELECT * FROM {question.call(given, own_ids)}", given)

    async def found(self, query: str, parameters: Mapping[str, Any] | None = None) -> Found:
        """Return the rows of a query, in its order."""
        row = await self.row(
            f"SELECT {_STATE}, coalesce(json_agg(a), '[]')::text FROM ({query}) AS a",
            parameters,
        )
        return Found(row[1].encode(), row[0])

    async def state(self) -> str:
        """Return what changes with every transaction that writes."""
        row = await self.row(f"SELECT {_STATE}")
        return str(row[0])

    async def row(self, query: str, parameters: Mapping[str, Any] | None = None) -> tuple[Any, ...]:
        """Return the only row of a query that always has one."""
        return (await self.rows(query, parameters))[0]

    async def rows(
        self, query: str, parameters: Mapping[str, Any] | None = None
    ) -> list[tuple[Any, ...]]:
        """Return the rows of a query. If the connection was lost meanwhile, it is asked again."""
        try:
            return await self._rows(query, parameters)
        except psycopg.OperationalError as error:
            if not is_away(error):
                raise
        await self._pool.check()
        return await self._rows(query, parameters)

    async def _rows(
        self, query: str, parameters: Mapping[str, Any] | None
    ) -> list[tuple[Any, ...]]:
        async with self._pool.connection() as conn:
            return await (await conn.execute(query.encode(), parameters)).fetchall()
