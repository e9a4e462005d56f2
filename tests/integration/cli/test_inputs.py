"""Odd arguments and files: each is one line with its cause, no traceback and no long wait."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pgsim import embedded
from pgsim.cli import run

SPARSE = 20 * 2**30  # bytes, of which a disk holds none
DEEP = 100_000  # levels of brackets
SHAPES = ("(10**9, 10**9)", "(-1,)", "(2**70,)", "(1", "[" * DEEP, "'a'", "(1.5,)", "")


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """The line with which a command fails, in this process; what usage adds is left out."""

    def refuse(*arguments: str, code: int = 2) -> str:
        started = time.monotonic()
        assert run([*arguments]) == code, capsys.readouterr()
        said = capsys.readouterr()
        assert time.monotonic() - started < 20
        assert "Traceback" not in said.err
        told = [line for line in said.err.splitlines() if line.startswith(("pgsim: ", "Error: "))]
        assert len(told) == 1, said.err
        assert len(told[0]) < 600
        return told[0].partition(": ")[2]

    return refuse


@pytest.fixture(scope="module")
def url(server: embedded.Server, filled_template: str) -> str:
    """A database with a collection, for commands that change nothing."""
    return server.conninfo(filled_template)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--database", "", "status"),
        ("--database=", "status"),
        ("load", ""),
        ("load", "a.json", ""),
        ("load", "--source", "", "a.json"),
        ("load", "--rejects=", "a.json"),
        ("init", "--profile", ""),
        ("init", "--profile", " "),
        ("rebuild", "--engine", ""),
        ("index", "--metric", ""),
        ("similar", ""),
        ("similar", "--title", ""),
        ("similar", "x", "--genre", ""),
        ("redirects", ""),
        ("names", ""),
        ("describe", ""),
        ("extract", "", "-o", "x"),
        ("export", ""),
        ("export", "x", "--format", ""),
        ("import", ""),
        ("dump", ""),
        ("restore", ""),
    ],
)
def test_an_empty_value_is_refused_before_anything_is_done(
    refused: Callable[..., str], arguments: tuple[str, ...]
) -> None:
    assert "the value is empty; give one, or leave it out" in refused(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ("rebuild", "-k", "0"),
        ("rebuild", "-k", "-1"),
        ("rebuild", "--threads", "0"),
        ("load", "--workers", "0", "a.json"),
        ("evaluate", "--sample", "0"),
    ],
)
def test_a_number_out_of_its_range_is_refused_with_the_range(
    refused: Callable[..., str], arguments: tuple[str, ...]
) -> None:
    assert "than or equal to" in refused(*arguments)


@pytest.mark.parametrize("text", ["[" * 5000, '{"moods":' * 5000, "[" * DEEP, "1", "{", "NaN"])
def test_weights_that_are_no_object_are_refused(
    refused: Callable[..., str], url: str, text: str
) -> None:
    assert "is no JSON object" in refused("--database", url, "similar", "x", "--weights", text)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("os:system", "is no source, since it has no name, accepts"),
        (":x", "unknown source"),
        (":", "unknown source"),
        ("os:", "unknown source"),
        ("os.path:nothing", "no attribute 'nothing'"),
        ("..:x", "cannot be made"),
        ("a b:x", "PYTHONPATH"),
        ("pathlib:Path", "is no source"),
        ("fractions:Decimal", "is no source"),
        ("pgsim.absent:x", "PYTHONPATH"),
        ("typing:Protocol", "is no source"),
        ("logging:Handler.x", "no attribute 'Handler.x'"),
        ("types:FunctionType", "cannot be made: TypeError"),
    ],
)
def test_what_is_no_source_is_refused(
    refused: Callable[..., str], url: str, tmp_path: Path, name: str, why: str
) -> None:
    path = tmp_path / "a.json"
    path.write_text("{}")
    assert why in refused("--database", url, "load", "--source", name, str(path))


def test_the_module_of_a_source_may_raise_anything(
    refused: Callable[..., str], url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_source.py").write_text("raise RuntimeError('not today')")
    monkeypatch.syspath_prepend(tmp_path)
    line = refused("--database", url, "load", "--source", "broken_source:X", str(tmp_path))
    assert "RuntimeError: not today" in line


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("name = " + "[" * 3000 + "]" * 3000, "nested too deeply"),
        ("name = " + "{a=" * 3000 + "1" + "}" * 3000, "nested too deeply"),
        ("a." * 3000 + "b = 1", "unknown key 'a'"),
        ("[" * 3000, "not TOML"),
        ("\0", "not TOML"),
        ("", "needs a 'name'"),
    ],
)
def test_a_profile_that_is_odd_is_refused(
    refused: Callable[..., str], url: str, tmp_path: Path, text: str, why: str
) -> None:
    path = tmp_path / "odd.toml"
    path.write_text(text)
    assert why in refused("--database", url, "init", "--profile", str(path))


@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "sparse"])
@pytest.mark.parametrize(
    ("command", "end"),
    [
        (("init", "--profile"), ".toml"),
        (("redirects",), ".csv"),
        (("names",), ".csv"),
        (("import",), ".csv"),
        (("restore",), ".dump"),
        (("describe",), ".csv"),
    ],
)
def test_no_file_holds_a_command_up(
    refused: Callable[..., str],
    url: str,
    tmp_path: Path,
    kind: str,
    command: tuple[str, ...],
    end: str,
) -> None:
    path = tmp_path / f"odd{end}"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.touch()
        os.truncate(path, SPARSE)
    is_misuse = command[0] in ("init", "describe") and (command[0], kind) != ("describe", "sparse")
    code = 2 if is_misuse and not (command[0] == "describe" and kind in ("pipe", "device")) else 1
    refused("--database", url, *command, str(path), code=code)


def test_a_sparse_table_is_one_reject(
    new_database: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "odd.csv"
    path.touch()
    os.truncate(path, SPARSE)
    url = new_database()
    assert run(["--database", url, "init", "--profile", "msd"]) == 0
    assert run(["--database", url, "load", "--json", str(path)]) == 1
    assert '"rejected": 1' in capsys.readouterr().out


@pytest.mark.parametrize("shape", SHAPES)
def test_an_array_of_absurd_shape_is_refused(
    refused: Callable[..., str], tmp_path: Path, shape: str
) -> None:
    path = tmp_path / "odd.npy"
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode()
    path.write_bytes(np.lib.format.magic(2, 0) + len(header).to_bytes(4, "little") + header)
    assert "not NumPy's format" in refused("describe", str(path), code=1)


def test_a_table_of_too_many_columns_is_refused(
    refused: Callable[..., str], tmp_path: Path
) -> None:
    path = tmp_path / "wide.csv"
    names = ",".join(f"x{number}" for number in range(5000))
    path.write_text(f"id,{names}\n" + "\n".join(f"{row}," + ",".join("1" * 5000) for row in "ab"))
    assert "more than 4000 dimensions" in refused("describe", str(path), code=1)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("jdbc:postgresql://h/x?user=u&password=s3cret", "is one of JDBC"),
        ("mysql://u:s3cret@h/x", "URL of 'mysql'"),
        ("postgresql+psycopg://u:s3cret@127.0.0.1:1/x", "does not answer"),
        ("postgresql+asyncpg://u:s3cret@127.0.0.1:1/x", "does not answer"),
        ("sqlite:///s3cret.db", "URL of 'sqlite'"),
    ],
)
def test_urls_of_other_programs_are_read_or_named(
    refused: Callable[..., str], text: str, why: str
) -> None:
    line = refused("--database", text, "status", code=1 if "answer" in why else 2)
    assert why in line
    assert "s3cret" not in line
    assert "%40" not in line
