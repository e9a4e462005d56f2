"""What a collection holds, over HTTP: its recordings, genres, decades, feature sets, and state."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from pgsim.questions.words import Word
from pgsim.web.audio import has_audio
from pgsim.web.endpoint import body_of, read_words
from pgsim.web.formats import answered, as_json
from pgsim.web.problems import Problem
from pgsim.web.reader import Found, Reader
from pgsim.web.recording import recording_of
from pgsim.web.settings import Settings

# Each list by its path: its columns, and its query.
LISTS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "/genres": (
        ("genre", "recordings"),
        "SELECT r.genre, count(*) AS recordings FROM pgsim.recording AS r"
        " WHERE r.genre IS NOT NULL GROUP BY r.genre ORDER BY recordings DESC, r.genre",
    ),
    "/decades": (
        ("decade", "recordings"),
        "SELECT r.decade, count(*) AS recordings FROM pgsim.recording AS r"
        " WHERE r.decade IS NOT NULL GROUP BY r.decade ORDER BY r.decade",
    ),
    "/sets": (
        ("name", "length", "transform", "aggregate", "weight", "fitted"),
        "SELECT f.name, f.length, f.transform, f.aggregate, f.weight,"
        " f.center IS NOT NULL AS fitted FROM pgsim.feature_set AS f ORDER BY f.position",
    ),
    "/status": (
        ("item", "value", "number"),
        "SELECT s.item, s.value, s.number FROM pgsim.status() AS s",
    ),
}


_EXTENT = """
    SELECT min(m.x) AS x0, min(m.y) AS y0, max(m.x) AS x1, max(m.y) AS y1, count(*) AS recordings
    FROM pgsim.map_position AS m
"""
_RATE = """
    SELECT pgsim.rate(
        pgsim.mbid_of(%(seed)s::text), pgsim.mbid_of(%(answer)s::text), %(verdict)s::integer,
        %(by_whom)s::text
    )
"""
RATING_WORDS: Mapping[str, Word] = {
    "seed": Word("uuid", "The recording that was asked about."),
    "answer": Word("uuid", "The recording of the answer."),
    "verdict": Word("integer", "1: it sounds like the seed; -1: it does not; 0: takes it back."),
    "by_whom": Word("text", "Whose verdict it is."),
}


class Lister:
    """Answers the requests for one of LISTS."""

    def __init__(self, path: str, reader: Reader) -> None:
        self._columns, self._query = LISTS[path]
        self._reader = reader

    async def answer(self, request: Request) -> Response:
        """Return the rows."""

        async def ask() -> Found:
            return await self._reader.found(self._query)

        return await answered(request, self._reader, self._columns, ask)


class Collection:
    """Answers requests for one recording, for the sides of the map, and for verdicts."""

    def __init__(self, reader: Reader, settings: Settings) -> None:
        self._reader, self._audio = reader, settings.audio

    async def recording(self, request: Request) -> Response:
        """Return what is stored about a recording."""
        row = await recording_of(self._reader, request.path_params["mbid"])
        return as_json({**row, "has_audio": has_audio(self._audio, row)})

    async def extent(self, _: Request) -> Response:
        """Return the rectangle that has the whole map."""
        return as_json((await self._reader.found(_EXTENT)).rows()[0])

    async def rate(self, request: Request) -> Response:
        """Store a verdict on an answer."""
        await store_verdict(self._reader, {"by_whom": "pgsim serve", **await body_of(request)})
        return Response(status_code=HTTPStatus.NO_CONTENT)


async def store_verdict(reader: Reader, raw: Mapping[str, Any]) -> None:
    """Store a verdict with RATING_WORDS; Problem 422 where one is missing or wrong."""
    values = read_words(raw, RATING_WORDS)
    for name in RATING_WORDS:
        if name not in values:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{name} is missing")
    await reader.write(_RATE, values)
