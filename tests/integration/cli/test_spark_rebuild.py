"""What `pgsim spark-rebuild` refuses before Spark starts; see tests/slow/test_spark.py as well."""

import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pgsim.cli import run
from pgsim.matrix.rebuild import begin
from pgsim.postgres.connection import connect


@pytest.fixture
def refused(
    new_database: Callable[..., str], filled_template: str, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    url = new_database(filled_template)

    def refused(*arguments: object) -> str:
        assert run(["--database", url, "spark-rebuild", *map(str, arguments)]) == 2
        return capsys.readouterr().err

    return refused


def test_odd_arguments_are_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    assert f"cannot write into {tmp_path / 'x'}: no such folder" in refused(
        "--work", tmp_path / "x"
    )
    assert "k is 10, but must be from 50 to 1000" in refused("-k", 10)
    assert "recall is 2.0, but must be above 0 and at most 1" in refused("--recall", 2)


def test_an_unfinished_rebuild_comes_first(
    new_database: Callable[..., str], filled_template: str, capsys: pytest.CaptureFixture[str]
) -> None:
    url = new_database(filled_template)
    with closing(connect(url, autocommit=True)) as conn:
        begin(conn, 50, "exact", 1, 100)
    assert run(["--database", url, "spark-rebuild"]) == 1
    assert "a rebuild is unfinished: end it with pgsim rebuild" in capsys.readouterr().err


def test_what_is_not_installed_is_named_with_the_cure(
    refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    assert "pip install 'pgsim[spark]'" in refused("--work", tmp_path)
    assert not [*tmp_path.iterdir()]


def test_without_java_its_package_is_named(
    refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("pyspark", reason="needs pgsim[spark]")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt install openjdk-17-jre-headless" in refused("--work", tmp_path)
