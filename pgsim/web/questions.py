"""The questions of SQL below /api/v1: one endpoint each, made from the registry of questions."""

from dataclasses import fields

from starlette.requests import Request
from starlette.responses import Response

from pgsim.questions import question as questions
from pgsim.web.endpoint import Endpoint, Name
from pgsim.web.formats import answered
from pgsim.web.reader import Found, Reader

_BOTH = ("GET", "POST")
ENDPOINTS = (
    Endpoint("/recordings/{mbid}/similar", questions.SIMILAR, {"mbid": "seed"}),
    Endpoint("/recordings/{mbid}/dissimilar", questions.DISSIMILAR, {"mbid": "seed"}),
    Endpoint(
        "/recordings/{mbid}/explain/{other}", questions.EXPLANATION, {"mbid": "a", "other": "b"}
    ),
    Endpoint(
        "/recordings/{mbid}/distances/{other}", questions.DISTANCES, {"mbid": "a", "other": "b"}
    ),
    Endpoint(
        "/recordings/{mbid}/path/{other}",
        questions.PATH,
        {"mbid": "from_mbid", "other": "to_mbid"},
    ),
    Endpoint("/recordings/{mbid}/how", questions.HOW, {"mbid": "seed"}),
    Endpoint("/recordings", questions.FOUND, names={"words": Name("q", "q")}),
    Endpoint("/artists/{artist}/similar", questions.SIMILAR_ARTISTS, {"artist": "artist"}),
    Endpoint("/albums/{album}/similar", questions.SIMILAR_ALBUMS, {"album": "album"}),
    Endpoint(
        "/similar",
        questions.SIMILAR_TO_ALL,
        names={"seeds": Name("mbid", "mbids")},
        methods=_BOTH,
    ),
    Endpoint(
        "/radio",
        questions.RADIO,
        names={"seeds": Name("seed", "seeds"), "dislikes": Name("dislike", "dislikes")},
        methods=_BOTH,
    ),
    Endpoint(
        "/nearest",
        questions.NEAREST,
        names={"query": Name("vector", "vector")},
        methods=("POST",),
    ),
    Endpoint(
        "/statistics",
        questions.STATISTICS,
        names={"query": Name("vector", "vector")},
        methods=("POST",),
    ),
    Endpoint("/playlists/match", questions.MATCHES, methods=("POST",)),
    Endpoint("/playlists/expand", questions.EXPANSION, methods=("POST",)),
    Endpoint(
        "/map",
        questions.MAP,
        names={
            "x_from": Name("x0", "x0"),
            "x_to": Name("x1", "x1"),
            "y_from": Name("y0", "y0"),
            "y_to": Name("y1", "y1"),
            "k": Name("limit", "limit"),
        },
    ),
    Endpoint("/ratings", questions.RATINGS),
)
DATASETS = Endpoint(
    "/datasets", questions.BATCH, names={"seeds": Name("mbid", "mbids")}, methods=_BOTH
)


def columns_of(endpoint: Endpoint) -> tuple[str, ...]:
    """Return the columns of an endpoint's rows."""
    return tuple(each.name for each in fields(endpoint.question.row))


class Asker:
    """Answers the requests of one endpoint."""

    def __init__(self, endpoint: Endpoint, reader: Reader) -> None:
        self._endpoint, self._reader = endpoint, reader
        self._columns = columns_of(endpoint)

    async def answer(self, request: Request) -> Response:
        """Return the rows of the question that a request asks."""
        given = await self._endpoint.given(request)

        async def ask() -> Found:
            return await self._reader.ask(self._endpoint.question, given.values, given.own_ids)

        return await answered(request, self._reader, self._columns, ask)
