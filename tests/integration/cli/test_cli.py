"""The command line: what it prints, where, and the exit codes."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pgsim import embedded
from pgsim.cli import run
from pgsim.cli.common import print_table
from pgsim.postgres.connection import connect
from pgsim.store import locks
from tests.support.commands import commands
from tests.support.databases import environment
from tests.support.documents import collection, low_level, mbid, write_lines
from tests.support.paths import CHECKOUT

COUNTS = ("read", "new", "updated", "unchanged", "rejected", "recordings")


@pytest.fixture
def pgsim(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run a command, which has to end with that exit code; `out` and `err` are what it prints.

    It runs in this process, since that is quicker.
    """

    def command(url: str, *arguments: str, code: int = 0) -> Any:
        ended = run(["--database", url, *arguments])
        said = capsys.readouterr()
        assert ended == code, said.err
        return said

    return command


@pytest.fixture
def answer(pgsim: Callable[..., Any]) -> Callable[..., Any]:
    """The one JSON document that a command prints."""
    return lambda url, *arguments: json.loads(pgsim(url, *arguments, "--json").out)


@pytest.fixture
def refusal(pgsim: Callable[..., Any]) -> Callable[..., str]:
    """The one line with which a command fails."""

    def refuse(url: str, *arguments: str, code: int) -> str:
        said = pgsim(url, *arguments, code=code)
        assert said.out == ""
        assert said.err.count("\n") == 1
        assert said.err.startswith("pgsim: ")
        return said.err.removeprefix("pgsim: ").strip()

    return refuse


@pytest.fixture(scope="module")
def filled(server: embedded.Server, filled_template: str) -> str:
    """Its URL, for commands that change nothing."""
    return server.conninfo(filled_template)


def test_the_way_from_an_empty_database_to_an_answer(
    new_database: Callable[..., str], tmp_path: Path, answer: Callable[..., Any]
) -> None:
    url = new_database()
    path = write_lines(tmp_path / "all.ndjson", collection(15))
    lines = len(path.read_text().splitlines())
    path.write_text(path.read_text() + "no JSON\n")

    installed = {"installed": True, "profile": "acousticbrainz", "dimensions": 68}
    assert answer(url, "init") == installed
    assert answer(url, "init") == installed | {"installed": False}

    report = answer(url, "load", str(path))
    assert {name: report[name] for name in COUNTS} == {
        "read": lines + 1,
        "new": report["new"],
        "updated": lines - report["new"],
        "unchanged": 0,
        "rejected": 1,
        "recordings": 15,
    }
    assert answer(url, "index") == {"built": False}
    refreshed = answer(url, "refresh")
    assert (refreshed["changed"], refreshed["lists"]) == (15, 15)
    fused = answer(url, "fuse", "--refit")
    assert fused["unchanged"] == 15
    assert "mfccs" in fused["fitted"]

    rows = answer(url, "similar", str(mbid(1)), "-k", "3")
    columns = [
        *("rank", "mbid", "artist", "title", "album", "year", "genre", "distance", "similarity"),
        *("source_id", "url"),
    ]
    assert [list(row) for row in rows] == [columns] * 3
    assert [row["rank"] for row in rows] == [1, 2, 3]

    status = answer(url, "status")
    assert (status["recordings"], status["lists"], status["rejected_documents"]) == (15, 15, 1)
    assert status["dimensions"] == 68
    assert min(status["vector_index_size"], status["recording_size"]) > 8000  # bytes
    assert len(status["sets"]) == 11


def test_people_are_told_the_same_in_words(
    new_database: Callable[..., str], tmp_path: Path, pgsim: Callable[..., Any]
) -> None:
    url = new_database()
    path = write_lines(tmp_path / "all.ndjson", [low_level(i) for i in range(5)])
    done = pgsim(url, "init", "--profile", "acousticbrainz")
    assert done.out == "profile 'acousticbrainz', 68 dimensions: installed\n"
    assert "to undo that: ALTER DATABASE" in done.err
    assert pgsim(url, "init", "--upgrade").err == ""

    done = pgsim(url, "load", str(path))
    assert re.search(r"^ *read +5 *$", done.out, re.MULTILINE)
    assert "to bring the matrix up to date: pgsim refresh" in done.err
    assert "5 recordings had changed" in pgsim(url, "refresh").out
    shown = pgsim(url, "similar", str(mbid(1)), "-k", "2").out.splitlines()
    assert next(line.split() for line in shown if "rank" in line) == [
        *("rank", "similarity", "distance", "year", "genre", "artist", "title")
    ]
    assert len([line for line in shown if "Title" in line]) == 2
    assert "sets not fitted" in pgsim(url, "status").out


