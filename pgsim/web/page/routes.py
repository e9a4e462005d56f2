"""The pages about questions: search, a recording and its nearest, why, path and radio."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from starlette.staticfiles import StaticFiles

from pgsim.questions import question as questions
from pgsim.web.audio import audio_file
from pgsim.web.page.alike import album, artist
from pgsim.web.page.form import Form
from pgsim.web.page.map import IN_VIEW, legend, read_view
from pgsim.web.page.radio import Radio
from pgsim.web.page.sent import rate, upload
from pgsim.web.page.site import STATIC, Answered, Site, TakeAway
from pgsim.web.problems import Problem, failed

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Scope

    from pgsim.web.page.entrance import Entrance
    from pgsim.web.reader import Reader
    from pgsim.web.settings import Settings
    from pgsim.web.uploads import Uploads

START = 12  # recordings of the first page

Page = Callable[..., Awaitable["Response"]]


async def home(site: Site, request: Request) -> Response:
    """Return the first page: some recordings to start from, and what else there is."""
    # MBIDs are random: so is their order.
    some = await site.reader.found(
        "SELECT mbid::text FROM pgsim.recording"
        f" WHERE title IS NOT NULL AND vector IS NOT NULL ORDER BY mbid LIMIT {START}"
    )
    rows = await site.named([row["mbid"] for row in some.rows()])
    [count] = await site.reader.row("SELECT count(*) FROM pgsim.recording WHERE vector IS NOT NULL")
    return await site.page(request, "home", rows=rows, recordings=count)


async def search(site: Site, request: Request) -> Response:
    """Return the recordings that words find."""
    words = request.query_params.get("q", "")
    return await site.answer(request, "search", await _found(site, request, words), q=words)


async def recording(site: Site, request: Request, named: str) -> Response:
    """Return a recording and its nearest or farthest."""
    [seed] = await site.named([named])
    form = await _form(site, request)
    is_farthest = form.value("end") == "farthest"
    question = questions.DISSIMILAR if is_farthest else questions.SIMILAR
    answered = await site.ask(question, {"seed": seed.mbid}, form)
    endpoint = f"recordings/{seed.mbid}/{'dissimilar' if is_farthest else 'similar'}"
    parameters = {name: value for name, value in answered.given.items() if name != "seed"}
    take_away = TakeAway(f"Like {seed.name}", endpoint, parameters)
    return await site.answer(
        request, "recording", answered, take_away, seed=seed, form=form, is_farthest=is_farthest
    )


async def why(site: Site, request: Request, named: str, other: str) -> Response:
    """Return each feature set's share of the distance of two recordings."""
    one, two = await site.named([named, other])
    given = {"a": one.mbid, "b": two.mbid}
    shares = await site.reader.found(f"SELECT * FROM {questions.EXPLANATION.call(given)}", given)
    return await site.page(request, "why", seed=one, other=two, shares=shares.rows())


async def radio(site: Site, request: Request) -> Response:
    """Return what to listen to: like the seeds, unlike the dislikes, without what was played."""
    listening = Radio(request.query_params)
    seeds = await site.named(listening.named("seed"))
    if not seeds:
        raise Problem(422, "a radio starts from a recording", "choose Radio beside one")
    dislikes = await site.named(listening.named("dislike"))
    first = {
        "seeds": [each.mbid for each in seeds],
        "dislikes": [each.mbid for each in dislikes],
        "played": listening.named("played"),
    }
    form = await _form(site, request)
    answered = await site.ask(
        questions.RADIO, {name: mbids for name, mbids in first.items() if mbids}, form
    )
    renamed = {"seeds": "seed", "dislikes": "dislike"}
    parameters = {renamed.get(name, name): value for name, value in answered.given.items()}
    return await site.answer(
        request, "radio", answered, TakeAway("Radio", "radio", parameters),
        radio=listening, form=form, seeds=seeds, dislikes=dislikes,
    )  # fmt: skip


