"""pgsim tune as a command."""

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from pgsim.cli import run
from pgsim.loading.load import load
from pgsim.postgres.connection import Connection, connect
from pgsim.store.vectors import read_vectors
from tests.support.taught import write_table


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


def test_the_profile_that_it_writes_makes_the_same_vectors_elsewhere(
    taught: Connection, new_database: Callable[..., str], vector_template: str, tmp_path: Path
) -> None:
    output, other = tmp_path / "learned.toml", new_database(vector_template)
    tune = ["--database", taught.info.dsn, "tune", "--profile-output", str(output)]
    assert run([*tune, "--dry-run"]) == 0
    assert run(["--database", other, "init", "--profile", str(output)]) == 0
    with closing(connect(other, autocommit=True)) as conn:
        load(conn, [write_table(tmp_path / "songs.csv")])
        untuned = read_vectors(taught).vectors
        assert run([*tune, "--force"]) == 0
        tuned, found = read_vectors(taught), read_vectors(conn)
    assert np.abs(tuned.vectors - untuned).max() > 0.1
    np.testing.assert_array_equal(found.mbids, tuned.mbids)
    np.testing.assert_allclose(found.vectors, tuned.vectors, atol=1e-6)


def test_a_profile_that_cannot_be_written_is_said_before_anything_is_tuned(
    taught: Connection, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    output = tmp_path / "mine.toml"
    output.write_text("mine")
    arguments = ["--database", taught.info.dsn, "tune", "--profile-output"]
    assert run([*arguments, str(output)]) == 2
    assert "exists: --force replaces it" in capsys.readouterr().err
    assert output.read_text() == "mine"
    assert run([*arguments, str(tmp_path / "none" / "x.toml")]) == 1
    error = capsys.readouterr().err
    assert "x.toml: No such file or directory" in error
    assert "reading" not in error
