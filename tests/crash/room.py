"""A trial's own database, folder and processes."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO

from pgsim.errors import PgsimError
from pgsim.planning.scratch_database import SCRATCH
from pgsim.postgres.connection import Connection, connect
from tests.crash.campaign import PATIENCE, Campaign

PROGRAM = Path(__file__).with_name("program.py")
MARK = "PGSIM_CRASH"  # in the environment of every process of a room


class Room:
    """One trial's own database, folder and processes.

    `url` is what commands are given as --database: a name on the embedded server, until a trial
    leads them through a proxy. `out` is a folder for what they write. `disk` says what of it is on
    the small disk: the database (data), that folder (out), or nothing. `base` is the database to
    copy; without one the room has none.
    """

    def __init__(self, campaign: Campaign, name: str, base: str | None, disk: str = "") -> None:
        self.campaign, self.name, self.has_database = campaign, name, base is not None
        self.folder = campaign.folder / name
        self.folder.mkdir()
        self.out = campaign.disk.folder / name if disk == "out" else self.folder / "out"
        self.temporary = self.folder / "tmp"
        for folder in (self.out, self.temporary):
            folder.mkdir()
        self.url = name
        self._runs = 0
        self._on_disk = disk
        self._log = campaign.server.log.stat().st_size
        if base is not None:
            campaign.copy(base, name, on_small_disk=disk == "data")

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection to the room's database, never through a proxy."""
        with closing(connect(self.campaign.server.conninfo(self.name), autocommit=True)) as conn:
            yield conn

    def begin(self, *arguments: str) -> "Running":
        """Start a command of pgsim on the room's database."""
        self._runs += 1
        return Running(self, self._runs, arguments)

    def finish(self, *arguments: str) -> "Running":
        """Run a command until it ends."""
        running = self.begin(*arguments)
        running.wait()
        return running

    @property
    def mark(self) -> str:
        """A variable that stands in the environment of the room's processes."""
        return f"{MARK}={self.folder}"

    def processes(self) -> list[int]:
        """The room's commands and all processes that they have started, as far as these live."""
        mark = f"{self.mark}\0".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has ended, or is another user's
                if mark in folder.joinpath("environ").read_bytes() + b"\0":
                    found.append(int(folder.name))
        return sorted(found)

    def backends(self) -> list[int]:
        """The server's processes that work for the room's commands."""
        with self.campaign.admin() as conn:
            rows = conn.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = %s"
                " AND backend_type IN ('client backend', 'parallel worker') ORDER BY pid",
                (self.name,),
            ).fetchall()
        return [pid for (pid,) in rows]

    def has_idle_session(self) -> bool:
        """Whether a session of a command has had nothing to do for a while."""
        with self.campaign.admin() as conn:
            found = conn.execute(
                "SELECT 1 FROM pg_stat_activity WHERE datname = %s AND state = 'idle'"
                " AND state_change < clock_timestamp() - interval '0.3 s'",
                (self.name,),
            ).fetchall()
        return bool(found)

    def log(self) -> str:
        """What the server has written into its log since the room was made."""
        with self.campaign.server.log.open("rb") as log:
            log.seek(self._log)
            return log.read().decode(errors="replace")

    def keep(self) -> None:
        """End the room's processes, and keep its folder and its database for a person."""
        self._end_processes()
        self.campaign.start()
        self.campaign.drop(SCRATCH)  # later trials have their own
        (self.folder / "server.log").write_text(self.log())
        if self._on_disk:
            self.campaign.disk.free()
        if self._on_disk == "data":
            self.campaign.keep(self.name)
        elif self._on_disk == "out":
            shutil.copytree(self.out, self.folder / "out")

    def clear(self) -> None:
        """Remove all of the room."""
        self._end_processes()
        if self._on_disk:
            self.campaign.disk.free()
        if self.has_database:
            self.campaign.drop(self.name)
        for folder in (self.out, self.folder):
            shutil.rmtree(folder, ignore_errors=True)

    def _end_processes(self) -> None:
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class Running:
    """A command of pgsim in a process group of its own; its output goes to the room's folder."""

    def __init__(self, room: Room, number: int, arguments: tuple[str, ...]) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        name, _, mark = room.mark.partition("=")
        self._out, self._err = (room.folder / f"run{number}.{kind}" for kind in ("out", "err"))
        self.started = time.monotonic()
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = self._open(
                [sys.executable, str(PROGRAM), "--database", room.url, *arguments],
                {
                    **kept,
                    name: mark,
                    "PGSIM_HOME": str(room.campaign.server.home),
                    "TMPDIR": str(room.temporary),
                    # On a full disk it would keep modules compiled in part.
                    "PYTHONDONTWRITEBYTECODE": "1",
                },
                out,
                err,
            )
        self.seconds = 0.0  # until it had ended

    @staticmethod
    def _open(
        command: list[str], environment: dict[str, str], out: IO[bytes], err: IO[bytes]
    ) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )

    @property
    def has_ended(self) -> bool:
        """Whether the command has ended; then `seconds` is how long it took."""
        if self.process.poll() is None:
            return False
        self.seconds = self.seconds or time.monotonic() - self.started
        return True

    @property
    def code(self) -> int:
        """The exit code, or the negative number of the signal that ended the command."""
        assert self.process.returncode is not None
        return self.process.returncode

    def wait(self) -> int:
        """The exit code, once the command has ended; PgsimError where that takes too long."""
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise PgsimError(f"it had not ended after {PATIENCE:g} s") from None
        assert self.has_ended
        return self.code

    def signal(self, number: int, *, group: bool = False) -> None:
        """Send a signal to the command, or to its whole process group, as a terminal does."""
        with suppress(ProcessLookupError):
            if group:
                os.killpg(self.process.pid, number)
            else:
                os.kill(self.process.pid, number)

    @property
    def out(self) -> str:
        """What the command has written to stdout."""
        return self._out.read_text(errors="replace")

    @property
    def err(self) -> str:
        """What the command has written to stderr."""
        return self._err.read_text(errors="replace")
