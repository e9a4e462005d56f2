"""What every page is made with: a connection, the templates, and the headers of a page."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from psycopg.errors import NoDataFound

from pgsim.errors import PgsimError, UsageError
from pgsim.postgres.errors import as_pgsim_errors
from pgsim.postgres.rows import one_row
from pgsim.web.page.playlist import FORMATS, playlist
from pgsim.web.page.shown import Audio, Shown, show

if TYPE_CHECKING:
    from pgsim.postgres.connection import Connection
    from pgsim.questions.question import Question

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


@dataclass(frozen=True, slots=True)
class Parts:
    """What a server may offer besides the questions that every collection answers."""

    path: bool = False
    map: bool = False
    ratings: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """The rows of an answer; where the question was refused, the error instead."""

    rows: list[Shown]
    error: PgsimError | None = None


@dataclass(frozen=True, slots=True)
class TakeAway:
    """An answer to take away: its title, and where and by what parameters the API gives it."""

    title: str
    endpoint: str
    parameters: Mapping[str, Any]

    def links(self, request: Request) -> dict[str, str]:
        """Return the address of each format."""
        root = request.scope.get("root_path", "")
        here = [(name, value) for name, value in request.query_params.multi_items() if value]
        csv = f"{root}/api/v1/{self.endpoint}.csv?{urlencode(self.parameters, doseq=True)}"
        return {
            "CSV": csv,
            **{name.upper(): f"?{urlencode([*here, ('format', name)])}" for name in FORMATS},
        }


class Site:
    """The connection and the templates of all pages.

    `use` lends a connection for one page; `audio` says where this server plays a recording.
    """

    def __init__(
        self, use: Callable[[], AbstractContextManager[Connection]], audio: Audio
    ) -> None:
        self._use, self.audio = use, audio
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).with_name("templates")),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
        )

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Lend a connection; errors of PostgreSQL become PgsimError."""
        with as_pgsim_errors(), self._use() as conn:
            yield conn

    def ask(
        self,
        conn: Connection,
        question: Question[Any],
        first: Mapping[str, Any],
        words: Mapping[str, Any],
    ) -> Answered:
        """Return the answer to a question, or why it was refused."""
        try:
            with as_pgsim_errors():
                rows = question.ask(conn, first, words)
        except PgsimError as error:
            return Answered([], error)
        return Answered(show(conn, rows, self.audio))

    def answer(
        self,
        request: Request,
        conn: Connection,
        template: str,
        answered: Answered,
        take_away: TakeAway | None = None,
        **context: Any,
    ) -> Response:
        """Return an answer as a page; as a playlist, where the query asks for one."""
        format_ = request.query_params.get("format")
        if take_away and format_ in FORMATS and answered.error is None:
            return playlist(format_, take_away.title, answered.rows, str(request.base_url))
        if take_away:
            context["downloads"] = take_away.links(request)
        return self.page(
            request,
            conn,
            template,
            200 if answered.error is None else 422,
            rows=answered.rows,
            error=answered.error,
            **context,
        )

    def page(
        self,
        request: Request,
        conn: Connection | None,
        template: str,
        status: int = 200,
        **context: Any,
    ) -> HTMLResponse:
        """Return the page that a template makes; without a connection, one about a problem."""
        root = request.scope.get("root_path", "")
        text = self._templates.get_template(f"{template}.html").render(
            {
                "root": root,
                "static": lambda name: f"{root}/static/{name}?{_VERSIONS[name]}",
                "has": Parts() if conn is None else _parts(conn),
                "q": "",
                "error": None,
                **context,
            }
        )
        return HTMLResponse(text, status, HEADERS)

    def problem(self, request: Request, error: PgsimError) -> HTMLResponse:
        """Return the page about an error: what is not known, what is wrong, or what failed."""
        if isinstance(error.__cause__, NoDataFound):
            status, title = 404, "Not known"
        elif isinstance(error, UsageError):
            status, title = 422, "That cannot be answered"
        else:
            status, title = 503, "The database does not answer"
        return self.page(request, None, "problem", status, title=title, error=error)


def _parts(conn: Connection) -> Parts:
    return Parts(
        *one_row(
            conn,
            "SELECT to_regproc('pgsim.similar_path') IS NOT NULL,"
            " to_regproc('pgsim.map_recordings') IS NOT NULL,"
            " to_regproc('pgsim.rate') IS NOT NULL",
        )
    )
