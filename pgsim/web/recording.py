"""What is stored about one recording."""

from http import HTTPStatus
from typing import Any

from pgsim.web.problems import Problem
from pgsim.web.reader import Reader

_RECORDING = """
    SELECT
        r.mbid, r.artist, r.title, r.album, r.year, r.length, r.genre, r.genres, r.artist_mbids,
        r.source_id, r.url, r.missing, r.submissions
    FROM pgsim.recording AS r
    WHERE r.id = pgsim.recording_of(pgsim.mbid_of(%(mbid)s::text))
"""


async def recording_of(reader: Reader, mbid: str) -> dict[str, Any]:
    """Return what is stored about a recording, by its MBID or own id; Problem 404 for none."""
    if "\0" in mbid:
        raise Problem(HTTPStatus.NOT_FOUND, "the recording's name has a NUL")
    return (await reader.found(_RECORDING, {"mbid": mbid})).rows()[0]
