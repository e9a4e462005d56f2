"""Roles: who asks changes nothing, who loads changes rows and no definitions; as those roles."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgsim import embedded
from pgsim.cli import run
from pgsim.errors import PgsimError
from pgsim.loading.profile_change import change_profile
from pgsim.loading.recordings import refit
from pgsim.matrix.refresh import refresh
from pgsim.postgres.connection import Connection, connect
from pgsim.store import schema
from pgsim.store.files import SQL
from tests.support.documents import collection, mbid, write_lines
from tests.support.profiles import profile_of, text_of
from tests.support.roles import ROLES, AsRole, connections
from tests.support.rows import contents, one

TABLES = sorted(path.stem for path in (SQL / "tables").glob("*.sql"))
Shared = dict[str, Connection]


@pytest.fixture(scope="module")
def shared(server: embedded.Server, roles_template: str) -> Iterator[Shared]:
    """A connection for each person to one database, in which nothing is changed."""
    name = "roles_shared"
    with closing(connect(server.conninfo("postgres"), autocommit=True)) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {roles_template}".encode())
        with connections(server.conninfo(name)) as connect_as:
            yield {person: connect_as(person) for person in (*ROLES, "owner")}
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


QUESTIONS = [
    "SELECT * FROM similar_recordings(%(seed)s, 3)",
    "SELECT * FROM similar_recordings(%(seed)s, 3, genre => 'pop')",
    "SELECT n.* FROM recording AS r, nearest_recordings(r.vector, 3) AS n WHERE r.mbid = %(seed)s",
    "SELECT * FROM explain_similarity(%(seed)s, %(other)s)",
    "SELECT * FROM dissimilar_recordings(%(seed)s, 3)",
    "SELECT * FROM how_answered(%(seed)s, 3)",
    "SELECT * FROM similar_path(%(seed)s, %(other)s, 5)",
    "SELECT * FROM similar_recordings(%(seed)s, 3, metric => 'bpm+key', weights => '{\"bpm\": 2}')",
    "SELECT * FROM similar_to_all(ARRAY[%(seed)s, %(other)s]::uuid[], 3, method => 'rank')",
    "SELECT * FROM similar_recordings_batch(ARRAY[%(seed)s, %(other)s]::uuid[], 3)",
    "SELECT * FROM recording_distances(%(seed)s, %(other)s)",
    "SELECT * FROM distance_statistics((SELECT vector FROM recording WHERE mbid = %(seed)s))",
    "SELECT * FROM find_recordings('title')",
    "SELECT count(*) FROM map_recordings()",
    "SELECT recording_of(%(seed)s)",
    "SELECT mbid_of(%(seed)s::text)",
    "SELECT * FROM similarity_matrix WHERE mbid = %(seed)s",
    "SELECT * FROM status()",
    "SELECT * FROM match_recordings(jsonb_build_array(jsonb_build_object('identifier', %(seed)s)))",
    "SELECT * FROM expand_playlist(ARRAY[%(seed)s, %(other)s]::uuid[], 3)",
    "SELECT count(*) FROM ratings()",
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_reader_asks_everything(shared: Shared, question: str) -> None:
    words = {"seed": mbid(1), "other": mbid(2)}
    asked = shared["reader"].execute(question.encode(), words).fetchall()
    assert asked
    assert asked == shared["owner"].execute(question.encode(), words).fetchall()


def test_a_reader_checks_and_asks_from_the_shell_and_is_told_who_may_load(
    shared: Shared, capsys: pytest.CaptureFixture[str]
) -> None:
    said = {}
    for person in ("owner", "reader"):
        url = shared[person].info.dsn
        assert run(["--database", url, "check", "--json"]) == 0
        checks = json.loads(capsys.readouterr().out)["checks"]
        assert run(["--database", url, "similar", str(mbid(1)), "--explain", "--json"]) == 0
        said[person] = [each["wrong"] for each in checks], capsys.readouterr().out
    assert said["reader"] == said["owner"]
    assert run(["--database", url, "refresh"]) == 1
    assert "permission denied for table run; pgsim_reader may ask, pgsim_writer load" in (
        capsys.readouterr().err
    )


def test_a_reader_asks_while_changes_are_pending_and_without_any_list(as_role: AsRole) -> None:
    owner = as_role("owner")
    owner.execute(
        "UPDATE pgsim.recording SET vector = vector OPERATOR(public.+) vector WHERE mbid = %s",
        (mbid(1),),
    )
    question = "SELECT * FROM similar_recordings(%s, 5)"
    pending = as_role("reader").execute(question.encode(), (mbid(2),)).fetchall()
    owner.execute("DELETE FROM pgsim.similarity")
    assert len(as_role("reader").execute(question.encode(), (mbid(2),)).fetchall()) == 5
    assert len(pending) == 5


@pytest.mark.parametrize(
    ("person", "table"),
    [
        (person, table)
        for person in ("reader", "listener")
        for table in (*TABLES, "similarity")
        if (person, table) != ("listener", "rating")  # as test_ratings.py tries it
    ],
)
def test_who_may_not_load_changes_no_table(shared: Shared, person: str, table: str) -> None:
    reader = shared[person]
    assert reader.execute(f"SELECT * FROM pgsim.{table} LIMIT 1".encode())
    column = one(
        reader,
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
        " AND attidentity = '' ORDER BY attnum LIMIT 1",
        f"pgsim.{table}",
    )
    for statement in (
        f"INSERT INTO pgsim.{table} DEFAULT VALUES",
        f"UPDATE pgsim.{table} SET {column} = NULL",
        f"DELETE FROM pgsim.{table}",
        *([] if table == "similarity" else [f"TRUNCATE pgsim.{table}"]),
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(statement.encode())


CHANGES = [
    "SELECT pgsim.sample_pairs()",
    "SELECT pgsim.empty_hidden_similarity()",
    "SELECT pgsim.index_metric('bpm')",
    "SELECT * FROM pgsim.refresh_batch(10)",
    "CALL pgsim.refresh_similarity()",
    "SELECT pgsim.begin_rebuild(100, 'exact', 1, 1000)",
    "SELECT pgsim.show_similarity('similarity_b')",
    "SELECT * FROM pgsim.take_stale(ARRAY[1::bigint])",
    f"SELECT pgsim.rate('{mbid(1)}', '{mbid(2)}', 1, 'me')",
    "CREATE TEMP TABLE incoming_redirect AS SELECT 1 AS line,"
    " gen_random_uuid() AS mbid, gen_random_uuid() AS target; SELECT pgsim.store_redirects()",
    "CREATE TEMP TABLE nameless AS SELECT r.mbid, r.id, 0 AS steps, true AS is_same"
    " FROM pgsim.recording AS r; CREATE TEMP TABLE found_name (id integer);"
    " CREATE TEMP TABLE incoming_name AS SELECT 1 AS place, r.mbid,"
    " 'x' AS title, 'x' AS artist, r.artist_mbids, 'x' AS album, r.year, r.length"
    " FROM pgsim.recording AS r; SELECT pgsim.store_names()",
]


@pytest.mark.parametrize("person", ["reader", "stranger"])
@pytest.mark.parametrize("change", CHANGES)
def test_no_function_lends_its_rights_to_who_has_none(
    shared: Shared, person: str, change: str
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        shared[person].execute(change.encode())


# A value of each type. Inner functions that take a resolved filter or measure are reached
# through those that make it.
VALUES = {
    "uuid": mbid(1),
    "uuid[]": [mbid(1), mbid(2)],
    "smallint": 5,
    "integer": 5,
    "bigint": 5,
    "integer[]": [1, 2],
    "bigint[]": [1, 2],
    "text": "title",
    "text[]": ["title"],
    "boolean": False,
    "real": 0.5,
    "real[]": [1.0, 2.0],
    "double precision": 0.5,
    "double precision[]": [0.5, 0.5],
    "jsonb": None,
    "public.vector": str([0.5] * 68),
}


def test_no_function_that_a_reader_calls_changes_anything(shared: Shared) -> None:
    owner, reader = shared["owner"], shared["reader"]

    def everything() -> list[object]:
        tables = [f"SELECT '{t}', t.xmin::text, t::text FROM pgsim.{t} AS t" for t in TABLES]
        query = f"{' UNION ALL '.join(tables)} ORDER BY 1, 3"
        return [*owner.execute(query.encode()), one(owner, "SELECT pgsim.shown_similarity()")]

    before = everything()
    tried = set()
    for name, types in owner.execute(
        "SELECT p.oid::regproc::text, p.proargtypes::regtype[]::text[] FROM pg_proc AS p"
        " WHERE p.pronamespace = 'pgsim'::regnamespace AND p.prokind = 'f'"
        " AND p.prorettype <> 'trigger'::regtype"
    ).fetchall():
        if set(types) <= VALUES.keys():
            call = f"{name}({', '.join(f'%s::{kind}' for kind in types)})"
            with suppress(psycopg.Error):
                reader.execute(f"SELECT * FROM {call}".encode(), [VALUES[kind] for kind in types])
                tried.add(name)
    assert {"find_recordings", "recording_distances", "live_reach", "status"} <= tried
    assert everything() == before


@pytest.mark.parametrize("target", ["recording", "similarity_a; DROP TABLE pgsim.run", "", None])
def test_the_switch_shows_nothing_but_the_two_tables(shared: Shared, target: str | None) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="unknown target"):
        shared["owner"].execute("SELECT pgsim.show_similarity(%s)", (target,))


def test_who_steps_down_to_a_reader_may_not_switch(shared: Shared) -> None:
    owner = shared["owner"]
    owner.execute("SET ROLE pgsim_reader")
    with pytest.raises(
        psycopg.errors.InsufficientPrivilege, match="permission denied for schema pgsim"
    ):
        owner.execute("SELECT pgsim.show_similarity('similarity_b')")
    owner.execute("RESET ROLE")


DEFINITIONS = [
    "ALTER TABLE pgsim.recording ADD COLUMN mine text",
    "DROP TABLE pgsim.recording CASCADE",
    "DROP INDEX pgsim.recording_vector",
    "CREATE INDEX ON pgsim.recording (title)",
    "CREATE TABLE pgsim.mine (a integer)",
    "CREATE FUNCTION pgsim.mine() RETURNS integer RETURN 1",
    "CREATE OR REPLACE VIEW pgsim.similarity AS SELECT 1 AS id",
    "ALTER TABLE pgsim.recording DISABLE TRIGGER recording_inserted",
    "UPDATE pgsim.feature_set SET weight = 1",
    "UPDATE pgsim.collection SET profile = 'mine'",
    "DELETE FROM pgsim.feature_set",
    "UPDATE pgsim.alembic_version SET version_num = '9999'",
    "TRUNCATE pgsim.recording",
]


@pytest.mark.parametrize("person", ["reader", "listener", "writer"])
@pytest.mark.parametrize("statement", DEFINITIONS)
def test_nobody_but_the_owner_changes_what_is_defined(
    shared: Shared, person: str, statement: str
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        shared[person].execute(statement.encode())


def test_a_writer_does_all_the_owner_does_but_the_index(
    new_database: Callable[..., str],
    acousticbrainz_template: str,
    roles_template: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    redirects = tmp_path / "redirects.csv"
    redirects.write_text(f"{mbid(900)},{mbid(1)}\n")
    names = tmp_path / "names.csv"
    names.write_text(f"recording_mbid,release_name\n{mbid(1)},Album\n{mbid(30)},Album\n")
    documents = collection(40)
    first = write_lines(tmp_path / "first.ndjson", documents[:50])
    second = write_lines(tmp_path / "second.ndjson", documents[50:])
    steps = [
        ["load", str(first)],
        ["names", str(names)],
        ["refresh"],
        ["load", str(second)],
        ["refresh"],
        ["fuse", "--refit"],
        ["rebuild"],
        ["redirects", str(redirects)],
        ["rebuild", "--restart", "--engine", "exact"],
        ["similar", str(mbid(900))],
        ["status"],
    ]
    made = {}
    for person in ("owner", "writer"):
        url = new_database(acousticbrainz_template)
        with closing(connect(url, autocommit=True)) as conn:
            schema.grant_roles(conn)
            own = url if person == "owner" else make_conninfo(url, user="test_writer")
            for step in steps:
                assert run(["--database", own, *step]) == 0, step
            made[person] = (
                contents(conn),
                conn.execute("SELECT * FROM pgsim.similarity ORDER BY id").fetchall(),
                one(conn, "SELECT pgsim.shown_similarity()"),
            )
            has_index = one(conn, "SELECT to_regclass('pgsim.recording_vector') IS NOT NULL")
            assert has_index == (person == "owner")
            # The dead reaches of each rebuild are out of the way of questions.
            vacuums = "SELECT vacuum_count FROM pg_stat_all_tables WHERE relid = %s::regclass"
            if conn.info.server_version >= 170000 or person == "owner":
                assert one(conn, vacuums, "pgsim.reach") == 2
    assert made["writer"] == made["owner"]
    assert "the owner of pgsim.recording has to build the index" in capsys.readouterr().err


def test_a_writer_fits_anew_under_an_index_that_it_cannot_drop(as_role: AsRole) -> None:
    owner = as_role("owner")
    before = one(owner, "SELECT 'pgsim.recording_vector'::regclass::oid")
    refit(as_role("writer"))
    assert one(owner, "SELECT 'pgsim.recording_vector'::regclass::oid") == before


def test_every_table_is_readable_and_a_table_of_the_users_is_left_alone(as_role: AsRole) -> None:
    owner = as_role("owner")
    owner.execute("CREATE TABLE pgsim.mine (a integer)")
    schema.grant_roles(owner)
    rows = owner.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'pgsim'::regnamespace"
        " AND relkind IN ('r', 'v') AND NOT has_table_privilege('pgsim_reader', oid, 'SELECT')"
    )
    assert {name for (name,) in rows} == {"mine"}


def test_an_upgrade_keeps_the_roles_rights_and_gives_those_to_new_tables(as_role: AsRole) -> None:
    rights = """
        SELECT c.relname, a.grantee::regrole::text, a.privilege_type
        FROM pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS a
        WHERE c.relnamespace = 'pgsim'::regnamespace ORDER BY 1, 2, 3
    """
    owner = as_role("owner")
    before = owner.execute(rights.encode()).fetchall()
    owner.execute("REVOKE ALL ON pgsim.redirect FROM pgsim_reader, pgsim_writer")
    schema.upgrade(owner)
    assert owner.execute(rights.encode()).fetchall() == before
    assert as_role("reader").execute("SELECT * FROM similar_recordings(%s)", (mbid(1),)).fetchall()


def test_an_upgrade_of_a_database_without_roles_gives_none(
    new_database: Callable[..., str], acousticbrainz_template: str
) -> None:
    with closing(connect(new_database(acousticbrainz_template), autocommit=True)) as conn:
        schema.upgrade(conn)
        assert not one(conn, "SELECT has_schema_privilege('public', 'pgsim', 'USAGE')")
        assert one(conn, "SELECT nspacl IS NULL FROM pg_namespace WHERE nspname = 'pgsim'")


def test_init_makes_the_roles_for_a_database_of_whatever_profile(
    new_database: Callable[..., str], plane_template: str, capsys: pytest.CaptureFixture[str]
) -> None:
    url = new_database(plane_template)
    for _ in range(2):
        assert run(["--database", url, "init", "--roles", "--json"]) == 0
        assert (
            '"roles": ["pgsim_reader", "pgsim_listener", "pgsim_writer"]' in capsys.readouterr().out
        )
    with closing(connect(url, autocommit=True)) as conn:
        assert one(conn, "SELECT pg_has_role('pgsim_writer', 'pgsim_reader', 'USAGE')")
        assert not one(conn, "SELECT bool_or(rolcanlogin) FROM pg_roles WHERE rolname ~ '^pgsim_'")


def test_who_does_not_own_the_schema_is_told_who_may_grant(shared: Shared) -> None:
    with pytest.raises(PgsimError, match="'test_writer' does not own the schema pgsim"):
        schema.grant_roles(shared["writer"])


def test_who_may_not_make_roles_is_told_what_a_superuser_may_run(shared: Shared) -> None:
    owner = shared["owner"]
    with owner.transaction(force_rollback=True):
        for name in ("pgsim_reader", "pgsim_listener", "pgsim_writer"):
            owner.execute(f"ALTER ROLE {name} RENAME TO {name}_before".encode())
        owner.execute("ALTER SCHEMA pgsim OWNER TO test_stranger")
        owner.execute("SET LOCAL ROLE test_stranger")
        with pytest.raises(PgsimError, match="as a superuser run CREATE ROLE pgsim_reader"):
            schema.grant_roles(owner)


def test_the_owner_alone_changes_the_profile_and_rights_stay(as_role: AsRole) -> None:
    writer, owner = as_role("writer"), as_role("owner")
    smaller = profile_of(text_of(without=("bpm",)))
    with pytest.raises(PgsimError, match="role 'test_writer' does not own pgsim"):
        change_profile(writer, smaller)
    change_profile(owner, smaller)
    reader = as_role("reader")
    seed = one(reader, "SELECT mbid FROM pgsim.recording WHERE vector IS NOT NULL LIMIT 1")
    query = "SELECT mbid FROM pgsim.similar_recordings(%s, 5)"
    assert len(reader.execute(query.encode(), (seed,)).fetchall()) == 5
    assert refresh(writer).lists > 0
