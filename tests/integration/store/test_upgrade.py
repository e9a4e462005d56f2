"""Upgrades: code is replaced in place, and what is the user's stays."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pgsim.errors import PgsimError
from pgsim.features.profile import read_profile
from pgsim.store import code, locks, schema
from pgsim.store.collection import read_collection
from pgsim.store.files import newest_revision
from tests.support.definition import definition, opened
from tests.support.rows import one

PROFILE = read_profile("acousticbrainz")

Databases = Callable[..., str]


@pytest.fixture
def installed(new_database: Databases, acousticbrainz_template: str) -> str:
    return new_database(acousticbrainz_template)


def test_an_upgrade_leaves_the_schema_as_it_was(installed: str) -> None:
    before = definition(installed)
    with opened(installed) as conn:
        assert schema.upgrade(conn) == (newest_revision(), newest_revision())
    assert definition(installed) == before


def test_an_upgrade_makes_every_function_view_and_trigger_anew(installed: str) -> None:
    before = definition(installed)
    with opened(installed) as conn:
        conn.execute(
            "CREATE OR REPLACE FUNCTION pgsim.pending_recordings() RETURNS integer[]"
            " LANGUAGE sql AS 'SELECT NULL::integer[]'"
        )
        conn.execute("DROP VIEW pgsim.similarity_matrix")
        conn.execute("DROP TRIGGER recording_deleted ON pgsim.recording")
        assert definition(installed) != before
        schema.upgrade(conn)
    assert definition(installed) == before


def test_an_upgrade_keeps_objects_of_the_users_in_the_schema(installed: str) -> None:
    with opened(installed) as conn:
        conn.execute("CREATE FUNCTION pgsim.mine() RETURNS integer RETURN 1")
        conn.execute("CREATE VIEW pgsim.my_view AS SELECT title FROM pgsim.recording")
        conn.execute("CREATE TYPE pgsim.my_type AS (a integer)")
        before = definition(installed)
        schema.upgrade(conn)
    assert definition(installed) == before


@pytest.mark.parametrize(
    ("made", "name"),
    [
        ("CREATE FUNCTION pgsim.status(text) RETURNS text RETURN $1", "routine status(text)"),
        ("CREATE PROCEDURE pgsim.matches() BEGIN ATOMIC END", "routine matches()"),
    ],
)
def test_an_upgrade_stops_at_an_object_of_the_users_with_a_name_of_its_own(
    installed: str, made: str, name: str
) -> None:
    with opened(installed) as conn:
        conn.execute(made.encode())
        before = definition(installed)
        with pytest.raises(PgsimError) as raised:
            schema.upgrade(conn)
    assert str(raised.value).startswith(f"{name} has a name of pgsim's")
    assert definition(installed) == before


def test_an_upgrade_keeps_privileges(installed: str) -> None:
    role = '"A reader"'
    with opened(installed) as conn:
        conn.execute(f"CREATE ROLE {role}".encode())
        for statement in (
            "REVOKE EXECUTE ON FUNCTION pgsim.status() FROM PUBLIC",
            f"GRANT EXECUTE ON FUNCTION pgsim.status() TO {role} WITH GRANT OPTION",
            f"GRANT SELECT, UPDATE ON pgsim.similarity TO {role}",
            "GRANT SELECT ON pgsim.similarity_matrix TO PUBLIC",
            "REVOKE USAGE ON TYPE pgsim.similar_recording FROM PUBLIC",
        ):
            conn.execute(statement.encode())
        before = definition(installed)
        schema.upgrade(conn)
        after = definition(installed)
        conn.execute(f"DROP OWNED BY {role}".encode())
        conn.execute(f"DROP ROLE {role}".encode())
    assert after == before


@pytest.mark.parametrize(
    ("missing", "shown"),
    [
        ("FUNCTION pgsim.shown_similarity CASCADE", "similarity_b"),
        ("VIEW pgsim.similarity CASCADE", "similarity_a"),
    ],
)
def test_an_upgrade_knows_the_shown_table_whatever_is_missing(
    installed: str, missing: str, shown: str
) -> None:
    with opened(installed) as conn:
        conn.execute("SELECT pgsim.show_similarity('similarity_b')")
        conn.execute(f"DROP {missing}".encode())
        schema.upgrade(conn)
        assert one(conn, "SELECT pgsim.shown_similarity()") == shown


def test_an_upgrade_waits_for_a_refresh_before_it_changes_anything(installed: str) -> None:
    with opened(installed) as conn, opened(installed) as other, ThreadPoolExecutor(1) as pool:
        with other.transaction():
            other.execute("SELECT pgsim.refresh_lock()")
            upgrading = pool.submit(schema.upgrade, conn)
            while not locks.is_wanted(other, locks.MATRIX):
                assert not upgrading.done()
            other.execute("LOCK TABLE pgsim.recording, pgsim.similarity_a IN ACCESS SHARE MODE")
        assert upgrading.result()[1] == newest_revision()


def test_an_upgrade_keeps_the_rows(installed: str) -> None:
    with opened(installed) as conn:
        conn.execute("INSERT INTO pgsim.recording (mbid, title) VALUES (gen_random_uuid(), 'A')")
        schema.upgrade(conn)
        assert one(conn, "SELECT title FROM pgsim.recording") == "A"
        assert read_collection(conn).profile == PROFILE


def test_an_upgrade_keeps_a_trigger_of_the_users(installed: str) -> None:
    with opened(installed) as conn:
        conn.execute(
            "CREATE FUNCTION public.mine() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'"
        )
        conn.execute(
            "CREATE TRIGGER mine AFTER INSERT ON pgsim.recording"
            " FOR EACH ROW EXECUTE FUNCTION public.mine()"
        )
        before = definition(installed)
        schema.upgrade(conn)
    assert definition(installed) == before


# What a user may build on pgsim's code.
OF_THE_USERS = [
    "CREATE VIEW public.mine AS"
    " SELECT * FROM pgsim.similar_recordings('0dad432b-16cc-4bf0-8961-fd31d124b01b')",
    "CREATE VIEW public.mine AS SELECT count(*) FROM pgsim.similarity",
    "CREATE MATERIALIZED VIEW public.mine AS SELECT * FROM pgsim.status()",
    "CREATE TABLE public.mine (answer pgsim.similar_recording)",
    "CREATE FUNCTION public.mine() RETURNS bigint RETURN (SELECT count(*) FROM pgsim.similarity)",
    "CREATE TABLE public.mine (title text, key text GENERATED ALWAYS AS (pgsim.title_key(title))"
    " STORED)",
]


@pytest.mark.parametrize("made", OF_THE_USERS)
def test_what_a_user_built_on_the_code_survives_an_upgrade(installed: str, made: str) -> None:
    with opened(installed) as conn:
        conn.execute(made.encode())
        oids = (
            "SELECT array_agg(oid ORDER BY oid) FROM pg_proc"
            " WHERE pronamespace = 'pgsim'::regnamespace"
        )
        before, code_before = definition(installed, "--schema=public"), one(conn, oids)
        schema.upgrade(conn)
        assert one(conn, oids) == code_before
    assert definition(installed, "--schema=public") == before


# Code as an earlier version may have had it, so that it cannot be replaced in place.
EARLIER = {
    "another result": (
        "DROP FUNCTION pgsim.distance_statistics CASCADE",
        "CREATE FUNCTION pgsim.distance_statistics() RETURNS integer RETURN 1",
        "COMMENT ON FUNCTION pgsim.distance_statistics() IS 'Earlier.'",
    ),
    "fewer arguments": (
        "DROP FUNCTION pgsim.find_recordings CASCADE",
        "CREATE FUNCTION pgsim.find_recordings(words text) RETURNS SETOF pgsim.found_recording"
        " LANGUAGE sql AS 'SELECT NULL::pgsim.found_recording'",
        "COMMENT ON FUNCTION pgsim.find_recordings(text) IS 'Earlier.'",
    ),
    "another name of an argument": (
        "DROP FUNCTION pgsim.recording_of CASCADE",
        "CREATE FUNCTION pgsim.recording_of(id uuid) RETURNS integer RETURN 1",
        "COMMENT ON FUNCTION pgsim.recording_of(uuid) IS 'Earlier.'",
    ),
    "a procedure": (
        "DROP FUNCTION pgsim.status CASCADE",
        "CREATE PROCEDURE pgsim.status() BEGIN ATOMIC END",
        "COMMENT ON PROCEDURE pgsim.status() IS 'Earlier.'",
    ),
    "other columns of a view": (
        "DROP VIEW pgsim.similarity_matrix CASCADE",
        "CREATE VIEW pgsim.similarity_matrix AS SELECT mbid, title FROM pgsim.recording",
        "COMMENT ON VIEW pgsim.similarity_matrix IS 'Earlier.'",
    ),
    "fewer attributes of a type": (
        "DROP TYPE pgsim.found_recording CASCADE",
        "CREATE TYPE pgsim.found_recording AS (rank integer, mbid uuid)",
        "COMMENT ON TYPE pgsim.found_recording IS 'Earlier.'",
        "CREATE FUNCTION pgsim.find_recordings(words text) RETURNS SETOF pgsim.found_recording"
        " LANGUAGE sql BEGIN ATOMIC SELECT NULL::pgsim.found_recording; END",
        "COMMENT ON FUNCTION pgsim.find_recordings(text) IS 'Earlier.'",
    ),
    "code that depends on code that changes": (
        "DROP FUNCTION pgsim.title_key CASCADE",
        "CREATE FUNCTION pgsim.title_key(text, integer) RETURNS text RETURN $1",
        "COMMENT ON FUNCTION pgsim.title_key IS 'Earlier.'",
        "DROP FUNCTION pgsim.matches CASCADE",
        "CREATE FUNCTION pgsim.matches(pgsim.recording, pgsim.recording_filter)"
        " RETURNS boolean RETURN pgsim.title_key('a', 1) IS NULL",
        "COMMENT ON FUNCTION pgsim.matches IS 'Earlier.'",
        "CREATE FUNCTION pgsim.recording_of(uuid, text) RETURNS integer"
        " RETURN length(pgsim.title_key($2, 1))",
        "COMMENT ON FUNCTION pgsim.recording_of(uuid, text) IS 'Earlier.'",
    ),
}


@pytest.mark.parametrize("earlier", EARLIER.values(), ids=EARLIER)
def test_code_with_another_signature_is_dropped_and_made_again(
    installed: str, earlier: tuple[str, ...]
) -> None:
    expected = definition(installed)
    with opened(installed) as conn:
        for statement in earlier:
            conn.execute(statement.encode())
        assert definition(installed) != expected
        conn.execute("CREATE VIEW public.mine AS SELECT * FROM pgsim.similarity")
        schema.upgrade(conn)
        assert one(conn, "SELECT count(*) FROM public.mine") == 0
    assert definition(installed) == expected


@pytest.mark.parametrize(
    ("earlier", "made", "named"),
    [
        (
            "fewer arguments",
            "CREATE VIEW public.mine AS SELECT * FROM pgsim.find_recordings('a')",
            "view mine depends on function find_recordings(text)",
        ),
        (
            "fewer attributes of a type",
            "CREATE TABLE public.mine (found pgsim.found_recording)",
            "column found of table mine depends on type found_recording",
        ),
        (
            "other columns of a view",
            "CREATE FUNCTION public.mine() RETURNS bigint"
            " RETURN (SELECT count(*) FROM pgsim.similarity_matrix)",
            "function mine() depends on view similarity_matrix",
        ),
    ],
)
def test_only_what_stands_in_the_way_of_a_change_is_named(
    installed: str, earlier: str, made: str, named: str
) -> None:
    with opened(installed) as conn:
        for statement in EARLIER[earlier]:
            conn.execute(statement.encode())
        conn.execute(made.encode())
        conn.execute("CREATE VIEW public.other AS SELECT * FROM pgsim.status()")
        before = definition(installed, "--schema=public")
        with pytest.raises(PgsimError) as raised:
            schema.upgrade(conn)
    said = str(raised.value).replace("public.", "")
    assert f"depends on what this version changes ({named}): drop it" in said
    assert "\n" not in said
    assert definition(installed, "--schema=public") == before


def test_code_that_is_made_again_keeps_its_privileges(installed: str) -> None:
    with opened(installed) as conn:
        for statement in EARLIER["a procedure"]:
            conn.execute(statement.encode())
        conn.execute("CREATE ROLE asker")
        conn.execute("REVOKE ALL ON PROCEDURE pgsim.status() FROM PUBLIC")
        conn.execute("GRANT EXECUTE ON PROCEDURE pgsim.status() TO asker WITH GRANT OPTION")
        schema.upgrade(conn)
        granted = one(
            conn, "SELECT proacl::text[] FROM pg_proc WHERE oid = 'pgsim.status()'::regprocedure"
        )
        conn.execute("DROP OWNED BY asker")
        conn.execute("DROP ROLE asker")
    assert sorted(granted) == ["asker=X*/postgres", "postgres=X/postgres"]


def test_code_that_is_gone_is_dropped_and_a_users_own_is_kept(
    installed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = definition(installed)
    lines = ("# of 0.0.9", "function old_name", "view old_view", "type old_type")
    (tmp_path / "gone.txt").write_text("\n".join(lines))
    monkeypatch.setattr(code, "GONE", tmp_path / "gone.txt")
    with opened(installed) as conn:
        for statement in (
            "CREATE TYPE pgsim.old_type AS (a integer)",
            "CREATE VIEW pgsim.old_view AS SELECT ROW(1)::pgsim.old_type AS a",
            "CREATE FUNCTION pgsim.old_name() RETURNS bigint"
            " RETURN (SELECT count(*) FROM pgsim.old_view)",
            "COMMENT ON TYPE pgsim.old_type IS 'Earlier.'",
            "COMMENT ON VIEW pgsim.old_view IS 'Earlier.'",
            "COMMENT ON FUNCTION pgsim.old_name() IS 'Earlier.'",
        ):
            conn.execute(statement.encode())
        schema.upgrade(conn)
        assert definition(installed) == expected
        conn.execute("CREATE FUNCTION pgsim.mine() RETURNS integer RETURN 1")
        conn.execute("COMMENT ON FUNCTION pgsim.mine() IS 'Of the user.'")
        before = definition(installed)
        schema.upgrade(conn)
    assert definition(installed) == before


def test_nothing_that_sql_makes_is_said_to_be_gone() -> None:
    made = {(kind, name) for folder, kind in code.KINDS.items() for name in code.names_of(folder)}
    assert not made & code.names_gone()
