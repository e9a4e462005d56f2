"""The page /docs: every operation with its words, as plain HTML without any script."""

from collections.abc import Iterable, Mapping
from html import escape

from starlette.responses import HTMLResponse

from pgsim.questions.words import Word
from pgsim.web.operation import Operation

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>pgsim: the API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code { background: #8882; padding: .1em .3em; border-radius: .2em; }
section { border-top: 1px solid #8886; }
td, th { text-align: left; vertical-align: top; padding: .1rem 1rem .1rem 0; }
summary { cursor: pointer; }
:root { color-scheme: light dark; }
</style></head><body><h1>pgsim: the API</h1>
"""


def docs_page(operations: Iterable[Operation], root_path: str) -> HTMLResponse:
    """Return the page."""
    document = escape(f"{root_path}/openapi.json")
    about = (
        "<p>Each question is a function of SQL; its words and columns have the same names here."
        " Answers are JSON; with Accept, or with .csv or .ndjson behind the path, CSV or NDJSON."
        f' For programs: <a href="{document}">openapi.json</a>.</p>'
    )
    return HTMLResponse(_HEAD + about + "".join(map(_section, operations)) + "</body></html>\n")


def _section(operation: Operation) -> str:
    heading = f"{' or '.join(operation.methods)} <code>{escape(operation.path)}</code>"
    text = f"<section><h2>{heading}</h2><p>{escape(operation.summary)}</p>"
    words = {**operation.path_words, **(operation.query or operation.body)}
    return text + (_table(words) if words else "") + "</section>"


def _table(words: Mapping[str, Word]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(word.kind)}</td>"
        f"<td>{escape(word.help)}</td></tr>"
        for name, word in words.items()
    )
    return f"<details><summary>{len(words)} words</summary><table>{rows}</table></details>"
