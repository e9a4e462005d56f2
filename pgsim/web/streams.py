"""The answers to many seeds, sent as PostgreSQL gives them, so that none is held in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from http import HTTPStatus
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from pgsim.web.endpoint import Endpoint
from pgsim.web.formats import CSV, JSON, NDJSON, csv_line, format_of
from pgsim.web.problems import Problem
from pgsim.web.questions import columns_of
from pgsim.web.reader import Reader


class Streamer:
    """Answers the requests of one endpoint row by row: as NDJSON, or as CSV.

    `most` are sent at a time: clients that read slowly leave connections to others.
    """

    def __init__(self, endpoint: Endpoint, reader: Reader, most: int) -> None:
        self._endpoint, self._reader = endpoint, reader
        self._columns = columns_of(endpoint)
        self._turns = asyncio.Semaphore(most)

    async def answer(self, request: Request) -> Response:
        """Return the first row, once there is one, and the others behind it."""
        given = await self._endpoint.given(request)
        if self._turns.locked():
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE, "other data sets are being sent", "try again"
            )
        asked = format_of(request)
        media_type = NDJSON if asked == JSON else asked
        call = self._endpoint.question.call(given.values, given.own_ids)
        rows = self._reader.stream(f"SELECT row_to_json(a)::text FROM {call} AS a", given.values)
        first = await anext(rows, None)

        async def pieces() -> AsyncIterator[bytes]:
            async with self._turns, aclosing(rows):
                if media_type == CSV:
                    yield csv_line(self._columns)
                if first is not None:
                    yield self._piece(media_type, first)
                async for row in rows:
                    yield self._piece(media_type, row)

        return StreamingResponse(pieces(), media_type=media_type)

    def _piece(self, media_type: str, row: tuple[Any, ...]) -> bytes:
        if media_type == NDJSON:
            return f"{row[0]}\n".encode()
        values = orjson.loads(row[0])
        return csv_line([values[name] for name in self._columns])
