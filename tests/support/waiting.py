"""Waiting for what other threads and processes do."""

import time
from collections.abc import Callable


def wait_until(is_so: Callable[[], bool], seconds: float = 50) -> None:
    """Wait until it is so; AssertionError where it is not within these seconds.

    By default they are fewer than a poll takes, so that what is seen was woken.
    """
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "it never came to be"
        time.sleep(0.02)
