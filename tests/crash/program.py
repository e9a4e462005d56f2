"""The command line of pgsim with small batches, so that a kill falls between any two commits.

python tests/crash/program.py ARGUMENT...
"""

import sys
from dataclasses import is_dataclass, replace
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

# Constants of modules, and their values for small collections: a load commits 100 documents at a
# time, a rebuild 100 lists. Of a dataclass, some of its fields.
SMALL: dict[str, dict[str, Any]] = {
    "pgsim.loading.chunks": {"LIMITS": {"documents": 100, "batch": 100}},
    "pgsim.matrix.rebuild": {"PART": 100, "PARTS": {}},
    "pgsim.matrix.refresh": {"BLOCK": 60, "PART": 10, "LEAST": 10},
}


class SmallBatches:
    """A finder of modules that gives constants their small values as soon as they are imported."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """The module's own spec, whose loader sets the constants too."""
        if name not in SMALL:
            return None
        spec = PathFinder.find_spec(name, path, target)
        assert spec is not None
        assert spec.loader is not None
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            make_small(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def make_small(module: ModuleType) -> None:
    """Give a module's constants their small values; AttributeError where one is not there."""
    for constant, value in SMALL[module.__name__].items():
        usual = getattr(module, constant)
        is_fields = is_dataclass(usual) and not isinstance(usual, type)
        setattr(module, constant, replace(usual, **value) if is_fields else value)


def make_all_small() -> None:
    """Give the constants of all modules their small values, in this process."""
    for name in SMALL:
        make_small(import_module(name))


if __name__ == "__main__":
    if "plan" not in sys.argv:  # which foresees what batches of the usual size take
        sys.meta_path.insert(0, SmallBatches())
    from pgsim.__main__ import main

    main()
