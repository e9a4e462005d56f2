"""Row-level security: whoever may see some recordings is answered as if there were no others.

Each answer is compared with its definition, over the rows that the same role reads.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgsim import embedded
from pgsim.errors import PgsimError
from pgsim.matrix.rebuild import rebuild
from pgsim.matrix.refresh import refresh
from pgsim.postgres.connection import Connection, connect
from pgsim.store import schema
from tests.support.grid import SETS, STATES, change_grid, fill_grid
from tests.support.oracle import Oracle, ask, compare, draw
from tests.support.rows import one

QUESTIONS = 11
VIEWER = "test_viewer"
# What a policy shows: lists are then too short, just long enough, or empty; or a corner of the
# space.
POLICIES = {
    "every second": "id % 2 = 0",
    "nearly all": "id % 40 <> 0",
    "few": "id % 12 = 0",
    "a corner": "pgsim.l2(vector, '[0,0,0,0]') < 3 OR id % 40 = 1",
}


@pytest.fixture(scope="module")
def template(server: embedded.Server) -> Iterator[str]:
    """The collection on a grid, and a reader who may see what a policy shows."""
    name = "row_security_template"
    embedded.ensure_database(server, name)
    with closing(connect(server.conninfo("postgres"), autocommit=True)) as admin:
        with closing(connect(server.conninfo(name), autocommit=True)) as conn:
            fill_grid(conn)
            schema.grant_roles(conn)
            conn.execute(f"CREATE ROLE {VIEWER} LOGIN IN ROLE pgsim_writer".encode())
        yield name
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
        admin.execute(f"DROP ROLE {VIEWER}".encode())


@contextmanager
def as_viewer(url: str, policy: str) -> Iterator[Connection]:
    """A connection as the reader, to whom a policy shows some recordings."""
    with closing(connect(url, autocommit=True)) as conn:
        show(conn, policy)
    with closing(connect(make_conninfo(url, user=VIEWER), autocommit=True)) as conn:
        yield conn


def show(conn: Connection, policy: str) -> None:
    conn.execute(
        "ALTER TABLE pgsim.recording ENABLE ROW LEVEL SECURITY;"
        f"CREATE POLICY shown ON pgsim.recording TO {VIEWER} USING ({policy})".encode()
    )


@pytest.fixture(params=STATES)
def url(request: pytest.FixtureRequest, new_database: Callable[..., str], template: str) -> str:
    """The collection with its matrix in each state."""
    made = new_database(template)
    with closing(connect(made, autocommit=True)) as conn:
        change_grid(conn, request.param)
    return made


@pytest.fixture
def viewer(new_database: Callable[..., str], template: str) -> Iterator[Connection]:
    """The reader's connection, where every second recording is shown."""
    with as_viewer(new_database(template), POLICIES["every second"]) as conn:
        yield conn


@pytest.mark.parametrize("policy", POLICIES)
def test_answers_are_those_of_a_collection_of_the_recordings_shown(url: str, policy: str) -> None:
    with as_viewer(url, POLICIES[policy]) as conn:
        oracle = Oracle(conn)
        assert 10 < len(oracle.rows) < 355
        rng = random.Random(policy)
        for number in range(QUESTIONS):
            words = draw(rng, [r.mbid for r in oracle.rows]) if number % 5 else {}
            words["ranking"] = rng.choice(["similarity", "distance"])
            k = rng.choice([1, 3, 10, 10, 20, 100])
            seed = rng.choice(oracle.rows)
            if set(seed.missing) & set((words.get("metric") or "").split("+")):
                continue
            wanted = oracle.answer(seed.vector, oracle.reach[seed.id], seed.id, k, words)
            got = ask(conn, "similar_recordings", seed.mbid, k, words)
            compare(got, wanted, f"{number}: {seed.mbid} {k} {words}")
            vector = tuple(float(rng.randrange(4)) for _ in SETS)
            wanted = oracle.answer(vector, oracle.live_reach(vector, None), None, k, words)
            got = ask(conn, "nearest_recordings", str(list(vector)), k, words)
            compare(got, wanted, f"{number}: {vector} {k} {words}")


@pytest.mark.parametrize("ranking", ["similarity", "distance"])
def test_a_batch_has_k_rows_for_each_seed_that_is_shown(viewer: Connection, ranking: str) -> None:
    shown = seeds(viewer)[:20]
    hidden = UUID(int=1)
    rows = viewer.execute(
        "SELECT seed, mbid, distance, similarity, problem"
        " FROM similar_recordings_batch(%s, 10, ranking => %s)",
        ([*shown, hidden], ranking),
    ).fetchall()
    for seed in shown:
        single = viewer.execute(
            "SELECT %(seed)s, mbid, distance, similarity, NULL::text"
            " FROM similar_recordings(%(seed)s, 10, ranking => %(ranking)s)",
            {"seed": seed, "ranking": ranking},
        ).fetchall()
        assert [row for row in rows if row[0] == seed] == single
        assert len(single) == 10
    assert rows[-1] == (hidden, None, None, None, f"unknown recording {hidden}")


