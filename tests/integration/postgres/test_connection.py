"""Which database is meant, how it is reached, and what is said when it cannot be."""

import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from pgvector import Vector
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgsim import embedded
from pgsim.embedded import binaries
from pgsim.embedded.account import account
from pgsim.errors import PgsimError, UsageError
from pgsim.postgres import connection as database
from tests.support.paths import CHECKOUT
from tests.support.rows import one
from tests.support.waiting import wait_until

PASSWORD = "s3cret/@: %"
QUOTED = "s3cret%2F%40%3A%20%25"

COMMAND = "from pgsim.cli import main; main()"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_own(programs: Path, data: Path, *options: str) -> int:
    """Start a server that asks for PASSWORD on 127.0.0.1; its port."""
    owner = account()
    data.mkdir()
    os.chown(data, owner.uid, owner.gid)
    secret = data.with_name(f"{data.name}.password")
    secret.write_text(PASSWORD)
    port = free_port()
    made = owner.run(
        *(programs / "initdb", "-D", data, "-U", "postgres", "--auth=scram-sha-256"),
        *("--no-locale", "--encoding=UTF8", f"--pwfile={secret}", "--no-sync", *options),
    )
    assert made.returncode == 0, made.stderr
    network = (
        f"-h 127.0.0.1 -p {port} -k {shlex.quote(str(data))} -c fsync=off -c wal_init_zero=off"
    )
    begun = owner.run(
        *(programs / "pg_ctl", "start", "-w", "-D", data, "-l", data / "log", "-o", network)
    )
    assert begun.returncode == 0, begun.stdout
    return port


@pytest.fixture(scope="module")
def own_server(open_folder: Path) -> Iterator[int]:
    """A server of one's own, without pgvector, which asks for a password; its port."""
    postgres = binaries.find_program("postgres")
    assert postgres is not None
    installed, copied = postgres.parents[1], open_folder / "own" / "package" / "pginstall"
    unused = shutil.ignore_patterns("include", "*.a", "vector*")
    shutil.copytree(installed, copied, symlinks=True, ignore=unused)
    for libraries in installed.parents[1].glob(f"{binaries.PACKAGE}.libs"):
        shutil.copytree(libraries, copied.parents[1] / libraries.name)
    subprocess.run(["chmod", "-R", "a+rX", copied.parents[1]], check=True)
    data = open_folder / "own" / "data"
    yield start_own(copied / "bin", data)
    account().run(copied / "bin" / "pg_ctl", "stop", "-m", "immediate", "-D", data)
    shutil.rmtree(open_folder / "own")


@pytest.fixture
def own_url(own_server: int) -> str:
    return f"postgresql://postgres:{QUOTED}@127.0.0.1:{own_server}/postgres"


