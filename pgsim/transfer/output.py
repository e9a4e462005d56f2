"""The path of an output: what exists there is replaced only on demand."""

from pathlib import Path

from pgsim.errors import UsageError


def require_free(path: Path, force: bool) -> None:
    """UsageError where the path exists without `force`, or is a device."""
    if not path.exists():
        return
    if not (path.is_file() or path.is_dir()):
        raise UsageError(f"{path} is no file that could be replaced: name another")
    if not force:
        raise UsageError(f"{path} exists: `force=True` replaces it")
