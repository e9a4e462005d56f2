"""python -m pgsim, and the program pgsim: what has to be so before anything else is imported."""

import os
import signal
import sys

from pgsim.signals import ENDING


def main() -> None:
    """Run the command line."""
    open_standard_files()
    # An exception inside an import can be printed and forgotten. The command line, once the
    # command is imported, raises one.
    for each in ENDING:
        if signal.getsignal(each) != signal.SIG_IGN:
            signal.signal(each, _end)
    from pgsim import cli

    cli.main()


def open_standard_files() -> None:
    """Open the null device in place of a standard file that the caller has closed.

    Else a file or a connection that is opened later would get its number, and what is printed.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number is free
    sys.stdin = sys.stdin or open(0, encoding="utf-8")
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8")
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8")


def _end(number: int, _: object) -> None:
    """Say so and end at once: there is nothing to undo yet."""
    os.write(2, b"pgsim: interrupted\n")
    os._exit(128 + number)


if __name__ == "__main__":
    main()
