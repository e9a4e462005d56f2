"""kill -9 at random points, of client and server, with fsync on: the matrix ends the same."""

import random
import subprocess
import sys
import time
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from pgsim import embedded
from pgsim.matrix.rebuild import rebuild
from pgsim.matrix.refresh import refresh
from pgsim.postgres.connection import Connection, connect
from tests.support.clustered import copy_in, make_collection
from tests.support.databases import install_template
from tests.support.kills import kill
from tests.support.lists import assert_reaches_are_those_of_the_lists

pytestmark = pytest.mark.slow

KILLS = 20
RECORDINGS = 6000
# Small parts and blocks, so that a kill falls anywhere in the work.
CHILD = """
import sys
from pgsim.matrix import rebuild, refresh
from pgsim.postgres.connection import connect
rebuild.PART, refresh.BLOCK, refresh.PART, refresh.LEAST = 200, 80, 20, 20
conn = connect(sys.argv[2], autocommit=True)
rebuild.rebuild(conn, engine="exact") if sys.argv[1] == "rebuild" else refresh.refresh(conn)
"""


def lists(conn: Connection) -> list[Any]:
    assert_reaches_are_those_of_the_lists(conn)
    return conn.execute("SELECT * FROM pgsim.similarity ORDER BY id").fetchall()


def assert_same(found: list[Any], wanted: list[Any]) -> None:
    """The same lists, but for the last bit of a distance, which can turn two near ties round."""
    assert [row[0] for row in found] == [row[0] for row in wanted]
    for own, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(own[2], other[2], rtol=1e-6)
        assert len(set(own[1]) ^ set(other[1])) <= 2


def test_twenty_kills_end_in_the_same_matrix(durable: embedded.Server) -> None:
    name = install_template(durable, "kills", "acousticbrainz")
    url = durable.conninfo(name)
    with closing(connect(url, autocommit=True)) as conn:
        copy_in(conn, make_collection(RECORDINGS, 68, seed=3))
        rebuild(conn, engine="exact")
        whole = lists(conn)
        conn.execute("CREATE TABLE public.original AS SELECT id, vector FROM pgsim.recording")
    chance = random.Random(0)
    for attempt in range(KILLS):
        work = "rebuild" if attempt % 2 else "refresh"
        if work == "refresh":
            with closing(connect(url, autocommit=True)) as conn:
                # There and back again: when all is refreshed, the matrix is what it was.
                conn.execute(
                    "UPDATE pgsim.recording SET vector = vector OPERATOR(public.+) vector"
                    " WHERE id % 40 = 0"
                )
                conn.execute(
                    "UPDATE pgsim.recording SET vector = o.vector FROM public.original AS o"
                    " WHERE o.id = recording.id AND o.id % 40 = 0"
                )
        child = subprocess.Popen([sys.executable, "-c", CHILD, work, url])
        time.sleep(chance.uniform(0.3, 3))
        if attempt % 4 < 2:
            kill(durable)
            child.wait()
            embedded.start(durable.home)
        else:
            child.kill()
            child.wait()
    with closing(connect(url, autocommit=True)) as conn:
        # First what the refreshes left, then what the rebuilds did.
        refresh(conn)
        assert_same(lists(conn), whole)
        rebuild(conn, engine="exact")
        refresh(conn)
        assert lists(conn) == whole
        assert conn.execute("SELECT count(*) FROM pgsim.stale").fetchone() == (0,)
