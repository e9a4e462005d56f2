"""Text for a terminal: a title or a file name cannot control it."""

import re

# Control characters but newline and tab, line separators, what turns the direction of writing, and
# bytes of a file's name that are no text.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """Return the text with a space in place of each character that would control a terminal."""
    return _CONTROL.sub(" ", text)


def escaped(document: str) -> str:
    r"""Return the JSON document with such characters as `\u009b`, which means the same."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", document)


def one_line(text: str) -> str:
    """Return the printable text as one line."""
    return re.sub(r"[\n\t]", " ", printable(text))
