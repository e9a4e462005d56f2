"""Who may import whom in pgsim: a room imports from lower floors alone; nothing is circular."""

import ast
import re
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.support.paths import CHECKOUT

PGSIM = CHECKOUT / "pgsim"

# The highest floor first. A room imports from lower floors; rooms of one floor do not know each
# other. The page docs/explanation/architecture.md shows the same table.
FLOORS = (
    ("__init__", "__main__"),
    ("cli",),
    ("demo", "web"),
    ("database",),
    ("playlists", "tuning", "mapping"),
    ("questions", "transfer", "evaluation", "planning", "spark"),
    ("loading", "matrix"),
    ("audio", "store"),
    ("sources", "postgres"),
    ("features", "embedded", "processes"),
    ("errors", "progress", "table", "threads", "version"),
    ("control_groups", "printable", "regular_file", "signals"),
)
FLOOR = {room: -number for number, rooms in enumerate(FLOORS) for room in rooms}
# Rooms whose __init__.py is a door: a registry. In the others it is a docstring and nothing else.
DOORS = {"", "cli", "demo", "embedded", "sources", "audio.extractors", "matrix.engines"}
DOORS |= {"transfer.export"}


def name_of(path: Path) -> str:
    """The module's name below pgsim: `store.schema`; `` for pgsim itself."""
    return (
        ".".join(path.relative_to(PGSIM).with_suffix("").parts).removesuffix("__init__").rstrip(".")
    )


MODULES = {name_of(path): path for path in sorted(PGSIM.rglob("*.py"))}


def room_of(module: str) -> str:
    return module.partition(".")[0] or "__init__"


@cache
def imports_of(module: str) -> set[str]:
    """The modules of pgsim that a module imports, lazy and type-only imports included."""
    path, found = MODULES[module], set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide who imports whom"
            base = node.module or ""
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name == "pgsim" or name.startswith("pgsim."):
                inner = name.removeprefix("pgsim").lstrip(".")
                # A name inside a module counts as that module.
                while inner not in MODULES:
                    inner = inner.rpartition(".")[0]
                found.add(inner)
    return found


def test_the_architecture_page_has_this_table() -> None:
    page = CHECKOUT / "docs" / "explanation" / "architecture.md"
    rows = re.findall(r"^\| (\d+) \| (.+?) \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    shown = [(int(floor), tuple(re.findall(r"`(\w+)`", rooms))) for floor, rooms in rows]
    highest = len(FLOORS) - 1
    assert shown == [(highest - number, rooms) for number, rooms in enumerate(FLOORS)]


def test_every_room_has_a_floor() -> None:
    assert {room_of(module) for module in MODULES} == set(FLOOR)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_from_its_room_and_from_lower_floors_alone(module: str) -> None:
    mine = room_of(module)
    wrong = {
        other
        for other in imports_of(module)
        if room_of(other) != mine and FLOOR[room_of(other)] >= FLOOR[mine]
    }
    assert not wrong, f"{module or 'pgsim'} imports from its own floor or a higher one"


def test_no_import_goes_in_a_circle() -> None:
    # A package's own __init__ counts as imported by its modules only where they name it.
    tuple(TopologicalSorter({each: imports_of(each) for each in MODULES}).static_order())


@pytest.mark.parametrize(
    "package", [module for module, path in MODULES.items() if path.name == "__init__.py"]
)
def test_a_room_that_is_no_door_holds_a_docstring_and_nothing_else(package: str) -> None:
    body = ast.parse(MODULES[package].read_text(encoding="utf-8")).body
    assert isinstance(body[0], ast.Expr)
    assert package in DOORS or len(body) == 1


def test_a_worker_process_imports_no_database() -> None:
    # In its own interpreter, since this one has imported everything.
    found = subprocess.run(
        [
            *(sys.executable, "-c"),
            "import sys; from pgsim.loading import parsing; from pgsim.audio import extract;"
            " print([m for m in ('psycopg', 'sqlalchemy', 'alembic') if m in sys.modules])",
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=CHECKOUT,
    )
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("folder", ["integration", "slow", "docs", "unit"])
def test_helpers_of_tests_lie_in_support_and_not_in_test_modules(folder: str) -> None:
    for path in sorted((CHECKOUT / "tests" / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests."):
                _, room, *_ = (node.module or "").split(".")
                assert room in {"support", "bench", "crash"}, f"{path} imports from {node.module}"
