"""A crowd of recordings, and rebuilds of it in small parts."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from pgsim import embedded
from pgsim.matrix import rebuild as module
from pgsim.postgres.connection import Connection, connect
from tests.support.clustered import copy_in, make_collection
from tests.support.crowd import RECORDINGS
from tests.support.databases import install_template


@pytest.fixture(scope="session")
def crowd_template(server: embedded.Server) -> str:
    name = install_template(server, "crowd", "acousticbrainz")
    with closing(connect(server.conninfo(name), autocommit=True)) as conn:
        copy_in(conn, make_collection(RECORDINGS, 68, seed=5))
    return name


@pytest.fixture
def crowd(new_database: Any, crowd_template: str) -> Iterator[Connection]:
    """1,500 recordings in clusters, copies among them, and no lists yet."""
    with closing(connect(new_database(crowd_template), autocommit=True)) as conn:
        yield conn


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a rebuild have 15 parts, and wait for others a moment only."""
    monkeypatch.setattr(module, "PART", 100)
    monkeypatch.setattr(module, "PARTS", {})
    monkeypatch.setattr(module, "PAUSE", 0.05)
    monkeypatch.setattr(module, "GRACE", 0.2)
