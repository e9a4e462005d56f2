"""Find a living server: `postmaster.pid`, checked against the process itself."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pgsim.embedded.account import EmbeddedError

PORT = 5432
SOCKET = f".s.PGSQL.{PORT}"


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A living server process; `status` is starting, ready or stopping."""

    pid: int
    status: str


def find_postmaster(data: Path, sockets: Path) -> Postmaster | None:
    """The living postmaster of a data folder; None without one, or with the remains of one."""
    try:
        lines = (data / "postmaster.pid").read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return None
    pid = int(lines[0]) if lines and lines[0].isdigit() else 0
    # One in another container has a process id that means nothing here, but its socket answers.
    if not is_postmaster(pid, data) and not _answers(sockets / SOCKET):
        return None
    return Postmaster(pid, lines[7].strip() if len(lines) > 7 else "starting")


def is_postmaster(pid: int, data: Path) -> bool:
    """Return whether a process is PostgreSQL at work in `data`, not a zombie or another program."""
    if sys.platform == "linux":
        return _works_in(pid, data)
    listed = subprocess.run(
        ["/bin/ps", "-o", "stat=,command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return not listed.startswith("Z") and f"-D {data}" in listed


def remove_remains(data: Path, sockets: Path, *, patience: float = 60.0) -> None:
    """Remove what a killed postmaster left, once the processes it had started are gone.

    They are sent SIGQUIT, as the postmaster does after a crash: one busy with a long statement
    would notice its death only at the end. EmbeddedError after `patience` seconds.
    """
    if not (data / "postmaster.pid").exists():
        return
    deadline = time.monotonic() + patience
    signalled: set[int] = set()
    while orphans := _orphans(data):
        for pid in orphans - signalled:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGQUIT)
        signalled |= orphans
        if time.monotonic() > deadline:
            raise EmbeddedError(
                f"processes of a killed server still work in {data}: "
                f"end {', '.join(map(str, sorted(orphans)))} and start again"
            )
        time.sleep(0.05)
    (data / "postmaster.pid").unlink(missing_ok=True)
    (sockets / f"{SOCKET}.lock").unlink(missing_ok=True)


def _works_in(pid: int, data: Path) -> bool:
    """Return whether a Linux process is the PostgreSQL of `data`; a zombie works nowhere.

    Root may signal any process, so name, folder and user must all be right.
    """
    process = Path("/proc", str(pid))
    try:
        return (
            (process / "comm").read_text().strip() == "postgres"
            and (process / "cwd").samefile(data)
            and process.stat().st_uid == data.stat().st_uid
        )
    except OSError:
        return False


def _orphans(data: Path) -> set[int]:
    """Process ids at work in `data`; elsewhere than on Linux PostgreSQL's own check must do."""
    if sys.platform != "linux":
        return set()
    processes = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return {pid for pid in processes if _works_in(pid, data)}


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1.0)
        try:
            client.connect(str(path))
        except BlockingIOError:  # a full queue: a server is there
            return True
        except OSError:
            return False
    return True
