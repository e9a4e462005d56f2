"""Texts in the comments of a proposed profile."""

import json

REMARK = "# Look at this: "


def shown(text: str) -> str:
    """Return a text on one line, for a comment."""
    return json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"').replace("\x7f", "\\u007f")
