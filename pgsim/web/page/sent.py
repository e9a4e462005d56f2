"""What a visitor sends: a file to be asked about, or a verdict on an answer."""

from __future__ import annotations

import secrets
from dataclasses import replace
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson
from starlette.responses import RedirectResponse

from pgsim.web.collection import store_verdict

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pgsim.web.page.site import Site

_VISITOR = "visitor"  # the cookie that tells visitors apart
_YEAR = 365 * 24 * 3600  # seconds


async def upload(site: Site, request: Request) -> Response:
    """Return the recordings nearest to a file's and farthest from it; the file is not kept."""
    answer: dict[str, Any] = orjson.loads((await site.uploads.answer(request)).body)
    rows = answer["recordings"]
    shown = await site.named([row["mbid"] for row in rows])
    return await site.page(
        request,
        "upload",
        name=(await request.form())["file"].filename,  # type: ignore[union-attr]
        missing=answer["missing"],
        rows=[
            replace(each, similarity=row["similarity"])
            for each, row in zip(shown, rows, strict=True)
        ],
        worst=await site.named([row["mbid"] for row in answer["worst"]]),
    )


async def rate(site: Site, request: Request) -> Response:
    """Store a visitor's verdict on an answer, and lead back to the recording that was asked about.

    A cookie tells visitors apart who have not logged in. What is stored, and shown to others, is
    its hash.
    """
    visitor = request.cookies.get(_VISITOR, secrets.token_urlsafe(12))[:100]
    form = dict(await request.form())
    by_whom = request.scope.get("user") or f"visitor {sha256(visitor.encode()).hexdigest()[:16]}"
    await store_verdict(site.reader, {**form, "by_whom": by_whom})
    root = request.scope.get("root_path", "")
    response = RedirectResponse(
        f"{root}/recording/{quote(str(form['seed']))}", HTTPStatus.SEE_OTHER
    )
    response.set_cookie(
        _VISITOR,
        visitor,
        _YEAR,
        path=f"{root}/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return response
