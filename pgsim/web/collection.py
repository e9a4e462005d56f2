"""What a collection holds, over HTTP: its recordings, genres, decades, feature sets, and state."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from pgsim.web.formats import answered
from pgsim.web.problems import Problem
from pgsim.web.reader import Found, Reader

RECORDING = """
    SELECT
        r.mbid, r.artist, r.title, r.album, r.year, r.length, r.genre, r.genres, r.artist_mbids,
        r.source_id, r.url, r.missing, r.submissions
    FROM pgsim.recording AS r
    WHERE r.id = pgsim.recording_of(pgsim.mbid_of(%(mbid)s::text))
"""
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


async def recording_of(reader: Reader, mbid: str) -> dict[str, Any]:
    """Return what is stored about a recording, by its MBID or own id; Problem 404 for none."""
    if "\0" in mbid:
        raise Problem(HTTPStatus.NOT_FOUND, "the recording's name has a NUL")
    return (await reader.found(RECORDING, {"mbid": mbid})).rows()[0]
