"""The users of `pgsim serve`: who they are is in pgsim.web_user, their keys are made from a secret.

Subsonic's token is the MD5 of a password and a salt, so the server has to know the password. No
table holds it: it is made anew from the user's row and a secret in a file of the server's, whoever
has one alone knows no password. The password is also the user's API key, which needs no secret to
be recognised: the table has its SHA-256. It has 160 random bits, which nobody can guess.
"""

import hmac
import os
import secrets
from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from psycopg.errors import UniqueViolation
from psycopg.rows import class_row

from pgsim.embedded.folders import home_folder
from pgsim.errors import PgsimError, UsageError
from pgsim.postgres.connection import Connection

_LENGTH = 32  # bytes of the secret
_SALT = 16
_LONGEST_NAME = 200  # characters


@dataclass(frozen=True, slots=True)
class User:
    """One row of pgsim.web_user, without what its key is recognised by."""

    name: str
    created_at: datetime


def secret_file(given: Path | None) -> Path:
    """Return where the secret is: the file that is given, else one in the home folder."""
    return given or home_folder() / "web.secret"


def read_secret(path: Path) -> bytes:
    """Return the secret; PgsimError where there is none, or others can read it."""
    try:
        if path.stat().st_mode & 0o077:
            raise PgsimError(f"others can read {path}: chmod 600 {path}")
        secret = bytes.fromhex(path.read_text("ascii").strip())
    except FileNotFoundError:
        raise PgsimError(f"there is no {path}: pgsim user add makes it") from None
    except ValueError:
        secret = b""
    if len(secret) != _LENGTH:
        raise PgsimError(f"{path} holds no secret of pgsim's: {2 * _LENGTH} hexadecimal digits")
    return secret


def make_secret(path: Path) -> bytes:
    """Return the secret of a file; make it where there is none."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:  # noqa: PTH123
            file.write(f"{secrets.token_hex(_LENGTH)}\n")
    return read_secret(path)


def key_of(secret: bytes, name: str, salt: bytes) -> str:
    """Return a user's API key, which is also the password."""
    digest = hmac.digest(secret, salt + name.encode(), "sha256")
    return b32encode(digest[:20]).decode().lower()


def digest_of(key: str) -> bytes:
    """Return what the table recognises a key by."""
    return sha256(key.encode()).digest()


def add_user(conn: Connection, name: str, secret: bytes) -> str:
    """Add a user and return the key; UsageError for a name that is taken, or cannot be one."""
    if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise UsageError(
            f"a user's name has from 1 to {_LONGEST_NAME} printable characters, and no space at its"
            f" ends: {name!r:.80} is none"
        )
    salt = secrets.token_bytes(_SALT)
    key = key_of(secret, name, salt)
    try:
        conn.execute(
            "INSERT INTO pgsim.web_user (name, salt, key_digest) VALUES (%s, %s, %s)",
            (name, salt, digest_of(key)),
        )
    except UniqueViolation:
        raise UsageError(f"there is a user '{name}': pgsim user remove {name} first") from None
    return key


def remove_user(conn: Connection, name: str) -> None:
    """Remove a user, whose key is worth nothing from now on; UsageError where there is none."""
    if not conn.execute("DELETE FROM pgsim.web_user WHERE name = %s", (name,)).rowcount:
        raise UsageError(f"there is no user '{name}': see pgsim user list")


def list_users(conn: Connection) -> list[User]:
    """Return the users, by name."""
    cursor = conn.cursor(row_factory=class_row(User))
    return cursor.execute("SELECT name, created_at FROM pgsim.web_user ORDER BY name").fetchall()
