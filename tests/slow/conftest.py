"""A server that can be killed."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pgsim import embedded


@pytest.fixture(scope="module")
def durable() -> Iterator[embedded.Server]:
    """A server as a user has it: nothing is switched off."""
    with tempfile.TemporaryDirectory(prefix="pgsim-kills-") as folder:
        Path(folder).chmod(0o755)
        home = Path(folder, "home")
        yield embedded.start(home)
        embedded.stop(home)
