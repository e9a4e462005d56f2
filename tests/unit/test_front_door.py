"""The front door, `import pgsim`: what it gives, and that it imports nothing until then."""

import importlib
import subprocess
import sys

import pytest

import pgsim
from tests.support.paths import CHECKOUT


def child(code: str) -> str:
    """Run Python anew; what it prints."""
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=CHECKOUT
    ).stdout.strip()


def test_importing_pgsim_imports_nothing_that_takes_time() -> None:
    slow = ("psycopg", "numpy", "sqlalchemy", "alembic", "typer", "rich", "pgvector")
    assert child(f"import pgsim, sys; print([m for m in {slow} if m in sys.modules])") == "[]"


def test_connecting_and_asking_imports_neither_loading_nor_the_matrix_nor_audio() -> None:
    rooms = ("loading", "matrix", "evaluation", "transfer", "audio", "sources", "cli")
    code = (
        "import pgsim, sys; pgsim.connect, pgsim.Database, pgsim.Answer;"
        f" print([m for m in {rooms} if f'pgsim.{{m}}' in sys.modules])"
    )
    assert child(code) == "[]"


@pytest.mark.parametrize("name", pgsim.__all__)
def test_every_name_is_there_and_is_what_its_module_defines(name: str) -> None:
    value = getattr(pgsim, name)
    if name != "__version__":
        assert value.__name__ == name
        assert getattr(importlib.import_module(value.__module__), name) is value


def test_dir_lists_the_names_and_others_are_refused_as_python_does() -> None:
    assert dir(pgsim) == sorted(pgsim.__all__)
    with pytest.raises(AttributeError, match="module 'pgsim' has no attribute 'conect'"):
        pgsim.conect  # type: ignore[attr-defined]  # noqa: B018
