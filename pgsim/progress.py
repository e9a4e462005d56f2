"""Progress that long work reports to its caller: lines for a person, and units of work done."""

from typing import Protocol


class Say(Protocol):
    """Receives one line for a person."""

    def __call__(self, text: str, /) -> None: ...


class Advance(Protocol):
    """Receives progress: `done` more units and, where it is known, the share of all that is done.

    `share` is between 0 and 1.
    """

    def __call__(self, done: int, share: float | None = None, /) -> None: ...


def silent(_: str, /) -> None:
    """Drop a line: the default of `say`."""


def still(_: int, share: float | None = None, /) -> None:
    """Drop a report of progress: the default of `advance`."""
