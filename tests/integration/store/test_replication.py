"""Logical replication to a subscriber that makes its own lists, on PostgreSQL 16 and 18."""

import os
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from pgsim.features.profile import read_profile
from pgsim.matrix.refresh import refresh
from pgsim.postgres.connection import connect
from pgsim.store import schema
from pgsim.store.finding import PROBLEM
from tests.support.documents import collection, mbid, write_lines
from tests.support.exactness import assert_lists_are_exact
from tests.support.odd import RECORDINGS, New, commands, execute, wrongs
from tests.support.rows import one
from tests.support.waiting import wait_until

# As docs/howto/production.md has them.
PUBLISHED = "pgsim.recording, pgsim.redirect, pgsim.collection, pgsim.feature_set"
CHANGES = (
    "INSERT INTO pgsim.recording (mbid, vector) SELECT gen_random_uuid(), r.vector"
    " FROM pgsim.recording AS r WHERE r.id IN (1, 2)",
    "INSERT INTO pgsim.recording (mbid) VALUES (gen_random_uuid())",
    "UPDATE pgsim.recording SET vector = (SELECT vector FROM pgsim.recording WHERE id = 4)"
    " WHERE id = 5",
    "UPDATE pgsim.recording SET vector = NULL WHERE id = 6",
    "UPDATE pgsim.recording SET mbid = gen_random_uuid() WHERE id = 7",
    "UPDATE pgsim.recording SET id = DEFAULT WHERE id = 8",
    "UPDATE pgsim.recording SET title = 'Another' WHERE id = 9",
    "DELETE FROM pgsim.recording WHERE id IN (10, 11)",
)


def rows(conninfo: str, table: str = "recording") -> list[Any]:
    with closing(connect(conninfo)) as conn:
        query = f"SELECT t::text FROM pgsim.{table} AS t ORDER BY 1"
        return conn.execute(query.encode()).fetchall()


@contextmanager
def subscribed(publisher: str, subscriber: str, what: str, options: str = "") -> Iterator[str]:
    """The name of publication and subscription; a database of the same server needs its slot."""
    name = f"odd_{os.urandom(4).hex()}"
    parameters = conninfo_to_dict(publisher)
    source = " ".join(f"{key}={parameters[key]}" for key in ("host", "port", "user", "dbname"))
    execute(
        publisher,
        f"CREATE PUBLICATION {name} FOR {what}",
        f"SELECT pg_create_logical_replication_slot('{name}', 'pgoutput')",
    )
    execute(
        subscriber,
        f"CREATE SUBSCRIPTION {name} CONNECTION '{source}' PUBLICATION {name}"
        f" WITH (create_slot = false{options})",
    )
    try:
        wait_until(lambda: are_copied(subscriber))
        yield name
    finally:
        execute(subscriber, f"DROP SUBSCRIPTION {name}")


def are_copied(subscriber: str) -> bool:
    with closing(connect(subscriber)) as conn:
        return bool(one(conn, "SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel"))


def follows(publisher: str, subscriber: str) -> None:
    wait_until(lambda: rows(subscriber) == rows(publisher))


def stale(conninfo: str) -> list[int]:
    with closing(connect(conninfo)) as conn:
        return [row[0] for row in conn.execute("SELECT id FROM pgsim.stale ORDER BY id, event")]


def refreshed(conninfo: str) -> None:
    """Refresh, and find that the lists are exact, and no problem."""
    with closing(connect(conninfo, autocommit=True)) as conn:
        refresh(conn)
        assert_lists_are_exact(conn)
    assert [each for each in wrongs(conninfo).values() if each.level == PROBLEM] == []


def begin(subscriber: str) -> None:
    """pgsim in the subscriber, whose profile the publisher brings."""
    with closing(connect(subscriber, autocommit=True)) as conn:
        schema.install(conn, read_profile("acousticbrainz"))
        schema.add_to_search_path(conn)
    execute(subscriber, "DELETE FROM pgsim.collection", "DELETE FROM pgsim.feature_set")


def test_lists_of_a_subscriber_know_what_is_replicated(new: New, tmp_path: Path) -> None:
    publisher, subscriber = new(), new("TEMPLATE template0")
    execute(subscriber, "CREATE EXTENSION vector SCHEMA public")
    begin(subscriber)
    with subscribed(publisher, subscriber, f"TABLE {PUBLISHED}"):
        follows(publisher, subscriber)
        assert len(stale(subscriber)) == RECORDINGS
        commands(subscriber, tmp_path, "index", "rebuild --engine exact")
        refreshed(subscriber)
        execute(publisher, *CHANGES)
        follows(publisher, subscriber)
        assert stale(subscriber) == stale(publisher)
        assert len(stale(subscriber)) == 9
        assert wrongs(subscriber).keys() >= {"lists_are_up_to_date"}
        refreshed(subscriber)
        # What one command changes in all tables.
        write_lines(tmp_path / "more.ndjson", collection(RECORDINGS + 5)[RECORDINGS:])
        (tmp_path / "redirects.csv").write_text(f"{mbid(900)},{mbid(1)}\n")
        commands(
            publisher,
            tmp_path,
            "load FOLDER/more.ndjson",
            "redirects FOLDER/redirects.csv",
            "fuse --refit",
        )
        follows(publisher, subscriber)
        for table in ("collection", "feature_set", "redirect"):
            assert rows(subscriber, table) == rows(publisher, table)
        refreshed(subscriber)
        execute(publisher, "TRUNCATE pgsim.recording")
        wait_until(lambda: not rows(subscriber))
        assert rows(subscriber, "similarity") == rows(subscriber, "stale") == []
        execute(
            publisher,
            "INSERT INTO pgsim.recording (mbid, vector)"
            " SELECT gen_random_uuid(), array_agg(random() * i)::real[]::public.vector"
            " FROM generate_series(1, 30) AS i, generate_series(1, 68) AS j GROUP BY i",
        )
        follows(publisher, subscriber)
        refreshed(subscriber)


def test_a_copy_of_the_matrix_is_refused_by_check(new: New, tmp_path: Path) -> None:
    publisher, subscriber = new(), new()
    options = ", copy_data = false"
    with subscribed(publisher, subscriber, "TABLES IN SCHEMA pgsim", options):
        execute(publisher, *CHANGES)
        follows(publisher, subscriber)
        wait_until(lambda: rows(subscriber, "stale") == rows(publisher, "stale"))
        # The switch to a new matrix is not replicated.
        commands(publisher, tmp_path, "rebuild --engine exact")
        wait_until(lambda: rows(subscriber, "stale") == [])
        wait_until(lambda: rows(subscriber, "similarity") != rows(publisher, "similarity"))
        found = wrongs(subscriber)["matrix_is_made_here"]
        assert found.level == PROBLEM
        assert re.fullmatch(
            "a subscription writes tables that are made here, and lists go stale: alembic_version,"
            ".* similarity_a, similarity_b, stale.*",
            found.wrong or "",
        )
        assert (found.cure or "").startswith("publish recordings alone, and begin the subscriber")
    execute(subscriber, "DROP SCHEMA pgsim CASCADE")
    begin(subscriber)
    with subscribed(publisher, subscriber, f"TABLE {PUBLISHED}"):
        follows(publisher, subscriber)
        commands(subscriber, tmp_path, "index", "rebuild --engine exact")
        execute(publisher, "DELETE FROM pgsim.recording WHERE id = 20")
        follows(publisher, subscriber)
        refreshed(subscriber)
