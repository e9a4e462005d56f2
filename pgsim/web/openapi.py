"""The description of the API as OpenAPI 3.1, from the words of the questions and SQL's COMMENTs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from pgsim.version import __version__
from pgsim.web.operation import Operation
from pgsim.web.problems import MEDIA_TYPE
from pgsim.web.reader import Reader

_COMMENTS = """
    SELECT p.proname::text, obj_description(p.oid, 'pg_proc')
    FROM pg_catalog.pg_proc AS p
    WHERE p.pronamespace = 'pgsim'::regnamespace AND p.proname = ANY(%(names)s::text[])
"""
_ABOUT = (
    "Questions about which recordings sound alike. Each is a function of SQL, whose arguments and"
    " columns have the same names here."
)


@dataclass(frozen=True, slots=True)
class ProblemDetails:
    """What went wrong: RFC 9457, with a hint of what to do."""

    type: str
    title: str
    status: int
    detail: str
    hint: str | None = None


def rows_of(row: type) -> dict[str, Any]:
    """Return the schema of a list of rows, and enter that of a row under its name."""
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{row.__name__}"}}


async def openapi(
    operations: Iterable[Operation], rows: Iterable[type], reader: Reader, root_path: str
) -> dict[str, Any]:
    """Return the whole document."""
    operations = list(operations)
    names = sorted({each.function for each in operations if each.function})
    comments: dict[str, str] = {}
    for name, comment in await reader.rows(_COMMENTS, {"names": names}):
        comments[name] = comment
    _, schemas = msgspec.json.schema_components(
        [*rows, ProblemDetails], ref_template="#/components/schemas/{name}"
    )
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        for method in each.methods:
            comment = comments.get(each.function or "")
            paths.setdefault(each.path, {})[method.lower()] = each.describe(method, comment)
    return {
        "openapi": "3.1.0",
        "info": {"title": "pgsim", "version": __version__, "description": _ABOUT},
        **({"servers": [{"url": root_path}]} if root_path else {}),
        "paths": paths,
        "components": {"schemas": schemas, "responses": {"Problem": _problem()}},
    }


def _problem() -> Mapping[str, Any]:
    return {
        "description": "What went wrong, and what to do.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
    }
