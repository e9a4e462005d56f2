"""What every page is made with: the database, the templates, and the headers of a page."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import psycopg
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from pgsim.web.page.form import Choices, Form, read_choices
from pgsim.web.page.playlist import FORMATS, playlist
from pgsim.web.page.shown import COLUMNS, Audio, Shown, show
from pgsim.web.problems import Problem, headers_of, problem_of, response_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from pgsim.questions.question import Question
    from pgsim.web.reader import Reader
    from pgsim.web.uploads import Uploads

STATIC = Path(__file__).with_name("static")
# No script, style or font from elsewhere, and none inside a page. Audio may lie at its own address.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "media-src 'self' https: http:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
# A changed file has another address, so that a browser may keep it.
_VERSIONS = {
    path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:8] for path in STATIC.iterdir()
}
_PROGRAMS = ("/api/", "/rest/")  # below which no browser shows a page
_KEPT = 60.0  # seconds for which the choices of a form are kept


def _root(request: Request) -> str:
    root: str = request.scope.get("root_path", "")
    return root


@dataclass(frozen=True, slots=True)
class Parts:
    """What a page offers besides: what the database has, and what the role may do."""

    map: bool = False
    ratings: bool = False


@dataclass(frozen=True, slots=True)
class TakeAway:
    """An answer to take away: its title, and where and by what parameters the API gives it."""

    title: str
    endpoint: str
    parameters: Mapping[str, Any]

    def links(self, request: Request) -> dict[str, str]:
        """Return the address of each format."""
        root = _root(request)
        here = [(name, value) for name, value in request.query_params.multi_items() if value]
        csv = f"{root}/api/v1/{self.endpoint}.csv?{urlencode(self.parameters, doseq=True)}"
        return {
            "CSV": csv,
            **{name.upper(): f"?{urlencode([*here, ('format', name)])}" for name in FORMATS},
        }


@dataclass(frozen=True, slots=True)
class Answered:
    """The arguments of a question, and the rows of its answer or the problem."""

    given: Mapping[str, Any]
    rows: list[Shown]
    problem: Problem | None = None


class Site:
    """The database and the templates of all pages; `audio` says where a recording is played."""

    def __init__(self, reader: Reader, uploads: Uploads, audio: Audio) -> None:
        self.reader, self.uploads, self.audio = reader, uploads, audio
        self._choices: tuple[float, Choices] | None = None
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).with_name("templates")),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
        )

    async def choices(self) -> Choices:
        """Return what a form lets one choose; it may be a minute old."""
        if self._choices is None or time.monotonic() - self._choices[0] > _KEPT:
            self._choices = (time.monotonic(), await read_choices(self.reader))
        return self._choices[1]

    async def named(self, names: Sequence[str]) -> list[Shown]:
        """Return recordings by their MBIDs or own ids; an error of SQL for an unknown one."""
        found = await self.reader.found(
            f"SELECT {COLUMNS} FROM unnest(%(names)s::text[]) WITH ORDINALITY AS n (name, place)"
            " INNER JOIN pgsim.recording AS r ON r.id = pgsim.recording_of(pgsim.mbid_of(n.name))"
            " ORDER BY n.place",
            {"names": list(names)},
        )
        return [show(row, self.audio) for row in found.rows()]

    async def ask(self, question: Question[Any], first: Mapping[str, Any], form: Form) -> Answered:
        """Return the answer to a question with the words of a form, or why there is none."""
        given = dict(first)
        score = "" if question.function == "find_recordings" else "a.similarity"
        try:
            given = {**form.given(question), **first}
            rows = await self.rows(question.call(given), given, score)
        except (Problem, psycopg.Error) as error:
            problem = problem_of(error)
            if problem.status >= 500:
                raise
            return Answered(given, [], problem)
        return Answered(given, rows)

    async def rows(
        self, call: str, given: Mapping[str, Any], score: str = "", order: str = "a.rank"
    ) -> list[Shown]:
        """Return the recordings that a call of a function of SQL returns."""
        columns = f"{COLUMNS}, {score}" if score else COLUMNS
        found = await self.reader.found(
            f"SELECT {columns} FROM {call} AS a"
            f" INNER JOIN pgsim.recording AS r ON a.mbid = r.mbid ORDER BY {order}",
            given,
        )
        return [show(row, self.audio) for row in found.rows()]

    async def answer(
        self,
        request: Request,
        template: str,
        answered: Answered,
        take_away: TakeAway | None = None,
        **context: Any,
    ) -> Response:
        """Return an answer as a page; as a playlist, where the query asks for one."""
        name = request.query_params.get("format", "")
        if take_away and name in FORMATS and answered.problem is None:
            return playlist(name, take_away.title, answered.rows, str(request.base_url))
        return await self.page(
            request,
            template,
            200 if answered.problem is None else 422,
            rows=answered.rows,
            problem=answered.problem,
            downloads=take_away.links(request) if take_away else {},
            **context,
        )

    async def page(
        self, request: Request, template: str, status: int = 200, **context: Any
    ) -> Response:
        """Return the page that a template makes."""
        return self._render(request, await self._parts(), template, status, context)

    def problem(self, request: Request, problem: Problem) -> Response:
        """Return the page about a problem."""
        return self._about(request, problem, "problem")

    def entrance(
        self,
        request: Request,
        then: str,
        problem: Problem | None = None,
        *,
        is_wrong: bool = False,
    ) -> Response:
        """Return the page on which one logs in; `then` is the path that one wants to see.

        It shows the problem where what somebody typed `is_wrong`.
        """
        return self._about(request, problem, "login", then=then, is_wrong=is_wrong)

    def refusal(self, request: Request, problem: Problem) -> Response:
        """Return a problem as a page to a browser that shows one, else as JSON.

        Without a key, a browser gets the page on which one logs in.
        """
        root = _root(request)
        path = request.scope["path"].removeprefix(root)
        if "text/html" not in request.headers.get("accept", "") or path.startswith(_PROGRAMS):
            return response_of(problem)
        if problem.status != HTTPStatus.UNAUTHORIZED:
            return self.problem(request, problem)
        asked = request.scope["raw_path"].decode().removeprefix(root)
        query = f"?{request.url.query}" if request.url.query else ""
        return self.entrance(request, f"{root}{asked}{query}", problem)

    def _about(
        self, request: Request, problem: Problem | None, template: str, **context: Any
    ) -> Response:
        """Return a page that asks the database for nothing."""
        status = problem.status.value if problem else 200
        response = self._render(request, Parts(), template, status, {"problem": problem, **context})
        response.headers.update(headers_of(problem) if problem else {})
        return response

    def _render(
        self,
        request: Request,
        parts: Parts,
        template: str,
        status: int,
        context: Mapping[str, Any],
    ) -> Response:
        root = _root(request)
        text = self._templates.get_template(f"{template}.html").render(
            {
                "root": root,
                "static": lambda name: f"{root}/static/{name}?{_VERSIONS[name]}",
                "has": parts,
                "user": request.scope.get("user"),
                "q": "",
                **context,
            }
        )
        return HTMLResponse(text, status, HEADERS)

    async def _parts(self) -> Parts:
        return Parts(
            *await self.reader.row(
                "SELECT EXISTS (SELECT FROM pgsim.map_position),"
                " has_table_privilege('pgsim.rating', 'INSERT')"
            )
        )
