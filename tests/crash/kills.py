"""The ways in which a command, or what it stands on, is ended."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from random import Random

from pgsim.embedded.postmaster import SOCKET
from tests.crash.disk import forbid_files
from tests.crash.proxy import Proxy, proxied
from tests.crash.room import Room, Running
from tests.support.kills import kill

INTERRUPTED, TERMINATED = 130, 143
START = 0.15  # of all kills come while Python starts


@dataclass(frozen=True, slots=True)
class Measured:
    """What a command took undisturbed: seconds, and bytes through its connections.

    `start` seconds of it are every command's own: Python, and what it imports.
    """

    seconds: float
    start: float
    passed: int = 0

    def second(self, share: float) -> float:
        """The moment at a share of the way: START of it is the start, however long that takes."""
        start = min(self.start, self.seconds)
        if share < START:
            return share / START * start
        return start + (share - START) / (1 - START) * (self.seconds - start)


class Kill:
    """One way, for one trial.

    `codes` are the exit codes that the command may have; 0 where it was not hurt. `ends_client`
    says whether a command ends that would go on when its connection is lost; else it has to bear
    the kill for `lasts` seconds. `is_left_down` says whether the server needs a start afterwards.
    `disk` says whether the command needs the small disk.
    """

    ends_client = False
    codes = frozenset({0, 1})
    lasts = 0.0
    is_left_down = False
    disk = False

    def __init__(self, share: float, measured: Measured, chance: Random) -> None:
        self.share, self.measured, self.chance = share, measured, chance

    @property
    def moment(self) -> str:
        """When it comes, as text."""
        return f"{self.share:5.1%} ({self.measured.second(self.share):.2f} s)"

    @contextmanager
    def around(self, room: Room) -> Iterator[None]:
        """Set up what the kill needs while the command runs."""
        yield

    def is_due(self, running: Running) -> bool:
        """Whether its moment has come."""
        return time.monotonic() - running.started >= self.measured.second(self.share)

    def strike(self, room: Room, running: Running) -> bool:
        """Kill; False where there is nothing yet to kill."""
        raise NotImplementedError

    def mend(self, room: Room) -> None:
        """Undo what would keep the command from running again."""

    def measured_again(self, running: Running) -> Measured:
        """What to expect after a run that ended before the kill: less, its start too."""
        seconds = min(running.seconds, 0.9 * self.measured.seconds)
        start = self.measured.start * seconds / self.measured.seconds
        return replace(self.measured, seconds=seconds, start=start)


class Signal(Kill):
    """A signal to the client, and to its process `group` where a terminal would send it."""

    ends_client = True
    number = signal.SIGKILL
    group = False

    def strike(self, room: Room, running: Running) -> bool:
        """Send it."""
        running.signal(self.number, group=self.group)
        return True


class Killed(Signal):
    """kill -9."""

    codes = frozenset({-signal.SIGKILL})


class Terminated(Signal):
    """SIGTERM, as when a service is stopped; Python itself does not handle it while it starts."""

    number = signal.SIGTERM
    codes = frozenset({0, TERMINATED, -signal.SIGTERM})


class Interrupted(Signal):
    """Ctrl-C."""

    number, group = signal.SIGINT, True
    codes = frozenset({0, 1, INTERRUPTED, -signal.SIGINT})


class HungUp(Signal):
    """A terminal that is closed."""

    number, group = signal.SIGHUP, True
    codes = frozenset({0, 128 + signal.SIGHUP, -signal.SIGHUP})


class Stopped(Signal):
    """A client that is suspended for a while, goes on for a moment, and is killed."""

    codes = frozenset({0, -signal.SIGKILL})

    def strike(self, room: Room, running: Running) -> bool:
        """Suspend it, let it go on, kill it."""
        running.signal(signal.SIGSTOP)
        time.sleep(self.chance.uniform(0.1, 1))
        running.signal(signal.SIGCONT)
        time.sleep(self.chance.uniform(0, 0.2))
        running.signal(signal.SIGKILL)
        return True


class Worker(Kill):
    """kill -9 of a process that the client has started."""

    def strike(self, room: Room, running: Running) -> bool:
        """Kill one of them."""
        workers = [pid for pid in room.processes() if pid != running.process.pid]
        if not workers:
            return False
        with suppress(ProcessLookupError):
            os.kill(self.chance.choice(workers), signal.SIGKILL)
        return True


class Terminate(Kill):
    """pg_terminate_backend of one of the command's sessions."""

    def strike(self, room: Room, running: Running) -> bool:
        """End one."""
        backends = room.backends()
        if not backends:
            return False
        with room.campaign.admin() as conn:
            conn.execute("SELECT pg_terminate_backend(%s)", (self.chance.choice(backends),))
        return True


