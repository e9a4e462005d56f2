"""Fixtures: the demo's database, as a reader has it, and a folder with files to load."""

import os
import random
import shutil
import sys
from collections.abc import Iterator
from contextlib import closing
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import psycopg
import pytest
from psycopg import sql

from pgsim import embedded
from pgsim.postgres.connection import client_program, connect
from pgsim.store import schema
from tests.support.pages import included
from tests.support.paths import CHECKOUT
from tests.support.records import example, write_records

DATABASE = "demo"


@pytest.fixture
def demo(
    server: embedded.Server, demo_template: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The conninfo of the database `demo` on the tests' server, which is the embedded one.

    It is as `pgsim demo` leaves it. Every database that is made meanwhile is dropped at the end.
    """
    monkeypatch.setenv("PGSIM_HOME", str(server.home))
    monkeypatch.setenv("PGSIM_DATABASE_URL", DATABASE)
    monkeypatch.setenv("DATABASE_URL", server.conninfo(DATABASE))
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as admin:
        before = _databases(admin)
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(DATABASE), sql.Identifier(demo_template)
            )
        )
        with closing(connect(server.conninfo(DATABASE), autocommit=True)) as conn:
            schema.add_to_search_path(conn)
        yield server.conninfo(DATABASE)
        for name in _databases(admin) - before:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _databases(admin: psycopg.Connection) -> set[str]:
    return {name for (name,) in admin.execute("SELECT datname FROM pg_database")}


@pytest.fixture
def psql(demo: str) -> list[str]:
    """psql on the database `demo`, as a command to which options are added."""
    return [str(client_program("psql")), demo, "-X", "-v", "SHOW_CONTEXT=never"]


@pytest.fixture
def workplace(tmp_path: Path, demo: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that pages load; `pgsim` and `python` are on the path."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, options in {"python": "", "pgsim": "-m pgsim"}.items():
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {options} "$@"\n')
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    (tmp_path / "recordings").mkdir()
    with as_file(files("pgsim.demo") / "recordings.ndjson.gz") as path:
        shutil.copy(path, tmp_path / "recordings")
    _write_own_files(tmp_path)
    return tmp_path


def _write_own_files(folder: Path) -> None:
    """Write the tables, clips and lines that pages speak of, with made-up values."""
    values = random.Random(1)
    timbres = [[round(values.gauss(0, 9), 3) for _ in range(13)] for _ in range(40)]
    head = [*(f"timbre{i}" for i in range(1, 13)), "tempo"]
    rows = [["song_id", "title", "artist", "year", "style", *head]]
    rows += [[f"S{i}", f"T{i}", "A", 1980 + i, "rock", *row] for i, row in enumerate(timbres)]
    (folder / "songs.csv").write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
    ids = np.arange(40)
    noise = np.random.default_rng(1).lognormal(size=(40, 1608))
    np.savez(folder / "features.npz", clip_id=ids, rp=noise[:, :1440], ssd=noise[:, 1440:])
    titles = "".join(f"{i},Title {i},Artist,Album,\n" for i in ids)
    (folder / "metadata.csv").write_text(f"clip_id,title,artist,album,url\n{titles}")
    (folder / "audioset").mkdir()
    clips = [example(f"v{i}", [values.randbytes(128)], labels=[i % 4]) for i in range(40)]
    write_records(folder / "audioset" / "clips.tfrecord", clips)
    lines = [" ".join(map(str, [f"L{i}", f"T{i}", *row])) for i, row in enumerate(timbres)]
    (folder / "songs.lines").write_text("\n".join(lines))
    (folder / "own_source.py").write_text(included("examples/own_source.py"))
