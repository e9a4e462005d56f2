"""What `pgsim serve` is told: the database, what a request may cost, and what it may reach."""

from dataclasses import dataclass
from pathlib import Path

MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a server; times in seconds, sizes in bytes.

    A body has `body_time` to come, and a second more for each 64 kB of it. A client that takes
    nothing of its answer for `sending_time` loses it. Where `local_names` is set, the server is
    known by no name but localhost. `rate` is how many requests a second one client may make, in
    each worker; 0 means any number. `secret` is the file that the users' passwords are made from.
    """

    conninfo: str
    as_owner: bool = False
    needs_key: bool = False
    secret: Path | None = None
    audio: Path | None = None
    cors: tuple[str, ...] = ()
    root_path: str = ""
    local_names: bool = False
    connections: int = 4
    statement_time: float = 10.0
    waiting_time: float = 2.0
    body_time: float = 30.0
    sending_time: float = 60.0
    rate: float = 0.0
    largest_body: int = MEGABYTE
    largest_upload: int = 64 * MEGABYTE
    upload_time: float = 60.0
    upload_memory: int = 2048 * MEGABYTE
