"""What went wrong, as application/problem+json: the message and the hint that SQL gives."""

import logging
import re
from http import HTTPStatus
from typing import Any

import orjson
import psycopg
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from pgsim.errors import PgsimError, UsageError

_log = logging.getLogger("pgsim.web")

MEDIA_TYPE = "application/problem+json"
_RETRY_AFTER = "2"  # seconds
_NO_DATA = "P0002"  # an unknown recording, or one that lacks what a word asks for
_UNKNOWN = re.compile("unknown (recording|artist|album) |.* is neither an MBID nor the own id")
# By SQLSTATE: too long; not allowed.
_STATUSES = {
    "57014": HTTPStatus.GATEWAY_TIMEOUT,
    "42501": HTTPStatus.FORBIDDEN,
    "25006": HTTPStatus.FORBIDDEN,
    "55000": HTTPStatus.CONFLICT,
}
_HINTS = {
    "57014": "ask for less, or start pgsim serve with a longer --timeout",
    "42501": "run pgsim init --roles, which gives pgsim_reader and pgsim_listener their rights",
}


class Problem(PgsimError):
    """An answer that is an error: its status, what is wrong, and what to do."""

    def __init__(self, status: int, detail: str, hint: str | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.hint = HTTPStatus(status), detail, hint


def problem_of(error: Exception) -> Problem:
    """Return an error of pgsim's, of PostgreSQL's or of the pool's as a problem."""
    match error:
        case Problem():
            return error
        case HTTPException():  # of Starlette's, such as one about a form
            return Problem(error.status_code, error.detail)
        case ClientDisconnect():
            return Problem(HTTPStatus.BAD_REQUEST, "the client went away")
        case UsageError():
            return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        case PoolTimeout() | TooManyRequests():
            return Problem(
                HTTPStatus.SERVICE_UNAVAILABLE, "no connection to PostgreSQL is free", "try again"
            )
        case PoolClosed():
            return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "the server stops", "try again")
        case psycopg.Error():
            return _of_postgres(error)
        case PgsimError():
            return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "a fault of pgsim's: see its log")


def failed(error: Exception) -> Problem:
    """Return the problem of an error that nothing has caught; the log has what is a fault."""
    problem = problem_of(error)
    if problem.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("%s", problem.detail, exc_info=error)
    return problem


def _of_postgres(error: psycopg.Error) -> Problem:
    state = error.sqlstate
    if is_away(error):
        return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "PostgreSQL does not answer", "try again")
    message = " ".join((error.diag.message_primary or str(error)).split())
    hint = error.diag.message_hint or _HINTS.get(state or "")
    if state in _STATUSES:
        return Problem(_STATUSES[state], message, hint)
    if state == _NO_DATA and _UNKNOWN.match(message):
        return Problem(HTTPStatus.NOT_FOUND, message, hint)
    # Data exceptions; and what the driver itself cannot send.
    if state is None or state == _NO_DATA or state.startswith("22"):
        return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, message, hint)
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, message, hint)


def is_away(error: psycopg.Error) -> bool:
    """Return whether the connection is lost, or none can be had: another try may succeed."""
    state = error.sqlstate
    return isinstance(error, psycopg.OperationalError) and (
        state is None or (state[:2] in ("08", "53", "57") and state != "57014")
    )


def response_of(problem: Problem) -> Response:
    """Return a problem as the response that RFC 9457 describes."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": problem.status.phrase,
        "status": problem.status.value,
        "detail": problem.detail,
    }
    if problem.hint:
        body["hint"] = problem.hint
    return Response(
        orjson.dumps(body), problem.status.value, headers_of(problem), media_type=MEDIA_TYPE
    )


def headers_of(problem: Problem) -> dict[str, str]:
    """Return the headers that an answer with this status has, whatever its form."""
    match problem.status:
        case HTTPStatus.SERVICE_UNAVAILABLE | HTTPStatus.TOO_MANY_REQUESTS:
            return {"Retry-After": _RETRY_AFTER}
        case HTTPStatus.UNAUTHORIZED:
            return {"WWW-Authenticate": "Bearer"}
        case HTTPStatus.REQUEST_TIMEOUT | HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return {"Connection": "close"}  # the rest of the body is not read
    return {}
