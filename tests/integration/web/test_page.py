"""The page in a browser: what a visitor sees, types, hears and takes away."""

import csv
import gzip
import io
import json
import re
import urllib.request
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

import psycopg
import pytest

from pgsim import embedded
from tests.support.browser import Browser, Visitor, check_picture, chromium, visit
from tests.support.demo_site import HOSTILE, SEED, DemoSite, demo_site
from tests.support.paths import CHECKOUT
from tests.support.waiting import wait_until

PICTURES = CHECKOUT / "docs" / "howto" / "explore"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def site(
    server: embedded.Server,
    admin: psycopg.Connection,
    demo_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[DemoSite]:
    audio = tmp_path_factory.mktemp("audio")
    with demo_site(server, admin, demo_template, audio) as site:
        yield site


@pytest.fixture
def visitor(browser: Browser, site: DemoSite) -> Iterator[Visitor]:
    with visit(browser, site.base) as visitor:
        yield visitor


@pytest.fixture
def reader(browser: Browser, site: DemoSite) -> Iterator[Visitor]:
    """A visitor whose browser runs no scripts."""
    with visit(browser, site.base, java_script_enabled=False) as visitor:
        yield visitor


def test_the_first_page_is_small_and_quick(visitor: Visitor) -> None:
    responses = []
    visitor.page.on("response", lambda each: responses.append(each))
    visitor.open("/")
    sizes = [len(each.body()) for each in responses]
    assert len(sizes) >= 3  # the page, its style and its script
    assert sum(sizes) < 100_000
    took = "performance.timing.loadEventEnd - performance.timing.navigationStart"

    def is_quick() -> bool:
        visitor.open("/")
        return bool(visitor.page.evaluate(took) < 1000)

    wait_until(is_quick)  # other tests run at the same time


def test_pages_can_be_read_by_everybody(visitor: Visitor, site: DemoSite) -> None:
    for path in site.paths():
        visitor.open(path)
        assert visitor.findings() == [], path
        assert visitor.page.locator("h1").count() == 1
    # The browser says that these two are errors, as they are.
    visitor.errors = [each for each in visitor.errors if not re.search("404|422", each)]


def test_dark_pages_have_enough_contrast(browser: Browser, site: DemoSite) -> None:
    with visit(browser, site.base, color_scheme="dark") as visitor:
        for path in site.paths()[2:5]:
            visitor.open(path)
            assert visitor.findings("color-contrast") == [], path


def test_no_page_is_wider_than_a_phone(browser: Browser, site: DemoSite) -> None:
    with visit(browser, site.base, viewport={"width": 360, "height": 800}) as visitor:
        for path in site.paths():
            visitor.open(path)
            assert visitor.page.evaluate("document.body.scrollWidth") <= 360, path
        visitor.errors.clear()


def test_search_answers_while_one_types(visitor: Visitor, site: DemoSite) -> None:
    visitor.open("/")
    visitor.press("Tab", "Tab", "Tab")  # past the link to the content, and the name of the site
    visitor.page.keyboard.type("imperi")
    visitor.page.wait_for_url("**/search?q=imperi")
    visitor.page.get_by_role("link", name="Imperial Army", exact=True).wait_for()
    assert visitor.names() == ["Imperial Army"]
    assert visitor.page.get_by_role("status").inner_text() == "1 recording found"
    assert visitor.page.evaluate("document.activeElement.name") == "q"
    visitor.page.get_by_role("link", name="Imperial Army", exact=True).focus()
    visitor.press("Enter")
    visitor.page.wait_for_url(f"**/recording/{site.mbid('Imperial Army')}")


def test_a_recording_is_shown_with_its_nearest_as_the_database_gives_them(
    visitor: Visitor, site: DemoSite
) -> None:
    visitor.open(f"/recording/{site.seed}")
    assert visitor.page.title() == f"{SEED} · pgsim"
    assert visitor.names() == [row.title for row in site.db.similar(site.seed, 20)]


def test_filters_rules_and_weights_answer_at_once_and_lie_in_the_address(
    visitor: Visitor, site: DemoSite
) -> None:
    visitor.open(f"/recording/{site.seed}")
    visitor.page.get_by_label("Per album").fill("1")
    visitor.page.get_by_label("First year").fill("2005")
    visitor.page.get_by_label("Each song once").check()
    visitor.page.get_by_role("slider", name="bands").fill("0")
    words = {"max_per_album": ["1"], "year_from": ["2005"], "distinct_titles": ["true"]}
    wait_until(lambda: visitor.parameters == {**words, "k": ["20"], "times_bands": ["0"]})
    expected = site.db.similar(
        site.seed, 20, max_per_album=1, year_from=2005, distinct_titles=True, weights={"bands": 0}
    )
    wait_until(lambda: visitor.names() == [row.title for row in expected])
    shown = visitor.names()
    visitor.page.reload()
    assert visitor.names() == shown
    assert visitor.page.get_by_label("Per album").input_value() == "1"


def test_one_feature_set_compares_and_a_decade_and_a_genre_filter(
    visitor: Visitor, site: DemoSite
) -> None:
    visitor.open(f"/recording/{site.seed}")
    visitor.page.get_by_label("Feature set").select_option("gfccs")
    visitor.page.get_by_label("Decade").select_option("2000")
    visitor.page.get_by_label("Genre").select_option("soundtrack")
    expected = site.db.similar(site.seed, 20, metric="gfccs", decade=2000, genre="soundtrack")
    wait_until(lambda: visitor.names() == [row.title for row in expected])


def test_a_wrong_word_is_explained_beside_the_fields(visitor: Visitor, site: DemoSite) -> None:
    visitor.open(f"/recording/{site.seed}?genre=polka&min_similarity=0.9")
    assert "polka" in visitor.page.get_by_role("alert").inner_text()
    assert visitor.page.get_by_label("How many").is_visible()
    assert len(visitor.errors) == 1
    assert "422" in visitor.errors.pop()


def test_the_farthest_are_shown_too(visitor: Visitor, site: DemoSite) -> None:
    visitor.open(f"/recording/{site.seed}")
    visitor.page.get_by_role("link", name="Least alike").click()
    visitor.page.wait_for_url("**end=farthest")
    assert visitor.names() == [row.title for row in site.db.dissimilar(site.seed, 20)]


def test_why_shows_each_sets_share(visitor: Visitor, site: DemoSite) -> None:
    visitor.open(f"/recording/{site.seed}")
    visitor.page.get_by_role("link", name="Why Imperial Army").click()
    visitor.page.wait_for_url("**/why/*")
    rows = visitor.page.locator("tbody tr").all()
    shares = site.db.explain(site.seed, site.mbid("Imperial Army"))
    assert len(rows) == len(shares)
    for row, share in zip(rows, shares, strict=True):
        assert row.locator("td").first.inner_text() == f"{100 * share.share:.1f}\N{NO-BREAK SPACE}%"
        assert row.locator("rect").get_attribute("width") == f"{100 * share.share:.1f}%"


def test_a_radio_learns_what_one_likes_and_goes_on_without_repeats(
    visitor: Visitor, site: DemoSite
) -> None:
    visitor.open(f"/radio?seed={site.seed}&k=5")
    first = visitor.names()
    assert first == [row.title for row in site.db.radio(site.seed, 5)]
    visitor.page.get_by_role("link", name=f"Less like {first[0]}").click()
    visitor.page.wait_for_url("**dislike=*")
    visitor.page.get_by_role("link", name=f"More like {visitor.names()[1]}").click()
    visitor.page.wait_for_url("**seed=*seed=*")
    heard = visitor.names()
    assert first[0] not in heard
    for _ in range(2):
        visitor.page.get_by_role("link", name="Go on").click()
        visitor.page.wait_for_url("**played=*")
        visitor.page.wait_for_load_state()
        assert not {*visitor.names()} & {*heard}
        heard += visitor.names()
    visitor.page.get_by_role("link", name=f"Leave out {first[0]}").click()
    visitor.page.wait_for_load_state()
    assert "dislike" not in visitor.parameters


def test_a_path_leads_to_a_recording_that_is_found_by_its_words(
    visitor: Visitor, site: DemoSite
) -> None:
    visitor.open(f"/recording/{site.seed}")
    visitor.page.get_by_role("link", name="Path to another").click()
    visitor.page.get_by_label("Which recording ends the path?").fill("imperial")
    visitor.page.get_by_role("link", name="Path to Imperial Army").click()
    visitor.page.get_by_role("slider", name="Recordings").fill("5")
    wait_until(lambda: len(visitor.names()) == 5)
    assert visitor.names()[0] == SEED
    assert visitor.names()[-1] == "Imperial Army"
    assert visitor.parameters["steps"] == ["5"]


def test_artists_and_albums_alike_are_reached_from_a_recording(
    reader: Visitor, site: DemoSite
) -> None:
    [seed] = site.db.recordings(site.seed)
    reader.open(f"/recording/{seed.mbid}")
    reader.page.get_by_role("link", name="Artists alike").click()
    assert seed.artist is not None
    assert reader.names() == [row.artist for row in site.db.similar_artists(seed.artist, 20)]
    reader.open(f"/recording/{seed.mbid}")
    reader.page.get_by_role("link", name="Albums alike").click()
    reader.page.get_by_label("Of other artists").check()
    reader.page.get_by_role("button", name="Ask").click()
    assert seed.album is not None
    expected = site.db.similar_albums(seed.album, 20, artist=seed.artist, other_artists=True)
    assert reader.names() == [" · ".join(filter(None, (row.album, row.artist))) for row in expected]


def test_lists_work_without_scripts(reader: Visitor, site: DemoSite) -> None:
    reader.open("/")
    reader.page.get_by_role("searchbox").fill(SEED)
    reader.page.get_by_role("button", name="Search").click()
    reader.page.get_by_role("link", name=SEED, exact=True).click()
    reader.page.wait_for_url("**/recording/*")
    reader.page.get_by_label("Per album").fill("1")
    reader.page.get_by_role("button", name="Ask").click()
    reader.page.wait_for_url("**max_per_album=1**")
    expected = site.db.similar(site.seed, 20, max_per_album=1)
    assert reader.names() == [row.title for row in expected]


def test_texts_and_addresses_of_recordings_are_never_code(visitor: Visitor, site: DemoSite) -> None:
    hostile = site.mbid(HOSTILE)
    for path in ("/search?q=document", f"/recording/{site.seed}", f"/recording/{hostile}"):
        visitor.open(path)
        assert HOSTILE in visitor.page.locator("main").text_content()
        assert visitor.page.title() != "taken"
    assert visitor.page.locator("a[href^=javascript]").count() == 0
    policy = urllib.request.urlopen(site.base).headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def test_an_answer_can_be_taken_away(visitor: Visitor, site: DemoSite) -> None:
    visitor.open(f"/recording/{site.seed}?k=5&max_per_album=1")
    expected = site.db.similar(site.seed, 5, max_per_album=1)

    def taken(name: str) -> str:
        link = visitor.page.get_by_role("link", name=name, exact=True)
        return urllib.request.urlopen(link.evaluate("each => each.href")).read().decode()

    rows = list(csv.DictReader(io.StringIO(taken("CSV"))))
    assert [row["mbid"] for row in rows] == [str(row.mbid) for row in expected]
    tracks = json.loads(taken("JSPF"))["playlist"]["track"]
    assert [track["title"] for track in tracks] == [row.title for row in expected]
    assert tracks[0]["identifier"] == [f"https://musicbrainz.org/recording/{expected[0].mbid}"]
    first, *lines = taken("M3U").splitlines()
    assert first == "#EXTM3U"
    audio = [line for line in lines if line.startswith("http")]
    assert urllib.request.urlopen(audio[0]).status == 200


def test_music_plays_goes_on_elsewhere_and_comes_to_the_next(
    visitor: Visitor, site: DemoSite
) -> None:
    visitor.open(f"/recording/{site.seed}")
    audio = visitor.page.locator("audio")
    visitor.page.get_by_role("link", name=f"Play {SEED}", exact=True).click()
    wait_until(lambda: audio.evaluate("each => each.currentTime") > 0)
    first = audio.evaluate("each => each.src")
    visitor.page.get_by_role("link", name="Least alike").click()
    visitor.page.wait_for_url("**end=farthest")
    assert audio.evaluate("each => !each.paused")
    visitor.page.go_back()
    visitor.page.get_by_role("link", name="Play Imperial Army").wait_for()
    audio.evaluate("each => { each.currentTime = each.duration - 0.1 }")
    wait_until(lambda: audio.evaluate("each => each.src") != first)
    assert visitor.page.get_by_role("region", name="Player").inner_text().startswith("Imperial")
    visitor.page.get_by_role("button", name="Close").click()
    assert audio.evaluate("each => each.paused")


def test_a_file_finds_its_nearest_and_farthest(
    reader: Visitor, site: DemoSite, tmp_path: Path
) -> None:
    path = tmp_path / "one.json"
    with as_file(files("pgsim.demo") / "recordings.ndjson.gz") as recordings:
        path.write_bytes(gzip.open(recordings).readline())
    reader.open("/")
    reader.page.get_by_label("An audio file").set_input_files(path)
    reader.page.get_by_role("button", name="What sounds like it?").click()
    reader.page.get_by_role("heading", name="What sounds like one.json?").wait_for()
    nearest = site.db.nearest(site.db.seed_of_file(path).vector, 10)
    assert reader.names()[:10] == [row.title for row in nearest]
    assert reader.names()[0] == "8Bit Bonus Track"
    assert len(reader.names()) == 20


def test_a_thumb_becomes_a_rating_and_another_one_replaces_it(
    visitor: Visitor, site: DemoSite
) -> None:
    visitor.open(f"/recording/{site.seed}")
    answer = site.mbid("Imperial Army")
    for name, verdict in (("Imperial Army sounds like it", 1), ("Imperial Army does not", -1)):
        visitor.page.get_by_role("button", name=name).click()
        visitor.page.get_by_role("button", name=name, pressed=True).wait_for()
        query = "SELECT seed::text, answer::text, verdict FROM pgsim.rating"
        assert site.db.connection.execute(query).fetchall() == [(site.seed, answer, verdict)]


def test_the_map_shows_every_recording_and_leads_to_each(visitor: Visitor, site: DemoSite) -> None:
    visitor.open("/map")
    canvas = visitor.page.locator("canvas")
    wait_until(lambda: canvas.get_attribute("data-points") == "523")
    canvas.focus()
    visitor.press("+", "+", "ArrowLeft")
    wait_until(lambda: visitor.parameters.get("zoom") == ["1"])
    [x], [y] = visitor.parameters["x"], visitor.parameters["y"]
    wait_until(lambda: set(visitor.names()) <= set(site.in_view(float(x), float(y), 0.5)))
    one = site.mbid("Between Peace and War")
    visitor.open(f"/map?around={one}")
    wait_until(lambda: int(canvas.get_attribute("data-points") or 0) > 0)
    middle = visitor.middle(canvas)
    visitor.page.mouse.move(*middle)
    assert visitor.page.locator(".tip").inner_text().startswith("Between Peace and War")
    swatch = visitor.page.locator(".legend li", has_text="game (").locator(".swatch")
    assert visitor.colour(canvas) == swatch.evaluate(
        "each => getComputedStyle(each).backgroundColor"
    )
    visitor.page.mouse.click(*middle)
    visitor.page.wait_for_url(f"**/recording/{one}")


def test_the_pictures_of_the_docs_show_the_page(browser: Browser, site: DemoSite) -> None:
    farewell, other = site.mbid("Farewell"), site.mbid("Farkaskönny")
    shown = {
        "home": "/",
        "recording": f"/recording/{farewell}",
        "why": f"/recording/{farewell}/why/{other}",
        "map": "/map",
    }
    with visit(browser, site.base, viewport={"width": 1000, "height": 620}) as visitor:
        for name, path in shown.items():
            visitor.open(path)
            visitor.page.wait_for_load_state("networkidle")
            check_picture(PICTURES / f"{name}.png", visitor.page.screenshot())
