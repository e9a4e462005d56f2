"""The embedded server, in homes of the tests' own: what starts it, and what may go wrong."""

import os
import pwd
import shutil
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from pgsim import embedded
from pgsim.embedded import binaries, settings
from pgsim.embedded.account import Account, account
from tests.support.servers import START, answers, postmaster_pid, wait_until

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def test_starting_a_running_server_is_quick_and_changes_nothing(server: embedded.Server) -> None:
    pid = postmaster_pid(server)
    began = time.perf_counter()
    again = embedded.start(server.home)
    assert time.perf_counter() - began < 0.2
    assert again == server
    assert postmaster_pid(again) == pid


def test_a_new_server_is_closed_to_others_and_guards_its_data(server: embedded.Server) -> None:
    with psycopg.connect(server.conninfo("postgres")) as conn:
        shown = conn.execute(
            "SELECT current_setting('listen_addresses'), current_setting('data_checksums'),"
            " current_setting('TimeZone'), current_setting('fsync'), current_user"
        ).fetchone()
        locale = conn.execute(
            "SELECT datlocprovider, datlocale, pg_encoding_to_char(encoding), lower('ÄÉ')"
            " FROM pg_database WHERE datname = 'postgres'"
        ).fetchone()
        rules = conn.execute("SELECT DISTINCT type, auth_method FROM pg_hba_file_rules").fetchall()
    assert shown == ("", "on", "UTC", "off", "postgres")
    assert locale == ("b", "C.UTF-8", "UTF8", "äé")
    assert rules == [("local", "peer")]
    for folder in (server.data, server.socket_folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_ensuring_a_database_twice_makes_it_once_with_pgvector(server: embedded.Server) -> None:
    name = "a b/ü'\"%"
    for _ in range(2):
        embedded.ensure_database(server, name)
    with psycopg.connect(server.conninfo(name)) as conn:
        row = conn.execute("SELECT current_database(), '[1,2]'::public.vector::text").fetchone()
    assert row == (name, "[1,2]")
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as conn:
        conn.execute('DROP DATABASE "a b/ü\'""%"')


def test_a_database_name_that_postgresql_would_cut_is_refused(server: embedded.Server) -> None:
    with pytest.raises(embedded.EmbeddedError, match="1 to 63 bytes"):
        embedded.ensure_database(server, "ü" * 32)


def test_stop_ends_the_server_and_the_next_start_finds_its_data_and_settings(
    home: Path, fast_settings: dict[str, str]
) -> None:
    server = embedded.start(home, settings=fast_settings)
    embedded.ensure_database(server, "kept")
    assert embedded.stop(home)
    assert not server.is_running
    assert not embedded.stop(home)
    embedded.start(home)
    with psycopg.connect(server.conninfo("kept")) as conn:
        assert conn.execute("SHOW fsync").fetchone() == ("off",)


def test_settings_reach_a_running_server(home: Path, fast_settings: dict[str, str]) -> None:
    server = embedded.start(home, settings=fast_settings)
    value = "it's \\ here"
    embedded.start(home, settings={"cluster_name": "x", "pgsim.note": value})

    def noted() -> bool:
        with psycopg.connect(server.conninfo("postgres")) as conn:
            row = conn.execute("SELECT current_setting('pgsim.note', true)").fetchone()
        return row == (value,)

    wait_until(noted)


def test_a_server_that_cannot_start_says_why(home: Path, fast_settings: dict[str, str]) -> None:
    with pytest.raises(embedded.EmbeddedError, match="did not start") as raised:
        embedded.start(home, settings={**fast_settings, "shared_buffers": "lots"})
    assert "\n" not in str(raised.value)
    assert "server.log" in str(raised.value)
    assert embedded.start(home, settings=fast_settings).is_running


def test_postgresql_16_can_be_chosen_and_is_kept(home: Path, fast_settings: dict[str, str]) -> None:
    server = embedded.start(home, settings=fast_settings, version=16)
    embedded.stop(home)
    embedded.start(home, version=18)
    with psycopg.connect(server.conninfo("postgres")) as conn:
        assert conn.info.server_version // 10000 == 16
        assert conn.execute("SELECT lower('ÄÉ')").fetchone() == ("äé",)


def test_a_home_whose_path_is_too_long_for_a_socket_gets_it_elsewhere(
    open_folder: Path, fast_settings: dict[str, str]
) -> None:
    home = open_folder / ("deep" * 30) / "x, y"
    server = embedded.start(home, settings=fast_settings)
    try:
        assert home not in server.socket_folder.parents
        assert stat.S_IMODE(server.socket_folder.stat().st_mode) == 0o700
        assert server.socket_folder.stat().st_uid == account().uid
        assert answers(server)
        assert embedded.start(home) == server
        embedded.stop(home)
        server.socket_folder.chmod(0o755)
        with pytest.raises(embedded.EmbeddedError, match=str(server.socket_folder)):
            embedded.start(home)
    finally:
        embedded.stop(home)
        shutil.rmtree(server.socket_folder)


def test_a_link_in_place_of_the_socket_folder_is_not_followed(
    home: Path, tmp_path: Path, fast_settings: dict[str, str]
) -> None:
    home.mkdir()
    tmp_path.chmod(0o700)
    (home / "run").symlink_to(tmp_path)
    with pytest.raises(embedded.EmbeddedError, match="folder for the socket"):
        embedded.start(home, settings=fast_settings)


def test_a_home_of_somebody_else_is_refused(home: Path) -> None:
    home.mkdir()
    home.chmod(0o777)
    with pytest.raises(embedded.EmbeddedError, match="every user can write"):
        embedded.start(home)
    if os.geteuid() == 0:
        os.chown(home, pwd.getpwnam("nobody").pw_uid, -1)
        with pytest.raises(embedded.EmbeddedError, match="belongs to"):
            embedded.start(home)
        os.chown(home, 0, -1)
    home.chmod(0o755)


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(embedded.EmbeddedError, match=r"file.*PGSIM_HOME"):
        embedded.start(tmp_path / "file" / "home")


@root_only
def test_root_is_told_which_folder_keeps_the_server_out(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(embedded.EmbeddedError, match=r"user 'pgsim'.* cannot enter /.*chmod o\+x"):
        embedded.start(closed / "home")


@root_only
def test_programs_under_a_closed_folder_are_copied_for_the_account_of_root(
    home: Path, open_folder: Path, in_process: Callable[..., subprocess.Popen[str]]
) -> None:
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    postgres = binaries.find_program("postgres")
    assert postgres is not None
    packages = postgres.parents[3]
    for part in packages.glob(f"{binaries.PACKAGE}*"):
        unused = shutil.ignore_patterns("pginstall", "include", "*.a")
        shutil.copytree(part, closed / part.name, symlinks=True, ignore=unused)
    with in_process(START, path=closed) as client:
        printed, complaint = client.communicate(timeout=60)
    assert client.returncode == 0, complaint
    running = Path(f"/proc/{printed.strip()}/exe").resolve()
    assert running.is_relative_to(home / "binaries")
    for path in running.parents[1].rglob("*"):
        assert path.lstat().st_uid == 0
        assert path.is_symlink() or not path.stat().st_mode & 0o022
    embedded.stop(home)
    copied = running.stat().st_mtime_ns
    with in_process(START, path=closed) as client:
        assert client.wait(60) == 0
    assert running.stat().st_mtime_ns == copied
    shutil.rmtree(closed)


@root_only
def test_an_ordinary_user_runs_a_server_of_their_own(
    open_folder: Path, in_process: Callable[..., subprocess.Popen[str]]
) -> None:
    nobody = pwd.getpwnam("nobody")
    theirs = open_folder / "theirs"
    theirs.mkdir()
    os.chown(theirs, nobody.pw_uid, nobody.pw_gid)
    postgres = binaries.find_program("postgres")
    assert postgres is not None
    if not binaries.executes(Account("nobody", nobody.pw_uid, nobody.pw_gid), postgres):
        pytest.skip("the programs lie in a folder closed to other users")
    # It becomes that user once Python is loaded: the interpreter may lie in a closed folder.
    become = f"""
import os, psycopg
from pgsim import embedded
os.setgroups([]), os.setgid({nobody.pw_gid}), os.setuid({nobody.pw_uid})
"""
    check = """
with psycopg.connect(server.conninfo("postgres")) as conn:
    owner = (server.data.stat().st_uid, server.home.stat().st_mode & 0o777)
    assert owner == (os.getuid(), 0o700), owner
assert embedded.stop()
"""
    environment = {"PGSIM_HOME": str(theirs / "home")}
    with in_process(become + START + check, environment=environment) as client:
        _, complaint = client.communicate(timeout=60)
    assert client.returncode == 0, complaint


def test_without_the_extra_the_cure_is_named_in_one_line(
    in_process: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    # A package of that name without programs in it is found first.
    (tmp_path / binaries.PACKAGE).mkdir()
    (tmp_path / binaries.PACKAGE / "__init__.py").touch()
    with in_process(START, path=tmp_path) as client:
        _, complaint = client.communicate(timeout=60)
    assert client.returncode == 1
    last = complaint.strip().splitlines()[-1]
    assert "pip install 'pgsim[embedded]'" in last
    assert "PGSIM_DATABASE_URL" in last


@pytest.mark.usefixtures("server")
def test_the_package_of_the_programs_is_never_imported() -> None:
    assert binaries.find_program("postgres") is not None
    assert binaries.PACKAGE not in sys.modules


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("0::/\n", {"sys/fs/cgroup/memory.max": "1073741824"}, 1 << 30),
        (
            "0::/user/job\n",
            {"sys/fs/cgroup/user/job/memory.max": "max", "sys/fs/cgroup/user/memory.max": "2048"},
            2048,
        ),
        (
            "5:cpu:/x\n4:memory:/box\n",
            {
                "sys/fs/cgroup/memory/box/memory.limit_in_bytes": "4096",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
            },
            4096,
        ),
    ],
)
def test_memory_is_what_the_control_group_allows(
    tmp_path: Path, groups: str, files: dict[str, str], expected: int
) -> None:
    for name, text in {"proc/self/cgroup": groups, **files}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert settings.memory_limit(tmp_path) == expected


def test_memory_without_a_control_group_is_the_machines(tmp_path: Path) -> None:
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert settings.memory_limit(tmp_path) == machine


def test_memory_settings_grow_with_the_machine_and_spare_a_small_shared_memory() -> None:
    small = settings.memory_settings(512 << 20, 64 << 20)
    assert small["shared_buffers"] == "128MB"
    assert small["maintenance_work_mem"] == "64MB"
    assert small["max_wal_size"] == "1024MB"
    assert "dynamic_shared_memory_type" not in small
    large = settings.memory_settings(16 << 30, 64 << 20)
    assert large["shared_buffers"] == "4096MB"
    assert large["maintenance_work_mem"] == "2048MB"
    assert large["max_wal_size"] == "4096MB"
    assert large["dynamic_shared_memory_type"] == "mmap"


def test_a_socket_that_nobody_serves_is_no_running_server(home: Path) -> None:
    server = embedded.Server(home, home / "run")
    server.data.mkdir(parents=True)
    server.socket_folder.mkdir(mode=0o700)
    (server.data / "postmaster.pid").write_text("0\n")
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(server.socket_folder / ".s.PGSQL.5432"))
    assert not server.is_running
