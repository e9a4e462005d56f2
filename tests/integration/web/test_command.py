"""pgsim serve and pgsim user as commands."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from pgsim.cli import run
from tests.support.commands import report
from tests.support.databases import environment
from tests.support.documents import mbid
from tests.support.waiting import wait_until


def test_it_answers_at_a_socket_until_it_is_told_to_stop(
    served_database: str, tmp_path: Path
) -> None:
    path = tmp_path / "web.socket"
    command = ["--database", served_database, "serve", "--socket", path, "--workers", 2]
    with subprocess.Popen(
        [sys.executable, "-m", "pgsim", *map(str, command)],
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:

        def is_ready() -> bool:
            assert process.poll() is None
            with socket.socket(socket.AF_UNIX) as probe:
                return probe.connect_ex(str(path)) == 0

        try:
            wait_until(is_ready)
            transport = httpx.HTTPTransport(uds=str(path))
            with httpx.Client(transport=transport, base_url="http://pgsim", timeout=60) as client:
                assert len(client.get(f"/api/v1/recordings/{mbid(7)}/similar?k=3").json()) == 3
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stderr is not None
        assert process.stderr.read() == f"answering at {path}\n"


def test_a_user_is_added_listed_and_removed(
    served_database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def user(*arguments: object, code: int = 0) -> object:
        return report(capsys, "--database", served_database, "user", *arguments, code=code)

    secret = tmp_path / "web.secret"
    added = user("add", "berta", "--secret", secret)
    assert isinstance(added, dict)
    assert len(added["key"]) == 32
    assert secret.stat().st_mode & 0o777 == 0o600
    names = [each["name"] for each in user("list")]  # type: ignore[attr-defined]
    assert "berta" in names
    assert user("remove", "berta") == {"removed": "berta"}
    assert run(["--database", served_database, "user", "remove", "berta"]) == 2
    assert "there is no user 'berta': see pgsim user list" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", " a", "a\nb", "x" * 201])
def test_a_name_that_is_none_is_refused(
    served_database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    secret = str(tmp_path / "web.secret")
    assert run(["--database", served_database, "user", "add", name, "--secret", secret]) == 2
    assert len(capsys.readouterr().err.splitlines()) >= 1
