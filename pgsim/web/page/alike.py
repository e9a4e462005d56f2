"""The pages of artists and albums: which are alike, and by which recordings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from pgsim.questions import question as questions
from pgsim.web.page.form import Form
from pgsim.web.page.shown import album_path, artist_path
from pgsim.web.problems import Problem, problem_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pgsim.questions.question import Question
    from pgsim.web.page.shown import Shown
    from pgsim.web.page.site import Site


@dataclass(frozen=True, slots=True)
class Alike:
    """An artist or an album of an answer, its page, and the nearest pair of recordings."""

    name: str
    path: str
    recordings: int
    similarity: float
    own: Shown
    similar: Shown


async def artist(site: Site, request: Request, named: str) -> Response:
    """Return the artists most similar to one, by its MBID or name."""
    return await _page(site, request, questions.SIMILAR_ARTISTS, {"artist": named}, named)


async def album(site: Site, request: Request, named: str) -> Response:
    """Return the albums most similar to one, by its title and the artist of the query."""
    first = {"album": named}
    if request.query_params.get("artist"):
        first["artist"] = request.query_params["artist"]
    return await _page(site, request, questions.SIMILAR_ALBUMS, first, named)


async def _page(
    site: Site, request: Request, question: Question[Any], first: Mapping[str, Any], named: str
) -> Response:
    form = Form(request.query_params, await site.choices())
    rows: list[Alike] = []
    problem = None
    try:
        given = {**form.given(question), **first}
        rows = await _rows(site, question, given)
    except (Problem, psycopg.Error) as error:
        problem = problem_of(error)
        if problem.status not in (404, 422):
            raise
    kind = next(iter(first))
    return await site.page(
        request, "alike", 200 if problem is None else problem.status,
        kind=kind, form=form, rows=rows, problem=problem,
        name=(rows[0].own.artist if rows and kind == "artist" else None) or named,
    )  # fmt: skip


async def _rows(site: Site, question: Question[Any], given: Mapping[str, Any]) -> list[Alike]:
    query = f"SELECT a.* FROM {question.call(given)} AS a ORDER BY a.rank"
    rows = (await site.reader.found(query, given)).rows()
    own, similar = [
        await site.named([row[f"{end}_mbid"] for row in rows]) for end in ("own", "similar")
    ]
    return [
        Alike(*_name(row), row["recordings"], row["similarity"], one, other)
        for row, one, other in zip(rows, own, similar, strict=True)
    ]


def _name(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return the name of an artist or an album, and the path of its page."""
    if "album" in row:
        name = " · ".join(filter(None, (row["album"], row["artist"])))
        return name, album_path(row["album"], row["artist"])
    return row["artist"] or row["artist_mbid"], artist_path(row["artist_mbid"] or row["artist"])
