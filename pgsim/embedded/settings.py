"""The embedded server's configuration: memory to fit the machine, peer login, no network."""

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from pgsim.control_groups import group_folders, read_words
from pgsim.embedded.account import Account
from pgsim.errors import UsageError

MIB = 1 << 20


def write_configuration(home: Path, sockets: Path, account: Account) -> None:
    """Write postgresql.conf, pg_hba.conf and pg_ident.conf into `home`.

    They lie beside the data, not inside: where root writes them, the account that runs the
    server (and so a database superuser) can neither change nor redirect them.
    """
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": f'"{sockets}"',
        "unix_socket_permissions": "0700",
        "port": "5432",
        "hba_file": str(home / "pg_hba.conf"),
        "ident_file": str(home / "pg_ident.conf"),
        "cluster_name": "pgsim",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # The session of a killed client ends, with its locks and its snapshot.
        "client_connection_check_interval": "2s",
        **memory_settings(memory_limit(), shared_memory_space()),
    }
    _write(home / "postgresql.conf", _format(settings) + "include_if_exists 'settings.conf'\n")
    _write(
        home / "pg_hba.conf",
        "local all all peer map=pgsim\nlocal replication all peer map=pgsim\n",
    )
    _write(home / "pg_ident.conf", f'pgsim root all\npgsim "{account.name}" all\n')


def persist_settings(home: Path, settings: Mapping[str, str]) -> bool:
    """Add settings to those that every start of this server uses; return whether any is new."""
    path = home / "settings.conf"
    known = _read(path)
    merged = {**known, **settings}
    for name in settings:
        if not re.fullmatch(r"[A-Za-z_][\w.]*", name):
            raise UsageError(f"'{name}' is no name of a PostgreSQL setting")
    if merged == known:
        return False
    _write(path, _format(merged))
    return True


def memory_settings(total: int, shared_memory: int) -> dict[str, str]:
    """Settings for `total` bytes of memory, of which /dev/shm may hold `shared_memory`.

    A vector index is built in maintenance_work_mem, which parallel builds keep in shared memory:
    where /dev/shm is small, as in containers, files take its place. After each checkpoint every
    changed page is written whole to the write-ahead log, and a refresh changes pages all over the
    matrix: so checkpoints are rare.
    """
    maintenance = min(max(total // 8, 64 * MIB), 4096 * MIB)
    megabytes = {
        "shared_buffers": min(max(total // 4, 32 * MIB), 8192 * MIB),
        "effective_cache_size": total * 5 // 8,
        "maintenance_work_mem": maintenance,
        "work_mem": min(max(total // 256, 4 * MIB), 64 * MIB),
        "max_wal_size": min(max(total // 4, 1024 * MIB), 8192 * MIB),
    }
    settings = {name: f"{size // MIB}MB" for name, size in megabytes.items()}
    settings["checkpoint_timeout"] = "15min"
    if shared_memory < maintenance:
        settings["dynamic_shared_memory_type"] = "mmap"
    return settings


def memory_limit(root: Path = Path("/")) -> int:
    """Bytes that this process may use: the machine's memory, or its control group's if less."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for version, folder in group_folders("memory", root):
        words = read_words(folder / ("memory.max" if version == 2 else "memory.limit_in_bytes"))
        limits += [int(word) for word in words if word.isdigit()]  # "max": no limit
    return min(limit for limit in limits if limit > 0)


def shared_memory_space() -> int:
    """Bytes free in /dev/shm; plenty where the system has no such folder."""
    try:
        return shutil.disk_usage("/dev/shm").free  # noqa: S108
    except OSError:
        return 1 << 62


def _format(settings: Mapping[str, str]) -> str:
    quoted = {
        name: value.replace("\\", "\\\\").replace("'", "''") for name, value in settings.items()
    }
    return "".join(f"{name} = '{value}'\n" for name, value in quoted.items())


def _read(path: Path) -> dict[str, str]:
    """Settings in the form that _format writes."""
    if not path.exists():
        return {}
    pairs = (line.split(" = ", 1) for line in path.read_text().splitlines())
    return {name: value[1:-1].replace("''", "'").replace("\\\\", "\\") for name, value in pairs}


def _write(path: Path, text: str) -> None:
    growing = path.with_name(f"{path.name}.growing")
    growing.write_text(text)
    growing.chmod(0o644)
    growing.replace(path)
