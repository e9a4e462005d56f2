"""The demo's tour, on the tests' own server."""

import re

import psycopg
import pytest

from pgsim import embedded
from pgsim.cli import run


def test_the_tour_shows_the_whole_job_and_can_be_run_again(
    server: embedded.Server,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PGSIM_HOME", str(server.home))
    for new in (522, 0):
        assert run(["demo"]) == 0
        shown = capsys.readouterr()
        assert f"522 documents read: {new} new, 0 updated, {522 - new} unchanged" in shown.out
        assert "522 recordings; " in shown.out
        assert re.search(r"What sounds like 'sixtyfour' of Nexuiz\?\nSELECT \* FROM", shown.out)
        assert re.search(r"^ +1 +0\.6501 +2006 +FreedroidRPG +Imperial Army$", shown.out, re.M)
        assert re.search(
            r"though it is in 0 lists\. After a refresh of \d+ lists it is in \d+", shown.out
        )
        assert re.search(r"^ all feature sets, weighted +0\.2\d+$", shown.out, re.M)
        assert "the same question has the same answer there" in shown.out
        found = re.findall(r"^ (?:profile \w+|both, half.*?) +(0\.\d+)$", shown.out, re.M)
        essentia, musicnn, both = map(float, found)
        assert both > essentia + 0.02 > musicnn
        assert "dumping the database" in shown.err
        assert shown.out.endswith("or in a browser: pgsim --database demo serve --as-owner\n")
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as admin:
        assert "demo_restored" not in embedded.databases(server)
        admin.execute("DROP DATABASE demo WITH (FORCE)")
