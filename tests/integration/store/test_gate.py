"""The gate: a command asks which version the tables are of before it works on them."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from pgsim.cli import run
from pgsim.cli.commands import COMMANDS
from pgsim.errors import PgsimError
from pgsim.postgres.connection import Connection, connect
from pgsim.store import schema
from pgsim.store.collection import read_collection
from pgsim.store.files import REVISIONS, newest_revision
from tests.support.documents import collection, mbid, write_lines
from tests.support.paths import CHECKOUT
from tests.support.rows import versions

# Every command that opens a collection, with a file to read or to write where it wants one.
OPENING = {
    "init": ("init",),
    "load": ("load", "{documents}"),
    "redirects": ("redirects", "{redirects}"),
    "names": ("names", "{names}"),
    "fuse": ("fuse", "--refit"),
    "index": ("index",),
    "refresh": ("refresh",),
    "refresh --follow": ("refresh", "--follow"),
    "rebuild": ("rebuild",),
    "rebuild --join": ("rebuild", "--join"),
    "rebuild --join --follow": ("rebuild", "--join", "--follow"),
    "spark-rebuild": ("spark-rebuild",),
    "similar": ("similar", "{mbid}"),
    "similar FILE": ("similar", "{documents}"),
    "radio": ("radio", "{mbid}"),
    "path": ("path", "{mbid}", "{mbid}"),
    "artists": ("artists", "Artist"),
    "albums": ("albums", "Album"),
    "playlist": ("playlist", "{redirects}"),
    "ratings": ("ratings",),
    "map": ("map",),
    "user": ("user", "list"),
    "serve": ("serve", "--as-owner", "--socket", "{new}"),
    "status": ("status",),
    "evaluate": ("evaluate",),
    "evaluate --labels": ("evaluate", "--labels", "mbid"),
    "evaluate --input": ("evaluate", "--input"),
    "tune": ("tune",),
    "profile": ("profile", "essentia"),
    "plan": ("plan", "--recordings", "100000"),
    "dump": ("dump", "{new}.dump"),
    "export": ("export", "{new}.csv"),
    "import": ("import", "{matrix}"),
}
# Commands that open no collection of the database that --database names.
OTHERS = {"demo", "describe", "extract", "psql", "restore", "start", "stop", "uninstall", "url"}
OLDER, NEWER = "0000", "9999"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("gate")
    (folder / "redirects.csv").write_text(f"{mbid(900)},{mbid(1)}\n")
    (folder / "names.csv").write_text(f"recording_mbid,recording_name\n{mbid(1)},Song\n")
    (folder / "matrix.csv").write_text(
        f"mbid,rank,similar_mbid,distance\n{mbid(1)},1,{mbid(2)},0.5\n"
    )
    return {
        "documents": str(write_lines(folder / "all.ndjson", collection(3))),
        "redirects": str(folder / "redirects.csv"),
        "names": str(folder / "names.csv"),
        "matrix": str(folder / "matrix.csv"),
        "new": str(folder / "new"),
        "mbid": str(mbid(1)),
    }


@pytest.fixture
def conn(new_database: Callable[..., str], filled_template: str) -> Iterator[Connection]:
    with closing(connect(new_database(filled_template), autocommit=True)) as conn:
        yield conn


def set_revision(conn: Connection, revision: str) -> None:
    conn.execute("UPDATE pgsim.alembic_version SET version_num = %s", (revision,))


def state(conn: Connection) -> object:
    """All rows that commands write, with the transactions that wrote them."""
    written = [
        conn.execute(f"SELECT xmin::text, id FROM pgsim.{table} ORDER BY id".encode()).fetchall()
        for table in ("run", "similarity_a", "similarity_b", "rebuild")
    ]
    return versions(conn), written


@pytest.mark.parametrize("command", OPENING.values(), ids=OPENING)
def test_a_command_refuses_tables_of_another_version_before_it_works(
    conn: Connection,
    files: dict[str, str],
    command: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = [each.format(**files) for each in command]
    before, name, newest = state(conn), conn.info.dbname, newest_revision()
    for revision, how, cure in (
        (OLDER, "older", "run pgsim init --upgrade"),
        (NEWER, "newer", "install a newer pgsim"),
    ):
        set_revision(conn, revision)
        assert run(["--database", conn.info.dsn, *arguments]) == 1
        said = capsys.readouterr()
        assert said.out == ""
        # `plan` says first that the machine is busy, where it is.
        assert [line for line in said.err.splitlines() if "machine is busy" not in line] == [
            f"pgsim: the tables in database '{name}' are of revision {revision}, which is {how}"
            f" than this pgsim's {newest}: {cure}"
        ]
        assert state(conn) == before
    assert not list(Path(files["new"]).parent.glob("*new*"))


def test_every_command_that_opens_a_collection_is_asked() -> None:
    assert {each[0] for each in OPENING.values()} | OTHERS | {"check"} == COMMANDS.keys()


def test_tables_of_an_older_shape_are_told_from_those_of_a_newer_one(conn: Connection) -> None:
    conn.execute("ALTER TABLE pgsim.collection RENAME COLUMN columns TO something_else")
    set_revision(conn, OLDER)
    with pytest.raises(PgsimError, match="run pgsim init --upgrade"):
        read_collection(conn)
    set_revision(conn, NEWER)
    with pytest.raises(PgsimError, match="install a newer pgsim"):
        read_collection(conn)


def test_an_upgrade_of_newer_tables_is_refused(conn: Connection) -> None:
    set_revision(conn, NEWER)
    with pytest.raises(PgsimError, match="install a newer pgsim"):
        schema.upgrade(conn)


@pytest.mark.parametrize(
    "statement",
    [
        "DROP SCHEMA pgsim CASCADE",
        "DELETE FROM pgsim.collection",
        "DROP TABLE pgsim.alembic_version",
        "DELETE FROM pgsim.alembic_version",
    ],
)
def test_a_database_without_a_collection_is_told_to_make_one(
    conn: Connection, statement: str
) -> None:
    conn.execute(statement.encode())
    with pytest.raises(PgsimError, match="holds no collection yet: run pgsim init"):
        read_collection(conn)


def test_the_newest_revision_is_the_one_that_alembic_finds() -> None:
    script = ScriptDirectory(str(REVISIONS))
    assert script.get_current_head() == newest_revision()
    # They are compared as texts, so that their order is that of their names.
    found = [each.revision for each in script.walk_revisions()]
    assert found == sorted(found, reverse=True)
    assert all(len(each) == len(newest_revision()) for each in found)


def test_the_gate_does_not_import_alembic() -> None:
    found = subprocess.run(
        [
            *(sys.executable, "-c"),
            "import sys; from pgsim.cli.commands import COMMANDS, function_of;"
            " from pgsim.store.files import newest_revision;"
            " assert all(function_of(name) for name in COMMANDS);"
            " newest_revision(); print('alembic' in sys.modules)",
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=CHECKOUT,
    )
    assert found.stdout.strip() == "False"
