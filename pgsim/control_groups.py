"""The control groups of Linux that limit this process, as container runtimes set them."""

from collections.abc import Iterator
from pathlib import Path


def group_folders(controller: str, root: Path = Path("/")) -> Iterator[tuple[int, Path]]:
    """Yield the version, 1 or 2, and the folder of each group that may limit this process.

    `controller` is `memory`, `cpu` and so on. Every enclosing group limits too, up to the mount: a
    container sees its own group as the mount itself. `root` has proc and sys in it.
    """
    try:
        groups = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:  # not Linux
        return
    for line in groups:
        _, controllers, group = line.split(":", 2)
        if controllers == "":
            version, mount = 2, root / "sys/fs/cgroup"
        elif controller in controllers.split(","):
            version, mount = 1, root / "sys/fs/cgroup" / controller
        else:
            continue
        folder = mount / group.lstrip("/")
        for place in (folder, *folder.parents):
            if place.is_relative_to(mount):
                yield version, place


def read_words(path: Path) -> list[str]:
    """The words of a small file; none where it cannot be read."""
    try:
        return path.read_text().split()
    except OSError:
        return []
