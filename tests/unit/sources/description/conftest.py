"""A table made for a test."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.described import ENERGY


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Path]:
    """A CSV of these columns and, by default, of two features."""

    def make(columns: dict[str, Sequence[Any]], features: dict[str, Any] = ENERGY) -> Path:
        columns = {**columns, **features}
        lines = [columns, *zip(*columns.values(), strict=True)]
        path = tmp_path / "songs.csv"
        quoted = (
            ",".join('"' + str(cell).replace('"', '""') + '"' for cell in line) for line in lines
        )
        path.write_text("\n".join(quoted) + "\n", encoding="utf-8")
        return path

    return make
