"""The folders of an embedded server, and who may enter them."""

import hashlib
import os
import re
import stat
import sys
from pathlib import Path

import platformdirs

from pgsim.embedded.account import Account, EmbeddedError

LONGEST_SOCKET_FOLDER = 91 if sys.platform == "linux" else 87  # bytes; the socket's name follows


def home_folder(home: Path | None = None) -> Path:
    """The folder of the embedded server: as given, else PGSIM_HOME, else the user's data folder."""
    named = home or os.environ.get("PGSIM_HOME")
    if named:
        return Path(named).expanduser().resolve()
    if os.geteuid() == 0:
        return Path("/var/lib/pgsim")
    return platformdirs.user_data_path("pgsim").resolve()


def make_home(home: Path) -> None:
    """Make the home folder: root's is open to the server's account, a user's to the user alone."""
    if not home.is_dir():
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o755 if os.geteuid() == 0 else 0o700)
    check_owner(home, os.geteuid())
    if home.stat().st_mode & stat.S_IWOTH:
        raise EmbeddedError(f"every user can write to {home}: chmod o-w {home}")


def socket_folder(home: Path) -> Path:
    """The folder of the socket: inside `home`, unless that path cannot be a socket's.

    It may be too long, or hold the comma and quotes that separate folders and hosts. The other
    folder depends on `home` alone, so that every process finds it.
    """
    folder = home / "run"
    if len(os.fsencode(folder)) > LONGEST_SOCKET_FOLDER or re.search('[,"]', str(folder)):
        digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
        # make_socket_folder and is_private refuse a folder of another user.
        folder = Path("/tmp").resolve() / f"pgsim-{digest}"  # noqa: S108
    return folder


def make_socket_folder(folder: Path, owner: Account) -> None:
    """Make the folder of the socket; EmbeddedError when someone else has made it."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.lstat().st_uid == os.geteuid():  # new, or left so by a killed process
        os.chown(folder, owner.uid, owner.gid, follow_symlinks=False)
    if not is_private(folder, owner.uid):
        raise EmbeddedError(
            f"{folder}, the folder for the socket, must be a folder of user '{owner.name}' "
            "with mode 700: remove it, or set PGSIM_HOME to a shorter path"
        )


def is_private(folder: Path, uid: int) -> bool:
    """Return whether `folder` is a real folder that user `uid` alone can enter."""
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == uid and not found.st_mode & 0o077


def check_owner(folder: Path, uid: int) -> None:
    """EmbeddedError unless `folder` is a real folder of user `uid`."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise EmbeddedError(f"{folder} is no folder: remove it, or set PGSIM_HOME to another one")
    if found.st_uid != uid:
        raise EmbeddedError(
            f"{folder} belongs to user id {found.st_uid}, not {uid}: "
            "run pgsim as its owner, or set PGSIM_HOME to another folder"
        )
