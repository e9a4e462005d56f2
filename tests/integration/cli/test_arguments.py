"""Odd values of every option and argument: commands and parameters are those that typer knows."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pgsim import embedded
from pgsim.cli import run
from tests.support.commands import commands
from tests.support.documents import collection, mbid, write_lines

LONGEST = 20.0  # seconds
VALUES = [
    "-1",
    "nan",
    "1e309",
    "9" * 30,
    "x" * 500,
    ".",
    "-",
    "a\nb\x1b[31m",
    "\udcff",
    "'; DROP TABLE pgsim.recording; --",
    "%s %(x)s {0} {x}",
]
# What stands beside an odd value, so that the command comes as far as using it.
OTHERS: dict[str, list[str]] = {
    "pgsim": ["status"],
    "describe": [],
    "init": [],
    "extract": ["--output=new.ndjson", "."],
    "load": ["more.ndjson"],
    "redirects": [],
    "names": [],
    "index": [],
    "rebuild": [],
    "similar": [str(mbid(1))],
    "playlist": ["--force", "playlist.txt"],
    "ratings": [],
    "radio": [str(mbid(1))],
    "path": [str(mbid(1)), str(mbid(2))],
    "artists": ["Artist 1"],
    "albums": ["Album 1"],
    "map": ["--new"],
    "user": ["list"],
    "evaluate": ["--sample=5"],
    "tune": [],
    "profile": ["--dry-run"],
    "plan": ["--recordings=1000", "--sample=1000"],
    "dump": [],
    "restore": [],
    "export": ["--force", "matrix.csv"],
    "import": [],
}
# psql becomes another program, which reads its own arguments; serve goes on until it is stopped;
# spark-rebuild starts Spark, which takes half a minute.
OTHERWISE = {"psql", "serve", "spark-rebuild"}


def valued(command: Any) -> list[Any]:
    """The parameters of a command that take a value."""
    return [
        each
        for each in command.params
        if each.name not in ("help", "install_completion", "show_completion")
        and not getattr(each, "is_flag", False)
    ]


def test_every_command_with_a_value_is_tried() -> None:
    known = {name for name, command in commands().items() if valued(command)}
    assert known - OTHERWISE == OTHERS.keys()


@pytest.fixture
def url(
    server: embedded.Server,
    new_database: Callable[..., str],
    filled_template: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """A collection to be worked on, in a folder of its own; names mean databases of its server."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PGSIM_HOME", str(server.home))
    write_lines(tmp_path / "more.ndjson", collection(31)[-2:])
    return new_database(filled_template)


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", OTHERS)
def test_odd_values_end_in_one_line_or_are_meant(
    url: str, name: str, every: int, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, parameter in enumerate(valued(commands()[name])):
        for value in VALUES[number % every :: every]:
            before, after = ["--database", url], []
            option = parameter.opts[-1]
            if name == "pgsim":
                before = [f"{option}={value}"]
            elif parameter.param_type_name == "argument":
                after = ["--", value]
            elif option.startswith("--"):
                after = [f"{option}={value}"]
            else:
                after = [option, value]
            others = OTHERS[name]
            if after[:1] == ["--"]:
                others = [each for each in others if each.startswith("--")]
            command = [] if name == "pgsim" else [name]
            started = time.monotonic()
            code = run([*before, *command, *others, *after])
            said = capsys.readouterr()
            tried = (name, option, value[:40])
            assert time.monotonic() - started < LONGEST, tried
            told = [x for x in said.err.splitlines() if x.startswith(("pgsim: ", "Error: "))]
            assert code in (0, 1, 2), tried
            assert len(told) == (1 if code else 0) or name == "load", (tried, code, said.err)
            assert all(len(line) < 2000 for line in told), tried
            assert "\x1b[31m" not in said.err + said.out, tried