async def path(site: Site, request: Request) -> Response:
    """Return the recordings from one to another; where the other is not named, a search for it."""
    query = request.query_params
    [seed] = await site.named([query.get("from", "")])
    if not query.get("to"):
        words = query.get("words", "")
        found = await _found(site, request, words)
        return await site.answer(request, "path_to", found, seed=seed, words=words)
    [other] = await site.named([query["to"]])
    form = await _form(site, request)
    answered = await site.ask(questions.PATH, {"from_mbid": seed.mbid, "to_mbid": other.mbid}, form)
    take_away = TakeAway(
        f"From {seed.name} to {other.name}",
        f"recordings/{seed.mbid}/path/{other.mbid}",
        {name: value for name, value in answered.given.items() if not name.endswith("_mbid")},
    )
    return await site.answer(
        request, "path", answered, take_away, seed=seed, other=other, form=form
    )


async def map_(site: Site, request: Request) -> Response:
    """Return the map, and some of the recordings that are in view."""
    query = request.query_params
    around = None
    if query.get("around"):
        [seed] = await site.named([query["around"]])
        place = await site.reader.found(
            "SELECT x, y FROM pgsim.map_position WHERE id = pgsim.recording_of(%(mbid)s::uuid)",
            {"mbid": seed.mbid},
        )
        if not place.rows():
            raise Problem(404, f"{seed.name} has no place on the map yet", "a refresh gives it one")
        [around] = place.rows()
    view = read_view(query, around)
    bounds = ", ".join(f"{name} => %({name})s" for name in view.rectangle)
    rows = await site.rows(
        f"pgsim.map_recordings({bounds}, k => {IN_VIEW})", view.rectangle, order="a.mbid"
    )
    return await site.page(
        request, "map", rows=rows, view=view, around=around,
        legend=legend(await site.choices(), view.colour),
    )  # fmt: skip


async def _found(site: Site, request: Request, words: str) -> Answered:
    if not words.strip():
        return Answered({}, [])
    return await site.ask(questions.FOUND, {"words": words}, await _form(site, request))


async def _form(site: Site, request: Request) -> Form:
    return Form(request.query_params, await site.choices())


PAGES: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/", home),
    ("GET", "/search", search),
    ("GET", "/recording/{named}", recording),
    ("GET", "/recording/{named}/why/{other}", why),
    ("GET", "/artist/{named:path}", artist),
    ("GET", "/album/{named:path}", album),
    ("GET", "/radio", radio),
    ("GET", "/path", path),
    ("GET", "/map", map_),
    ("POST", "/upload", upload),
    ("POST", "/rate", rate),
)


def make_site(reader: Reader, settings: Settings, uploads: Uploads) -> Site:
    """Return what the pages are made with."""

    def audio(row: Mapping[str, Any]) -> str | None:
        if audio_file(settings.audio, row) is None:
            return None
        return f"{settings.root_path}/api/v1/recordings/{row['mbid']}/audio"

    return Site(reader, uploads, audio)


def add_page(app: FastAPI, site: Site, entrance: Entrance | None) -> None:
    """Add the pages to the application, and what they load; `entrance`, where one has to log in."""
    entrances = (
        ()
        if entrance is None
        else (
            ("GET", "/login", entrance.show),
            ("POST", "/login", entrance.log_in),
            ("POST", "/logout", entrance.log_out),
        )
    )
    for method, path, page in (*PAGES, *entrances):
        app.add_route(path, _endpoint(site, page), [method], include_in_schema=False)
    app.mount("/static", KeptFiles(directory=STATIC))


def _endpoint(site: Site, page: Page) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return await page(site, request, **request.path_params)
        except Exception as error:
            return site.problem(request, failed(error))

    return endpoint


class KeptFiles(StaticFiles):
    """Files that a browser may keep: a changed one has another address."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
