"""What the library says of its arguments, in the words of the command line."""

import re

# An argument of a Python function, as pgsim.errors says: `same_genre`, `force=True`.
_ARGUMENT = re.compile(r"`([a-z]+(?:_[a-z]+)*)(?:=True)?`")


def with_options(text: str) -> str:
    """Return the text with options of the command line in place of arguments of Python."""
    return _ARGUMENT.sub(lambda found: _option(found[1]), text)


def _option(argument: str) -> str:
    return f"-{argument}" if len(argument) == 1 else f"--{argument.replace('_', '-')}"
