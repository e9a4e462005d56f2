"""What is not as it should be: how a command ended, what it made, and what it left behind."""

import re
import time
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pgsim
from pgsim.planning.scratch_database import SCRATCH
from tests.crash.room import Room, Running

GRACE = 20.0  # seconds in which the processes of a killed command end
_DAMAGE = re.compile(
    "PANIC|TRAP:|corrupt|invalid page|could not read block|checksum|invalid memory alloc"
    "|unexpected data beyond EOF|missing chunk|could not open file|terminated by signal (?!9:)"
)
# What is empty unless somebody is at work.
_EMPTY = {
    "unfinished rebuilds": "SELECT id FROM pgsim.rebuild WHERE finished_at IS NULL",
    "events of a rebuild": "SELECT id FROM pgsim.rebuild_event",
    "prepared transactions": "SELECT gid FROM pg_prepared_xacts",
    "advisory locks": "SELECT objid, pid FROM pg_locks WHERE locktype = 'advisory' AND database ="
    " (SELECT oid FROM pg_database WHERE datname = current_database())",
}


def complaint(running: Running) -> str:
    """What is wrong with how a command has ended, whatever ended it; empty for nothing."""
    traceback = re.search(r"^Traceback .*", running.err, re.DOTALL | re.MULTILINE)
    own = str(Path(pgsim.__file__).parent)
    if traceback and own in traceback[0]:  # Python itself can be interrupted before
        return f"a traceback: {traceback[0].splitlines()[-1]}"
    if running.code == 1 and not re.search("^pgsim: .", running.err, re.MULTILINE):
        return "exit code 1 without a word why"
    return ""


def difference(found: dict[str, Any], wanted: dict[str, Any]) -> str:
    """The first thing in which an outcome is not that of an undisturbed run; empty for none."""
    for name in [*wanted, *(found.keys() - wanted.keys())]:
        own, other = found.get(name), wanted.get(name)
        if own == other:
            continue
        if not (isinstance(own, list) and isinstance(other, list)):
            return f"{name}: {own!r} instead of {other!r}"
        counts = f"{len(own)} instead of {len(other)}: " if len(own) != len(other) else ""
        pairs = enumerate(zip_longest(own, other))
        at = next(place for place, (one, another) in pairs if one != another)
        return f"{name}: {counts}{own[at : at + 1]} instead of {other[at : at + 1]}"
    return ""


def leftovers(room: Room) -> list[str]:
    """What is still there of a command that has ended, and signs of damage."""
    found = []
    deadline = time.monotonic() + GRACE
    while _is_at_work(room) and time.monotonic() < deadline:
        time.sleep(0.05)
    if processes := room.processes():
        found.append(f"processes {[_command(pid) for pid in processes]}")
    if left := sorted(path.name for path in room.temporary.iterdir()):
        found.append(f"temporary files {left}")
    if bad := [line for line in room.log().splitlines() if _DAMAGE.search(line)]:
        found.append(f"in the server's log: {bad[0]}")
    if not room.has_database:
        return found
    if backends := room.backends():
        found.append(f"sessions {backends}")
    with room.connection() as conn:
        for what, query in _EMPTY.items():
            if rows := conn.execute(query.encode()).fetchall():
                found.append(f"{what}: {rows[:3]}")
        if conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", (SCRATCH,)).fetchone():
            found.append(f"the database {SCRATCH}")
    return found


def _is_at_work(room: Room) -> bool:
    return bool(room.processes() or (room.has_database and room.backends()))


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()[:100]
    except OSError:
        return "one that has ended"
