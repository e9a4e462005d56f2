"""The application: its paths, its limits and its pool, put together."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response

from pgsim.version import __version__
from pgsim.web.acousticbrainz import AcousticBrainz
from pgsim.web.docs import docs_page
from pgsim.web.formats import SUFFIXES, as_json
from pgsim.web.guard import Guard
from pgsim.web.login import Login
from pgsim.web.metrics import Metrics
from pgsim.web.openapi import openapi
from pgsim.web.operation import Answer
from pgsim.web.operations import API, operations
from pgsim.web.page.entrance import Entrance
from pgsim.web.page.routes import add_page, make_site
from pgsim.web.problems import failed, problem_of, response_of
from pgsim.web.questions import DATASETS, ENDPOINTS
from pgsim.web.reader import Reader, check_rights
from pgsim.web.settings import Settings
from pgsim.web.subsonic import Subsonic
from pgsim.web.uploads import Uploads
from pgsim.web.users import read_secret, secret_file


class PlainRoute(APIRoute):
    """A route that calls its function with the request, without FastAPI's way to arguments.

    What the function raises is answered as a problem. Where it answers GET, it answers HEAD.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.methods and "GET" in self.methods:
            self.methods.add("HEAD")

    def get_route_handler(self) -> Callable[[Request], Any]:
        """Return the function, with its errors as answers."""

        async def handle(request: Request) -> Response:
            try:
                response: Response = await self.endpoint(request)
            except Exception as error:
                return response_of(failed(error))
            return response

        return handle


def make_app(settings: Settings) -> FastAPI:
    """Return the application; PgsimError where it may not ask as these settings say."""
    role = check_rights(settings)
    reader = Reader(settings, role)
    if settings.secret is not None:
        read_secret(settings.secret)  # a wrong one is said at once
    login = Login(reader, secret_file(settings.secret))
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await reader.open()
        yield
        await reader.close()

    app = FastAPI(
        title="pgsim",
        version=__version__,
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.router.route_class = PlainRoute
    app.state.reader, app.state.settings = reader, settings
    uploads = Uploads(settings, reader, role)
    site = make_site(reader, settings, uploads)

    async def refused(request: Request, error: Exception) -> Response:
        response = site.refusal(request, problem_of(error))
        response.headers.update(getattr(error, "headers", None) or {})
        return response

    app.add_exception_handler(HTTPException, refused)
    app.add_middleware(Guard, settings=settings, login=login, metrics=metrics, refusal=site.refusal)
    if settings.cors:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors),
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
        )
    known = list(operations(settings, reader, uploads))

    async def description(_: Request) -> Response:
        rows = {each.question.row for each in (*ENDPOINTS, DATASETS)}
        return as_json(await openapi(known, rows, reader, settings.root_path))

    async def docs(request: Request) -> Response:
        return docs_page(known, request.scope.get("root_path", ""))

    async def counts(_: Request) -> Response:
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")

    for each in known:
        suffixes = ("", *SUFFIXES) if len(each.media_types) > 1 else ("",)
        for suffix in suffixes:
            # An own id, or a name, may have slashes.
            path = each.path.replace("}", ":path}")
            app.add_api_route(f"{path}{suffix}", each.answer, methods=list(each.methods))
    _add_others(app, reader, login)
    for address, answer in (("/openapi.json", description), ("/docs", docs), ("/metrics", counts)):
        app.add_api_route(address, answer, methods=["GET"])
    add_page(app, site, Entrance(login) if settings.needs_key else None)
    return app


def _add_others(app: FastAPI, reader: Reader, login: Login) -> None:
    """Add the paths of other programs' clients."""
    acousticbrainz = AcousticBrainz(reader)
    paths: dict[str, Answer] = {
        "/similarity/{metric}/between/": acousticbrainz.between,
        "/similarity/{metric}/": acousticbrainz.similar,
        "/similarity_search/": acousticbrainz.search,
        "/{mbid}/similarity_search/": acousticbrainz.search,
    }
    for path, answer in paths.items():
        app.add_api_route(f"{API}{path}", answer, methods=["GET"])
    app.add_api_route("/rest/{method}", Subsonic(reader, login).answer, methods=["GET", "POST"])
