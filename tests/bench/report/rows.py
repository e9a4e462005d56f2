"""The rows of the report: each is a line of a file, written once it is measured."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Row = dict[str, Any]
# A row is measured once for each combination of these; a row without k is that of a build.
KEY = ("library", "version", "collection", "n", "space", "parameters", "k", "effort")


class RowFile:
    """Rows in a file of JSON lines. A line that was cut off counts as not measured."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows: dict[tuple[Any, ...], Row] = {}
        if path.exists():
            whole = path.read_bytes().rpartition(b"\n")[0]
            for line in whole.splitlines():
                self._remember(json.loads(line))
            if len(whole) < path.stat().st_size - 1:
                path.write_bytes(whole + b"\n" if whole else b"")

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def add(self, row: Row) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
        self._remember(row)

    def of(self, **words: Any) -> list[Row]:
        """The rows that have these values, in the order in which they were measured."""
        return [row for row in self if all(row.get(key) == words[key] for key in words)]

    def _remember(self, row: Row) -> None:
        self._rows[tuple(row.get(key) for key in KEY)] = row
