"""The table of locks on the page for operators: which command waits for whom."""

import gzip
import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from threading import Event

import psycopg
import pytest

from pgsim.cli import run
from pgsim.matrix import rebuild
from pgsim.postgres.connection import connect
from pgsim.postgres.rows import one_value
from pgsim.store import schema, table_locks
from tests.support.pages import DOCS

# A row of the table: a command, and whether it waits for open readers and for open writers.
TABLE = re.findall(
    r"^\| ((?:`[\w -]+`(?:, )?)+) \| (no|yes|at the switch) \| (no|yes) \|$",
    (DOCS / "howto" / "production.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)
WAITING = ("canceling statement", "is in use", "uses tables that change")
WAITS = {
    (command, holder): answer != "no"
    for commands, *answers in TABLE
    for command in re.findall("`(.*?)`", commands)
    for holder, answer in zip(("readers", "writers"), answers, strict=True)
}
# What comes after a command's name; {} is the folder with the files that are read.
ARGUMENTS = {
    "similar": "--title farkaskonny",
    "dump": "{}/new.dump",
    "export": "{}/new.csv",
    "load": "{}/new.ndjson",
    "redirects": "{}/redirects.csv",
    "names": "{}/names.csv",
    "import": "{}/matrix.csv",
    "evaluate": "--sample 10",
}


def test_the_table_has_the_commands_that_open_a_collection() -> None:
    assert {command for command, _ in WAITS} == {
        *("similar", "status", "check", "evaluate", "dump", "export", "load", "redirects"),
        *("names", "refresh", "index", "rebuild", "import", "fuse --refit", "init --upgrade"),
    }


@pytest.fixture
def folder(tmp_path: Path, demo: str) -> Path:
    """A folder with a new document, redirects, and the exported matrix."""
    with as_file(files("pgsim.demo") / "recordings.ndjson.gz") as path:
        document = json.loads(gzip.open(path).readline())
    document["mbid"] = "00000000-0000-4000-8000-000000000001"
    (tmp_path / "new.ndjson").write_text(json.dumps(document))
    redirect = "00000000-0000-4000-8000-000000000002,b5f6c0a0-5472-58d3-911d-9bc10dbc8b5e"
    (tmp_path / "redirects.csv").write_text(redirect)
    name = "recording_mbid,recording_name\nb5f6c0a0-5472-58d3-911d-9bc10dbc8b5e,Song"
    (tmp_path / "names.csv").write_text(name)
    with (tmp_path / "matrix.csv").open("wb") as file, psycopg.connect(demo) as conn:
        query = "COPY (TABLE pgsim.similarity_matrix) TO STDOUT (FORMAT csv, HEADER)"
        with conn.cursor().copy(query) as rows:
            file.writelines(rows)
    return tmp_path


@contextmanager
def waiters_cancelled(conninfo: str, holder: int) -> Iterator[None]:
    """Cancel each statement that waits for a table which the process `holder` has locked."""
    ended = Event()

    def watch() -> None:
        query = (
            "SELECT pg_cancel_backend(pid) FROM pg_locks WHERE NOT granted"
            " AND locktype = 'relation' AND %s = ANY(pg_blocking_pids(pid))"
        )
        with closing(connect(conninfo, autocommit=True)) as conn:
            while not ended.wait(0.05):
                conn.execute(query.encode(), (holder,))

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watch)
        try:
            yield
        finally:
            ended.set()
    watching.result()


@pytest.mark.parametrize("holder", ["readers", "writers"])
def test_a_command_waits_for_those_that_the_page_names(
    holder: str,
    folder: Path,
    new_database: Callable[..., str],
    demo_template: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # A command that tries again does so no more.
    for module in (rebuild, table_locks):
        monkeypatch.setattr(module, "PATIENCE", 1)
        monkeypatch.setattr(module, "PAUSE", 0)
    conninfo = new_database(template=demo_template)
    waited = {}
    with closing(connect(conninfo, autocommit=True)) as conn:
        schema.add_to_search_path(conn)
        relations = one_value(
            conn,
            "SELECT string_agg(oid::regclass::text, ', ') FROM pg_class"
            " WHERE relnamespace = 'pgsim'::regnamespace AND relkind IN ('r', 'v')",
        )
        locks = {
            "readers": f"LOCK TABLE {relations} IN ACCESS SHARE MODE",
            "writers": "LOCK TABLE pgsim.recording, pgsim.submission IN ROW EXCLUSIVE MODE",
        }
        for command in [command for command, of in WAITS if of == holder]:
            if command == "index":
                conn.execute("DROP INDEX pgsim.recording_vector")
            arguments = f"{command} {ARGUMENTS.get(command, '')}".format(folder).split()
            with conn.transaction(), waiters_cancelled(conninfo, conn.info.backend_pid):
                conn.execute(locks[holder].encode())
                code = run(["--database", conninfo, *arguments])
            said = capsys.readouterr().err
            waited[command] = code != 0
            print(command)
            assert code == 0 or any(each in said for each in WAITING), said
    assert waited == {command: WAITS[command, holder] for command in waited}
