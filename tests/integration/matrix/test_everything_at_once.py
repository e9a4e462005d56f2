"""Loads, a follower, refreshes in SQL, rebuilds, writers and askers at once: small and exact."""

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pgsim.matrix.refresh import refresh
from pgsim.postgres.connection import connect
from tests.support import campaign
from tests.support.exactness import assert_lists_are_exact
from tests.support.lists import assert_reaches_are_those_of_the_lists

MOST = 3  # times the size of the lists before


@pytest.mark.slow
def test_everything_at_once_for_a_quarter_of_an_hour(
    new_database: Callable[..., str], acousticbrainz_template: str, tmp_path: Path
) -> None:
    seconds = float(os.environ.get("CAMPAIGN_SECONDS", "900"))
    _run(new_database(acousticbrainz_template), 20_000, seconds, tmp_path)


def _run(url: str, recordings: int, seconds: float, folder: Path) -> None:
    with closing(connect(url, autocommit=True)) as conn:
        campaign.prepare(conn, recordings, folder)
        result = campaign.run(url, seconds, folder)
        print(
            f"lists {result.before / 1e6:.1f} MB before, {max(result.bytes) / 1e6:.1f} at most,"
            f" {result.bytes[-1] / 1e6:.1f} after; done {dict(result.done)};"
            f" longest {dict(sorted(result.longest.items()))}"
        )
        refresh(conn)
        assert_lists_are_exact(conn)
        assert_reaches_are_those_of_the_lists(conn)
    assert set(result.done) == {"load", "rebuild", "call", "write", "ask"}
    assert max(result.bytes) <= MOST * result.before
