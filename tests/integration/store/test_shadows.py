"""Where everybody may create in `public`, nobody gains anybody's rights by what they make there."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from pgsim import embedded
from pgsim.cli import run
from pgsim.errors import PgsimError
from pgsim.features.profile import read_profile
from pgsim.postgres.connection import connect
from pgsim.store import schema
from tests.support.definition import definition
from tests.support.documents import collection, mbid, write_lines
from tests.support.roles import AsRole, connections
from tests.support.rows import one
from tests.support.shadows import WAS_CALLED, make_shadows

# Everything that a program does in a database, in an order in which it can be done.
COMMANDS = [
    "init",
    "load FOLDER/more.ndjson",
    "load --again FOLDER/more.ndjson",
    "status --json",
    "check",
    "similar MBID --explain",
    "similar MBID --stats --genre pop --same-decade --max-per-artist 1",
    "similar MBID --worst --metric bpm",
    "similar --title title",
    "redirects FOLDER/redirects.csv",
    "names FOLDER/names.csv",
    "fuse --refit",
    "index",
    "index --metric bpm",
    "refresh",
    "rebuild",
    "rebuild --engine postgres --restart",
    "evaluate --sample 10",
    "evaluate --sample 10 --labels artist",
    "evaluate --sample 10 --labels mbid",
    "evaluate --input",
    "export FOLDER/matrix.csv",
    "export FOLDER/matrix.parquet",
    "import FOLDER/matrix.parquet",
    "dump FOLDER/music.dump",
    "plan --recordings 10000 --sample 1000",
    "init --roles",
]
# Of so many shadows, PostgreSQL finds some that it cannot call in the place of its own.
REFUSED = (
    PgsimError,
    psycopg.errors.AmbiguousFunction,
    psycopg.errors.InvalidFunctionDefinition,
    psycopg.errors.InvalidObjectDefinition,
)
QUESTIONS = [
    "SELECT * FROM pgsim.similar_recordings(%(seed)s, 3)",
    "SELECT * FROM pgsim.similar_recordings(%(seed)s, 3, genre => 'pop', same_decade => true)",
    "SELECT * FROM pgsim.similar_recordings(%(seed)s, 3, ranking => 'distance', year_from => 1950)",
    "SELECT * FROM pgsim.similar_recordings(%(seed)s, 3, metric => 'bpm+key', max_per_artist => 1)",
    "SELECT * FROM pgsim.similar_recordings(%(seed)s, 3, weights => '{\"bpm\": 2}')",
    "SELECT * FROM pgsim.similar_recordings(%(seed)s, 3, distinct_titles => true)",
    "SELECT n.* FROM pgsim.recording AS r, pgsim.nearest_recordings(r.vector, 3) AS n"
    " WHERE r.mbid = %(seed)s",
    "SELECT * FROM pgsim.explain_similarity(%(seed)s, %(other)s)",
    "SELECT * FROM pgsim.dissimilar_recordings(%(seed)s, 3)",
    "SELECT * FROM pgsim.how_answered(%(seed)s, 3, genre => 'pop')",
    "SELECT * FROM pgsim.similar_path(%(seed)s, %(other)s, 5, max_per_artist => 1)",
    "SELECT * FROM pgsim.similar_to_all(ARRAY[%(seed)s, %(other)s]::uuid[], 3, method => 'rank')",
    "SELECT * FROM pgsim.similar_to_all(ARRAY[%(seed)s, %(other)s]::uuid[], 3)",
    "SELECT * FROM pgsim.similar_recordings_batch(ARRAY[%(seed)s, %(other)s]::uuid[], 3)",
    "SELECT * FROM pgsim.recording_distances(%(seed)s, %(other)s)",
    "SELECT * FROM pgsim.distance_statistics("
    "(SELECT vector FROM pgsim.recording WHERE mbid = %(seed)s))",
    "SELECT * FROM pgsim.find_recordings('title')",
    "SELECT count(*) FROM pgsim.map_recordings(-1, 1)",
    "SELECT pgsim.recording_of(%(seed)s)",
    "SELECT pgsim.mbid_of(%(seed)s::text)",
    "SELECT * FROM pgsim.similarity_matrix WHERE mbid = %(seed)s",
    "SELECT * FROM pgsim.status()",
]
CHANGES = [
    "UPDATE pgsim.recording SET vector = (SELECT o.vector FROM pgsim.recording AS o"
    " WHERE o.mbid = %(other)s) WHERE mbid = %(seed)s",
    "CALL pgsim.refresh_similarity()",
    "SELECT pgsim.begin_rebuild(100, 'exact', 1, 1000)",
    "INSERT INTO pgsim.similarity_b SELECT * FROM pgsim.similarity_a ON CONFLICT DO NOTHING",
    "UPDATE pgsim.rebuild_part SET done_at = pg_catalog.now()",
    "SELECT pgsim.finish_rebuild()",
    "SELECT pgsim.fill_reaches('pgsim.similarity')",
    "SELECT pgsim.sample_pairs()",
    "DELETE FROM pgsim.recording WHERE mbid = %(seed)s",
    "SELECT * FROM pgsim.refresh_batch(10)",
    "SELECT pgsim.place_on_map()",
]


@pytest.fixture(scope="module")
def shadowed_template(server: embedded.Server, roles_template: str) -> str:
    """A database in which everybody may create in public, as before PostgreSQL 15, and one did."""
    with closing(connect(server.conninfo("postgres"), autocommit=True)) as admin:
        admin.execute(f"CREATE DATABASE shadowed_template TEMPLATE {roles_template}".encode())
    with closing(connect(server.conninfo("shadowed_template"), autocommit=True)) as conn:
        conn.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
        conn.execute("SET ROLE test_stranger")
        assert make_shadows(conn) > 20000
    return "shadowed_template"


@pytest.fixture
def shadowed(new_database: Callable[..., str], shadowed_template: str) -> Iterator[AsRole]:
    """Connections to such a database, of this test's own."""
    with connections(new_database(shadowed_template)) as connect_as:
        yield connect_as


