"""Worker processes: a crash costs one item, whatever way the process ends."""

import importlib
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from pgsim.errors import PgsimError, UsageError
from pgsim.processes import Worker, WorkerDied, in_workers


def act(item: str) -> str:
    """What a test's process does with an item; it runs in that process."""
    match item.split():
        case ["signal", name]:
            os.kill(os.getpid(), signal.Signals[name])
        case ["exit", code]:
            os._exit(int(code))
        case ["half"]:
            for file in Path("/proc/self/fd").iterdir():
                with suppress(OSError):
                    if file.is_socket():
                        os.write(int(file.name), struct.pack("!i", 1000) + b"of which this is all")
            os._exit(4)
        case ["start"]:
            list(in_workers(act, ["another"], 1))
        case ["refuse"]:
            raise UsageError("not this one")
        case ["print"]:
            os.write(1, b"library chatter")
            os.write(2, b"library chatter")
        case ["long"]:
            return "x" * 10_000_000
        case ["pid"]:
            return str(os.getpid())
    return item.upper()


def test_a_process_that_dies_costs_its_own_item_alone():
    items = [f"item {n}" for n in range(12)]
    items[3:3] = ["signal SIGSEGV"]
    items[7:7] = ["signal SIGABRT", "exit 3", "half"]
    answers = dict(in_workers(act, items, 2))
    assert len(answers) == len(items)
    for item, answer in answers.items():
        if item.startswith("item"):
            assert answer == item.upper()
        else:
            assert isinstance(answer, WorkerDied)
    assert str(answers["signal SIGSEGV"]).endswith("ended by SIGSEGV")
    assert str(answers["exit 3"]).endswith("ended with exit code 3")
    assert str(answers["half"]).endswith("ended with exit code 4")


def test_a_process_that_was_killed_may_have_lacked_memory():
    [(_, answer)] = in_workers(act, ["signal SIGKILL"], 1)
    assert str(answer).endswith("ended by SIGKILL, perhaps for lack of memory: try fewer workers")


def test_an_error_of_ours_is_an_answer_and_a_long_answer_arrives_whole():
    answers = dict(in_workers(act, ["refuse", "long"], 1))
    assert isinstance(answers["refuse"], PgsimError)
    assert str(answers["refuse"]) == "not this one"
    assert answers["long"] == "x" * 10_000_000


def test_what_libraries_print_is_not_seen(capfd: pytest.CaptureFixture[str]):
    list(in_workers(act, ["print"], 1))
    assert capfd.readouterr() == ("", "")


def test_no_items_need_no_process():
    assert list(in_workers(act, [], 4)) == []


def test_processes_end_when_nobody_wants_more():
    answers = in_workers(act, ["pid"] * 8, 1)
    _, pid = next(answers)
    answers.close()  # type: ignore[attr-defined]
    assert_ends(int(str(pid)))


# No `if __name__ == "__main__"`: a process does not begin by running this again.
SCRIPT = """
import time
from pgsim.processes import in_workers
from tests.unit.test_processes import act
answers = in_workers(act, ["pid"] * 8, 1)
print(next(answers)[1], flush=True)
time.sleep(60)
"""


def test_processes_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(pid, 0)
        parent.kill()
    assert_ends(pid)


def test_a_process_starts_no_others() -> None:
    [(_, answer)] = in_workers(act, ["start"], 1)
    assert isinstance(answer, PgsimError)
    assert "cannot start others" in str(answer)


def test_whatever_stands_in_the_path_of_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a:b"
    folder.mkdir()
    (folder / "doubling.py").write_text("def double(number): return 2 * number")
    monkeypatch.setattr(sys, "path", [*sys.path, None, str(folder)])
    double = importlib.import_module("doubling").double
    assert dict(in_workers(double, [1, 2], 2)) == {1: 2, 2: 4}


def test_a_process_that_has_died_can_be_sent_more() -> None:
    worker: Worker[str, str] = Worker(_act)
    worker.send("signal SIGKILL")
    for _ in range(20):
        worker.send("long" * 100_000)
    with pytest.raises(WorkerDied, match="SIGKILL"):
        worker.answer()
    worker.end()


def _act() -> Callable[[str], str]:
    return act


def assert_ends(pid: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("the process is still there")
