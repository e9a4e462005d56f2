"""Makes the dump of a release for the tests: `python -m tests.support.release 0.1.0`.

It holds the demo's recordings, loaded and refreshed by this checkout. Once the release is out, the
dump stays as it is: every later version has to upgrade it.
"""

import argparse
import os
import sys
from contextlib import closing
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory

import pgsim
from pgsim import embedded
from pgsim.errors import PgsimError, UsageError
from pgsim.features.profile import read_profile
from pgsim.loading.load import load
from pgsim.matrix.refresh import refresh
from pgsim.postgres.connection import connect
from pgsim.store import schema
from pgsim.transfer.dump import dump
from tests.support.paths import RELEASES

PROFILE = "essentia"  # of the demo's recordings


def make(version: str, *, force: bool = False) -> Path:
    """Write the dump of a version; return its path."""
    if version != pgsim.__version__:
        raise UsageError(f"this checkout is pgsim {pgsim.__version__}, not {version}")
    path = RELEASES / f"{version}.dump"
    with TemporaryDirectory(prefix="pgsim-release-") as folder:
        if os.geteuid() == 0:
            Path(folder).chmod(0o755)  # for the account of the server
        home = Path(folder) / "home"
        server = embedded.start(home)
        try:
            embedded.ensure_database(server, "release")
            conninfo = server.conninfo("release")
            with (
                closing(connect(conninfo, autocommit=True)) as conn,
                as_file(files("pgsim.demo") / "recordings.ndjson.gz") as recordings,
            ):
                schema.install(conn, read_profile(PROFILE))
                load(conn, [recordings])
                refresh(conn)
            dump(conninfo, path, force=force)
        finally:
            embedded.stop(home)
    return path


def main() -> None:
    """Make the dump that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.release", description=__doc__)
    parser.add_argument("version", help="that of this checkout")
    parser.add_argument("--force", action="store_true", help="replace a dump before its release")
    given = parser.parse_args()
    try:
        path = make(given.version, force=given.force)
    except PgsimError as error:
        sys.exit(f"error: {error}")
    print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
