"""What `--help` says, and the shell's completion."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pgsim.cli import run
from pgsim.questions.question import SIMILAR
from tests.support.commands import commands
from tests.support.paths import CHECKOUT

MOST = 50  # characters of a command's first sentence


def printed(*arguments: str, **environment: str) -> str:
    """What the program prints."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return subprocess.run(
        [sys.executable, "-m", "pgsim", *arguments],
        env=kept
        | {"PYTHONPATH": str(CHECKOUT), "COLUMNS": "80", "TERMINAL_WIDTH": "80"}
        | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout


@pytest.mark.parametrize("name", sorted(commands().keys() - {"pgsim"}))
def test_the_first_sentence_of_a_command_is_short_and_whole_in_the_list(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    first, *_ = commands()[name].help.split("\n\n")
    assert first.endswith(".")
    assert first.count(". ") == 0
    assert len(first) <= MOST
    assert run(["--help"]) == 0
    assert re.search(rf"^  {name} +{re.escape(first)}$", capsys.readouterr().out, re.MULTILINE)


@pytest.mark.parametrize("name", commands())
def test_usage_names_arguments_without_braces(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*([] if name == "pgsim" else [name]), "--help"]) == 0
    usage, _, _ = capsys.readouterr().out.partition("\n\n")
    assert usage.startswith(f"Usage: pgsim {'' if name == 'pgsim' else name + ' '}[OPTIONS]")
    assert "}" not in usage
    assert "{" not in usage


def test_usage_says_which_arguments_are_needed_and_which_are_repeated(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for line in (
        *("load [OPTIONS] PATH...", "extract [OPTIONS] AUDIO...", "describe [OPTIONS] PATH"),
        *("similar [OPTIONS] [MBID|ID|FILE]", "psql [OPTIONS] [ARGUMENT]..."),
    ):
        assert run([line.split()[0], "--help"]) == 0
        assert capsys.readouterr().out.startswith(f"Usage: pgsim {line}\n")


@pytest.mark.parametrize("name", commands())
def test_what_an_option_does_is_a_sentence(name: str) -> None:
    for parameter in commands()[name].params:
        text = parameter.help
        assert text[0].isupper() or not text[0].isalpha() or " " in text, f"{name}: {text}"
        assert text.endswith((".", "]", "'", ";")), f"{name} {parameter.name}: {text}"


def test_every_word_of_a_question_is_an_option_of_similar_with_its_own_help() -> None:
    options = {option.name: option for option in commands()["similar"].params}
    for name, word in SIMILAR.words.items():
        [spelling] = options[name].opts
        assert spelling.removeprefix("--").replace("-", "_") in (name, name.removesuffix("s"))
        assert options[name].help.startswith(word.help.removesuffix("."))


def test_what_calls_no_command_imports_none() -> None:
    slow = ("numpy", "psycopg", "pgvector", "sqlalchemy", "alembic", "pgsim.cli.common")
    code = (
        "import sys; from pgsim.cli import run;"
        " assert [run([each]) for each in ('--version', '--help', 'statsu')] == [0, 0, 2];"
        f" sys.exit(str([each for each in {slow} if each in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=CHECKOUT
    )
    assert done.stderr.splitlines()[-1] == "[]"


def test_a_misspelt_command_is_told_which_ones_are_like_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["statsu"]) == 2
    assert "No such command 'statsu'. Did you mean 'status'" in capsys.readouterr().err


def test_a_shell_completes_commands_and_options() -> None:
    assert "_pgsim_completion" in printed(_PGSIM_COMPLETE="source_bash")
    found = printed(_PGSIM_COMPLETE="complete_bash", COMP_WORDS="pgsim re", COMP_CWORD="1")
    assert found.split() == ["redirects", "refresh", "rebuild", "restore"]
    found = printed(
        _PGSIM_COMPLETE="complete_bash", COMP_WORDS="pgsim similar --ma", COMP_CWORD="2"
    )
    assert found.split() == ["--max-per-artist", "--max-per-album"]


def test_a_bash_shows_its_completion(tmp_path: Path) -> None:
    script = tmp_path / "show.sh"
    script.write_text(f'"{sys.executable}" -m pgsim --show-completion bash; exit $?\n')
    done = subprocess.run(
        ["bash", str(script)],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "complete -o default -F _pgsim_completion pgsim" in done.stdout
