"""max_per_artist, distinct_titles, min_similarity: against a walk through the whole collection."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from pgsim import embedded
from pgsim.postgres.connection import Connection, connect
from pgsim.store.index import build_index
from tests.support.clustered import make_collection
from tests.support.databases import install_template
from tests.support.lists import write_lists
from tests.support.rows import one

SEEDS = 3


@pytest.fixture(scope="module")
def crowded(server: embedded.Server) -> Iterator[Connection]:
    """Few artists and songs; one artist and one song own half of the place. Some lists."""
    name = install_template(server, "crowded", "acousticbrainz")
    made = make_collection(2_000, 68)
    near = np.linalg.norm(made.vectors - made.vectors[0], axis=1).argsort()[:1000]
    with closing(connect(server.conninfo(name), autocommit=True)) as conn:
        with conn.cursor().copy(
            "COPY pgsim.recording (mbid, title, artist, genre, vector) FROM STDIN (FORMAT binary)"
        ) as copy:
            copy.set_types(["uuid", "text", "text", "text", "vector"])
            for index, mbid in enumerate(made.mbids):
                own = index in near
                title = f"title {index % 140}" + (" (live)" if index % 3 else "")
                copy.write_row(
                    (
                        mbid,
                        "Song - Live" if own else None if index % 50 == 0 else title,
                        "One" if own else None if index % 60 == 0 else f"artist {index % 30}",
                        str(made.genres[index]),
                        made.vectors[index],
                    )
                )
        build_index(conn)
        conn.execute("VACUUM ANALYZE pgsim.recording")
        write_lists(conn, "SELECT id FROM pgsim.recording WHERE id % 24 = 1")
        conn.execute("TRUNCATE pgsim.stale")
        yield conn


def seeds(conn: Connection, listed: bool) -> list[UUID]:
    query = "SELECT mbid FROM pgsim.recording WHERE (id %% 24 = 1) = %s ORDER BY id"
    return [mbid for (mbid,) in conn.execute(query + f" LIMIT {SEEDS}", (listed,))]


def walk(
    conn: Connection, seed: UUID, k: int, most: int | None, distinct: bool
) -> list[tuple[UUID, float]]:
    """The answer by distance as its definition says it: nearest first, each judged in turn."""
    rows = conn.execute(
        "SELECT r.mbid, pgsim.l2(r.vector, s.vector)::real AS d,"
        " pgsim.artist_key(r.artist_mbids, r.artist),"
        " pgsim.song_key(r.title, r.artist_mbids, r.artist)"
        " FROM pgsim.recording AS s, pgsim.recording AS r"
        " WHERE s.mbid = %s AND r.mbid <> s.mbid ORDER BY d, r.mbid",
        (seed,),
    )
    key = "SELECT pgsim.song_key(title, artist_mbids, artist) FROM pgsim.recording WHERE mbid = %s"
    seen = {one(conn, key, seed)}
    artists: Counter[str] = Counter()
    kept: list[tuple[UUID, float]] = []
    for mbid, distance, artist, song in rows:
        if len(kept) == k:
            break
        if (distinct and song and song in seen) or (most and artist and artists[artist] == most):
            continue
        artists[artist] += 1
        seen.add(song)
        kept.append((mbid, distance))
    return kept


def ask(conn: Connection, seed: UUID, k: int, **words: Any) -> list[tuple[UUID, float]]:
    named = "".join(f", {name} => %({name})s" for name in words)
    return conn.execute(
        f"SELECT mbid, distance FROM similar_recordings(%(seed)s, %(k)s{named}) ORDER BY rank",
        {"seed": seed, "k": k, **words},
    ).fetchall()


@pytest.mark.parametrize("listed", [True, False], ids=["listed", "live"])
@pytest.mark.parametrize(
    ("most", "distinct"), [(1, False), (2, False), (None, True), (1, True)], ids=str
)
def test_rules_give_the_answer_of_their_definition(
    crowded: Connection, most: int | None, distinct: bool, listed: bool
) -> None:
    for seed in seeds(crowded, listed):
        exact = walk(crowded, seed, 10, most, distinct)
        got = ask(
            crowded,
            seed,
            10,
            max_per_artist=most,
            distinct_titles=distinct,
            ranking="distance",
        )
        assert len(got) == len(exact) == 10
        if listed:
            assert got == exact
        else:  # the index may miss one
            assert sum(d <= exact[-1][1] for _, d in got) >= 9


def test_artists_who_own_the_neighbourhood_leave_k_rows_of_others(crowded: Connection) -> None:
    seed = seeds(crowded, True)[0]  # the first of all, in the midst of its thousand nearest
    assert {
        artist
        for (artist,) in crowded.execute(
            "SELECT artist FROM similar_recordings(%s, 500, ranking => 'distance')", (seed,)
        )
    } == {"One"}
    assert len(ask(crowded, seed, 20, max_per_artist=1, distinct_titles=True)) == 20


def test_reaches_are_searched_for_the_answer_alone(crowded: Connection) -> None:
    """And not for the hundreds of candidates that a rule leaves out, of which few have a list."""
    calls = "SELECT coalesce(pg_stat_get_xact_function_calls('pgsim.live_reach'::regproc), 0)"
    with crowded.transaction(force_rollback=True):
        crowded.execute("SET LOCAL track_functions = 'all'")
        before = one(crowded, calls)
        seed = seeds(crowded, True)[0]
        rows = ask(crowded, seed, 10, distinct_titles=True, ranking="distance")
        assert len(rows) == 10
        assert 0 < one(crowded, calls) - before <= len(rows)


def test_fewer_rows_come_back_only_where_fewer_qualify(crowded: Connection) -> None:
    seed = seeds(crowded, True)[0]
    artists = (
        "SELECT count(DISTINCT artist) + count(*) FILTER (WHERE artist IS NULL)"
        " FROM pgsim.recording WHERE genre = 'spe' AND mbid <> %s"
    )
    qualify = one(crowded, artists, seed)
    assert 0 < qualify < 20
    assert len(ask(crowded, seed, 20, max_per_artist=1, genre="spe")) == qualify


@pytest.mark.parametrize("ranking", ["similarity", "distance"])
def test_min_similarity_leaves_all_that_are_as_similar_however_far(
    crowded: Connection, ranking: str
) -> None:
    with crowded.transaction(force_rollback=True):
        # Everyone's reach is known, and none has to be found live.
        write_lists(crowded, "SELECT id FROM pgsim.recording", 50)
        for seed in seeds(crowded, True):
            rows = crowded.execute(
                "SELECT mbid, similarity, distance"
                " FROM similar_recordings(%s, 1000, ranking => 'distance')",
                (seed,),
            ).fetchall()
            least = sorted(s for _, s, _ in rows)[-12]
            wanted = [mbid for mbid, s, _ in rows if s >= least]
            got = ask(crowded, seed, 12, min_similarity=least, ranking=ranking)
            assert {mbid for mbid, _ in got} <= set(wanted)
            assert len(got) == 12


def test_nothing_can_be_as_similar_beyond_the_bound_of_similarity(crowded: Connection) -> None:
    rows = crowded.execute(
        """
        WITH near AS (
            SELECT s.id, n.id AS other, n.distance, pgsim.live_reach(s.vector, s.id) AS reach,
                pgsim.live_reach(o.vector, o.id) AS other_reach
            FROM (SELECT * FROM pgsim.recording ORDER BY md5(mbid::text) LIMIT 8) AS s,
                pgsim.nearest_exact(s.vector, 20, NULL, s.id) AS n
                INNER JOIN pgsim.recording AS o ON o.id = n.id
        )
        SELECT distance, pgsim.similarity_bound(
            exp(-(distance ^ 2) / nullif(reach * other_reach, 0))::real, reach)
        FROM near WHERE distance > 0
        """
    ).fetchall()
    assert len(rows) > 100
    assert all(bound is None or bound >= distance * 0.999 for distance, bound in rows)
