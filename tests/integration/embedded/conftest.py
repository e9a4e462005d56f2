"""A server of this test's own, and programs that start it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pgsim import embedded
from tests.support.paths import CHECKOUT


@pytest.fixture
def home(open_folder: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A new home, where no server is left at the end."""
    folder = open_folder / request.node.name[:40]
    yield folder
    embedded.stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def in_process(home: Path, fast_settings: dict[str, str]) -> Callable[..., subprocess.Popen[str]]:
    """Run Python code in a process of its own, on this home; sys.argv[1] holds the settings."""

    def run(code: str, **how: Any) -> subprocess.Popen[str]:
        path = os.pathsep.join([str(how.pop("path", CHECKOUT)), str(CHECKOUT)])
        environment = {**os.environ, "PGSIM_HOME": str(home), "PYTHONPATH": path}
        environment.update(how.pop("environment", {}))
        return subprocess.Popen(
            [sys.executable, "-c", code, json.dumps(fast_settings)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **how,
        )

    return run
