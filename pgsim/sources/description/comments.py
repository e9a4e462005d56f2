"""Texts in a proposed profile: values in TOML, and comments."""

import json

REMARK = "# Look at this: "


def shown(text: str) -> str:
    """Return a text on one line, for a comment."""
    return json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"').replace("\x7f", "\\u007f")


def toml(value: str | list[str]) -> str:
    """Return a text, or a list of texts, in TOML, which has all of JSON's escapes."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
