"""The application: its paths, its limits and its pool, put together."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from pgsim.version import __version__
from pgsim.web.collection import LISTS, Lister, recording_of
from pgsim.web.formats import SUFFIXES
from pgsim.web.page.routes import add_page
from pgsim.web.problems import Problem, problem_of, response_of
from pgsim.web.questions import ENDPOINTS, Asker
from pgsim.web.reader import Reader, check_rights
from pgsim.web.settings import Settings

API = "/api/v1"
Answer = Callable[[Request], Awaitable[Response]]
_log = logging.getLogger("pgsim.web")


class PlainRoute(APIRoute):
    """A route that calls its function with the request, without FastAPI's way to arguments.

    What the function raises is answered as a problem.
    """

    def get_route_handler(self) -> Callable[[Request], Any]:
        """Return the function, with its errors as answers."""

        async def handle(request: Request) -> Response:
            try:
                response: Response = await self.endpoint(request)
            except Exception as error:
                return _failed(error)
            return response

        return handle


def make_app(settings: Settings) -> FastAPI:
    """Return the application; PgsimError where it may not ask as these settings say."""
    reader = Reader(settings, check_rights(settings))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await reader.open()
        yield
        await reader.close()

    app = FastAPI(
        title="pgsim",
        version=__version__,
        root_path=settings.root_path,
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.router.route_class = PlainRoute
    app.state.reader, app.state.settings = reader, settings
    app.add_exception_handler(HTTPException, _refused)
    for endpoint in ENDPOINTS:
        _add(app, endpoint.path, Asker(endpoint, reader).answer, endpoint.methods)
    for path in LISTS:
        _add(app, path, Lister(path, reader).answer)

    async def recording(request: Request) -> Response:
        row = await recording_of(reader, request.path_params["mbid"])
        return Response(orjson.dumps(row), media_type="application/json")

    async def health(_: Request) -> Response:
        await reader.state()
        return Response(b'{"status":"ok"}', media_type="application/json")

    app.add_api_route(f"{API}/recordings/{{mbid}}", recording, methods=["GET"])
    app.add_api_route(f"{API}/health", health, methods=["GET"])
    add_page(app)
    return app


def _add(app: FastAPI, path: str, answer: Answer, methods: tuple[str, ...] = ("GET",)) -> None:
    for suffix in ("", *SUFFIXES):
        app.add_api_route(
            f"{API}{path}{suffix}", answer, methods=list(methods), include_in_schema=not suffix
        )


def _failed(error: Exception) -> Response:
    problem = problem_of(error)
    if problem.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("%s", problem.detail, exc_info=error)
    return response_of(problem)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = response_of(Problem(error.status_code, error.detail))
    response.headers.update(error.headers or {})
    return response
