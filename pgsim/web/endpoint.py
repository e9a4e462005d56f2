"""The endpoints of questions: a path, the question behind it, and what its arguments are called."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from typing import Any

import orjson
from starlette.requests import Request

from pgsim.questions.question import Question
from pgsim.questions.values import is_mbid
from pgsim.questions.words import Word
from pgsim.web.problems import Problem
from pgsim.web.values import kind_of, value_of


@dataclass(frozen=True, slots=True)
class Name:
    """What an argument of SQL is called in a query, where a list is repeated, and in a body."""

    query: str
    body: str


@dataclass(frozen=True, slots=True)
class Given:
    """The arguments of a question, ready for psycopg; those of `own_ids` are looked up by SQL."""

    values: dict[str, Any]
    own_ids: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class Endpoint:
    """A question under a path below /api/v1.

    `seeds` gives the argument for each name in the path; `names` gives another name in requests
    than SQL's to some arguments.
    """

    path: str
    question: Question[Any]
    seeds: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, Name] = field(default_factory=dict)
    methods: tuple[str, ...] = ("GET",)

    def words(self) -> dict[str, Word]:
        """Return the arguments that are not in the path, by SQL's names."""
        every = {**self.question.first, **self.question.words}
        return {name: word for name, word in every.items() if name not in self.seeds.values()}

    def name_of(self, argument: str) -> Name:
        """Return what an argument is called in requests."""
        return self.names.get(argument, Name(argument, argument))

    def required(self) -> set[str]:
        """Return the arguments that a question cannot do without: what it starts from."""
        return {
            name
            for name, word in self.question.first.items()
            if word.names_recordings or word.kind in ("vector", "jsonb")
        }

    async def given(self, request: Request) -> Given:
        """Return a request's arguments; Problem for a name or a value that the question lacks."""
        is_body = request.method == "POST"
        names = _names(self, is_body=is_body)
        if is_body:
            raw = await body_of(request)
        else:
            raw = query_of(request, names.words) if request.scope["query_string"] else {}
        values = {
            names.arguments[name]: value for name, value in read_words(raw, names.words).items()
        }
        for name, argument in self.seeds.items():
            values[argument] = value_of(name, names.every[argument], request.path_params[name])
        for name, argument in names.required.items():
            if argument not in values:
                raise Problem(
                    HTTPStatus.UNPROCESSABLE_ENTITY, f"{name} is missing", names.words[name].help
                )
        own_ids = (
            argument
            for argument, value in values.items()
            if names.every[argument].names_recordings
            and not all(map(is_mbid, [value] if isinstance(value, str) else value))
        )
        return Given(values, frozenset(own_ids))


@dataclass(frozen=True, slots=True)
class _Names:
    """By the names of requests: arguments, words, required arguments; and every word by SQL's."""

    arguments: dict[str, str]
    words: dict[str, Word]
    required: dict[str, str]
    every: dict[str, Word]


@cache
def _names(endpoint: Endpoint, *, is_body: bool) -> _Names:
    """Return the names that a query, or a body, may have."""
    words, required = endpoint.words(), endpoint.required()
    called = {argument: endpoint.name_of(argument) for argument in words}
    arguments = {
        (each.body if is_body else each.query): argument for argument, each in called.items()
    }
    return _Names(
        arguments,
        {name: words[argument] for name, argument in arguments.items()},
        {name: argument for name, argument in arguments.items() if argument in required},
        {**endpoint.question.first, **endpoint.question.words},
    )


def read_words(raw: Mapping[str, Any], words: Mapping[str, Word]) -> dict[str, Any]:
    """Return the values of words for psycopg; Problem 422 for a name that is none of them."""
    for name in raw.keys() - words.keys():
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"there is no parameter {name!r:.80} here",
            f"known: {', '.join(words)}",
        )
    return {name: value_of(name, words[name], value) for name, value in raw.items()}


def query_of(request: Request, words: Mapping[str, Word]) -> dict[str, Any]:
    """Return the query's parameters; those of a list are repeated.

    One with an empty value is left out, as a form sends it.
    """
    found: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        if not value:
            continue
        if name in words and kind_of(name, words[name]).is_list:
            found.setdefault(name, []).append(value)
        elif name in found:
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY, f"{name!r:.80} is given twice", "give it once"
            )
        else:
            found[name] = value
    return found


async def body_of(request: Request) -> dict[str, Any]:
    """Return the members of a JSON object; null leaves one out."""
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise Problem(HTTPStatus.BAD_REQUEST, f"the body is no JSON: {error}") from None
    if not isinstance(body, dict):
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, "the body is no JSON object", 'such as {"k": 10}'
        )
    return {name: value for name, value in body.items() if value is not None}
