"""A disk that is full from one moment to the next, or processes that may write no more."""

import os
import resource
import shutil
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

SIZE = 512  # MiB
WORDS = 4096  # bytes in which a process can still say what is wrong


class SmallDisk:
    """A small file system in memory, mounted at `folder`; `problem` says why it is not."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.problem = ""
        self._filler = folder / "filler"
        options = ("-t", "tmpfs", "-o", f"size={SIZE}m,mode=755")
        try:
            subprocess.run(
                ["mount", *options, "tmpfs", folder], capture_output=True, text=True, check=True
            )
        except FileNotFoundError:
            self.problem = "no program mount here"
        except subprocess.CalledProcessError as error:
            self.problem = error.stderr.strip()

    def fill(self) -> None:
        """Leave no free byte."""
        with self._filler.open("ab") as file, suppress(OSError):
            while free := shutil.disk_usage(self.folder).free:
                os.posix_fallocate(file.fileno(), self._filler.stat().st_size, free)

    def free(self) -> None:
        """Make it as free as before."""
        self._filler.unlink(missing_ok=True)

    def close(self) -> None:
        """Unmount it, once the last process has gone that uses it."""
        if not self.problem:
            subprocess.run(["umount", "--lazy", self.folder], check=True)


def forbid_files(processes: Iterable[int]) -> None:
    """Let these processes write files of a few words only, where no disk can be mounted."""
    for pid in processes:
        with suppress(ProcessLookupError):
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (WORDS, hard))
