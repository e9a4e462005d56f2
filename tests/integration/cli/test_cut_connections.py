"""A server that ends a command's session in the middle of its work: one line, no traceback."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pgsim.cli import run
from pgsim.postgres.connection import connect
from tests.support.documents import collection, write_lines

CUT = """
    CREATE FUNCTION public.cut() RETURNS {kind} LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_terminate_backend(pg_backend_pid());
        PERFORM pg_sleep(10);
    END $$
"""
# The statements at which each command is cut, and the tables.
EVENTS = {
    "init": ("CREATE TABLE", "CREATE FUNCTION", "ALTER TABLE", "CREATE INDEX", "COMMENT"),
    "init --upgrade": ("CREATE FUNCTION", "ALTER TABLE", "COMMENT"),
    "uninstall --yes": ("DROP SCHEMA",),
}
TABLES = {
    "load {}/new.ndjson": ("run", "submission", "recording", "stale"),
    "fuse --refit": ("run", "recording", "stale"),
    "rebuild": ("run", "stale", "rebuild"),
    "refresh": ("run", "stale"),
}


def pairs(table: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(command, place) for command, places in table.items() for place in places]


def outcome(capsys: pytest.CaptureFixture[str], code: int) -> None:
    """Whether the command said in one line that its connection is gone."""
    said = capsys.readouterr()
    assert code == 1, said
    assert "Traceback" not in said.err
    told = [line for line in said.err.splitlines() if line.startswith("pgsim: ")]
    assert len(told) == 1, said.err
    assert "connect again" in told[0]


@pytest.mark.parametrize(("command", "event"), pairs(EVENTS))
def test_a_cut_in_a_change_of_the_schema_is_one_line(
    new_database: Callable[..., str],
    filled_template: str,
    capsys: pytest.CaptureFixture[str],
    command: str,
    event: str,
) -> None:
    url = new_database(*([] if command == "init" else [filled_template]))
    with closing(connect(url, autocommit=True)) as conn:
        conn.execute("CREATE EXTENSION IF NOT EXISTS vector")
        conn.execute(CUT.format(kind="event_trigger").encode())
        conn.execute(
            "CREATE EVENT TRIGGER cut ON ddl_command_start"
            f" WHEN TAG IN ('{event}') EXECUTE FUNCTION public.cut()".encode()
        )
    outcome(capsys, run(["--database", url, *command.split()]))


@pytest.mark.parametrize(("command", "table"), pairs(TABLES))
def test_a_cut_in_the_work_of_a_command_is_one_line(
    new_database: Callable[..., str],
    filled_template: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    command: str,
    table: str,
) -> None:
    write_lines(tmp_path / "new.ndjson", collection(60))
    url = new_database(filled_template)
    with closing(connect(url, autocommit=True)) as conn:
        conn.execute(CUT.format(kind="trigger").encode())
        conn.execute(
            f"CREATE TRIGGER cut BEFORE INSERT OR UPDATE OR DELETE ON pgsim.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION public.cut()".encode()
        )
    outcome(capsys, run(["--database", url, *command.format(tmp_path).split()]))
