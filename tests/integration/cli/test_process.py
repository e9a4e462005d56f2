"""The program as a process: signals from its first moment, and standard files that are closed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pgsim import embedded
from tests.support.databases import environment
from tests.support.documents import low_level, write_lines

PROGRAM = (sys.executable, "-m", "pgsim")
# The program with an import in it that takes long: it writes a line when it begins.
SLOW = """
import sys, time
class Slow:
    def find_spec(self, name, path, target=None):
        if name == "psycopg":
            print("importing", flush=True)
            time.sleep(60)
sys.meta_path.insert(0, Slow())
from pgsim.__main__ import main
main()
"""


def begun(line: str, *command: str) -> "subprocess.Popen[str]":
    """A process that has printed its first line."""
    process = subprocess.Popen(
        command,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == f"{line}\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_modules_are_imported_is_one_line(number: signal.Signals) -> None:
    process = begun("importing", sys.executable, "-c", SLOW, "status")
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert said == "pgsim: interrupted\n"
    assert process.returncode == 128 + number


def test_nohup_keeps_the_program_from_hanging_up(tmp_path: Path) -> None:
    process = begun(
        "importing",
        "/bin/sh",
        "-c",
        'trap "" HUP; exec "$@"',
        "sh",
        sys.executable,
        "-c",
        SLOW,
        "status",
    )
    process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert process.poll() is None
    process.kill()
    process.communicate()


@pytest.mark.parametrize(
    "closed",
    [
        *(pytest.param(each, marks=pytest.mark.slow) for each in (">&-", "2>&-", "<&-")),
        "<&- >&- 2>&-",
    ],
)
def test_standard_files_may_be_closed(
    new_database: Callable[..., str], acousticbrainz_template: str, tmp_path: Path, closed: str
) -> None:
    url = new_database(acousticbrainz_template)
    path = write_lines(tmp_path / "a.ndjson", [low_level(i) for i in range(3)])
    for arguments in (["load", str(path)], ["status"]):
        done = subprocess.run(
            ["/bin/sh", "-c", f'"$@" {closed}', "sh", *PROGRAM, "--database", url, *arguments],
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, (arguments, done.stderr)
        assert "Traceback" not in done.stderr
        if arguments == ["status"] and "2" in closed and closed.count("&") == 1:
            assert "recordings" in done.stdout


def test_an_export_that_the_terminal_hangs_up_on_leaves_nothing(
    server: embedded.Server, filled_template: str, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "gate")
    slow = (
        "import sys; from pgsim.transfer.export import parquet, lines\n"
        "import pgsim.transfer.export as export\n"
        "def wait(matrix):\n"
        "    yield b'half'; print('writing', flush=True); open(sys.argv.pop()).read()\n"
        "export.FORMATS['csv'] = export.Format(('.csv',), stream=wait)\n"
        "from pgsim import cli; gate = sys.argv[-1]\n"
        "arguments = sys.argv[1:-1]; real = sys.argv; sys.argv = [real[0], *arguments, gate]\n"
        "import pgsim.cli as cli\n"
        "run = cli.run; cli.run = lambda _, begin: run(arguments, begin)\n"
        "cli.main()"
    )
    url = server.conninfo(filled_template)
    process = begun(
        "writing",
        *(sys.executable, "-c", slow, "--database", url, "export"),
        *(str(tmp_path / "a.csv"), str(tmp_path / "gate")),
    )
    process.send_signal(signal.SIGHUP)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (129, "pgsim: interrupted\n")
    assert [each.name for each in tmp_path.iterdir()] == ["gate"]
