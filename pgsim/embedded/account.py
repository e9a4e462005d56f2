"""The system account that runs the embedded server: the caller, or for root the user `pgsim`."""

import os
import pwd
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pgsim.errors import PgsimError

SYSTEM_USER = "pgsim"


class EmbeddedError(PgsimError):
    """The embedded server cannot be used; the message names the cause and the cure."""


@dataclass(frozen=True, slots=True)
class Account:
    """The account that owns the data and runs the server; PostgreSQL refuses to run as root."""

    name: str
    uid: int
    gid: int

    def run(
        self, *command: str | Path, keep_open: Sequence[int] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as this account, away from the caller's folder and PG* variables.

        A session of its own keeps Ctrl-C in the caller's terminal from a half-started server.
        OSError when it cannot be executed.
        """
        identity = os.geteuid() != self.uid
        return subprocess.run(
            [str(part) for part in command],
            user=self.uid if identity else None,
            group=self.gid if identity else None,
            extra_groups=() if identity else None,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C", "HOME": "/"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            start_new_session=True,
            pass_fds=keep_open,
        )

    def check_reaches(self, folder: Path) -> None:
        """EmbeddedError naming the first folder on the way to `folder` that is closed to us."""
        script = 'for folder; do cd "$folder" 2>/dev/null || { echo "$folder"; exit 1; }; done'
        way = [*reversed(folder.parents), folder]
        blocked = self.run("/bin/sh", "-c", script, "sh", *way).stdout.strip()
        if blocked:
            raise EmbeddedError(
                f"user '{self.name}', which runs the embedded server, cannot enter {blocked}: "
                f"chmod o+x {blocked}, or set PGSIM_HOME to a folder that every user can reach"
            )


def existing_account() -> Account | None:
    """The account that runs (or would run) the server; None for root before `pgsim` is created."""
    uid = os.geteuid()
    try:
        entry = pwd.getpwuid(uid) if uid else pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        if uid:
            raise EmbeddedError(
                f"user id {uid} has no name, and PostgreSQL needs one: "
                "add it to /etc/passwd, or run as another user"
            ) from None
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def account() -> Account:
    """The account that runs the server; for root it is created, and announced on stderr."""
    for _ in range(20):
        found = existing_account()
        if found:
            return found
        _create_system_user()
    raise EmbeddedError(f"cannot create the system user '{SYSTEM_USER}': create it with useradd")


def _create_system_user() -> None:
    program = shutil.which("useradd", path=f"{os.defpath}:/usr/sbin:/sbin")
    if program is None:
        raise EmbeddedError(
            f"no useradd here to create the system user '{SYSTEM_USER}', which runs the embedded "
            "server for root: create that user, or run pgsim as an ordinary user"
        )
    options = ("--system", "--user-group", "--no-create-home", "--home-dir", "/var/lib/pgsim")
    made = subprocess.run(
        [program, *options, "--shell", "/usr/sbin/nologin", SYSTEM_USER],
        capture_output=True,
        check=False,
    )
    if made.returncode == 0:
        print(
            f"created the system user '{SYSTEM_USER}', who runs the embedded server for root",
            file=sys.stderr,
        )
    else:
        time.sleep(0.2)  # another process may hold the lock of /etc/passwd, or have just made it
