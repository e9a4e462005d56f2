"""OpenSubsonic's extension sonicSimilarity, and what its clients call before it."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from pgsim.web.login import Login
from pgsim.web.problems import Problem, problem_of
from pgsim.web.reader import Reader
from pgsim.web.subsonic_forms import Members, subsonic_response

GENERIC, MISSING, WRONG_LOGIN, CONFLICTING, WRONG_KEY, NOT_FOUND = 0, 10, 40, 43, 44, 70
_MOST = 1000  # songs of an answer
_EXTENSIONS = [
    {"name": name, "versions": [1]}
    for name in ("sonicSimilarity", "apiKeyAuthentication", "formPost")
]
_SONG = "r.mbid, r.title, r.artist, r.album, r.year, r.genre, r.length, r.source_id"
_SIMILAR = f"""
    SELECT {_SONG}, a.similarity
    FROM pgsim.similar_recordings(pgsim.mbid_of(%(id)s::text), %(count)s::integer) AS a
    INNER JOIN pgsim.recording AS r ON a.mbid = r.mbid
    ORDER BY a.rank
"""
_PATH = f"""
    SELECT {_SONG}, a.similarity
    FROM pgsim.similar_path(
        from_mbid => pgsim.mbid_of(%(start)s::text), to_mbid => pgsim.mbid_of(%(end)s::text),
        steps => %(count)s::integer
    ) AS a
    INNER JOIN pgsim.recording AS r ON a.mbid = r.mbid
    ORDER BY a.rank
"""
_ONE = f"""
    SELECT {_SONG} FROM pgsim.recording AS r
    WHERE r.id = pgsim.recording_of(pgsim.mbid_of(%(id)s::text))
"""
_FOUND = f"""
    SELECT {_SONG} FROM pgsim.find_recordings(%(words)s::text, %(last)s::integer) AS f
    INNER JOIN pgsim.recording AS r ON f.mbid = r.mbid
    WHERE f.rank > %(offset)s::integer
    ORDER BY f.rank
"""
_EVERY = f"""
    SELECT {_SONG} FROM pgsim.recording AS r
    ORDER BY r.mbid LIMIT %(count)s::integer OFFSET %(offset)s::integer
"""


class Refused(Exception):
    """An error of Subsonic's: its code and its message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Subsonic:
    """Answers the requests of Subsonic's clients, each by the method that its path names."""

    def __init__(self, reader: Reader, login: Login) -> None:
        self._reader, self._login = reader, login
        self._methods: Mapping[str, Callable[[Mapping[str, str]], Awaitable[Members]]] = {
            "ping": self._ping,
            "getSong": self._song,
            "search3": self._search,
            "getSonicSimilarTracks": self._similar,
            "findSonicPath": self._path,
        }

    async def answer(self, request: Request) -> Response:
        """Return what a method answers; with an error of it, the status is still 200."""
        given = {**request.query_params}
        if request.method == "POST":
            async with request.form(max_files=0, max_fields=100) as form:
                given |= {name: value for name, value in form.items() if isinstance(value, str)}
        form_of_answer = given.get("f", "xml")
        try:
            members = await self._answer(request.path_params["method"].removesuffix(".view"), given)
        except Refused as refused:
            error = {"code": refused.code, "message": str(refused)}
            return subsonic_response({"error": error}, form_of_answer, status="failed")
        return subsonic_response(members, form_of_answer)

    async def _answer(self, method: str, given: Mapping[str, str]) -> Members:
        if method == "getOpenSubsonicExtensions":  # which asks for no login
            return {"openSubsonicExtensions": _EXTENSIONS}
        if method not in self._methods:
            raise Problem(HTTPStatus.NOT_FOUND, f"no method {method!r:.80}")
        try:
            await self._require_login(given)
            return await self._methods[method](given)
        except Refused:
            raise
        except Exception as error:
            problem = problem_of(error)
            if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            code = NOT_FOUND if problem.status == HTTPStatus.NOT_FOUND else GENERIC
            raise Refused(code, problem.detail) from None

    async def _require_login(self, given: Mapping[str, str]) -> None:
        if key := given.get("apiKey"):
            if given.keys() & {"u", "p", "t", "s"}:
                raise Refused(CONFLICTING, "an apiKey goes without u, p, t and s")
            if await self._login.of_key(key) is None:
                raise Refused(WRONG_KEY, "the apiKey is nobody's")
            return
        name = _needed(given, "u")
        if "t" in given:
            known = await self._login.is_token(name, given["t"], _needed(given, "s"))
        else:
            known = await self._login.is_password(name, _plain(_needed(given, "p")))
        if not known:
            raise Refused(WRONG_LOGIN, "wrong user or password")

    async def _ping(self, _: Mapping[str, str]) -> Members:
        return {}

    async def _song(self, given: Mapping[str, str]) -> Members:
        found = await self._reader.found(_ONE, {"id": _needed(given, "id")})
        return {"song": _child(found.rows()[0])}

    async def _search(self, given: Mapping[str, str]) -> Members:
        words = given.get("query", "").strip('" ')
        count, offset = _count(given, "songCount", 20, 0), _count(given, "songOffset", 0, 0)
        values = {"words": words, "count": count, "offset": offset, "last": count + offset}
        if count == 0 or (words and offset >= _MOST):
            return {"searchResult3": {"song": []}}
        values["last"] = min(count + offset, _MOST)
        found = await self._reader.found(_FOUND if words else _EVERY, values)
        return {"searchResult3": {"song": [_child(row) for row in found.rows()]}}

    async def _similar(self, given: Mapping[str, str]) -> Members:
        values = {"id": _needed(given, "id"), "count": _count(given, "count", 10)}
        return _matches((await self._reader.found(_SIMILAR, values)).rows())

    async def _path(self, given: Mapping[str, str]) -> Members:
        values = {
            "start": _needed(given, "startSongId"),
            "end": _needed(given, "endSongId"),
            "count": _count(given, "count", 25),
        }
        return _matches((await self._reader.found(_PATH, values)).rows())


def _needed(given: Mapping[str, str], name: str) -> str:
    value = given.get(name)
    if not value:
        raise Refused(MISSING, f"the parameter {name} is missing")
    if "\0" in value:
        raise Refused(GENERIC, f"the parameter {name} has a NUL")
    return value


def _count(given: Mapping[str, str], name: str, default: int, least: int = 1) -> int:
    text = given.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= least):
        raise Refused(GENERIC, f"{name} must be a number from {least}")
    return int(text) if name == "songOffset" else min(int(text), _MOST)


def _plain(password: str) -> str:
    """Return a password, which may be written as enc: and hexadecimal digits."""
    if not password.startswith("enc:"):
        return password
    try:
        return bytes.fromhex(password.removeprefix("enc:")).decode()
    except ValueError:
        raise Refused(WRONG_LOGIN, "wrong user or password") from None


def _matches(rows: list[dict[str, Any]]) -> Members:
    return {"sonicMatch": [{"entry": _child(row), "similarity": row["similarity"]} for row in rows]}


def _child(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recording as Subsonic's Child; what is unknown is left out."""
    child = {
        "id": row["mbid"],
        "title": row["title"] or row["source_id"] or row["mbid"],
        "isDir": False,
        "artist": row["artist"],
        "album": row["album"],
        "year": row["year"],
        "genre": row["genre"],
        "duration": None if row["length"] is None else round(row["length"]),
        "type": "music",
        "mediaType": "song",
        "musicBrainzId": row["mbid"],
    }
    return {name: value for name, value in child.items() if value is not None}