def test_a_load_that_brings_sets_without_a_fit_says_what_to_do(
    new_database: Callable[..., str],
    acousticbrainz_template: str,
    tmp_path: Path,
    pgsim: Callable[..., Any],
) -> None:
    url = new_database(acousticbrainz_template)
    documents = [low_level(i) for i in range(3)]
    for each in documents:
        each.body["rhythm"]["bpm"] = 120
    done = pgsim(url, "load", str(write_lines(tmp_path / "a.ndjson", documents)))
    assert "not fitted, and 0 in every vector: bpm; once recordings differ" in done.err


def test_filters_reach_the_question(filled: str, capsys: pytest.CaptureFixture[str]) -> None:
    def similar(*options: str) -> list[dict[str, Any]]:
        arguments = ["similar", str(mbid(0)), "-k", "29", "--json", *options]
        assert run(["--database", filled, *arguments]) == 0
        rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
        return rows

    everything = similar("--ranking", "distance")
    assert [row["distance"] for row in everything] == sorted(row["distance"] for row in everything)
    genre = next(row["genre"] for row in everything if row["genre"])
    assert [row["mbid"] for row in similar("--ranking", "distance", "--genre", genre)] == [
        row["mbid"] for row in everything if row["genre"] == genre
    ]
    assert {row["year"] for row in similar("--decade", "1960")} == set(range(1961, 1970))
    assert {row["year"] for row in similar("--year-from", "1975", "--year-to", "1976")} == {
        *(1975, 1976)
    }
    assert similar("--same-decade") == similar("--decade", "1960")
    assert similar("--same-genre") == similar("--genre", "spe")


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["similar", "x"], 1, "'x' is neither an MBID nor the own id of a recording"),
        (
            ["similar", str(mbid(999))],
            1,
            f"unknown recording {mbid(999)}; pgsim.recording has no row with this mbid",
        ),
        (["similar", str(mbid(0)), "-k", "0"], 2, "k is 0, but must be from 1 to 1000"),
        (["similar", str(mbid(0)), "-k", "99999999999"], 2, "integer out of range"),
        (
            ["similar", str(mbid(0)), "--ranking", "x"],
            2,
            "unknown ranking 'x'; known: similarity, distance",
        ),
        (["similar"], 2, "name one recording: by MBID, own id or file, or by --artist and --title"),
        (["load", "/missing"], 1, "/missing not found"),
        (["load", "/dev/null"], 1, "/dev/null is neither a file nor a folder"),
        (
            ["load", __file__],
            2,
            f"cannot read {__file__}: it is not a folder, and not a file named",
        ),
        (["fuse"], 2, "load computes vectors by itself; to fit again and compute all: pgsim fuse"),
        (["rebuild", "--follow"], 2, "--follow waits for rebuilds to join: give --join too"),
        (["init", "--profile", "x"], 2, "unknown profile 'x': no such file; shipped: acoustic"),
        (["init", "--profile", "essentia"], 1, "holds profile 'acousticbrainz', not 'essentia'"),
        (["init", "--profile", "essentia", "--upgrade"], 2, "--upgrade keeps the database's"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_cannot_be_done_is_one_line_and_an_exit_code(
    filled: str, refusal: Callable[..., str], arguments: list[str], code: int, line: str
) -> None:
    assert line in refusal(filled, *arguments, code=code)


def test_an_unknown_genre_is_refused_with_those_that_are_known(
    filled: str, refusal: Callable[..., str]
) -> None:
    line = refusal(filled, "similar", str(mbid(0)), "--genre", "polka", code=2)
    assert line.startswith("unknown genre 'polka'")
    assert re.search(r"known: ([a-z]{3}, )+[a-z]{3};", line)


@pytest.mark.parametrize(
    "command",
    [
        ["load", str(CHECKOUT)],
        ["fuse", "--refit"],
        ["index"],
        ["refresh"],
        ["similar", str(mbid(0))],
        ["status"],
        ["init", "--upgrade"],
    ],
    ids=lambda command: command[0],
)
def test_before_init_every_command_says_that_init_comes_first(
    server: embedded.Server, vector_template: str, refusal: Callable[..., str], command: list[str]
) -> None:
    line = refusal(server.conninfo(vector_template), *command, code=1)
    assert line == "database 'vector_template' holds no collection yet: run pgsim init"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["unheard-of"],
        ["similar", "--unheard-of"],
        ["load"],
        ["rebuild", "--threads", "0"],
    ],
)
def test_what_is_misused_ends_with_2_and_usage(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run(["--database", "postgresql://nowhere.invalid/x", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("Usage: ")


def test_the_process_ends_with_the_exit_code(filled: str) -> None:
    for arguments, code in ((["unheard-of"], 2), (["similar", str(mbid(999))], 1), (["status"], 0)):
        done = subprocess.run(
            [sys.executable, "-m", "pgsim", "--database", filled, *arguments],
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == code
        assert (done.stdout == "") == (code != 0)


def test_a_load_in_which_all_is_rejected_fails(
    new_database: Callable[..., str],
    acousticbrainz_template: str,
    tmp_path: Path,
    pgsim: Callable[..., Any],
    answer: Callable[..., Any],
) -> None:
    url = new_database(acousticbrainz_template)
    path = tmp_path / "a.ndjson"
    path.write_text("{}\n")
    done = pgsim(url, "load", str(path), "--json", code=1)
    assert json.loads(done.out)["rejected"] == 1
    path.write_text("{}\n" + low_level(1).line)
    assert answer(url, "load", str(path))["rejected"] == 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_load_ends_with_its_code_and_can_be_run_again(
    new_database: Callable[..., str],
    acousticbrainz_template: str,
    tmp_path: Path,
    number: signal.Signals,
    code: int,
    answer: Callable[..., Any],
) -> None:
    url = new_database(acousticbrainz_template)
    path = write_lines(tmp_path / "a.ndjson", [low_level(i) for i in range(4)])
    with closing(connect(url, autocommit=True)) as conn, conn.transaction():
        # Where another one loads this one waits: there it is interrupted.
        conn.execute("SELECT pg_advisory_xact_lock(hashtext('pgsim.load'))")
        process = subprocess.Popen(
            [sys.executable, "-m", "pgsim", "--database", url, "load", str(path)],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        until = time.monotonic() + 30
        while not locks.is_wanted(conn, locks.LOAD):
            assert time.monotonic() < until, "the load never waited"
            time.sleep(0.05)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stdout) == (code, "")
    assert stderr.strip() == "pgsim: interrupted"
    assert answer(url, "load", str(path))["new"] == 4


def test_progress_goes_to_stderr_and_stdout_is_one_json_document(
    new_database: Callable[..., str], acousticbrainz_template: str, tmp_path: Path
) -> None:
    url = new_database(acousticbrainz_template)
    path = write_lines(tmp_path / "a.ndjson", [low_level(i) for i in range(4)])
    impatient = (
        "from functools import partial; from pgsim import cli; from pgsim.cli import common;"
        " from pgsim.loading import load; from pgsim.loading.chunks import Limits;"
        " common.LINE_EVERY = 0;"
        " load.load = partial(load.load, limits=Limits(batch=2)); cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", impatient, "--database", url, "load", str(path), "--json"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout)["new"] == 4
    rate = r"[\d,]+/s, \d:\d\d:\d\d left"
    assert re.fullmatch(rf"2 documents, {rate}\n4 documents, {rate}\nfitting .*\n", done.stderr)


def test_a_reader_that_has_gone_is_no_error_worth_a_traceback(filled: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "pgsim", "--database", filled, "status", "--json"],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr as stderr:
        assert stderr.read() == ""
    assert process.wait(timeout=30) == 1


def test_a_column_of_numbers_is_one_by_type_and_a_row_is_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_table(["n", "title"], [(5, "1979"), (None, "a\nb\x1b[31mc"), (10, "x" * 200)])
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines[3:5] == ["  5   1979", "      a b [31mc"]
    assert len([line for line in lines if line]) == 5  # two of them the head's
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("name", commands())
def test_every_command_and_everything_it_takes_has_help(name: str) -> None:
    command = commands()[name]
    assert command.help
    for parameter in command.params:
        text = getattr(parameter, "help", None)
        assert text, f"{name} {parameter.name} has no help"
        # An option with a twin in the environment says so.
        for variable in [parameter.envvar] if isinstance(parameter.envvar, str) else []:
            assert variable in text


def test_help_names_every_command_and_the_twin_of_database(pgsim: Callable[..., Any]) -> None:
    text = " ".join(pgsim("x", "--help").out.split())
    assert "PGSIM_DATABASE_URL does the same" in text
    for name in commands().keys() - {"pgsim"}:
        assert f" {name} " in text


def test_every_command_that_prints_a_result_has_json() -> None:
    lacking = {
        name
        for name, command in commands().items()
        if "--json" not in [option for each in command.params for option in each.opts]
    }
    assert lacking <= {"pgsim", "psql", "demo", "serve"}
