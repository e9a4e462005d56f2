"""The pages about questions: search, a recording and its nearest, why, path and radio."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from pgsim.errors import PgsimError, UsageError
from pgsim.postgres.rows import one_value
from pgsim.questions import question as questions
from pgsim.web.page.form import read_form
from pgsim.web.page.radio import Radio
from pgsim.web.page.shown import show_named
from pgsim.web.page.site import Answered, Site, TakeAway

if TYPE_CHECKING:
    from pgsim.postgres.connection import Connection

START = 12  # recordings of the first page
FOUND = 20

Page = Callable[..., Response]


def home(site: Site, request: Request) -> Response:
    """Return the first page: some recordings to start from, and what else there is."""
    with site.connection() as conn:
        # MBIDs are random: so is their order.
        some = conn.execute(
            "SELECT mbid FROM pgsim.recording"
            " WHERE title IS NOT NULL AND vector IS NOT NULL ORDER BY mbid LIMIT %s",
            (START,),
        )
        rows = show_named(conn, [mbid for (mbid,) in some], site.audio)
        count = one_value(conn, "SELECT count(*) FROM pgsim.recording WHERE vector IS NOT NULL")
        return site.page(request, conn, "home", rows=rows, recordings=count)


def search(site: Site, request: Request) -> Response:
    """Return the recordings that words find."""
    words = request.query_params.get("q", "")
    with site.connection() as conn:
        return site.answer(request, conn, "search", _found(site, conn, words), q=words)


def recording(site: Site, request: Request, named: str) -> Response:
    """Return a recording and its nearest or farthest."""
    with site.connection() as conn:
        [seed] = show_named(conn, [named], site.audio)
        form = read_form(conn, request.query_params)
        farthest = form.value("end") == "farthest"
        question = questions.DISSIMILAR if farthest else questions.SIMILAR
        words = form.words(question)
        answered = site.ask(conn, question, {"seed": seed.mbid, "k": form.k}, words)
        endpoint = f"recordings/{seed.mbid}/{'dissimilar' if farthest else 'similar'}"
        take_away = TakeAway(f"Like {seed.name}", endpoint, {"k": form.k, **words})
        return site.answer(
            request, conn, "recording", answered, take_away,
            seed=seed, form=form, farthest=farthest,
        )  # fmt: skip


def why(site: Site, request: Request, named: str, other: str) -> Response:
    """Return each feature set's share of the distance of two recordings."""
    with site.connection() as conn:
        one, two = show_named(conn, [named, other], site.audio)
        shares = questions.EXPLANATION.ask(conn, {"a": one.mbid, "b": two.mbid})
        return site.page(request, conn, "why", seed=one, other=two, shares=shares)


def radio(site: Site, request: Request) -> Response:
    """Return what to listen to: like the seeds, unlike the dislikes, without what was played."""
    listening = Radio(request.query_params)
    with site.connection() as conn:
        form = read_form(conn, request.query_params)
        seeds = show_named(conn, listening.named("seed"), site.audio)
        dislikes = show_named(conn, listening.named("dislike"), site.audio)
        if not seeds:
            raise UsageError("a radio starts from a recording: choose `Radio` beside one")
        words = form.words(questions.RADIO)
        lists = {"dislikes": listening.named("dislike"), "played": listening.named("played")}
        words |= {name: mbids for name, mbids in lists.items() if mbids}
        first = {"seeds": [each.mbid for each in seeds], "k": form.k}
        answered = site.ask(conn, questions.RADIO, first, words)
        return site.answer(
            request, conn, "radio", answered, TakeAway("Radio", "radio", {**first, **words}),
            radio=listening, form=form, seeds=seeds, dislikes=dislikes,
        )  # fmt: skip


PAGES: Mapping[str, Page] = {
    "/": home,
    "/search": search,
    "/recording/{named}": recording,
    "/recording/{named}/why/{other}": why,
    "/radio": radio,
}


def make_pages(site: Site) -> APIRouter:
    """Return the routes of the pages; a page that cannot be made is one that says why."""
    router = APIRouter()
    for path, page in PAGES.items():
        router.add_route(path, _endpoint(site, page), include_in_schema=False)
    return router


def _endpoint(site: Site, page: Page) -> Callable[[Request], Response]:
    def endpoint(request: Request) -> Response:
        try:
            return page(site, request, **request.path_params)
        except PgsimError as error:
            return site.problem(request, error)

    return endpoint


def _found(site: Site, conn: Connection, words: str) -> Answered:
    if not words.strip():
        return Answered([])
    first = {"words": words, "k": FOUND, "artist": None, "title": None}
    return site.ask(conn, questions.FOUND, first, {})
