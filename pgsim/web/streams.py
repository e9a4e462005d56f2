"""The answers to many seeds, sent as PostgreSQL gives them, so that none is held in memory."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from http import HTTPStatus
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from pgsim.web.endpoint import Endpoint, Given
from pgsim.web.formats import CSV, JSON, NDJSON, csv_line, format_of
from pgsim.web.problems import Problem
from pgsim.web.questions import columns_of
from pgsim.web.reader import Reader


class _Streamed(StreamingResponse):
    """An answer in pieces, whose generator is closed whatever becomes of the client."""

    def __init__(self, first: bytes, pieces: AsyncGenerator[bytes], media_type: str) -> None:
        async def all_of_them() -> AsyncIterator[bytes]:
            yield first
            async for piece in pieces:
                yield piece

        super().__init__(all_of_them(), media_type=media_type)
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the pieces."""
        async with aclosing(self._pieces):
            await super().__call__(scope, receive, send)


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
        pieces = self._pieces(given, media_type)
        first = await anext(pieces, b"")

        return _Streamed(first, pieces, media_type)

    async def _pieces(self, given: Given, media_type: str) -> AsyncGenerator[bytes]:
        """Yield the rows as bytes; it has its turn, and a connection, until the last."""
        call = self._endpoint.question.call(given.values, given.own_ids)
        query = f"SELECT row_to_json(a)::text FROM {call} AS a"
        head = csv_line(self._columns) if media_type == CSV else b""
        async with self._turns, aclosing(self._reader.stream(query, given.values)) as rows:
            async for row in rows:
                yield head + self._piece(media_type, row)
                head = b""
            yield head

    def _piece(self, media_type: str, row: tuple[Any, ...]) -> bytes:
        if media_type == NDJSON:
            return f"{row[0]}\n".encode()
        values = orjson.loads(row[0])
        return csv_line([values[name] for name in self._columns])
