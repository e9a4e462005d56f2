"""The errors that pgsim raises; the command line catches PgsimError once and prints its one line.

A message names an argument of a Python function in backticks: `same_genre`, or `force=True` where
it says what to pass. So does a line for `progress.Say`. The command line writes these as its own
options, --same-genre and --force (`cli.common.with_options`).
"""


class PgsimError(Exception):
    """Base of every error that a user sees: one line with the value, the cause and the cure."""

    exit_code = 1


class UsageError(PgsimError):
    """A wrong argument, or arguments that cannot go together."""

    exit_code = 2


class Rejected(PgsimError):
    """One document that cannot be loaded; the message is the reason that `reject` keeps."""
