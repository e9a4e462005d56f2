"""The forms of an answer: JSON, CSV, or NDJSON; and the tag by which a client asks again."""

import csv
import io
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from pgsim.version import __version__
from pgsim.web.reader import Found, Reader

JSON, CSV, NDJSON = "application/json", "text/csv", "application/x-ndjson"
_SUFFIXES = {".json": JSON, ".csv": CSV, ".ndjson": NDJSON}
SUFFIXES = tuple(_SUFFIXES)


def format_of(request: Request) -> str:
    """Return the media type that a request asks for, by its path's suffix or by its Accept."""
    for suffix, media_type in _SUFFIXES.items():
        if request.scope["path"].endswith(suffix):
            return media_type
    accepted = request.headers.get("accept", "")
    if accepted in ("", "*/*"):
        return JSON
    return next((each for each in (JSON, CSV, NDJSON) if each in accepted), JSON)


def as_json(value: Any) -> Response:
    """Return a value that is no list of rows."""
    return Response(orjson.dumps(value), media_type=JSON)


def encoded(media_type: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return rows as CSV with a header, or as NDJSON."""
    if media_type == NDJSON:
        return b"".join(orjson.dumps(row) + b"\n" for row in rows)
    return csv_line(columns) + b"".join(csv_line([row[name] for name in columns]) for row in rows)


def csv_line(values: Iterable[Any]) -> bytes:
    """Return values as one line of CSV."""
    text = io.StringIO()
    csv.writer(text).writerow(map(_cell, values))
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, list | dict | bool) else value


async def answered(
    request: Request,
    reader: Reader,
    columns: Sequence[str],
    ask: Callable[[], Awaitable[Found]],
) -> Response:
    """Return the answer in the form that is asked for; 304 where the client has it already."""
    media_type = format_of(request)
    headers = {"Cache-Control": "no-cache", "Vary": "Accept"}
    known = request.headers.get("if-none-match")
    if known is not None and request.method != "POST":
        tag = _tag(await reader.state(), media_type)
        if tag in known:
            return Response(status_code=304, headers={**headers, "ETag": tag})
    found = await ask()
    if request.method != "POST":
        headers["ETag"] = _tag(found.state, media_type)
    body = found.json if media_type == JSON else encoded(media_type, columns, found.rows())
    return Response(body, media_type=media_type, headers=headers)


def _tag(state: str, media_type: str) -> str:
    """Return the tag of what an address answers in this state of the database."""
    digest = blake2b(f"{state} {media_type} {__version__}".encode(), digest_size=12)
    return f'W/"{digest.hexdigest()}"'
