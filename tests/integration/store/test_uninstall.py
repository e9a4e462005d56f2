"""Taking pgsim out of a database: what goes, what is named first, and who may."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from pgsim.cli import run
from pgsim.errors import PgsimError
from pgsim.postgres.connection import Connection, connect
from pgsim.postgres.rows import one_value
from pgsim.store import schema
from pgsim.store.uninstall import removal, uninstall

# What a user made in and upon pgsim's schema, and as what it is named.
OTHERS = {
    "CREATE VIEW app.radio AS SELECT * FROM pgsim.recording": "view app.radio",
    "CREATE VIEW app.twice AS SELECT * FROM app.radio": "view app.twice",
    "CREATE TABLE app.played (r integer REFERENCES pgsim.recording (id))": (
        "constraint played_r_fkey on table app.played"
    ),
    "CREATE TABLE app.answer (a pgsim.similar_recording, b integer)": (
        "column a of table app.answer"
    ),
    "CREATE TABLE pgsim.mine (a serial PRIMARY KEY)": "table pgsim.mine",
    "CREATE FUNCTION pgsim.status(a integer) RETURNS integer RETURN a": (
        "function pgsim.status(integer)"
    ),
    "CREATE TYPE pgsim.colour AS ENUM ('red')": "type pgsim.colour",
    "CREATE FUNCTION app.count() RETURNS bigint BEGIN ATOMIC"
    " SELECT count(*) FROM pgsim.similarity; END": "function app.count()",
}


@pytest.fixture
def conn(new_database: Callable[..., str], filled_template: str) -> Iterator[Connection]:
    with closing(connect(new_database(filled_template), autocommit=True)) as conn:
        yield conn


def is_there(conn: Connection) -> bool:
    return bool(one_value(conn, "SELECT to_regnamespace('pgsim') IS NOT NULL"))


def test_a_database_is_as_before_when_pgsim_is_gone(conn: Connection) -> None:
    alter = f'ALTER DATABASE "{conn.info.dbname}" SET search_path = app, public'
    conn.execute(alter.encode())
    assert schema.add_to_search_path(conn)
    assert removal(conn).others == []
    assert uninstall(conn).search_path == alter
    assert not is_there(conn)
    assert schema.path_of_database(conn) == ["app", "public"]
    with pytest.raises(PgsimError, match="has no pgsim: there is nothing to remove"):
        uninstall(conn)


def test_a_path_that_only_pgsim_changed_is_reset(conn: Connection) -> None:
    schema.add_to_search_path(conn)
    uninstall(conn)
    assert schema.path_of_database(conn) is None


@pytest.mark.parametrize("statement", OTHERS)
def test_what_is_not_pgsims_is_named_and_kept(conn: Connection, statement: str) -> None:
    conn.execute("CREATE SCHEMA app")
    if "app.twice" in statement:
        conn.execute("CREATE VIEW app.radio AS SELECT * FROM pgsim.recording")
    conn.execute(statement.encode())
    assert OTHERS[statement] in removal(conn).others
    with pytest.raises(PgsimError, match=re.escape(OTHERS[statement])):
        uninstall(conn)
    assert is_there(conn)
    uninstall(conn, cascade=True)
    assert not is_there(conn)


def test_roles_that_another_database_needs_stay_and_so_does_all_else(
    conn: Connection, new_database: Callable[..., str], filled_template: str
) -> None:
    schema.grant_roles(conn)
    with closing(connect(new_database(filled_template), autocommit=True)) as other:
        schema.grant_roles(other)
        assert removal(conn, roles=True).roles == ["pgsim_writer", "pgsim_reader", "pgsim_listener"]
        with pytest.raises(PgsimError, match="nothing was removed; leave `roles` out"):
            uninstall(conn, roles=True)
    assert is_there(conn)


def test_who_does_not_own_it_may_not_remove_it(conn: Connection) -> None:
    conn.execute("SET ROLE pg_read_all_data")
    with pytest.raises(PgsimError, match="may not remove pgsim"):
        uninstall(conn)
    conn.execute("RESET ROLE")
    assert is_there(conn)


def test_the_command_asks_first_and_says_what_goes(
    conn: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"host={conn.info.host} port={conn.info.port} user={conn.info.user}"
    command = ["--database", f"{url} dbname={conn.info.dbname}", "uninstall"]
    conn.execute("CREATE VIEW public.radio AS SELECT * FROM pgsim.recording")
    assert run(command) == 2
    assert "give --yes" in capsys.readouterr().err
    assert run([*command, "--dry-run", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["removed"], said["others"]) == (False, ["view public.radio"])
    assert run([*command, "--yes"]) == 1
    assert "view public.radio would go with pgsim" in (err := capsys.readouterr().err)
    assert "--cascade" in err
    assert is_there(conn)
    assert run([*command, "--yes", "--cascade"]) == 0
    assert "removed: view public.radio, which is not pgsim's" in capsys.readouterr().out
    assert not is_there(conn)
