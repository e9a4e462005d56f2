"""pgsim tune as a command."""

import json

import pytest

from pgsim.cli import run
from pgsim.postgres.connection import Connection


def test_the_command_says_what_it_kept_and_what_comes_next(
    taught: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    taught.execute("DELETE FROM pgsim.recording WHERE split_part(artist, ' ', 2)::integer > 50")
    assert run(["--database", taught.info.dsn, "tune", "--dry-run", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["changed"]
    assert not report["written"]
    assert run(["--database", taught.info.dsn, "tune"]) == 0
    shown = capsys.readouterr().out
    assert "pgsim rebuild" in shown
    assert "sound" in shown
    run(["--database", taught.info.dsn, "check"])
    wrong = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("ok")]
    assert not [line for line in wrong if "feature set" in line]


def test_labels_and_triplets_together_are_refused(
    taught: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["tune", "--labels", "genre", "--triplets", "x.csv"]
    assert run(["--database", taught.info.dsn, *arguments]) == 2
    assert "leave --labels out" in capsys.readouterr().err


def test_with_nothing_to_learn_the_command_succeeds_and_says_so(
    taught: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    taught.execute("UPDATE pgsim.recording SET artist = NULL")
    assert run(["--database", taught.info.dsn, "tune"]) == 0
    assert "the collection stays as it was: only 0 groups" in capsys.readouterr().out
