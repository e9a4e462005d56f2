"""Nobody gains the rights of another role by what they make, name or set in a database."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgsim.cli import run
from pgsim.errors import PgsimError
from pgsim.features.profile import read_profile
from pgsim.postgres.connection import Connection, connect
from pgsim.store import schema
from pgsim.store.uninstall import uninstall
from pgsim.transfer.dump import restore
from tests.support.documents import mbid
from tests.support.pages import DOCS
from tests.support.paths import RELEASES
from tests.support.roles import AsRole
from tests.support.rows import one

# A type whose cast to a number is code of the reader's.
ODD = """
    CREATE TEMP SEQUENCE was_called;
    GRANT ALL ON SEQUENCE was_called TO PUBLIC;
    CREATE TYPE pg_temp.odd AS (a integer);
    CREATE FUNCTION pg_temp.number(pg_temp.odd) RETURNS integer LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_catalog.nextval('pg_temp.was_called');
        RETURN 1;
    END $$;
    CREATE CAST (pg_temp.odd AS integer) WITH FUNCTION pg_temp.number(pg_temp.odd) AS ASSIGNMENT;
    CREATE TEMP TABLE own (
        id pg_temp.odd, vector public.vector, mbid integer, target text, finished_at integer
    );
    INSERT INTO own VALUES (ROW(1), '[1]', 1, 'similarity_b');
"""
_NEW, _OLD = "NEW TABLE AS new_rows", "OLD TABLE AS old_rows"
# How each trigger function that runs with its owner's rights may be tried on a table of one's own.
TRIGGERS = {
    "recording_changed": [
        ("INSERT", f"REFERENCING {_NEW} FOR EACH STATEMENT", "INSERT INTO own SELECT * FROM own"),
        (
            "UPDATE",
            f"REFERENCING {_NEW} {_OLD} FOR EACH STATEMENT",
            "UPDATE own SET vector = '[2]'",
        ),
        ("DELETE", f"REFERENCING {_OLD} FOR EACH STATEMENT", "DELETE FROM own"),
    ],
    "recording_replicated": [
        ("INSERT", "FOR EACH ROW", "INSERT INTO own SELECT * FROM own"),
        ("UPDATE", "FOR EACH ROW", "UPDATE own SET vector = '[2]'"),
        ("DELETE", "FOR EACH ROW", "DELETE FROM own"),
    ],
    "recording_truncated": [("TRUNCATE", "FOR EACH STATEMENT", "TRUNCATE own")],
    "rebuild_finished": [("UPDATE", "FOR EACH ROW", "UPDATE own SET finished_at = 1")],
}
MATRIX = """
    SELECT
        pgsim.shown_similarity(), (SELECT count(*) FROM pgsim.similarity),
        (SELECT count(*) FROM pgsim.stale), (SELECT count(*) FROM pgsim.reach)
"""


def test_what_runs_with_its_owners_rights_is_a_trigger_that_is_tried_here(as_role: AsRole) -> None:
    rows = as_role("owner").execute(
        "SELECT proname, prorettype = 'trigger'::regtype FROM pg_proc"
        " WHERE pronamespace = 'pgsim'::regnamespace AND prosecdef"
    )
    assert dict(rows.fetchall()) == dict.fromkeys(TRIGGERS, True)


@pytest.mark.parametrize(
    ("function", "event", "level", "statement"),
    [(name, *each) for name, tries in TRIGGERS.items() for each in tries],
)
def test_no_trigger_function_serves_a_table_of_the_readers(
    as_role: AsRole, function: str, event: str, level: str, statement: str
) -> None:
    owner, reader = as_role("owner"), as_role("reader")
    before = owner.execute(MATRIX.encode()).fetchone()
    reader.execute(ODD.encode())
    reader.execute(
        f"CREATE TRIGGER mine AFTER {event} ON own {level}"
        f" EXECUTE FUNCTION pgsim.{function}()".encode()
    )
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="for pgsim.re.* alone"):
        reader.execute(statement.encode())
    assert not one(reader, "SELECT is_called FROM was_called")
    assert owner.execute(MATRIX.encode()).fetchone() == before


@pytest.mark.parametrize(
    "call",
    [
        "pgsim.show_similarity('similarity_b')",
        "pgsim.fill_reaches('pgsim.similarity_b')",
        "pgsim.sample_pairs()",
        "pgsim.finish_rebuild()",
    ],
)
def test_who_analyzes_a_readers_table_lends_it_no_right(as_role: AsRole, call: str) -> None:
    """The function of an index runs with the rights of the table's owner, whoever analyzes it."""
    owner, reader = as_role("owner"), as_role("reader")
    owner.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
    before = owner.execute(MATRIX.encode()).fetchone()
    function = "FUNCTION public.number(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS"
    reader.execute(f"CREATE {function} $$ BEGIN RETURN 1; END $$".encode())
    reader.execute("CREATE TABLE public.own AS SELECT 1 AS a")
    reader.execute("CREATE INDEX ON public.own (public.number(a))")
    reader.execute(
        f"CREATE OR REPLACE {function} $$ BEGIN PERFORM {call}; RETURN 1; END $$".encode()
    )
    with pytest.raises(psycopg.Error):
        owner.execute("ANALYZE public.own")
    assert owner.execute(MATRIX.encode()).fetchone() == before