class Backend(Kill):
    """kill -9 of one of the server's processes, upon which the server ends all and recovers."""

    def strike(self, room: Room, running: Running) -> bool:
        """Kill one."""
        backends = room.backends()
        if not backends:
            return False
        with suppress(ProcessLookupError):
            os.kill(self.chance.choice(backends), signal.SIGKILL)
        return True

    def mend(self, room: Room) -> None:
        """Wait until the server has recovered."""
        # For a moment it accepts connections that it ends again.
        time.sleep(0.2)
        room.campaign.start()


class Power(Kill):
    """A power cut for the server: it loses what it has not written to the disk."""

    lasts = 0.5
    is_left_down = True

    def strike(self, room: Room, running: Running) -> bool:
        """Kill all of its processes at once."""
        kill(room.campaign.server)
        return True

    def mend(self, room: Room) -> None:
        """Start the server."""
        room.campaign.start()


class PowerAfterwards(Power):
    """A power cut for the server as soon as the command has ended: all has to be on the disk."""

    codes = frozenset({0})
    is_left_down = False
    moment = "the end"

    def is_due(self, running: Running) -> bool:
        """Never while the command runs."""
        return False


class FullDisk(Kill):
    """A disk that is full from one moment to the next: the database's, or that of the output."""

    disk = True
    lasts = 1.5

    def strike(self, room: Room, running: Running) -> bool:
        """Fill it."""
        if room.campaign.disk.problem:
            forbid_files(room.processes())
        else:
            room.campaign.disk.fill()
        return True

    def mend(self, room: Room) -> None:
        """Make room again."""
        room.campaign.disk.free()


class Socket(Kill):
    """A connection that is cut at some byte, of TCP or of a Unix socket."""

    proxy: Proxy

    @property
    def moment(self) -> str:
        """The byte."""
        return f"{self.share:5.1%} (byte {self._byte:,})"

    @property
    def _byte(self) -> int:
        return int(self.share * self.measured.passed)

    @contextmanager
    def around(self, room: Room) -> Iterator[None]:
        """Lead the command through a proxy."""
        with through_proxy(room, tcp=self.chance.random() < 0.5, cut_at=self._byte) as self.proxy:
            yield

    def is_due(self, running: Running) -> bool:
        """Whether the proxy has cut it."""
        return self.proxy.was_cut.is_set()

    def strike(self, room: Room, running: Running) -> bool:
        """Do nothing more."""
        return True

    def measured_again(self, running: Running) -> Measured:
        """As many bytes as went through this time."""
        return replace(self.measured, passed=min(self.proxy.passed, self.measured.passed - 1))


@contextmanager
def through_proxy(room: Room, *, tcp: bool, cut_at: int | None = None) -> Iterator[Proxy]:
    """Lead a room's commands to the server through a proxy."""
    server = room.campaign.server.socket_folder / SOCKET
    before = room.url
    with proxied(server, room.folder, room.name, tcp=tcp, cut_at=cut_at) as (proxy, room.url):
        yield proxy
    room.url = before


CLIENT: dict[str, type[Kill]] = {
    "kill": Killed,
    "term": Terminated,
    "int": Interrupted,
    "hup": HungUp,
    "stop": Stopped,
}
SERVER: dict[str, type[Kill]] = {
    "terminate": Terminate,
    "backend": Backend,
    "power": Power,
    "socket": Socket,
}
KILLS: dict[str, type[Kill]] = {
    **CLIENT,
    "worker": Worker,
    **SERVER,
    "end": PowerAfterwards,
    "disk": FullDisk,
}
