"""Every release's database is upgraded to this version, compared with a new one, and used."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pgsim.features.profile import read_profile
from pgsim.matrix.refresh import refresh
from pgsim.store import schema
from pgsim.store.check import run_checks
from pgsim.store.collection import read_collection, read_revision
from pgsim.store.files import newest_revision, revision_of
from pgsim.store.finding import OK
from pgsim.store.index import build_index
from pgsim.transfer.dump import restore
from tests.support.definition import definition, opened
from tests.support.exactness import assert_lists_are_exact
from tests.support.freeze import frozen, revision_files
from tests.support.lists import assert_reaches_are_those_of_the_lists
from tests.support.paths import RELEASES
from tests.support.release import PROFILE
from tests.support.rows import one

DUMPS = sorted(RELEASES.glob("*.dump"))

Databases = Callable[..., str]


@pytest.fixture(params=DUMPS, ids=lambda path: path.stem)
def released(request: pytest.FixtureRequest, new_database: Databases) -> str:
    """The database of a release, restored."""
    conninfo = new_database()
    report = restore(conninfo, request.param)
    assert (report.recordings, report.lists) == (522, 522)
    return conninfo


def test_there_is_a_dump_of_the_first_release() -> None:
    assert RELEASES / "0.1.0.dump" in DUMPS


@pytest.mark.parametrize("path", DUMPS, ids=lambda path: path.stem)
def test_a_dump_of_a_release_is_small(path: Path) -> None:
    assert path.stat().st_size < 2 << 20  # bytes; they stay in git for ever


def test_the_revisions_of_a_release_are_frozen(released: str) -> None:
    with opened(released) as conn:
        newest = read_revision(conn)
    mine = {path.name for path in revision_files() if revision_of(path) <= newest}
    assert mine <= frozen().keys()


def test_an_upgraded_release_has_the_schema_of_a_fresh_install(
    released: str, new_database: Databases
) -> None:
    fresh = new_database()
    with opened(fresh) as conn:
        schema.install(conn, read_profile(PROFILE))
        build_index(conn)
    with opened(released) as conn:
        conn.execute("CREATE VIEW public.mine AS SELECT * FROM pgsim.similarity_matrix")
        assert schema.upgrade(conn)[1] == newest_revision()
        assert one(conn, "SELECT count(*) FROM public.mine") == 52200
    assert definition(released) == definition(fresh)


def test_an_upgrade_makes_reaches_of_the_lists_anew(released: str) -> None:
    with opened(released) as conn:
        schema.upgrade(conn)
        assert assert_lists_are_exact(conn) == 522
        assert_reaches_are_those_of_the_lists(conn)
        assert one(conn, "SELECT count(*) FROM pgsim.stale") == 0


def test_lists_that_are_shorter_than_a_reach_are_made_again_after_an_upgrade(
    released: str,
) -> None:
    with opened(released) as conn:
        conn.execute("UPDATE pgsim.collection SET list_length = 30")
        conn.execute(
            "UPDATE pgsim.similarity SET neighbours = neighbours[:30], distances = distances[:30]"
        )
        conn.execute(
            "INSERT INTO pgsim.rebuild (target, list_length, engine, recall_wanted, recordings,"
            " snapshot, finished_at) VALUES ('similarity_a', 30, 'exact', 1, 522,"
            " pg_current_snapshot(), now())"
        )
        schema.upgrade(conn)
        assert refresh(conn).changed == 522
        assert one(conn, "SELECT list_length FROM pgsim.collection") == 50
        assert assert_lists_are_exact(conn) == 522
        assert_reaches_are_those_of_the_lists(conn)


def test_an_upgraded_release_answers_and_is_refreshed(released: str) -> None:
    with opened(released) as conn:
        schema.upgrade(conn)
        schema.add_to_search_path(conn)
        assert read_collection(conn).profile == read_profile(PROFILE)
    with opened(released) as conn:
        [(seed, artist)] = conn.execute(
            "SELECT mbid, artist FROM find_recordings('obsidian ezer ev', 1)"
        )
        answer = "SELECT rank, mbid, artist, distance, similarity FROM similar_recordings(%s, 10)"
        rows = conn.execute(answer.encode(), (seed,)).fetchall()
        assert [rank for rank, *_ in rows] == list(range(1, 11))
        assert rows[0][2] == artist == "Obsidian Shell"
        assert all(0 < similarity < 1 for *_, similarity in rows)
        [nearest] = conn.execute(
            "SELECT n.mbid, n.distance FROM recording AS r, nearest_recordings(r.vector, 1) AS n"
            " WHERE r.mbid = %s",
            (seed,),
        )
        assert nearest == (seed, 0)

        # A recording that was not near becomes the nearest, before a refresh and after it.
        other = one(conn, "SELECT mbid FROM dissimilar_recordings(%s, 1)", seed)
        assert other not in [mbid for _, mbid, *_ in rows]
        conn.execute(
            "UPDATE recording SET vector = s.vector FROM recording AS s"
            " WHERE recording.mbid = %s AND s.mbid = %s",
            (other, seed),
        )
        expected = (1, other, 0)
        for changed in (1, 0):
            rank, mbid, _, distance, _ = conn.execute(answer.encode(), (seed,)).fetchall()[0]
            assert (rank, mbid, distance) == expected
            assert refresh(conn).changed == changed
        assert (
            one(
                conn,
                "SELECT similar_mbid FROM similarity_matrix WHERE mbid = %s AND rank = 1",
                seed,
            )
            == other
        )
        assert_reaches_are_those_of_the_lists(conn)
        conn.execute("VACUUM (ANALYZE) recording")
        problems = {each.check: each.wrong for each in run_checks(conn) if each.level != OK}
    # What is so in the demo's own recordings.
    assert problems.keys() <= {"recordings_are_complete", "index_is_built_in_memory"}