def test_nothing_that_pgsim_runs_calls_a_shadow(
    shadowed: AsRole, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    owner = shadowed("owner")
    words = {"seed": mbid(1), "other": mbid(2)}
    for person in ("reader", "writer", "owner"):
        conn = shadowed(person)
        for question in QUESTIONS:
            assert conn.execute(question.encode(), words).fetchall(), question
    for person in ("writer", "owner"):
        conn = shadowed(person)
        for change in CHANGES:
            conn.execute(change.encode(), words)
        words = {"seed": mbid(3), "other": mbid(4)}
    write_lines(tmp_path / "more.ndjson", collection(50)[-30:])
    (tmp_path / "redirects.csv").write_text(f"{mbid(900)},{mbid(5)}\n")
    (tmp_path / "names.csv").write_text(f"recording_mbid,release_name\n{mbid(5)},Album\n")
    for command in COMMANDS:
        arguments = command.replace("FOLDER", str(tmp_path)).replace("MBID", str(mbid(5))).split()
        assert run(["--database", owner.info.dsn, *arguments]) == 0, (
            command,
            capsys.readouterr().err,
        )
    assert one(owner, WAS_CALLED) is False


def test_a_refresh_on_a_users_own_path_calls_no_shadow(shadowed: AsRole) -> None:
    owner = shadowed("owner")
    with closing(psycopg.connect(owner.info.dsn, autocommit=True)) as conn:
        conn.execute("SET search_path = public, pgsim")
        conn.execute(CHANGES[0].encode(), {"seed": mbid(1), "other": mbid(2)})
        assert conn.execute("CALL pgsim.refresh_similarity()").fetchone() == (1, 30)
    assert one(owner, WAS_CALLED) is False


def test_an_upgrade_calls_no_shadow_and_keeps_none(shadowed: AsRole) -> None:
    conn = shadowed("owner")
    before = definition(conn.info.dsn)
    with pytest.raises(REFUSED):
        schema.upgrade(conn)
    assert one(conn, WAS_CALLED) is False
    assert definition(conn.info.dsn) == before


def test_an_installation_calls_no_shadow_and_keeps_none(shadowed: AsRole) -> None:
    conn = shadowed("owner")
    conn.execute("DROP SCHEMA pgsim CASCADE")
    with pytest.raises(REFUSED):
        schema.install(conn, read_profile("acousticbrainz"))
    assert one(conn, WAS_CALLED) is False
    assert not schema.is_installed(conn)


@pytest.mark.parametrize(
    ("made", "gone", "named"),
    [
        (  # in a constraint of a table, and in functions
            "FUNCTION public.cardinality(integer[]) RETURNS integer RETURN 1",
            "FUNCTION public.cardinality(integer[])",
            r"function public.cardinality\(integer\[\]\)",
        ),
        (  # in the expression of an index
            "FUNCTION public.to_tsvector(text, text) RETURNS tsvector IMMUTABLE"
            " RETURN 'a'::tsvector",
            "FUNCTION public.to_tsvector(text, text)",
            r"function public.to_tsvector\(text,text\)",
        ),
    ],
)
def test_an_installation_that_would_be_bound_to_a_shadow_is_refused(
    new_database: Callable[..., str], made: str, gone: str, named: str
) -> None:
    with closing(connect(new_database(), autocommit=True)) as conn:
        conn.execute(f"CREATE {made}".encode())
        with pytest.raises(PgsimError, match=f"{named} gets in the way of"):
            schema.install(conn, read_profile("acousticbrainz"))
        assert not schema.is_installed(conn)
        conn.execute(f"DROP {gone}".encode())
        assert schema.install(conn, read_profile("acousticbrainz"))


def test_every_function_looks_names_up_among_pgsims_and_postgresqls_alone(
    as_role: AsRole,
) -> None:
    rows = as_role("owner").execute(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'pgsim'::regnamespace"
        " AND prosqlbody IS NULL"  # else it was bound when it was made
        " AND NOT coalesce(proconfig @> ARRAY['search_path=pg_catalog, pgsim, pg_temp'], false)"
    )
    assert {name for (name,) in rows} == {
        "refresh_similarity",  # commits, and cannot have a SET clause
        # A SET clause would take longer than they do; they run on the path of those that call them.
        *("check_question", "require_sets", "resolve_rules"),
    }
