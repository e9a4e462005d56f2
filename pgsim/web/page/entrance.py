"""The page on which one logs in, where a server asks for keys."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.responses import RedirectResponse

from pgsim.web.login import COOKIE, Login
from pgsim.web.problems import Problem

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pgsim.web.page.site import Site

_MONTH = 30 * 24 * 3600  # seconds


class Entrance:
    """Answers requests of who logs in, or out."""

    def __init__(self, login: Login) -> None:
        self._login = login

    async def show(self, site: Site, request: Request) -> Response:
        """Return the page with its form."""
        return site.entrance(request, request.query_params.get("then", ""))

    async def log_in(self, site: Site, request: Request) -> Response:
        """Keep the key in a cookie that no script reads, and lead to where one wanted to go."""
        async with request.form(max_files=0, max_fields=10) as form:
            name, key, then = (str(form.get(each, "")) for each in ("name", "key", "then"))
        if "\0" in key or not await self._login.is_password(name.strip(), key.strip()):
            problem = Problem(HTTPStatus.UNAUTHORIZED, "this is no user's name and key")
            return site.entrance(request, then, problem, is_wrong=True)
        response = RedirectResponse(_own_path(request, then), HTTPStatus.SEE_OTHER)
        response.set_cookie(
            COOKIE,
            key.strip(),
            _MONTH,
            path=f"{request.scope.get('root_path', '')}/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="lax",
        )
        return response

    async def log_out(self, _: Site, request: Request) -> Response:
        """Forget the key, and lead to the form."""
        root = request.scope.get("root_path", "")
        response = RedirectResponse(f"{root}/login", HTTPStatus.SEE_OTHER)
        response.delete_cookie(COOKIE, path=f"{root}/")
        return response


def _own_path(request: Request, then: str) -> str:
    """Return a path of this site: the one that is asked for, or that of the first page."""
    root = request.scope.get("root_path", "")
    # A browser takes two slashes, or a backslash for one of them, for the name of a host.
    is_own = then.startswith(f"{root}/") and not then.startswith("//") and "\\" not in then
    return quote(then, safe="/?&=%:+,~") if is_own else f"{root}/"
