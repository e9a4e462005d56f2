"""Checks of what comes out: every question is asked, and lists are compared with the vectors."""

from typing import Any

import psycopg
from psycopg import errors

from pgsim.postgres.connection import Connection
from pgsim.postgres.rows import one_row
from pgsim.store.checks import functions_are_current, schema_is_current
from pgsim.store.finding import PROBLEM, Check, Wrong, registering

CHECKS: list[Check] = []
check = registering(CHECKS)

LIMIT = "10s"  # for one question, and one comparison: what takes longer is not wrong
SAMPLE = 500_000  # recordings that one list is compared with, at most
LISTS = 25  # lists whose distances are measured again

# A call of each public function that changes nothing.
QUESTIONS = {
    "recording_of": "recording_of(%(seed)s)",
    "similar_recordings": "similar_recordings(%(seed)s, 1)",
    "nearest_recordings": "nearest_recordings(%(vector)s, 1)",
    "how_answered": "how_answered(%(seed)s, 1)",
    "similar_recordings_batch": "similar_recordings_batch(ARRAY[%(seed)s::uuid], 1)",
    "similar_to_all": "similar_to_all(ARRAY[%(seed)s, %(other)s]::uuid[], 1)",
    "radio": "radio(ARRAY[%(seed)s]::uuid[], 2, artist_gap => 1)",
    "expand_playlist": "expand_playlist(ARRAY[%(seed)s]::uuid[], 1)",
    "match_recordings": "match_recordings('[{}]')",
    "ratings": "ratings()",
    # Artists are asked about where they have MBIDs.
    "similar_artists": "recording AS r, pgsim.similar_artists(r.artist_mbids[1]::text, 1)"
    " WHERE r.mbid = %(seed)s AND r.artist_mbids[1] IS NOT NULL",
    "similar_albums": "recording AS r,"
    " pgsim.similar_albums(r.album, r.artist_mbids[1]::text, 1)"
    " WHERE r.mbid = %(seed)s AND r.album IS NOT NULL AND r.artist_mbids[1] IS NOT NULL",
    # One recording alone has no path to another.
    "similar_path": "recording AS r, pgsim.similar_path(%(seed)s, r.mbid, 2)"
    " WHERE r.mbid = %(other)s AND r.mbid <> %(seed)s",
    "dissimilar_recordings": "dissimilar_recordings(%(seed)s, 1)",
    "recording_distances": "recording_distances(%(seed)s, %(other)s)",
    "explain_similarity": "explain_similarity(%(seed)s, %(other)s)",
    "distance_statistics": "distance_statistics(%(vector)s)",
    "find_recordings": "find_recordings('a', 1)",
    "map_recordings": "map_recordings(k => 1)",
    "mbid_of": "mbid_of(%(seed)s::uuid::text)",
    "status": "status()",
    "measure_recall": "measure_recall(1, 1)",
}
_SEEDS = """
    WITH seed AS (
        SELECT r.id, r.mbid, r.vector FROM pgsim.recording AS r
        WHERE r.vector IS NOT NULL AND r.id >= (
            SELECT min(x.id) + floor(random() * (max(x.id) - min(x.id))) FROM pgsim.recording AS x
        )
        ORDER BY r.id LIMIT 1
    )
    SELECT s.mbid, s.vector, coalesce((
        SELECT r.mbid FROM pgsim.recording AS r
        WHERE r.vector IS NOT NULL AND r.id <> s.id ORDER BY r.id LIMIT 1
    ), s.mbid)
    FROM seed AS s
"""
# Lists of recordings that follow a random one, without those that wait for a refresh.
_LISTS = """
    SELECT s.id, s.neighbours, s.distances, r.vector
    FROM pgsim.similarity AS s
    LEFT JOIN pgsim.recording AS r ON s.id = r.id
    WHERE
        s.id >= (
            SELECT min(x.id) + floor(random() * (max(x.id) - min(x.id))) FROM pgsim.similarity AS x
        )
        AND NOT EXISTS (SELECT FROM pgsim.stale AS w WHERE w.id = s.id)
    ORDER BY s.id
    LIMIT %s
"""
# The distance of rounding: other programs compute the lists of an import.
_DIFFERS = "abs({0} - {1}) > 1e-4 * (1 + {1})"
_OTHER_DISTANCES = f"""
    SELECT count(*), min(l.id)
    FROM ({_LISTS}) AS l (id, neighbours, distances, vector)
    CROSS JOIN LATERAL unnest(l.neighbours, l.distances) AS n (id, distance)
    LEFT JOIN pgsim.recording AS r ON n.id = r.id
    WHERE
        NOT EXISTS (SELECT FROM pgsim.stale AS w WHERE w.id = n.id)
        AND (
            l.vector IS NULL OR r.vector IS NULL
            OR {_DIFFERS.format("pgsim.l2(l.vector, r.vector)", "n.distance")}
        )
"""
_NEARER = f"""
    SELECT l.id, cardinality(l.neighbours), (
        SELECT count(*) FROM pgsim.recording AS r TABLESAMPLE SYSTEM (%s)
        WHERE
            r.vector IS NOT NULL AND r.id <> l.id AND r.id <> ALL(l.neighbours)
            AND pgsim.l2(l.vector, r.vector) < l.distances[cardinality(l.distances)] * (1 - 1e-4)
            AND NOT EXISTS (SELECT FROM pgsim.stale AS w WHERE w.id = r.id)
    )
    FROM ({_LISTS}) AS l (id, neighbours, distances, vector)
    WHERE cardinality(l.distances) > 0
"""


