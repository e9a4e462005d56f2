"""A server that asks for keys, in a browser: one logs in once, sees everything, and logs out."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pgsim.postgres.connection import Connection
from pgsim.web.settings import Settings
from tests.support.documents import mbid
from tests.support.serving import serving

SEED = mbid(7)
PATH = f"/music/recording/{SEED}?k=3"
PERCENT = "/music/artist/100%25%20AC%2FDC?k=5"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def browser(strict: str) -> Iterator[httpx.Client]:
    """A client that keeps cookies, and asks for pages."""
    with httpx.Client(base_url=strict, headers=BROWSER, timeout=60) as client:
        yield client


def fields(page: str) -> dict[str, str]:
    """The hidden fields of a page's form."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page)
    return {name: value.replace("&amp;", "&") for name, value in found}


def logged_in(browser: httpx.Client, key: str, then: str = "") -> httpx.Response:
    given = {"name": "anna", "key": key, "then": then}
    return browser.post("/music/login", data=given)


def test_who_logs_in_sees_what_was_asked_for_until_logging_out(
    browser: httpx.Client, key: str
) -> None:
    locked = browser.get(PATH)
    assert (locked.status_code, locked.headers["content-type"][:9]) == (401, "text/html")
    assert "Title 7" not in locked.text
    entered = logged_in(browser, key, fields(locked.text)["then"])
    assert (entered.status_code, entered.headers["location"]) == (303, PATH)
    cookie = entered.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", "Path=/music/"} <= {*cookie.split("; ")}
    shown = browser.get(PATH)
    assert "Title 7" in shown.text
    assert (shown.status_code, shown.headers["cache-control"]) == (200, "private")
    assert "Log out anna" in shown.text
    assert browser.get(f"/music/api/v1/recordings/{SEED}/similar.csv").status_code == 200
    assert browser.post("/music/logout").headers["location"] == "/music/login"
    assert browser.get(PATH).status_code == 401


def test_odd_characters_of_an_address_stay_what_they_are(browser: httpx.Client, key: str) -> None:
    then = fields(browser.get(PERCENT).text)["then"]
    assert logged_in(browser, key, then).headers["location"] == PERCENT


@pytest.mark.parametrize(
    ("name", "wrong"), [("anna", "x"), ("Anna", ""), ("berta", ""), ("", ""), ("anna", "\0")]
)
def test_who_has_no_key_stays_outside(
    browser: httpx.Client, key: str, name: str, wrong: str
) -> None:
    response = browser.post("/music/login", data={"name": name, "key": key + wrong})
    assert (response.status_code, response.cookies) == (401, {})
    assert "no user&#39;s name and key" in response.text


@pytest.mark.parametrize(
    "then",
    [
        "https://example.org",
        "//example.org",
        "///example.org",
        "/\\example.org",
        "/music\\x",
        "",
        "x",
    ],
)
def test_nobody_is_led_to_another_site(browser: httpx.Client, key: str, then: str) -> None:
    assert logged_in(browser, key, then).headers["location"] == "/music/"


def test_a_form_of_another_site_logs_nobody_in(browser: httpx.Client, key: str) -> None:
    browser.headers["Origin"] = "https://example.com"
    response = logged_in(browser, key)
    assert (response.status_code, response.cookies) == (403, {})


def test_answers_behind_a_key_are_kept_by_no_proxy(strict: str, key: str) -> None:
    for path in ("/", "/docs", "/metrics", "/api/v1/genres", f"/api/v1/recordings/{SEED}/similar"):
        response = httpx.get(f"{strict}/music{path}", headers={"X-API-Key": key})
        assert response.headers["cache-control"].startswith("private")


def test_a_path_that_is_none_is_a_page_to_a_browser_alone(address: str) -> None:
    for path in ("/nowhere", "/static/none.css", "/api/v1/nowhere"):
        page, document = (
            httpx.get(f"{address}{path}", headers=headers).headers["content-type"]
            for headers in (BROWSER, {})
        )
        assert page.startswith("application/problem" if "api" in path else "text/html")
        assert document == "application/problem+json"


def test_the_verdict_of_who_has_logged_in_has_a_name(
    served_database: str, secret: Path, conn: Connection, key: str
) -> None:
    settings = Settings(served_database, secret=secret, needs_key=True, as_owner=True)
    with serving(settings) as address, httpx.Client(base_url=address, timeout=60) as browser:
        browser.post("/login", data={"name": "anna", "key": key})
        given = {"seed": str(SEED), "answer": str(mbid(11)), "verdict": "1"}
        assert browser.post("/rate", data=given).status_code == 303
        assert browser.get("/api/v1/ratings?person=anna").json()[0]["verdict"] == 1
    conn.execute("DELETE FROM pgsim.rating")
