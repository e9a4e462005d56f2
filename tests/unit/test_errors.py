"""Messages speak of arguments, as pgsim.errors says; the command line alone speaks of options."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import CHECKOUT

PGSIM = CHECKOUT / "pgsim"
MODULES = [
    str(path.relative_to(PGSIM)) for path in sorted(PGSIM.rglob("*.py")) if "cli" not in path.parts
]
_OPTION = re.compile(r"(?<![\w-])--[a-z]")
# A command to run may hold options.
_COMMAND = re.compile(r"\b(pgsim|docker run|pip)\b[^;]*$")


def texts(path: Path) -> Iterator[str]:
    """The strings of a module that are no docstrings, with `{}` for what an f-string fills in."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(each)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for each in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [each.value if isinstance(each, ast.Constant) else "{}" for each in node.values]
            yield "".join(map(str, parts))
        elif isinstance(node, ast.Expr):
            inside.add(id(node.value))  # a docstring
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in inside
        ):
            yield node.value


@pytest.mark.parametrize("module", MODULES)
def test_no_message_of_the_library_names_an_option_of_the_command_line(module: str) -> None:
    for text in texts(PGSIM / module):
        for found in _OPTION.finditer(text):
            is_argument_of_a_program = found.start() == 0
            assert is_argument_of_a_program or _COMMAND.search(text[: found.start()]), text