@check(PROBLEM, after=functions_are_current)
def questions_are_answered(conn: Connection) -> Wrong | None:
    """Every question is answered."""
    seeds = conn.execute(_SEEDS.encode()).fetchone()
    if seeds is None:
        return None
    words = dict(zip(("seed", "vector", "other"), seeds, strict=True))
    for name, call in QUESTIONS.items():
        try:
            _ask(conn, f"SELECT * FROM pgsim.{call}", words)
        except errors.QueryCanceled:
            continue
        except errors.InsufficientPrivilege as error:
            return _failure(name, error, "pgsim init --roles, as the owner of the schema pgsim")
        except psycopg.Error as error:
            return _failure(name, error, "pgsim init --upgrade, as the owner of the schema pgsim")
    return None


@check(PROBLEM, "pgsim rebuild", after=schema_is_current)
def lists_have_the_distances_of_today(conn: Connection) -> str | None:
    """Random lists have the distances that the vectors have today."""
    try:
        wrong, first = _ask(conn, _OTHER_DISTANCES, (LISTS,)) or (0, None)
    except errors.QueryCanceled:
        return None
    return (
        f"lists have {wrong:,} neighbours that are gone or at another distance, as that of the"
        f" recording with id {first}: changes went unnoticed"
        if wrong
        else None
    )


@check(PROBLEM, "pgsim rebuild", after=lists_have_the_distances_of_today)
def a_list_has_the_nearest(conn: Connection) -> str | None:
    """A random list has the recordings that an exact scan finds."""
    count, recall = one_row(
        conn,
        "SELECT greatest(c.reltuples, 1), coalesce(("
        "SELECT r.recall_wanted FROM pgsim.rebuild AS r WHERE r.finished_at IS NOT NULL"
        " ORDER BY r.id DESC LIMIT 1), 1)"
        " FROM pg_class AS c WHERE c.oid = 'pgsim.recording'::regclass",
    )
    try:
        found = _ask(conn, _NEARER, (min(100, 100 * SAMPLE / count), 1))
    except errors.QueryCanceled:
        return None
    if found is None:
        return None
    seed, length, nearer = found
    # One list may be far worse than the recall over all lists.
    allowed = 0 if recall == 1 else length // 2
    return (
        f"the list of the recording with id {seed} lacks {nearer:,} recordings that are nearer than"
        f" its {length:,}"
        if nearer > allowed
        else None
    )


def _ask(
    conn: Connection, query: str, words: dict[str, object] | tuple[object, ...]
) -> tuple[Any, ...] | None:
    """The first row of a query that is cut off where it takes long."""
    with conn.transaction(force_rollback=True):
        conn.execute(f"SET LOCAL statement_timeout = '{LIMIT}'".encode())
        return conn.execute(query.encode(), words).fetchone()


def _failure(name: str, error: psycopg.Error, cure: str) -> Wrong:
    reason = error.diag.message_primary or type(error).__name__
    return Wrong(f"{name}() fails: {reason}", cure)