def test_who_may_finish_a_rebuild_switches_the_matrix_by_it(as_role: AsRole) -> None:
    owner, writer = as_role("owner"), as_role("writer")
    writer.execute("SELECT pgsim.begin_rebuild(100, 'exact', 1, 1000)")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role("reader").execute("UPDATE pgsim.rebuild SET finished_at = now()")
    with pytest.raises(
        psycopg.errors.InsufficientPrivilege, match="permission denied for schema pgsim"
    ):
        writer.execute("SELECT pgsim.show_similarity('similarity_b')")
    assert one(owner, "SELECT pgsim.shown_similarity()") == "similarity_a"
    writer.execute(
        "INSERT INTO pgsim.similarity_b SELECT * FROM pgsim.similarity;"
        "UPDATE pgsim.rebuild_part SET done_at = now();"
        "SELECT pgsim.finish_rebuild()"
    )
    assert one(owner, "SELECT pgsim.shown_similarity()") == "similarity_b"
    asked = as_role("reader").execute("SELECT * FROM pgsim.similar_recordings(%s)", (mbid(1),))
    assert len(asked.fetchall()) == 10


def test_a_rebuild_that_switches_nothing_says_so(as_role: AsRole) -> None:
    owner = as_role("owner")
    owner.execute("ALTER TABLE pgsim.rebuild DISABLE TRIGGER rebuild_finished")
    owner.execute("SELECT pgsim.begin_rebuild(100, 'exact', 1, 1000)")
    owner.execute("UPDATE pgsim.rebuild_part SET done_at = now()")
    with pytest.raises(psycopg.Error, match="the trigger rebuild_finished is missing or disabled"):
        owner.execute("SELECT pgsim.finish_rebuild()")
    assert one(owner, "SELECT count(*) FROM pgsim.rebuild WHERE finished_at IS NULL") == 1


# A list of names to PostgreSQL: one of them is long, and begins with a semicolon.
PATH = "public,pgsim,x;CREATE/**/SCHEMA/**/was_run;SET/**/search_path=public"


@pytest.fixture
def owned(new_database: Callable[..., str]) -> Iterator[tuple[Connection, Connection]]:
    """A database of a role that is no superuser: connections of a superuser and of that role."""
    url = new_database()
    with closing(connect(url, autocommit=True)) as admin:
        name = admin.info.dbname
        admin.execute(f"CREATE ROLE owner_of_{name} LOGIN".encode())
        admin.execute(f"ALTER DATABASE {name} OWNER TO owner_of_{name}".encode())
        own = make_conninfo(url, user=f"owner_of_{name}")
        with closing(connect(own, autocommit=True)) as conn:
            yield admin, conn
        admin.execute(f"ALTER DATABASE {name} OWNER TO postgres".encode())
        admin.execute(f"DROP OWNED BY owner_of_{name}; DROP ROLE owner_of_{name}".encode())


@pytest.mark.parametrize("path", [PATH, PATH.replace("pgsim,", "")])
def test_the_path_of_a_database_is_names_and_no_statements(
    owned: tuple[Connection, Connection], path: str
) -> None:
    admin, owner = owned
    schema.install(admin, read_profile("acousticbrainz"))
    owner.execute("SELECT set_config('search_path', %s, false)", (path,))
    owner.execute(f"ALTER DATABASE {admin.info.dbname} SET search_path FROM CURRENT".encode())
    schema.add_to_search_path(admin)
    uninstall(admin)
    assert one(admin, "SELECT to_regnamespace('was_run') IS NULL")
    names = schema.path_of_database(admin)
    assert names is not None
    assert names[:2] == ["public", '"x;create/**/schema/**/was_run;set/**/search_path=public"']


def test_pgsim_is_not_installed_in_a_schema_of_another_role(
    owned: tuple[Connection, Connection],
) -> None:
    """Its owner could put functions there that a superuser's session calls."""
    admin, owner = owned
    owner.execute("CREATE SCHEMA pgsim")
    with pytest.raises(PgsimError, match="belongs to role 'owner_of_.*', which could"):
        schema.install(admin, read_profile("acousticbrainz"))
    assert not schema.is_installed(admin)
    assert schema.install(owner, read_profile("acousticbrainz"))


