"""The program with small batches: what it changes is there, and it is pgsim's command line."""

import subprocess
import sys
from importlib import import_module
from types import ModuleType

import pytest

from pgsim import __version__
from tests.crash.program import SMALL, make_small
from tests.crash.room import PROGRAM


@pytest.mark.parametrize("name", SMALL)
def test_what_it_makes_small_is_there(name: str) -> None:
    copy = ModuleType(name)
    copy.__dict__.update(import_module(name).__dict__)
    copy.__name__ = name
    make_small(copy)
    for constant in SMALL[name]:
        assert getattr(copy, constant) != getattr(import_module(name), constant)


def test_it_runs_with_small_batches() -> None:
    script = (
        "import runpy, sys; sys.argv = ['pgsim', '--version']\n"
        f"try: runpy.run_path({str(PROGRAM)!r}, run_name='__main__')\n"
        "finally:\n"
        "    from pgsim.loading.load import LIMITS\n"
        "    print(LIMITS.batch)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (f"pgsim {__version__}\n100\n", "")