# A map without meaning: no policy depends on a place.
_PLACES = """
    INSERT INTO pgsim.map_position (id, x, y)
    SELECT id, sin(id), cos(id * 7) FROM pgsim.recording WHERE vector IS NOT NULL
"""


@pytest.mark.parametrize("k", [5, 1000])
@pytest.mark.parametrize("policy", POLICIES)
def test_a_rectangle_of_the_map_holds_the_recordings_shown(
    new_database: Callable[..., str], template: str, policy: str, k: int
) -> None:
    made = new_database(template)
    with closing(connect(made, autocommit=True)) as conn:
        conn.execute(_PLACES.encode())
    with as_viewer(made, POLICIES[policy]) as conn:
        for bounds in ((-1, 1, -1, 1), (0, 0.5, -0.5, 0.5), (0.9, 1, 0.9, 1)):
            found = conn.execute(
                "SELECT mbid FROM map_recordings(%s, %s, %s, %s, %s)", (*bounds, k)
            ).fetchall()
            wanted = conn.execute(
                "SELECT r.mbid FROM pgsim.map_position AS p INNER JOIN pgsim.recording AS r"
                " USING (id) WHERE p.x BETWEEN %s AND %s AND p.y BETWEEN %s AND %s"
                " ORDER BY hashint4(r.id), r.id LIMIT %s",
                (*bounds, k),
            ).fetchall()
            assert found == wanted


def seeds(conn: Connection) -> list[UUID]:
    rows = conn.execute("SELECT mbid FROM pgsim.recording WHERE vector IS NOT NULL ORDER BY id")
    return [mbid for (mbid,) in rows]


SHOWN = "FROM pgsim.recording AS r, pgsim.recording AS s WHERE s.mbid = ANY(%(seeds)s)"
OTHERS = f"{SHOWN} AND r.vector IS NOT NULL AND r.mbid <> ALL(%(seeds)s)"
# A question with its definition: both give an MBID and a distance.
DEFINITIONS = {
    "similar_to_all(%(seeds)s, 10, ranking => 'distance')": (
        "SELECT r.mbid, pgsim.l2(r.vector, public.avg(s.vector))::real AS d"
        f" {OTHERS} GROUP BY r.id ORDER BY d, r.mbid LIMIT 10"
    ),
    "similar_to_all(%(seeds)s, 10, 'rank', ranking => 'distance')": (
        "WITH pair AS (SELECT s.id AS seed, r.mbid, pgsim.l2(r.vector, s.vector)::real AS d,"
        " row_number() OVER"
        " (PARTITION BY s.id ORDER BY pgsim.l2(r.vector, s.vector)::real, r.mbid) AS n"
        f" {OTHERS}),"
        " placed AS (SELECT p.*, rank() OVER (PARTITION BY p.seed ORDER BY p.d) AS place"
        " FROM pair AS p WHERE p.mbid IN (SELECT o.mbid FROM pair AS o WHERE o.n <= 40))"
        " SELECT mbid, avg(d)::real AS mean FROM placed"
        " GROUP BY mbid ORDER BY avg(place), mean, mbid LIMIT 10"
    ),
    "dissimilar_recordings(%(seed)s, 10)": (
        "SELECT r.mbid, pgsim.l2(r.vector, s.vector)::real AS d"
        f" {OTHERS.replace('seeds)s', 'one)s')} ORDER BY d DESC, r.mbid LIMIT 10"
    ),
}


@pytest.mark.parametrize("question", DEFINITIONS)
def test_other_questions_have_k_rows_of_the_recordings_shown(
    viewer: Connection, question: str
) -> None:
    shown = seeds(viewer)
    for place in range(0, 60, 6):
        words: dict[str, Any] = {
            "seeds": shown[place : place + 2],
            "seed": shown[place],
            "one": shown[place : place + 1],
        }
        got = viewer.execute(f"SELECT mbid, distance FROM {question}".encode(), words).fetchall()
        assert got == viewer.execute(DEFINITIONS[question].encode(), words).fetchall()
        assert len(got) == 10


def test_statistics_are_of_the_recordings_shown(viewer: Connection) -> None:
    row = viewer.execute(
        "SELECT candidates, mean, max FROM pgsim.distance_statistics('[1,1,1,1]')"
    ).fetchone()
    assert (
        row
        == viewer.execute(
            "SELECT count(*), avg(d)::real, max(d)"
            " FROM (SELECT pgsim.l2(vector, '[1,1,1,1]')::real AS d"
            " FROM pgsim.recording WHERE vector IS NOT NULL) AS r"
        ).fetchone()
    )


