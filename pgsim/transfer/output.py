"""Where a file is to be written: nothing that is in the way is lost unasked."""

from pathlib import Path

from pgsim.errors import UsageError


def require_free(path: Path, force: bool) -> None:
    """UsageError where something is there that may not, or, as a device, must never be replaced."""
    if not path.exists():
        return
    if not (path.is_file() or path.is_dir()):
        raise UsageError(f"{path} is no file that could be replaced: name another")
    if not force:
        raise UsageError(f"{path} exists: `force=True` replaces it")
