"""Golden pairs: each tests/sql/NAME.sql, run by psql, prints tests/sql/expected/NAME.out.

After a change that is meant: PGSIM_GOLDEN=write make test, and read the difference in git.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

from pgsim.postgres.connection import Connection, client_program
from tests.support.paths import SQL

SCRIPTS = sorted(SQL.glob("*.sql"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_prints_what_it_is_expected_to(plane: Connection, script: Path) -> None:
    run = subprocess.run(
        [client_program("psql"), "-X", "-a", "-q", "-f", script.name, plane.info.dsn],
        cwd=SQL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8", "PGCLIENTENCODING": "UTF8"},
    )
    printed = re.sub(r"^psql:.*?: ", "", run.stdout, flags=re.MULTILINE)
    golden = SQL / "expected" / f"{script.stem}.out"
    if os.environ.get("PGSIM_GOLDEN") == "write":
        golden.write_text(printed, encoding="utf-8")
    assert printed == golden.read_text(encoding="utf-8")


def test_every_golden_file_has_its_script() -> None:
    assert {path.stem for path in (SQL / "expected").glob("*.out")} == {s.stem for s in SCRIPTS}
