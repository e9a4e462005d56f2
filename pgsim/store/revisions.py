"""Tables by alembic's revisions, on a connection and inside its transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from pgsim.postgres.connection import Connection


def newest(folder: Path) -> str | None:
    """The last of the revisions in a folder."""
    return ScriptDirectory(str(folder)).get_current_head()


def stamp(conn: Connection, folder: Path, dimensions: int) -> None:
    """Have the database know that its tables are of the last revision."""
    with _alembic(conn, folder, dimensions) as config:
        command.stamp(config, "head")


def upgrade(conn: Connection, folder: Path, dimensions: int, last: str) -> None:
    """Take the tables through all revisions that they have not seen, up to one."""
    with _alembic(conn, folder, dimensions) as config:
        command.upgrade(config, last)


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
    """alembic's configuration on this connection."""
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
