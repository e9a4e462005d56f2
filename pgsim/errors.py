"""What pgsim raises; the command line catches PgsimError once and prints its one line."""


class PgsimError(Exception):
    """Base of every error meant for a user: one line that names value, cause and cure."""

    exit_code = 1


class UsageError(PgsimError):
    """A wrong argument: what was asked cannot be meant."""

    exit_code = 2


class Rejected(PgsimError):
    """One document that cannot be loaded; its message is the reason that `reject` keeps."""
