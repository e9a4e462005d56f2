"""Freezes the revisions of a release: `python -m tests.support.freeze` writes alembic/frozen.txt.

Each line has the SHA-256 and the name of a file of alembic/versions, as sha256sum writes them.
"""

import argparse
import sys
from hashlib import sha256
from pathlib import Path

from pgsim.store.files import REVISIONS

FROZEN = REVISIONS / "frozen.txt"


def revision_files() -> list[Path]:
    """The files of all revisions, in their order."""
    return sorted(path for path in (REVISIONS / "versions").iterdir() if path.is_file())


def hashes() -> dict[str, str]:
    """The SHA-256 of each file of a revision, by its name."""
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in revision_files()}


def frozen() -> dict[str, str]:
    """The SHA-256 of each frozen file, by its name."""
    lines = FROZEN.read_text(encoding="utf-8").splitlines() if FROZEN.exists() else []
    return {name: digest for digest, name in (line.split() for line in lines)}


def changed() -> list[str]:
    """The names of frozen files that have changed or gone."""
    found = hashes()
    return [name for name, digest in frozen().items() if found.get(name) != digest]


def main() -> None:
    """Freeze every file of every revision."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.freeze", description=__doc__)
    parser.add_argument(
        "--again", action="store_true", help="freeze changed files anew, before their release"
    )
    if not parser.parse_args().again and (names := changed()):
        sys.exit(f"error: frozen before, and changed since: {', '.join(names)}")
    found = hashes()
    FROZEN.write_text("".join(f"{digest}  {name}\n" for name, digest in found.items()))
    print(f"{FROZEN}: {len(found)} files")


if __name__ == "__main__":
    main()
