"""The SQL and the revisions that travel with pgsim."""

from collections.abc import Iterator
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
# In a wheel, sql/ and alembic/ lie inside the package; in a checkout, beside it.
_ROOT = _PACKAGE if (_PACKAGE / "sql").is_dir() else _PACKAGE.parent
SQL, REVISIONS = _ROOT / "sql", _ROOT / "alembic"


def read_sql(name: str, **parameters: int) -> bytes:
    """The text of a file of sql/, its includes in place and its parameters (`:name`) bound."""
    return bind("".join(_lines(SQL / name)), **parameters)


def bind(text: str, **parameters: int | str) -> bytes:
    """SQL with its parameters (`:name`) bound."""
    for key, value in parameters.items():
        text = text.replace(f":{key}", str(value))
    return text.encode()


def includes(name: str) -> list[str]:
    """The files that a manifest of sql/ includes, in its order."""
    return [
        line.removeprefix("\\ir ").strip()
        for line in (SQL / name).read_text(encoding="utf-8").splitlines()
        if line.startswith("\\ir ")
    ]


def revision_of(path: Path) -> str:
    """The revision that a file of alembic/versions belongs to: `0001` of `0001_baseline.sql`."""
    return path.name.partition("_")[0]


def newest_revision(revisions: Path = REVISIONS) -> str:
    """The newest revision of a folder, which is the one that this version of pgsim works with.

    It is read from the names of the files: importing Alembic takes a fifth of a command's start.
    """
    return max(revision_of(path) for path in (revisions / "versions").glob("*.py"))


def _lines(path: Path) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.startswith("\\ir "):
            yield from _lines(path.parent / line.removeprefix("\\ir ").strip())
        else:
            yield line
