"""pgsim.connect() and Database: every method, threads, and errors with the words of Python."""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
import pytest

import pgsim
from pgsim import embedded
from pgsim.postgres.connection import Connection
from tests.support.documents import collection, low_level, mbid, write_lines

UNKNOWN = UUID("00000000-0000-0000-0000-000000000000")


@pytest.fixture(scope="module")
def db(server: embedded.Server, filled_template: str) -> Iterator[pgsim.Database]:
    """A database with 30 recordings, in which nothing is changed."""
    name = "database_shared"
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {filled_template}".encode())
    with pgsim.connect(server.conninfo(name)) as db:
        yield db


@pytest.fixture
def own(new_database: Callable[..., str], filled_template: str) -> Iterator[pgsim.Database]:
    """A database with 30 recordings, to be changed."""
    with pgsim.connect(new_database(filled_template)) as db:
        yield db


def rows(conn: Connection, call: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """What SQL answers."""
    return conn.execute(f"SELECT * FROM pgsim.{call}".encode(), parameters).fetchall()


def values(answer: pgsim.Answer[Any]) -> list[tuple[Any, ...]]:
    return [tuple(getattr(row, name) for name in answer.columns) for row in answer]


def test_a_name_nothing_and_a_url_lead_to_the_same_database_as_on_the_command_line(
    server: embedded.Server, filled_template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSIM_HOME", str(server.home))
    monkeypatch.delenv("PGSIM_DATABASE_URL", raising=False)
    answers = []
    with pgsim.connect(filled_template) as db:
        answers.append(db.similar(mbid(1)))
    monkeypatch.setenv("PGSIM_DATABASE_URL", filled_template)
    with pgsim.connect() as db:
        answers.append(db.similar(mbid(1)))
    with pgsim.connect(server.conninfo(filled_template)) as db:
        answers.append(db.similar(mbid(1)))
    assert answers[0] == answers[1] == answers[2]
    assert len(answers[0]) == 10
    with pytest.raises(pgsim.PgsimError, match="the embedded server has no database 'unheard'"):
        pgsim.connect("unheard")
    with pgsim.connect("made_by_python", create=True) as db:
        assert db.connection.info.dbname == "made_by_python"
        assert "made_by_python" in repr(db)


@pytest.mark.parametrize(
    ("ask", "call", "parameters"),
    [
        (lambda db: db.similar(mbid(1), 7), "similar_recordings(%s, 7)", [mbid(1)]),
        (lambda db: db.similar(str(mbid(1))), "similar_recordings(%s)", [mbid(1)]),
        (
            lambda db: db.similar(
                mbid(14), 5, genre="pop", year_from=1960, exclude=[mbid(3), str(mbid(4))],
                max_per_artist=1, distinct_titles=True, min_similarity=0.01, ranking="distance",
                weights={"moods": 2, "bpm": 0},
            ),
            """similar_recordings(%s, 5, genre => 'pop', year_from => 1960, exclude => %s,
                max_per_artist => 1, distinct_titles => true, min_similarity => 0.01,
                ranking => 'distance', weights => '{"moods": 2, "bpm": 0}')""",
            [mbid(14), [mbid(3), mbid(4)]],
        ),
        (
            lambda db: db.similar_to_all([mbid(1), str(mbid(2))], 4, method="rank", metric="bpm"),
            "similar_to_all(%s, 4, 'rank', metric => 'bpm')",
            [[mbid(1), mbid(2)]],
        ),
        (
            lambda db: db.batch([mbid(1), UNKNOWN], 2, same_decade=True),
            "similar_recordings_batch(%s, 2, same_decade => true)",
            [[mbid(1), UNKNOWN]],
        ),
        (
            lambda db: db.dissimilar(mbid(1), 4, metric="mfccs"),
            "dissimilar_recordings(%s, 4, metric => 'mfccs')",
            [mbid(1)],
        ),
        (
            lambda db: db.distances(mbid(1), str(mbid(2))),
            "recording_distances(%s, %s)",
            [mbid(1), mbid(2)],
        ),
        (
            lambda db: db.explain(mbid(1), mbid(2)),
            "explain_similarity(%s, %s)",
            [mbid(1), mbid(2)],
        ),
        (lambda db: db.find("artist 2 ti", 6), "find_recordings('artist 2 ti', 6)", []),
        (
            lambda db: db.find(artist="ARTIST 2", title="títle 1"),
            "find_recordings(artist => 'ARTIST 2', title => 'títle 1')",
            [],
        ),
        (lambda db: db.find("unheard"), "find_recordings('unheard')", []),
        (lambda db: db.status(), "status()", []),
    ],
)  # fmt: skip
def test_a_question_has_the_rows_of_sql(
    db: pgsim.Database,
    ask: Callable[[pgsim.Database], pgsim.Answer[Any]],
    call: str,
    parameters: list[Any],
) -> None:
    answer = ask(db)
    assert values(answer) == rows(db.connection, call, *parameters)
    assert list(answer.columns) == [
        column.name
        for column in db.connection.execute(
            f"SELECT * FROM pgsim.{call}".encode(), parameters
        ).description
        or ()
    ]


def test_the_nearest_to_a_vector_are_those_of_sql(db: pgsim.Database) -> None:
    mbids, vectors = db.vectors()
    expected = rows(
        db.connection,
        "recording AS r, pgsim.nearest_recordings(r.vector, 5, decade => 1960) WHERE r.mbid = %s",
        mbids[3],
    )
    for vector in (vectors[3], vectors[3].tolist(), vectors[3].astype(float)):
        answer = db.nearest(vector, 5, decade=1960)
        assert values(answer) == [row[-len(answer.columns) :] for row in expected]


def test_vectors_are_named_by_mbids(db: pgsim.Database) -> None:
    mbids, vectors = db.vectors()
    stored: dict[UUID, Any] = dict(
        db.connection.execute("SELECT mbid, vector FROM pgsim.recording WHERE vector IS NOT NULL")
    )
    assert vectors.shape == (len(stored), 68)
    assert vectors.dtype == np.float32
    assert {type(each) for each in mbids} == {UUID}
    for each, vector in zip(mbids, vectors, strict=True):
        assert stored[each].to_list() == vector.tolist()


def test_lists_are_the_matrix_with_row_numbers_of_the_same_mbids(own: pgsim.Database) -> None:
    conn = own.connection
    mbids, neighbours, distances = own.lists()
    assert mbids.tolist() == own.vectors()[0].tolist()
    assert neighbours.shape == distances.shape == (30, 100)
    stored = {
        (of, rank): (similar, np.float32(distance))
        for of, rank, similar, distance in conn.execute(
            "SELECT mbid, rank, similar_mbid, distance FROM pgsim.similarity_matrix"
        )
    }
    found = {
        (mbids[row], rank + 1): (mbids[neighbours[row, rank]], distances[row, rank])
        for row, rank in np.argwhere(neighbours >= 0)
    }
    assert found == stored
    assert np.isinf(distances[neighbours < 0]).all()
    assert (own.lists(3)[1] == neighbours[:, :3]).all()

    # The gone are nobody's neighbours; the new have no list yet.
    gone = mbids[neighbours[0, 0]]
    conn.execute("DELETE FROM pgsim.recording WHERE mbid = %s", (gone,))
    conn.execute(
        "INSERT INTO pgsim.recording (mbid, vector) SELECT %s, vector FROM pgsim.recording"
        " WHERE mbid = %s",
        (mbid(800), mbids[0]),
    )
    after, changed, apart = own.lists()
    assert gone not in after
    assert (changed[0, 0], apart[0, 0]) == (-1, np.inf)
    assert after[changed[0, 1]] == mbids[neighbours[0, 1]]
    assert (changed[after.tolist().index(mbid(800))] == -1).all()
    for k in (0, 101):
        with pytest.raises(pgsim.UsageError, match=f"k is {k}, but must be from 1 to 100"):
            own.lists(k)


def test_statistics_are_of_what_a_question_chooses_from(db: pgsim.Database) -> None:
    all_others = db.statistics(mbid(1))
    assert all_others.candidates == len(db.vectors()[0]) - 1
    decade = db.statistics(mbid(1), same_decade=True)
    assert 0 < decade.candidates < all_others.candidates
    mbids, vectors = db.vectors()
    of_vector = db.statistics(vectors[mbids.tolist().index(mbid(1))])
    assert of_vector.candidates == all_others.candidates + 1  # itself too
    assert of_vector.max == all_others.max
    with pytest.raises(pgsim.UsageError, match=r"distance_statistics\(\) takes no `same_genre`"):
        db.statistics(vectors[0], same_genre=True)
    empty = db.statistics(mbid(1), year_from=2300)
    assert (empty.candidates, empty.mean) == (0, None)


def test_a_file_is_asked_about_without_being_stored(db: pgsim.Database, tmp_path: Path) -> None:
    [document] = [each for each in collection(30) if each.mbid == mbid(3)]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(document.body))
    for given in (path, str(path)):
        seed = db.seed_of_file(given)
        assert db.nearest(seed.vector, 1, ranking="distance")[0].mbid == mbid(3)
    path.write_text(json.dumps(low_level(1, lacks=["bpm"]).body))
    assert "bpm" in db.seed_of_file(path).missing


def test_from_an_empty_database_to_an_exported_matrix(
    new_database: Callable[..., str], tmp_path: Path
) -> None:
    path = write_lines(tmp_path / "all.ndjson", collection(30))
    steps: list[str] = []
    done: list[int] = []

    def advance(more: int, share: float | None = None, /) -> None:
        done.append(more)

    with pgsim.connect(new_database()) as db:
        with pytest.raises(pgsim.PgsimError, match="holds no collection yet"):
            db.similar(mbid(1))
        assert db.install() is True
        assert db.install("acousticbrainz") is False
        with pytest.raises(pgsim.PgsimError, match="holds profile 'acousticbrainz', not"):
            db.install("essentia")
        assert (
            db.connection.execute(
                "SELECT setconfig FROM pg_db_role_setting AS s JOIN pg_database AS d"
                " ON d.oid = s.setdatabase WHERE datname = current_database()"
            ).fetchone()
            is not None
        )
        report = db.load(str(path), say=steps.append, advance=advance)
        assert report.read == report.new + report.updated + report.unchanged + report.rejected
        assert report.recordings == 30
        assert sum(done) == report.read
        assert steps
        again = db.load(path)
        assert again.unchanged == again.read
        assert db.load(path, again=True).read == report.read
        assert db.refresh().lists == 30
        assert db.rebuild(engine="exact", k=50, threads=1).recall == 1
        assert db.lists()[1].shape == (30, 50)
        assert db.index() is False
        assert db.index("mfccs") is True
        assert db.refit().unchanged == 30
        assert {each.name for each in db.feature_sets() if each.fitted} >= {"mfccs", "bpm"}
        redirects = tmp_path / "redirects.csv"
        redirects.write_text(f"{mbid(900)},{mbid(1)}\n")
        assert db.load_redirects(redirects).new == 1
        names = tmp_path / "names.csv"
        names.write_text(f"recording_mbid,recording_name\n{mbid(900)},Song\n")
        assert db.load_names(names).read == 1
        assert db.similar(mbid(900)) == db.similar(mbid(1))
        evaluation = db.evaluate(sample=10, threads=1)
        assert evaluation.sample == 10
        assert {each.found_by for each in evaluation.recall} == {"index", "live", "matrix"}
        exported = db.export(tmp_path / "m.csv")
        assert exported.lists == 30
        with pytest.raises(pgsim.UsageError, match=r"m.csv exists: `force=True` replaces it"):
            db.export(tmp_path / "m.csv")
        assert db.import_matrix(tmp_path / "m.csv").stored == 30
        runs = db.connection.execute("SELECT DISTINCT command FROM pgsim.run WHERE report <> '{}'")
        assert {command for (command,) in runs} == {
            *("load", "refresh", "rebuild", "index", "fuse", "redirects", "names", "import")
        }


@pytest.mark.parametrize(
    ("ask", "kind", "said"),
    [
        (lambda db: db.similar("x"), pgsim.PgsimError, "'x' is neither an MBID nor the own id of"),
        (
            lambda db: db.similar(UNKNOWN),
            pgsim.PgsimError,
            f"unknown recording {UNKNOWN}; pgsim.recording has no row with this mbid",
        ),
        (lambda db: db.similar(mbid(1), 0), pgsim.UsageError, "k is 0, but must be from 1 to 1000"),
        (
            lambda db: db.similar(mbid(1), k=10**11),
            pgsim.UsageError,
            "k 100000000000: integer out of range",
        ),
        (
            lambda db: db.similar(mbid(1), genre="polka"),
            pgsim.UsageError,
            "unknown genre 'polka': no recording has it; known: ",
        ),
        (
            lambda db: db.dissimilar(mbid(1), same_genre=True),
            pgsim.UsageError,
            r"dissimilar_recordings\(\) takes no `same_genre`; known: genre, decade,",
        ),
        (
            lambda db: db.nearest([0.5, 1]),
            pgsim.PgsimError,
            "the query vector has 2 dimensions, but the recordings have 68",
        ),
        (lambda db: db.find(), pgsim.UsageError, "words, artist and title are NULL: there is"),
        (lambda db: db.load("/missing"), pgsim.PgsimError, "/missing not found"),
        (lambda db: db.rebuild(k=5), pgsim.UsageError, "k is 5, but must be from 50 to 1000"),
        (lambda db: db.rebuild(engine="x"), pgsim.UsageError, "unknown engine 'x'; known: "),
        (lambda db: db.pool, pgsim.UsageError, "no pool was asked for"),
    ],
)
def test_what_cannot_be_asked_is_one_line_in_the_words_of_python(
    db: pgsim.Database,
    ask: Callable[[Any], object],
    kind: type[pgsim.PgsimError],
    said: str,
) -> None:
    with pytest.raises(kind, match=said) as caught:
        ask(db)
    assert "--" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert type(caught.value) is not pgsim.UsageError or kind is pgsim.UsageError


def test_postgresqls_own_error_is_the_cause(db: pgsim.Database) -> None:
    with pytest.raises(pgsim.PgsimError) as caught:
        db.similar(UNKNOWN)
    assert isinstance(caught.value.__cause__, psycopg.errors.NoDataFound)


def test_a_lost_connection_says_so_and_what_to_do(own: pgsim.Database) -> None:
    with psycopg.connect(own.connection.info.dsn, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (own.connection.info.backend_pid,))
    for _ in range(2):
        with pytest.raises(pgsim.PgsimError, match="; connect again$"):
            own.similar(mbid(1))


def test_a_server_that_is_not_there_is_one_line() -> None:
    for pool in (None, 2):
        with pytest.raises(pgsim.PgsimError, match="does not answer .*: is it running") as caught:
            pgsim.connect("postgresql://127.0.0.1:9/none?connect_timeout=3", pool=pool)
        assert "\n" not in str(caught.value)


def test_after_the_block_the_connection_is_closed(own: pgsim.Database) -> None:
    with pgsim.connect(own.connection.info.dsn) as db:
        conn = db.connection
        assert conn.autocommit
    assert conn.closed
    with pytest.raises(pgsim.PgsimError, match="the connection is closed; connect again"):
        db.similar(mbid(1))


def test_threads_with_a_pool_ask_and_load_at_the_same_time(
    new_database: Callable[..., str], tmp_path: Path
) -> None:
    url = new_database()
    path = write_lines(tmp_path / "all.ndjson", collection(30))
    with pgsim.connect(url, pool=3) as db:
        db.install()
        db.load(path)
        db.refresh()
        mbids, vectors = db.vectors()
        expected = {each: db.similar(each, 5) for each in mbids}
        meeting = threading.Barrier(3, timeout=30)

        def ask(each: UUID) -> bool:
            if each in (mbids[0], mbids[1], mbids[2]):
                with db.pool.connection() as conn:
                    meeting.wait()  # three connections at one time
                    conn.execute("SELECT 1")
            row = mbids.tolist().index(each)
            nearest = db.nearest(vectors[row], 1, ranking="distance")
            return db.similar(each, 5) == expected[each] and nearest[0].distance == 0

        with ThreadPoolExecutor(6) as threads:
            assert all(threads.map(ask, mbids))
        with pytest.raises(pgsim.UsageError, match="with a pool there is no one connection"):
            db.connection  # noqa: B018
        with psycopg.connect(url, autocommit=True) as other:  # the pool replaces what is lost
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        lost = 0
        while lost <= 3 and not (found := answered(db, mbids[0])):
            lost += 1
        assert lost > 0
        assert found == expected[mbids[0]]
    with pytest.raises(pgsim.UsageError, match="`pool` is 0, but must be at least 1"):
        pgsim.connect(url, pool=0)


def answered(db: pgsim.Database, seed: UUID) -> pgsim.Answer[pgsim.SimilarRecording] | None:
    """The five most similar; None where the connection was lost."""
    try:
        return db.similar(seed, 5)
    except pgsim.PgsimError:
        return None


def test_threads_without_a_pool_take_turns(db: pgsim.Database) -> None:
    mbids, _ = db.vectors()
    expected = {each: db.similar(each, 5) for each in mbids}
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda each: db.similar(each, 5), mbids))
    assert answers == [expected[each] for each in mbids]


def test_without_psycopg_pool_a_pool_says_what_to_install(
    db: pgsim.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg_pool", None)
    with pytest.raises(pgsim.PgsimError, match=r"a pool needs psycopg_pool: pip install 'pgsim\[p"):
        pgsim.connect(db.connection.info.dsn, pool=2)
