"""The packages that the demo's music comes from: packages.toml, which says whose it is."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pgsim.errors import UsageError

TABLE = Path(__file__).with_name("packages.toml")


@dataclass(frozen=True, slots=True)
class Credit:
    """The authors and the licence of some files of a package, where known."""

    files: tuple[str, ...]
    artist: str | None
    licence: str | None


@dataclass(frozen=True, slots=True)
class Package:
    """A Debian package with music; `effects` are patterns of files that are none."""

    name: str
    game: str
    licence: str
    artist: str | None
    effects: tuple[str, ...]
    credits: tuple[Credit, ...]

    def artist_of(self, path: str) -> str | None:
        """Whom the package's copyright or credits file names for that file."""
        return self._first(path, "artist") or self.artist

    def licence_of(self, path: str) -> str:
        """The licence of that file."""
        return self._first(path, "licence") or self.licence

    def _first(self, path: str, what: str) -> str | None:
        for credit in self.credits:
            value: str | None = getattr(credit, what)
            if value and matches(path, credit.files):
                return value
        return None


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Return whether a path ends in one of the patterns, from a folder or file name on."""
    return any(fnmatchcase(f"/{path}", f"*/{each}") for each in patterns)


def read_packages(names: Iterable[str] | None = None) -> list[Package]:
    """All packages by name, or those of these names; UsageError for an unknown one."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    packages = {each["name"]: _package(each) for each in table["package"]}
    chosen = sorted(packages if names is None else set(names))
    for name in chosen:
        if name not in packages:
            raise UsageError(f"unknown package '{name}'; known: {', '.join(sorted(packages))}")
    return [packages[name] for name in chosen]


def _package(table: dict[str, Any]) -> Package:
    return Package(
        table["name"],
        table["game"],
        table["licence"],
        table.get("artist"),
        tuple(table.get("effects", ())),
        tuple(
            Credit(tuple(each["files"]), each.get("artist"), each.get("licence"))
            for each in table.get("credit", ())
        ),
    )
