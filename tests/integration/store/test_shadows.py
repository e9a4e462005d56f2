"""Where others may create in `public`, pgsim's functions never call what they make there."""

from collections.abc import Callable
from contextlib import closing

import pytest

from pgsim.errors import PgsimError
from pgsim.features.profile import read_profile
from pgsim.postgres.connection import connect
from pgsim.store import schema
from tests.support.rows import one

# Each fits a call better than PostgreSQL's own, which takes any array, or any arguments.
SHADOWS = (
    ("format", "text, text", "text"),
    ("format", "text, name", "text"),
    ("cardinality", "integer[]", "integer"),
    ("cardinality", "real[]", "integer"),
    ("unnest", "integer[]", "SETOF integer"),
    ("array_remove", "integer[], integer", "integer[]"),
    ("num_nonnulls", "text, integer", "integer"),
)


def shadow(name: str, arguments: str, result: str) -> bytes:
    return (
        f"CREATE FUNCTION public.{name}({arguments}) RETURNS {result} LANGUAGE plpgsql"
        f" AS $$BEGIN RAISE EXCEPTION 'a shadow of {name} was called'; END$$"
    ).encode()


def test_a_shadow_is_not_called_by_questions_refresh_or_the_switch(
    new_database: Callable[..., str], filled_template: str
) -> None:
    with closing(connect(new_database(filled_template), autocommit=True)) as conn:
        for each in SHADOWS:
            conn.execute(shadow(*each))
        seed = one(conn, "SELECT mbid FROM pgsim.recording ORDER BY id LIMIT 1")
        for question in ("%s, 5", "%s, 5, ranking => 'distance'", "%s, 5, same_decade => true"):
            query = f"SELECT * FROM pgsim.similar_recordings({question})"
            assert conn.execute(query.encode(), (seed,)).fetchall()
        conn.execute(
            "UPDATE pgsim.recording SET vector = (SELECT o.vector FROM pgsim.recording AS o"
            " ORDER BY o.id DESC LIMIT 1) WHERE mbid = %s",
            (seed,),
        )
        conn.execute("CALL pgsim.refresh_similarity()")
        assert one(conn, "SELECT count(*) FROM pgsim.stale") == 0
        conn.execute("SELECT pgsim.show_similarity(pgsim.shown_similarity())")


def test_an_installation_that_would_be_bound_to_a_shadow_is_refused(
    new_database: Callable[..., str],
) -> None:
    with closing(connect(new_database(), autocommit=True)) as conn:
        conn.execute(shadow("cardinality", "integer[]", "integer"))
        with pytest.raises(
            PgsimError, match=r"function cardinality\(integer\[\]\) gets in the way"
        ):
            schema.install(conn, read_profile("acousticbrainz"))
        assert not schema.is_installed(conn)
        conn.execute("DROP FUNCTION public.cardinality(integer[])")
        assert schema.install(conn, read_profile("acousticbrainz"))
