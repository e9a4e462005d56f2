"""An operation of the API: what answers it, and what OpenAPI says of it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from pgsim.questions.words import Word
from pgsim.web.formats import CSV, JSON, NDJSON
from pgsim.web.values import kind_of

Answer = Callable[[Request], Awaitable[Response]]
ROWS = (JSON, CSV, NDJSON)


@dataclass(frozen=True, slots=True)
class Operation:
    """A path below the root, its methods, and the function that answers.

    `query` and `body` are the words of a request, `required` those that it has to have, and
    `path_words` those of the path. `media_types` are the forms of the answer, `schema` is that of
    its JSON; `function` is the function of SQL whose COMMENT describes it.
    """

    path: str
    answer: Answer
    summary: str
    methods: tuple[str, ...] = ("GET",)
    query: Mapping[str, Word] = field(default_factory=dict)
    body: Mapping[str, Word] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    path_words: Mapping[str, Word] = field(default_factory=dict)
    media_types: tuple[str, ...] = (JSON,)
    schema: Mapping[str, Any] = field(default_factory=dict)
    function: str | None = None
    status: int = 200
    sends_file: bool = False

    def describe(self, method: str, comment: str | None) -> dict[str, Any]:
        """Return the operation object of OpenAPI 3.1 for one of the methods."""
        described: dict[str, Any] = {
            "summary": self.summary,
            "operationId": f"{method.lower()}{self.path.translate(_PLAIN)}",
            "parameters": [
                _parameter("path", name, word, is_required=True)
                for name, word in self.path_words.items()
            ],
            "responses": self._responses(),
        }
        if comment:
            described["description"] = comment
        if method == "GET":
            described["parameters"] += [
                _parameter("query", name, word, is_required=name in self.required)
                for name, word in self.query.items()
            ]
        elif self.sends_file:
            schema = {
                "type": "object",
                "properties": {"file": {"type": "string", "format": "binary"}},
                "required": ["file"],
            }
            described["requestBody"] = _body("multipart/form-data", schema)
        elif self.body:
            described["requestBody"] = _body(JSON, self._body_schema())
        return described

    def _body_schema(self) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {
                name: {**kind_of(name, word).schema, "description": word.help}
                for name, word in self.body.items()
            },
            "required": sorted(self.required & self.body.keys()),
            "additionalProperties": False,
        }

    def _responses(self) -> dict[str, Any]:
        content = {
            media_type: {"schema": self.schema if media_type == JSON else {"type": "string"}}
            for media_type in self.media_types
        }
        return {
            str(self.status): {
                "description": self.summary,
                **({"content": content} if content else {}),
            },
            "4XX": {"$ref": "#/components/responses/Problem"},
            "5XX": {"$ref": "#/components/responses/Problem"},
        }


_PLAIN = str.maketrans({"/": "_", "{": None, "}": None, ".": "_"})


def _parameter(place: str, name: str, word: Word, *, is_required: bool) -> dict[str, Any]:
    schema = {**kind_of(name, word).schema}
    if word.kind == "jsonb":  # in a query it is a text of JSON
        return {
            "in": place,
            "name": name,
            "description": word.help,
            "required": is_required,
            "content": {JSON: {"schema": schema}},
        }
    return {
        "in": place,
        "name": name,
        "description": word.help,
        "required": is_required,
        "schema": schema,
    }


def _body(media_type: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {media_type: {"schema": schema}}}
