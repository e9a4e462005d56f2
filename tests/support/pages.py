"""The pages that people read, and the fenced blocks in them."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.paths import CHECKOUT

DOCS = CHECKOUT / "docs"
# Pages that a test writes from the code, and compares as a whole.
GENERATED = {
    DOCS / "reference" / "sql.md",
    DOCS / "reference" / "tables.md",
    DOCS / "reference" / "commands.md",
    DOCS / "howto" / "notebook.md",
}
# docker/README.md has its own test: tests/docker/prove.sh.
PAGES = [
    *(CHECKOUT / name for name in ("README.md", "CONTRIBUTING.md", "UPGRADING.md")),
    *sorted(DOCS.rglob("*.md")),
]
WRITTEN = [page for page in PAGES if page not in GENERATED]

_BLOCK = re.compile(
    r"^```(?P<kind>\w+)[^\n]*\n(?P<text>.*?)^```$(?:\n\n```text\n(?P<shown>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)
_INCLUDE = re.compile(r'^--8<-- "([^"]+)"$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, its text, and the output that follows it on the page.

    `raw` is the text as it stands on the page; in `text` included files are in their place.
    """

    kind: str
    raw: str
    text: str
    shown: str | None


def blocks_of(page: Path) -> list[Block]:
    """The fenced blocks of a page, in their order."""
    return [
        Block(found["kind"], found["text"], with_includes(found["text"]), found["shown"])
        for found in _BLOCK.finditer(page.read_text(encoding="utf-8"))
    ]


def with_includes(text: str) -> str:
    """The text with each included file in the place of its line."""
    return _INCLUDE.sub(lambda found: included(found[1]).rstrip("\n"), text)


def included(name: str) -> str:
    return (CHECKOUT / name).read_text(encoding="utf-8")


def names_included(page: Path) -> list[str]:
    """The files that a page includes."""
    return _INCLUDE.findall(page.read_text(encoding="utf-8"))


def trimmed(text: str) -> str:
    """The text without blanks at line ends and empty lines around it, which editors drop."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def without_chance(text: str) -> str:
    """The text with one recall in place of those near 1: an HNSW index differs at each build."""
    return re.sub(
        r"^HNSW index.*$",
        lambda line: re.sub(r"\b(0\.9\d{3}|1\.0000)\b", "0.9...", line[0]),
        text,
        flags=re.MULTILINE,
    )


def is_to_be_written() -> bool:
    """Whether shown output is to be replaced by what is printed: PGSIM_GOLDEN=write."""
    return os.environ.get("PGSIM_GOLDEN") == "write"


def compare_or_write(page: Path, text: str) -> None:
    """Compare a generated page with its text, or write it."""
    if is_to_be_written():
        page.write_text(text, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == text, "PGSIM_GOLDEN=write make check writes it"


def printed_by(command: list[str], folder: Path) -> str:
    """The output of a command, and of its errors the lines that a reader is to see."""
    done = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PGCLIENTENCODING": "UTF8", "PYTHONIOENCODING": "utf-8"},
    )
    return done.stdout + "".join(
        line + "\n"
        for line in done.stderr.splitlines()
        if done.returncode or line.startswith(("ERROR", "HINT"))
    )


def run_block(block: Block, folder: Path, psql: list[str]) -> str | None:
    """The output of a block; None for a kind that is not run."""
    match block.kind:
        case "sql":
            return printed_by([*psql, "-P", "footer=off", "-c", block.text], folder)
        case "sh":
            return printed_by(["sh", "-ec", block.text], folder)
        case "python":
            return printed_by([sys.executable, "-c", block.text], folder)
        case _:
            return None
