"""The figures that the report's tables and plots show, out of its rows."""

from collections.abc import Iterable
from dataclasses import dataclass

from tests.bench.peers import PEERS
from tests.bench.report.collection import FUSED
from tests.bench.report.measure import ENOUGH
from tests.bench.report.rows import Row, RowFile


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one collection, of one size, in one space."""

    collection: str
    n: int
    space: str
    rows: list[Row]

    def title(self) -> str:
        space = {"l2": "Euclidean", "cosine": "cosine"}[self.space]
        return f"{self.collection}, {self.n:,} vectors, {space}"

    def libraries(self) -> list[str]:
        """The libraries that have rows, in the order of PEERS."""
        found = {row["library"] for row in self.rows}
        return [name for name in PEERS if name in found]

    def ks(self) -> list[int]:
        return sorted({row["k"] for row in self.rows if "k" in row})

    def build(self, library: str) -> Row | None:
        """The row of a build; None where it was broken off."""
        own = [row for row in self.rows if row["library"] == library and "k" not in row]
        return own[-1] if own else None

    def curve(self, library: str, k: int) -> list[Row]:
        """The rows of the efforts, the least first."""
        own = [row for row in self.rows if row["library"] == library and row.get("k") == k]
        return sorted(own, key=lambda row: int(row["effort"]))

    def chosen(self, library: str, k: int) -> Row | None:
        """The row of the least effort that finds ENOUGH; else the one that finds most."""
        curve = self.curve(library, k)
        enough = [row for row in curve if row["recall"] >= ENOUGH]
        return enough[0] if enough else max(curve, key=lambda row: row["recall"], default=None)


def groups(rows: RowFile) -> list[Group]:
    """The groups of the searched collections: the fused vector first, by size and space."""
    searched = [row for row in rows if row["library"] in PEERS]
    keys = {(row["collection"], row["n"], row["space"]) for row in searched}
    return [
        Group(*key, [row for row in searched if (row["collection"], row["n"], row["space"]) == key])
        for key in sorted(keys, key=lambda key: (key[0] != FUSED, key[0], -key[1], key[2] != "l2"))
    ]


def least(rows: Iterable[tuple[str, float | None]], count: int = 3) -> list[tuple[str, float]]:
    """The names with the least values, the least first."""
    known = [(name, value) for name, value in rows if value is not None]
    return sorted(known, key=lambda pair: pair[1])[:count]
