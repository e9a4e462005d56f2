"""The folder that an output is written in: it goes away, and so do those of killed processes."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pgsim.transfer.output import working_folder
from tests.support.databases import environment

WORK = (
    "import sys, time; from pathlib import Path; from pgsim.transfer.output import working_folder\n"
    "with working_folder(Path(sys.argv[1])) as folder:\n"
    "    (folder / 'half').write_text('half'); print(folder, flush=True); time.sleep(60)"
)


def at_work(path: Path) -> tuple["subprocess.Popen[str]", Path]:
    """A process that writes that output, and its folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORK, str(path)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def end(process: "subprocess.Popen[str]", number: signal.Signals) -> None:
    process.send_signal(number)
    process.communicate(timeout=30)


def test_what_a_killed_process_left_is_removed_by_the_next_one(tmp_path: Path) -> None:
    killed, left = at_work(tmp_path / "one.csv")
    end(killed, signal.SIGKILL)
    assert (left / "half").exists()
    with working_folder(tmp_path / "another.h5") as folder:
        assert not left.exists()
        assert folder.parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_process_at_work_and_those_of_others_stay(tmp_path: Path) -> None:
    others = [
        tmp_path / name
        for name in (".git", ".a.pgsim-short", ".pgsim-12345678", "a.pgsim-12345678")
    ]
    for other in others:
        other.mkdir()
    (tmp_path / ".a.pgsim-linkedto").symlink_to(others[0])
    process, at = at_work(tmp_path / "one.csv")
    with working_folder(tmp_path / "one.csv") as folder:
        assert folder != at
        assert (at / "half").exists()
    end(process, signal.SIGINT)
    assert {each.name for each in tmp_path.iterdir()} == {
        *(each.name for each in others),
        ".a.pgsim-linkedto",
    }


def test_the_folder_goes_away_where_the_work_fails(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError), working_folder(tmp_path / "a") as folder:
        folder.mkdir()
    assert list(tmp_path.iterdir()) == []
