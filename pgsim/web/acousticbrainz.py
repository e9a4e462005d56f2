"""AcousticBrainz's similarity API, as its clients know it: one metric, one recording or many.

A recording of pgsim's has one vector, whatever its number of submissions: the offset of an answer
is 0, and that of a question is given back.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from pgsim.questions import question as questions
from pgsim.questions.values import is_mbid
from pgsim.web.problems import problem_of
from pgsim.web.reader import Reader

MOST_RECORDINGS = 25
MOST_NEIGHBOURS = 1000
_DUPLICATES = ("none", "samescore", "all")
_METRICS = "SELECT k.metric FROM pgsim.known_metrics() AS k"
_BETWEEN = """
    SELECT d.distance
    FROM pgsim.recording AS a
    CROSS JOIN pgsim.recording AS b
    CROSS JOIN LATERAL pgsim.recording_distances(a.mbid, b.mbid) AS d
    WHERE a.mbid = %(a)s::uuid AND b.mbid = %(b)s::uuid AND d.metric = %(metric)s::text
"""


class _Refused(Exception):
    """A message for the client, with the status 400."""


class AcousticBrainz:
    """Answers the requests of AcousticBrainz's clients."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def similar(self, request: Request) -> Response:
        """Return the nearest recordings of each that is asked for, by one metric."""
        return await _answered(self._similar, request)

    async def between(self, request: Request) -> Response:
        """Return the distance of two recordings by one metric; nothing where one is unknown."""
        return await _answered(self._between, request)

    async def search(self, request: Request) -> Response:
        """Return the recordings most similar to one, or to each of several: the earlier form."""
        return await _answered(self._search, request)

    async def _similar(self, request: Request) -> Any:
        asked = _recordings_of(request.query_params.get("recording_ids", ""))
        count = _number(request, "n_neighbours", 200, MOST_NEIGHBOURS)
        threshold = _threshold(request)
        duplicates = request.query_params.get("remove_dups", "none")
        if duplicates not in _DUPLICATES:
            raise _Refused(f"remove_dups must be one of {', '.join(_DUPLICATES)}")
        rows = await self._nearest(
            sorted({mbid for mbid, _ in asked}),
            count if duplicates == "none" else min(2 * count, MOST_NEIGHBOURS),
            {"metric": request.path_params["metric"], "ranking": "distance"},
        )
        answer: dict[str, dict[str, list[dict[str, Any]]]] = {}
        for mbid, offset in asked:
            if mbid in rows:
                near = _without_duplicates(rows[mbid]) if duplicates != "none" else rows[mbid]
                answer.setdefault(mbid, {})[str(offset)] = [
                    {"recording_mbid": row["mbid"], "offset": 0, "distance": row["distance"]}
                    for row in near[:count]
                    if threshold is None or row["distance"] <= threshold
                ]
        return answer

    async def _nearest(
        self, mbids: list[str], k: int, words: Mapping[str, Any]
    ) -> dict[str, list[dict[str, Any]]]:
        """Return the answers by their seeds; those without an answer are left out."""
        found = await self._reader.ask(questions.BATCH, {"seeds": mbids, "k": k, **words})
        answers: dict[str, list[dict[str, Any]]] = {}
        for row in found.rows():
            if row["problem"] is None:
                answers.setdefault(row["seed"], []).append(row)
        return answers

    async def _between(self, request: Request) -> Any:
        asked = _recordings_of(request.query_params.get("recording_ids", ""))
        if len(asked) != 2:
            raise _Refused("Does not contain two recordings in the request")
        metric = request.path_params["metric"]
        known = await self._reader.rows(_METRICS)
        if (metric,) not in known:
            raise _Refused(f"unknown metric '{metric}'; known: {', '.join(n for (n,) in known)}")
        rows = await self._reader.rows(
            _BETWEEN, {"a": asked[0][0], "b": asked[1][0], "metric": metric}
        )
        return {metric: rows[0][0]} if rows and rows[0][0] is not None else {}

    async def _search(self, request: Request) -> Any:
        k = _number(request, "k", 10, MOST_NEIGHBOURS)
        one = request.path_params.get("mbid")
        mbids = [one] if one else request.query_params.getlist("recording_id")
        asked = _recordings_of(";".join(mbids), "recording_id")
        rows = await self._nearest([mbid for mbid, _ in asked], k, {})
        near = {mbid: [_brief(row) for row in answer] for mbid, answer in rows.items()}
        return near if one is None else near.get(asked[0][0], [])


async def _answered(answer: Any, request: Request) -> Response:
    status = HTTPStatus.OK
    try:
        value = await answer(request)
    except _Refused as refused:
        status, value = HTTPStatus.BAD_REQUEST, {"message": str(refused)}
    except Exception as error:
        problem = problem_of(error)
        if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        status, value = (
            HTTPStatus.BAD_REQUEST,
            {"message": "; ".join(filter(None, (problem.detail, problem.hint)))},
        )
    return Response(orjson.dumps(value), status, media_type="application/json")


def _recordings_of(text: str, parameter: str = "recording_ids") -> list[tuple[str, int]]:
    """Return MBIDs with offsets, each once: mbid, or mbid:offset, between semicolons."""
    if not text:
        raise _Refused(f"Missing `{parameter}` parameter")
    found: dict[tuple[str, int], None] = {}
    for item in text.split(";"):
        mbid, has_offset, offset = item.partition(":")
        if not is_mbid(mbid):
            raise _Refused(f"'{mbid:.80}' is not a valid UUID")
        if has_offset and not (offset.isascii() and offset.isdigit() and len(offset) < 10):
            raise _Refused("Offset must be an integer >= 0")
        found[mbid.lower(), int(offset or 0)] = None
    if len(found) > MOST_RECORDINGS:
        raise _Refused(f"More than {MOST_RECORDINGS} recordings not allowed per request")
    return list(found)


def _number(request: Request, name: str, default: int, most: int) -> int:
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise _Refused(f"{name} must be an integer from 1 to {most}")
    return int(text)


def _threshold(request: Request) -> float | None:
    text = request.query_params.get("threshold")
    try:
        return None if text is None else float(text)
    except ValueError:
        raise _Refused("threshold must be a number") from None


def _without_duplicates(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows without those at the same distance as an earlier one."""
    return list({row["distance"]: row for row in reversed(rows)}.values())[::-1]


def _brief(row: dict[str, Any]) -> dict[str, Any]:
    return {"recording_mbid": row["mbid"], "distance": row["distance"], "offset": 0}
