"""kill -9 at ten random points of a load of archives, of client and server, with fsync on.

It ends with the rows of a load that was not killed.
"""

import os
import random
import signal
import time
from contextlib import closing
from pathlib import Path

import pytest

from pgsim import embedded
from pgsim.loading.load import load
from pgsim.postgres.connection import connect
from tests.support.archives import write_archives
from tests.support.databases import install_template
from tests.support.kills import kill
from tests.support.loading import loading
from tests.support.rows import contents, one

pytestmark = pytest.mark.slow

KILLS = 10
MARKED = "SELECT coalesce(sum(documents - rejected), 0) FROM pgsim.archive"
KEPT = "SELECT count(*) FROM pgsim.submission, jsonb_object_keys(documents)"


def test_ten_kills_end_in_the_same_rows(durable: embedded.Server, tmp_path: Path) -> None:
    interrupted, whole = (
        durable.conninfo(install_template(durable, name, "acousticbrainz"))
        for name in ("interrupted", "whole")
    )
    write_archives(tmp_path, "highlevel", 16000, archives=3, seed=5)
    write_archives(tmp_path, "lowlevel", 60, archives=2, seed=5)
    for path in tmp_path.iterdir():
        os.utime(path, (0, 0))
    chance = random.Random(7)
    was_taken_back = False
    for attempt in range(KILLS):
        child = loading(interrupted, tmp_path, batch=100, workers=2)
        assert child.stdout is not None
        assert child.stdout.readline() == "begun\n"
        # After some batches, and some moments of the next one.
        lines = [child.stdout.readline() for _ in range(chance.randrange(6))]
        time.sleep(chance.uniform(0, 0.05))
        if attempt % 2:
            kill(durable)
            rest, errors = child.communicate()
            assert child.returncode == 1, errors
            embedded.start(durable.home)
        else:
            child.kill()
            child.communicate()
            assert child.returncode == -signal.SIGKILL, "it had ended before it could be killed"
        with closing(connect(interrupted, autocommit=True)) as conn:
            # Documents and marks are kept together, or lost together.
            assert one(conn, KEPT) == one(conn, MARKED)
            if attempt % 2:
                reported = sum(map(int, [*lines, *rest.splitlines()]))
                was_taken_back |= reported > one(conn, "SELECT sum(documents) FROM pgsim.archive")
    assert was_taken_back, "no kill of the server came between a commit and the disk"
    with closing(connect(interrupted, autocommit=True)) as conn:
        committed = one(conn, "SELECT sum(documents) FROM pgsim.archive")
        assert 0 < committed < 16060
        report = load(conn, [tmp_path])
        with closing(connect(whole, autocommit=True)) as other:
            uninterrupted = load(other, [tmp_path])
            assert (report.read, report.rejected) == (16060, uninterrupted.rejected)
            assert report.unchanged >= committed - report.rejected
            assert contents(conn, without=("id",)) == contents(other, without=("id",))
