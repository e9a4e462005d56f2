"""Databases with pgsim in them, and the environment to run pgsim in beside them."""

import os
from contextlib import closing

from pgsim import embedded
from pgsim.features.profile import read_profile
from pgsim.postgres.connection import connect
from pgsim.store import schema
from tests.support.paths import CHECKOUT


def install_template(server: embedded.Server, name: str, profile: str) -> str:
    """A database of that name with pgsim for a profile, to be cloned."""
    embedded.ensure_database(server, name)
    with closing(connect(server.conninfo(name), autocommit=True)) as conn:
        schema.install(conn, read_profile(profile))
    return name


def environment() -> dict[str, str]:
    """The caller's, without the variables that would lead elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"PYTHONPATH": str(CHECKOUT)}
