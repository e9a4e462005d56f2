"""Tables by Alembic's revisions, on a connection and inside its transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from pgsim.postgres.connection import Connection


def migrate(conn: Connection, folder: Path, dimensions: int, last: str = "head") -> None:
    """Take the tables through the revisions of a folder that they lack, up to the last one."""
    try:
        with _alembic(conn, folder, dimensions) as config:
            command.upgrade(config, last)
    except DBAPIError as error:  # PostgreSQL's own error is inside of it
        raise error.orig or error from None


class _Lent:
    """A connection lent to SQLAlchemy, which may not end its transaction."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def __getattr__(self, name: str) -> Any:
        return getattr(self._conn, name)

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def close(self) -> None: ...


@contextmanager
def _alembic(conn: Connection, folder: Path, dimensions: int) -> Iterator[Config]:
    """Alembic's configuration on this connection."""
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: _Lent(conn),
        poolclass=StaticPool,
        use_native_hstore=False,
    )
    with engine.connect() as connection:
        config = Config(attributes={"connection": connection, "dimensions": dimensions})
        config.set_main_option("script_location", str(folder))
        yield config
