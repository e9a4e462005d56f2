"""The errors of PostgreSQL and of psycopg as pgsim's own: one line, and what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from pgsim.errors import PgsimError, UsageError

# What a function says of its arguments: invalid_parameter_value, numeric_value_out_of_range.
_MISUSE = {"22023", "22003"}


@contextmanager
def as_pgsim_errors() -> Iterator[None]:
    """Raise PgsimError in place of psycopg's errors, which stay its cause."""
    try:
        yield
    except psycopg.Error as error:
        raise as_pgsim_error(error) from error


def as_pgsim_error(error: psycopg.Error) -> PgsimError:
    """Return the error in one line: UsageError where a function refuses an argument."""
    kind = UsageError if error.sqlstate in _MISUSE else PgsimError
    return kind(_one_line(error))


def _one_line(error: psycopg.Error) -> str:
    """Return the server's message and its hint; where it has none, the driver's own message."""
    parts = [error.diag.message_primary or str(error).strip() or type(error).__name__]
    if error.diag.message_hint:
        parts.append(error.diag.message_hint)
    elif parts[0].startswith("permission denied for "):
        parts.append("pgsim_reader may ask, pgsim_writer load and refresh: see pgsim init --roles")
    elif _is_lost(error):
        parts.append("connect again")
    return "; ".join(" ".join(part.split()) for part in parts)


def _is_lost(error: psycopg.Error) -> bool:
    """Return whether the connection is lost: the driver or the server has ended it."""
    return isinstance(error, psycopg.OperationalError) and (
        error.sqlstate is None or error.sqlstate.startswith("57P")
    )
