"""The values of a request: from text or JSON to the arguments of SQL, and their schemas."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson

from pgsim.questions.words import Word
from pgsim.web.problems import Problem

MOST_RECORDINGS = 10_000  # in one list of a request
MOST_NUMBERS = 16_000  # of a vector; pgvector's own limit
_INTEGERS = range(-(1 << 31), 1 << 31)
_LONGEST_TEXT = 1000  # characters
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of SQL: how a value of it is read, and its schema in OpenAPI.

    `read` raises ValueError, or returns the value for psycopg. `must_be` ends the error.
    """

    read: Callable[[Any], Any]
    must_be: str
    schema: Mapping[str, Any]
    is_list: bool = False


def _integer(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,11}", value):
        value = int(value)
    if type(value) is not int or value not in _INTEGERS:
        raise ValueError
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return number


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _BOOLEANS:
        return _BOOLEANS[value.lower()]
    raise ValueError


def text_of(value: Any) -> str:
    """Return a text that PostgreSQL can hold; ValueError for any other value."""
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT or "\0" in value:
        raise ValueError
    return value


def _texts(value: Any) -> list[str]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or len(values) > MOST_RECORDINGS:
        raise ValueError
    return [text_of(each) for each in values]


def _weights(value: Any) -> str:
    if isinstance(value, str):
        value = orjson.loads(value)
    if not isinstance(value, dict):
        raise ValueError
    return orjson.dumps({text_of(name): _number(each) for name, each in value.items()}).decode()


def _tracks(value: Any) -> str:
    if not isinstance(value, list) or len(value) > MOST_RECORDINGS:
        raise ValueError
    return orjson.dumps(value).decode()


def _vector(value: Any) -> str:
    """Return pgvector's text, which has no type until PostgreSQL gives it one."""
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_NUMBERS:
        raise ValueError
    return orjson.dumps([_number(each) for each in value]).decode()


_TEXT = {"type": "string", "maxLength": _LONGEST_TEXT}
KINDS: Mapping[str, Kind] = {
    "integer": Kind(
        _integer,
        "a whole number",
        {"type": "integer", "minimum": _INTEGERS[0], "maximum": _INTEGERS[-1]},
    ),
    "double precision": Kind(_number, "a number", {"type": "number"}),
    "boolean": Kind(_boolean, "true or false", {"type": "boolean"}),
    "text": Kind(text_of, f"a text of at most {_LONGEST_TEXT} characters", _TEXT),
    "uuid": Kind(text_of, "an MBID, or an own id", _TEXT),
    "uuid[]": Kind(
        _texts,
        f"at most {MOST_RECORDINGS:,} MBIDs",
        {"type": "array", "items": _TEXT, "maxItems": MOST_RECORDINGS},
        is_list=True,
    ),
    "jsonb": Kind(
        _weights,
        'an object of numbers, like {"moods": 2}',
        {"type": "object", "additionalProperties": {"type": "number"}},
    ),
    "vector": Kind(
        _vector,
        f"a list of at most {MOST_NUMBERS:,} numbers",
        {"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": MOST_NUMBERS},
    ),
}

_TRACKS = Kind(
    _tracks,
    f'a list of at most {MOST_RECORDINGS:,} objects, like {{"creator": "…", "title": "…"}}',
    {"type": "array", "items": {"type": "object"}, "maxItems": MOST_RECORDINGS},
)


def kind_of(name: str, word: Word) -> Kind:
    """Return how a word is read: by its type in SQL, where JSON is not the tracks of a playlist."""
    return _TRACKS if name == "tracks" else KINDS[word.kind]


def value_of(name: str, word: Word, value: Any) -> Any:
    """Return a word's value for psycopg; Problem 422 for one that its type does not have."""
    kind = kind_of(name, word)
    try:
        return kind.read(value)
    except (ValueError, OverflowError):
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"{name} is {value!r:.80}, but must be {kind.must_be}",
            word.help,
        ) from None
