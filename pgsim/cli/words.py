"""The words of a question as options of a command."""

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from pgsim.errors import UsageError
from pgsim.questions.words import Word

Command = Callable[..., None]
# A word's type on the command line, and what stands for its value in the help.
_TYPES: Mapping[str, tuple[Any, str | None]] = {
    "text": (str | None, None),
    "integer": (int | None, None),
    "double precision": (float | None, None),
    "boolean": (bool, None),
    "uuid[]": (list[str] | None, "MBID"),
    "jsonb": (str | None, "JSON"),
}


def with_words(words: Mapping[str, Word], before: str) -> Callable[[Command], Command]:
    """Return a decorator: words become options of a command, in place of its `**words`.

    In the help they stand before its own option of that name.
    """

    def decorate(command: Command) -> Command:
        signature = inspect.signature(command)
        own = [each for each in signature.parameters.values() if each.kind != each.VAR_KEYWORD]
        at = [each.name for each in own].index(before)
        command.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=[
                *own[:at],
                *(_option(name, word) for name, word in words.items()),
                *(each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own[at:]),
            ]
        )
        return command

    return decorate


def _option(name: str, word: Word) -> inspect.Parameter:
    """Return a word of a question as an option; one that takes a list is repeated, not plural."""
    kind, metavar = _TYPES[word.kind]
    is_list = word.kind == "uuid[]"
    spelling = "--" + (name.removesuffix("s") if is_list else name).replace("_", "-")
    text = word.help.removesuffix(".") + ("; repeatable." if is_list else ".")
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=False if kind is bool else None,
        annotation=Annotated[kind, typer.Option(spelling, metavar=metavar, help=text)],
    )


def asked(words: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the words that were given; UsageError for weights that are no JSON object."""
    given = {
        name: value for name, value in words.items() if value is not None and value is not False
    }
    if "weights" in given:
        given["weights"] = _weights(given["weights"])
    return given


def _weights(text: str) -> dict[str, float]:
    try:
        weights = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        weights = None
    if not isinstance(weights, dict):
        raise UsageError(f'--weights {text!r:.80} is no JSON object: write it as {{"moods": 2}}')
    return weights


def _no_number(name: str) -> None:
    raise ValueError(name)