def test_a_search_for_words_has_k_rows_of_the_recordings_shown(viewer: Connection) -> None:
    found = viewer.execute("SELECT mbid FROM find_recordings('song', 100)").fetchall()
    assert len(found) == 100
    assert {mbid for (mbid,) in found} < set(seeds(viewer))


@pytest.mark.parametrize(
    "question",
    [
        "similar_recordings(%(hidden)s)",
        "similar_to_all(ARRAY[%(shown)s, %(hidden)s]::uuid[])",
        "dissimilar_recordings(%(hidden)s)",
        "recording_distances(%(shown)s, %(hidden)s)",
        "explain_similarity(%(shown)s, %(hidden)s)",
        "recording_of(%(hidden)s)",
    ],
)
def test_a_recording_that_is_hidden_is_unknown(
    new_database: Callable[..., str], template: str, question: str
) -> None:
    url = new_database(template)
    with closing(connect(url, autocommit=True)) as owner:
        hidden = one(owner, "SELECT mbid FROM pgsim.recording WHERE id = 1")
        shown = one(owner, "SELECT mbid FROM pgsim.recording WHERE id = 2")
    with (
        as_viewer(url, POLICIES["every second"]) as conn,
        pytest.raises(psycopg.errors.NoDataFound, match=f"unknown recording {hidden}"),
    ):
        conn.execute(f"SELECT {question}".encode(), {"hidden": hidden, "shown": shown})


def test_who_sees_a_part_does_not_make_the_lists_of_all(viewer: Connection) -> None:
    """A refresh or rebuild would leave the hidden recordings out of everybody's lists."""
    problem = "row-level security hides recordings from test_viewer"
    for statement in ("SELECT pgsim.refresh_batch(10)", "CALL pgsim.refresh_similarity()"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match=problem):
            viewer.execute(statement.encode())
    with pytest.raises((psycopg.errors.InsufficientPrivilege, PgsimError), match=problem):
        refresh(viewer)
    with pytest.raises((psycopg.errors.InsufficientPrivilege, PgsimError), match=problem):
        rebuild(viewer)


def test_a_policy_for_others_changes_nothing(
    new_database: Callable[..., str], template: str
) -> None:
    """The owner, and who has BYPASSRLS, see all, and are answered from the stored lists."""
    url = new_database(template)
    with closing(connect(url, autocommit=True)) as owner:
        question = (
            "SELECT * FROM similar_recordings((SELECT mbid FROM pgsim.recording WHERE id = 1))"
        )
        plain = owner.execute(question.encode()).fetchall()
        show(owner, "false")
        assert owner.execute(question.encode()).fetchall() == plain


@pytest.mark.parametrize("genre", [None, "roc"])
@pytest.mark.parametrize(
    "policy",
    [
        *("id % 2 = 0", "id % 400 = 0"),
        *(
            pytest.param(each, marks=pytest.mark.slow)
            for each in ("id % 25 = 0", "(vector::real[])[1] > 0")
        ),
    ],
)
def test_answers_of_a_larger_collection_are_whole_and_the_nearest_shown(
    clustered: Connection, policy: str, genre: str | None
) -> None:
    """Where the HNSW index can serve: exactly k rows, and the recall of an exact scan."""
    found = rows = 0
    with clustered.transaction(force_rollback=True):
        schema.grant_roles(clustered)
        clustered.execute("CREATE ROLE test_index_viewer IN ROLE pgsim_reader")
        clustered.execute("ALTER TABLE pgsim.recording ENABLE ROW LEVEL SECURITY")
        clustered.execute(
            f"CREATE POLICY shown ON pgsim.recording TO test_index_viewer USING ({policy})".encode()
        )
        clustered.execute("SET LOCAL ROLE test_index_viewer")
        shown = seeds(clustered)
        assert 10 < len(shown) < 10_000
        for seed in random.Random(5).sample(shown, 14):
            values = {"seed": seed, "genre": genre}
            # `+ 0`: no index serves this order.
            exact = clustered.execute(
                "SELECT pgsim.l2(r.vector, s.vector)::real AS distance"
                " FROM pgsim.recording AS r, pgsim.recording AS s"
                " WHERE s.mbid = %(seed)s AND r.mbid <> s.mbid AND r.vector IS NOT NULL"
                " AND (%(genre)s::text IS NULL OR r.genre = %(genre)s)"
                " ORDER BY pgsim.l2(r.vector, s.vector) + 0, r.mbid LIMIT 10",
                values,
            ).fetchall()
            answer = clustered.execute(
                "SELECT distance FROM similar_recordings("
                " %(seed)s, 10, genre => %(genre)s, ranking => 'distance')",
                values,
            ).fetchall()
            assert len(answer) == len(exact)
            rows += len(exact)
            found += sum(distance <= exact[-1][0] for (distance,) in answer)
    assert rows
    assert found / rows >= 0.99