OWNERS = """
    SELECT DISTINCT pg_get_userbyid(o.owner)::text FROM (
        SELECT relowner FROM pg_class WHERE relnamespace = 'pgsim'::regnamespace
        UNION SELECT proowner FROM pg_proc WHERE pronamespace = 'pgsim'::regnamespace
        UNION SELECT typowner FROM pg_type WHERE typnamespace = 'pgsim'::regnamespace
    ) AS o (owner)
"""


def test_what_a_superusers_upgrade_makes_belongs_to_the_owner_of_the_schema(
    owned: tuple[Connection, Connection],
) -> None:
    admin, owner = owned
    schema.install(owner, read_profile("acousticbrainz"))
    owner.execute("DROP FUNCTION pgsim.rebuild_finished CASCADE; DROP VIEW pgsim.similarity_matrix")
    schema.upgrade(admin)
    assert admin.execute(OWNERS.encode()).fetchall() == [(owner.info.user,)]
    assert one(admin, "SELECT current_user") == "postgres"


def test_who_does_not_own_the_schema_upgrades_nothing(as_role: AsRole) -> None:
    writer = as_role("writer")
    with pytest.raises(PgsimError, match="'test_writer' does not own .*owner 'postgres' may run"):
        schema.upgrade(writer)
    assert one(writer, "SELECT current_user") == "test_writer"


@pytest.mark.parametrize("command", ["check", "uninstall --dry-run"])
def test_a_name_makes_no_line_of_its_own(
    as_role: AsRole, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    owner = as_role("owner")
    schema.add_to_search_path(owner)
    owner.execute('CREATE ROLE "x\nok       all is well\x1b[2J"')
    try:
        owner.execute('GRANT CREATE ON SCHEMA public TO "x\nok       all is well\x1b[2J"')
        owner.execute('CREATE VIEW public."x\nok       all is well\x1b[2J" AS TABLE pgsim.run')
        run(["--database", owner.info.dsn, *command.split()])
        said = capsys.readouterr().out
        assert "x ok       all is well [2J" in said
        assert "\nok       all is well" not in said
    finally:
        owner.execute('DROP OWNED BY "x\nok       all is well\x1b[2J"')
        owner.execute('DROP ROLE "x\nok       all is well\x1b[2J"')


def test_what_the_page_hides_from_readers_is_in_no_table_and_no_answer(as_role: AsRole) -> None:
    page = (DOCS / "howto" / "production.md").read_text(encoding="utf-8")
    section = page.split("## Row-level security\n")[1].split("\n## ")[0]
    steps = re.findall(r"^music[-=]> (.*)$", section, re.MULTILINE)
    owner = as_role("owner")
    owner.execute("UPDATE pgsim.recording SET album = 'Unreleased' WHERE id % 2 = 0")
    hidden = owner.execute("SELECT mbid, title FROM pgsim.recording WHERE id % 2 = 0").fetchall()
    assert hidden[0][1] in str(owner.execute("TABLE pgsim.submission").fetchall())
    owner.execute("\n".join(steps).encode())
    for person in ("reader", "writer"):
        conn = as_role(person)
        read = {
            table: str(conn.execute(f"TABLE pgsim.{table}".encode()).fetchall())
            for (table,) in conn.execute(
                "SELECT relname FROM pg_class WHERE relnamespace = 'pgsim'::regnamespace"
                " AND relkind IN ('r', 'v')"
            ).fetchall()
        }
        asked = conn.execute(
            "SELECT s.* FROM (SELECT mbid FROM pgsim.recording LIMIT 1) AS r,"
            " pgsim.similar_recordings(r.mbid, 20) AS s"
        ).fetchall()
        assert len(asked) == len(owner.execute("TABLE pgsim.recording").fetchall()) // 2 - 1
        for number, title in hidden:
            assert not [table for table, rows in read.items() if f"'{title}'" in rows]
            assert not [table for table, rows in read.items() if str(number) in rows]
            assert number not in [row[1] for row in asked]


NOTED = """
    CREATE SEQUENCE public.was_called;
    GRANT ALL ON SEQUENCE public.was_called TO PUBLIC;
    CREATE FUNCTION public.cardinality({kind}[]) RETURNS integer LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_catalog.nextval('public.was_called');
        RETURN pg_catalog.cardinality($1);
    END $$;
"""


def test_no_revision_calls_what_others_made_where_pgvector_is(
    new_database: Callable[..., str], roles_template: str
) -> None:
    """A new constraint is tried on the rows that are there, before a look at what it calls."""
    url = new_database()
    restore(url, RELEASES / "0.1.0.dump")
    with closing(connect(url, autocommit=True)) as conn:
        conn.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
        conn.execute("SET ROLE test_stranger")
        conn.execute(NOTED.format(kind="double precision").encode())
        conn.execute("RESET ROLE")
        with suppress(psycopg.errors.AmbiguousFunction):  # later, of the code
            schema.upgrade(conn)
        assert not one(conn, "SELECT is_called FROM public.was_called")
