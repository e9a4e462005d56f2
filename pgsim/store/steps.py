"""The steps of an upgrade that cannot run in its transaction.

A revision is up to four files in alembic/versions:

- `0002_name.py`: its number and the one before it; its upgrade() runs the `.sql`.
- `0002_name.sql`: the main step. The main steps of all revisions that a database lacks run in one
  transaction, and after them the code of sql/ replaces the code of before. The main step runs
  beside that older code: code that depends on a column which the step drops or changes is in its
  way, and the step drops that code first, by its name (DROP FUNCTION pgsim.name).
- `0002_name.before.sql`: runs before that transaction, while the older version is at work. The
  steps `before` of all revisions run first, on the tables as they were: such a step cannot name
  what an earlier revision makes.
- `0002_name.after.sql`: runs after that transaction, when this version is at work, which therefore
  works without it. The transaction notes it in pgsim.upgrade_step; the note is deleted when the
  step is done.

What the steps run looks names up in `pg_catalog` and `pgsim` alone, since others may create where
pgvector is: they write its types as `:pgvector.vector`, and a column's length as `:dimensions`.

Steps before and after commit each statement, such as CREATE INDEX CONCURRENTLY or an UPDATE of many
rows. A statement ends with a semicolon at the end of a line. An interrupted step begins again at
its first statement, so that each of them must do nothing where it is done already. For
CREATE INDEX CONCURRENTLY IF NOT EXISTS, the invalid index that an interrupted one leaves is dropped
first. A fresh install runs no step: sql/ has what they make.
"""

import re
from pathlib import Path

from pgsim.postgres.connection import Connection, pgvector_schema
from pgsim.postgres.rows import one_value
from pgsim.progress import Say
from pgsim.store.files import bind, revision_of

_INDEX = re.compile(r"\bINDEX\s+CONCURRENTLY\s+IF\s+NOT\s+EXISTS\s+(\w+)", re.IGNORECASE)


def lacking(folder: Path, revision: str) -> list[str]:
    """The revisions of a folder that come after this one, in their order."""
    revisions = sorted(revision_of(path) for path in (folder / "versions").glob("*.py"))
    return [each for each in revisions if each > revision]


def run_before(
    conn: Connection, folder: Path, revisions: list[str], dimensions: int, say: Say
) -> None:
    """Run the steps `before` of these revisions; `conn` is in autocommit mode."""
    for path in _steps(folder, "before", revisions):
        _run(conn, path, dimensions, say)


def note_after(conn: Connection, folder: Path, revisions: list[str]) -> None:
    """Note the steps `after` of these revisions, to be run when their main steps are committed."""
    for path in _steps(folder, "after", revisions):
        conn.execute("INSERT INTO pgsim.upgrade_step (revision) VALUES (%s)", (revision_of(path),))


def run_after(conn: Connection, folder: Path, dimensions: int, say: Say) -> None:
    """Run the steps `after` that are noted; `conn` is in autocommit mode."""
    for path in _steps(folder, "after", unfinished(conn)):
        _run(conn, path, dimensions, say)
        conn.execute("DELETE FROM pgsim.upgrade_step WHERE revision = %s", (revision_of(path),))


def unfinished(conn: Connection) -> list[str]:
    """The revisions whose steps `after` are still to run, in their order."""
    rows = conn.execute("SELECT revision FROM pgsim.upgrade_step ORDER BY revision")
    return [revision for (revision,) in rows]


def _steps(folder: Path, kind: str, revisions: list[str]) -> list[Path]:
    """The files of that kind of step of these revisions, in their order."""
    paths = sorted((folder / "versions").glob(f"*.{kind}.sql"))
    return [path for path in paths if revision_of(path) in revisions]


def _run(conn: Connection, path: Path, dimensions: int, say: Say) -> None:
    say(f"running {path.name}")
    text = path.read_text(encoding="utf-8")
    for statement in filter(str.strip, re.split(r"(?<=;)[ \t]*\n", text)):
        if named := _INDEX.search(statement):
            _drop_invalid(conn, named[1])
        conn.execute(bind(statement, dimensions=dimensions, pgvector=pgvector_schema(conn)))


def _drop_invalid(conn: Connection, index: str) -> None:
    """Drop the index of that name where its building was interrupted."""
    if one_value(
        conn,
        "SELECT EXISTS (SELECT FROM pg_index"
        " WHERE indexrelid = to_regclass(format('pgsim.%%I', %s::text)) AND NOT indisvalid)",
        (index,),
    ):
        conn.execute(f"DROP INDEX CONCURRENTLY IF EXISTS pgsim.{index}".encode())