@pytest.fixture(autouse=True)
def no_surroundings(server: embedded.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own embedded server, and none of the caller's variables."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PGSIM_HOME", str(server.home))


def pgsim_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def refusal(conninfo: str) -> str:
    """The one line that refuses a connection; never with the password."""
    with pytest.raises(PgsimError) as raised:
        database.connect(conninfo)
    line = str(raised.value)
    assert "\n" not in line
    assert "s3cret" not in line
    return line


def test_the_flag_wins_over_the_environment_and_that_over_the_embedded_server(
    server: embedded.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert database.resolve(None) == server.conninfo("pgsim")
    monkeypatch.setenv("PGSIM_DATABASE_URL", "postgresql://far.example/x")
    assert database.resolve(None) == "postgresql://far.example/x"
    assert database.resolve("host=near.example") == "host=near.example"
    with pytest.raises(database.DatabaseError, match="no database 'named' .*: to make it, pgsim"):
        database.resolve("named")
    assert database.resolve("named", create=True) == server.conninfo("named")
    assert database.resolve("named") == server.conninfo("named")
    with database.connect(server.conninfo("named")) as conn:
        assert conn.execute("SELECT '[1,2]'::public.vector::text").fetchone() == ("[1,2]",)


def test_pg_variables_fill_gaps_only(
    server: embedded.Server,
    new_database: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    conninfo = new_database()
    name = conninfo_to_dict(conninfo)["dbname"]
    monkeypatch.setenv("PGDATABASE", str(name))
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGUSER", "nobody")
    with database.connect(
        make_conninfo(host=str(server.socket_folder), port=server.port, user="postgres")
    ) as conn:
        assert conn.info.dbname == name
    with database.connect(server.conninfo("postgres")) as conn:
        assert conn.info.dbname == "postgres"


@pytest.mark.parametrize("autocommit", [False, True])
def test_a_connection_has_utc_a_name_pgvectors_type_and_the_path_to_pgsim_alone(
    new_database: Callable[..., str], autocommit: bool
) -> None:
    conninfo = new_database()
    with psycopg.connect(conninfo) as conn:
        conn.execute('CREATE SCHEMA "My, Types"')
        conn.execute('ALTER EXTENSION vector SET SCHEMA "My, Types"')
    with database.connect(conninfo, autocommit=autocommit) as conn:
        assert conn.autocommit is autocommit
        conn.rollback()  # what connect has set outlives it
        shown = conn.execute(
            "SELECT current_setting('search_path'), current_setting('TimeZone'),"
            " current_setting('application_name'), '[1,2]'::\"My, Types\".vector"
        ).fetchone()
    assert shown is not None
    assert shown[:3] == ("pg_catalog, pgsim, pg_temp", "UTC", "pgsim")
    assert shown[3].to_list() == [1.0, 2.0]


def test_a_database_without_pgvector_is_reached_and_gets_it(
    new_database: Callable[..., str],
) -> None:
    with database.connect(new_database(template="template0")) as conn:
        database.require_server(conn)
        database.require_server(conn)
        assert conn.execute("SELECT '[1,2]'::public.vector").fetchone() == (Vector([1, 2]),)
        assert conn.execute("SHOW search_path").fetchone() == ("pg_catalog, pgsim, pg_temp",)


def test_a_role_that_may_not_install_pgvector_is_told_who_may(
    new_database: Callable[..., str],
) -> None:
    conninfo = new_database(template="template0")
    with psycopg.connect(conninfo, autocommit=True) as admin:
        admin.execute("CREATE ROLE guest LOGIN")
        try:
            with database.connect(make_conninfo(conninfo, user="guest")) as conn:
                with pytest.raises(database.DatabaseError, match="role 'guest' may not install"):
                    database.require_server(conn)
                assert conn.execute("SELECT 1").fetchone() == (1,)
                admin.execute("CREATE EXTENSION vector SCHEMA public")
                database.require_server(conn)
        finally:
            admin.execute("DROP ROLE guest")


def test_too_old_a_pgvector_is_one_clear_line(new_database: Callable[..., str]) -> None:
    conninfo = new_database()
    with psycopg.connect(conninfo) as conn:
        # What an extension made by an older pgvector, and never updated, looks like.
        conn.execute("UPDATE pg_extension SET extversion = '0.7.4' WHERE extname = 'vector'")
    with database.connect(conninfo) as conn, pytest.raises(database.DatabaseError) as raised:
        database.require_server(conn)
    assert str(raised.value) == (
        "pgvector 0.7.4 is too old: pgsim needs 0.8 or newer; "
        "as a superuser run: ALTER EXTENSION vector UPDATE"
    )


def test_a_server_without_pgvector_is_one_clear_line(own_url: str) -> None:
    with database.connect(own_url) as conn, pytest.raises(database.DatabaseError) as raised:
        database.require_server(conn)
    assert str(raised.value).startswith("this server has no pgvector: install postgresql-18-pgv")
    assert "CREATE EXTENSION vector" in str(raised.value)


OLDER = sorted(path for path in Path("/usr/lib/postgresql").glob("1[0-5]/bin"))


@pytest.mark.skipif(not OLDER, reason="needs a PostgreSQL older than 16")
def test_too_old_a_server_is_one_clear_line(open_folder: Path) -> None:
    data = open_folder / "older"
    port = start_own(OLDER[-1], data)
    try:
        url = f"postgresql://postgres:{QUOTED}@127.0.0.1:{port}/postgres"
        with (
            database.connect(url) as conn,
            pytest.raises(database.DatabaseError, match=r"PostgreSQL 1\d is too old: .* 16"),
        ):
            database.require_server(conn)
    finally:
        account().run(OLDER[-1] / "pg_ctl", "stop", "-m", "immediate", "-D", data)
        shutil.rmtree(data)


def test_a_wrong_password_is_one_line_without_it(own_server: int) -> None:
    line = refusal(f"postgresql://postgres:s3cret@127.0.0.1:{own_server}/postgres")
    assert f"127.0.0.1, port {own_server} refused the password of 'postgres'" in line
    assert "PGPASSWORD" in line
    assert "asks for a password" in refusal(
        f"postgresql://postgres@127.0.0.1:{own_server}/postgres?passfile=/absent"
    )


def test_an_unknown_database_is_named(own_url: str, server: embedded.Server) -> None:
    assert "has no database 'x y'" in refusal(own_url.removesuffix("postgres") + "x%20y")
    assert "has no database 'absent'" in refusal(server.conninfo("absent"))


def test_an_unknown_role_is_named(server: embedded.Server) -> None:
    line = refusal(make_conninfo(server.conninfo("postgres"), user="stranger"))
    assert "has no role 'stranger'" in line


def test_a_server_that_is_down_is_named(tmp_path: Path) -> None:
    port = free_port()
    line = refusal(f"postgresql://u:s3cret@127.0.0.1:{port}/x")
    assert f"the server at 127.0.0.1, port {port} does not answer (Connection refused)" in line
    line = refusal(f"host={tmp_path} user=u password=s3cret")
    assert f"the server at {tmp_path}, port 5432 does not answer (No such file" in line


def test_a_host_that_does_not_exist_is_named() -> None:
    assert "cannot connect to the server at absent.invalid" in refusal(
        "host=absent.invalid user=u password=s3cret"
    )


@pytest.mark.parametrize(
    "conninfo",
    [
        "postgresql://u:a@s3cret@host/x",
        "postgresql://u:s3/cret@host/x",
        "postgresql://u:12/s3cret@host/x",
        "postgresql://u:s3cret%@host/x",
        "postgresql+psycopg://u:s3cret@host/x",
        "nothing=known password=s3cret",
        "host='open password=s3cret",
    ],
)
def test_a_connection_string_that_cannot_be_read_is_not_repeated(conninfo: str) -> None:
    line = refusal(conninfo)
    assert "cannot be read" in line
    assert "%40" in line
    with pytest.raises(UsageError):
        database.redact(conninfo)


@pytest.mark.parametrize("name", ["u:s3cret@host/music", "postgres:/u:s3cret@h/db", "u@host"])
def test_half_a_url_is_taken_for_no_name_and_not_repeated(name: str) -> None:
    with pytest.raises(UsageError, match=r"write postgresql://user@host:port/database, or a name"):
        database.resolve(name)
    with pytest.raises(UsageError) as raised:
        database.resolve(name, create=True)
    assert "host/" not in str(raised.value).replace("host:port/", "")
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("conninfo", "expected"),
    [
        ("postgresql://u:s3cret@host:5433/x", "postgresql://u@host:5433/x"),
        ("postgres://host", "postgresql://host/"),
        ("postgresql://u:a?s3cret@host/x", "postgresql://u@host/x"),
        (
            "host=/var/run/a,b user='a b' password=s3cret",
            "postgresql://a%20b@/?host=/var/run/a%2Cb",
        ),
        (
            "postgresql://u@[::1]:5433/x?sslpassword=s3cret&sslmode=prefer",
            "postgresql://u@/x?host=%3A%3A1&port=5433&sslmode=prefer",
        ),
        ("service=mine password=''", "postgresql:///?service=mine"),
        (
            "dbname='a/b?c#é' options='-c a=b'",
            "postgresql:///a%2Fb%3Fc%23%C3%A9?options=-c%20a%3Db",
        ),
    ],
)
def test_a_redacted_url_means_the_same_without_its_secrets(conninfo: str, expected: str) -> None:
    assert database.redact(conninfo) == expected
    given = conninfo_to_dict(conninfo)
    kept = {name: value for name, value in given.items() if "password" not in name}
    assert conninfo_to_dict(expected) == kept


def test_psql_accepts_the_url_that_is_printed(own_url: str) -> None:
    printed = pgsim_command("--database", own_url, "url")
    assert (printed.returncode, printed.stderr) == (0, "")
    assert "s3cret" not in printed.stdout
    shown = subprocess.run(
        [database.client_program("psql"), printed.stdout.strip(), "-XAtc", "SELECT 'here'"],
        env={"PGPASSWORD": PASSWORD, "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "here\n"


def test_psql_is_opened_with_its_arguments_and_a_hidden_password(own_url: str) -> None:
    # psql's shell shows what other users see of psql.
    look = r"\! ps -ww -o args= -p $PPID 2>/dev/null || tr '\0' ' ' < /proc/$PPID/cmdline"
    query = ["-c", "SELECT current_user", "-c", look]
    shown = pgsim_command("--database", own_url, "psql", "--", "-XAt", *query)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("postgres\n")
    assert "127.0.0.1" in shown.stdout
    assert "s3cret" not in shown.stdout


@pytest.mark.usefixtures("server")
def test_psql_opens_the_embedded_server_and_hands_on_its_exit_code() -> None:
    shown = pgsim_command("psql", "--", "-XAtc", "SELECT current_database()")
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, "pgsim\n", "")
    assert pgsim_command("psql", "--", "-Xc", "SELECT nonsense").returncode == 1


def test_a_refused_command_is_one_line_and_exit_code_1(own_server: int) -> None:
    url = f"postgresql://postgres:s3cret@127.0.0.1:{own_server}/postgres"
    refused = pgsim_command("--database", url, "status")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.count("\n") == 1
    assert "refused the password of 'postgres'" in refused.stderr
    assert "s3cret" not in refused.stderr
    misread = pgsim_command("--database", "postgresql://u:a@s3cret@host/x", "url")
    assert (misread.returncode, misread.stderr.count("\n")) == (2, 1)
    assert "s3cret" not in misread.stderr


def test_start_and_url_print_the_embedded_database(server: embedded.Server) -> None:
    url = server.conninfo("pgsim")
    started = pgsim_command("start")
    assert started.returncode == 0
    assert started.stdout.endswith(f"is running: {url}\n")
    assert f'"url": "{url}"' in pgsim_command("start", "--json").stdout
    assert pgsim_command("url").stdout == f"{url}\n"


def test_stop_says_what_it_found(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSIM_HOME", str(open_folder / "never"))
    stopped = pgsim_command("stop")
    assert (stopped.returncode, stopped.stdout) == (0, "the embedded server was not running\n")
    assert not (open_folder / "never").exists()


def test_client_programs_are_the_embedded_ones_else_those_of_the_path(tmp_path: Path) -> None:
    assert database.client_program("pg_dump").parent.parent.name == "pginstall18"
    # A package of that name without programs in it is found first.
    (tmp_path / binaries.PACKAGE).mkdir()
    (tmp_path / binaries.PACKAGE / "__init__.py").touch()
    (tmp_path / "pg_dump").touch(0o755)
    code = "from pgsim.postgres import connection; print(connection.client_program({!r}))"

    def found(name: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code.format(name)],
            env={"PYTHONPATH": f"{tmp_path}{os.pathsep}{CHECKOUT}", "PATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

    assert found("pg_dump").stdout.strip() == str(tmp_path / "pg_dump")
    assert "no pg_restore here: pip install 'pgsim[embedded]'" in found("pg_restore").stderr


def test_the_log_of_the_embedded_server_holds_no_password(server: embedded.Server) -> None:
    # libpq sends none over a peer connection, however one is given.
    refusal(make_conninfo(server.conninfo("absent"), password="s3cret"))
    assert "s3cret" not in server.log.read_text()


def test_the_session_of_a_killed_client_ends_in_the_middle_of_its_statement(
    server: embedded.Server, new_database: Callable[..., str]
) -> None:
    url = new_database()
    script = (
        "import sys; from pgsim.postgres.connection import connect;"
        "connect(sys.argv[1], autocommit=True).execute('SELECT pg_sleep(600)')"
    )
    client = subprocess.Popen([sys.executable, "-c", script, url], cwd=CHECKOUT)
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'"
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as admin:
        wait_until(lambda: one(admin, asleep) == 1)
        client.kill()
        client.wait()
        wait_until(lambda: one(admin, asleep) == 0, 10)


def test_the_embedded_server_looks_for_killed_clients(server: embedded.Server) -> None:
    with psycopg.connect(server.conninfo("postgres")) as conn:
        assert one(conn, "SHOW client_connection_check_interval") == "2s"
