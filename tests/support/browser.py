"""A browser for the tests of the page: Debian's Chromium, driven by Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.pages import is_to_be_written

try:
    from axe_playwright_python.sync_playwright import Axe
    from PIL import Image
    from playwright.sync_api import Browser, Locator, Page, sync_playwright
except ImportError:
    pytest.skip("playwright is not installed: pip install 'pgsim[dev]'", allow_module_level=True)

CHROMIUM = shutil.which("chromium")
SERIOUS = {"serious", "critical"}


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser; skip where there is none."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@dataclass
class Visitor:
    """A visitor of a site at an address, and what went wrong while pages were shown."""

    page: Page
    base: str
    errors: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(20_000)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._asked)

    def _said(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(message.text)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.base, "data:", "blob:")):
            self.elsewhere.append(request.url)

    def open(self, path: str) -> None:
        """Show a page."""
        self.page.goto(self.base + path)

    @property
    def parameters(self) -> dict[str, list[str]]:
        """The parameters in the address of the page that is shown."""
        return parse_qs(urlsplit(self.page.evaluate("location.href")).query)

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def names(self) -> list[str]:
        """Return the names of the recordings that are listed."""
        return self.page.locator(".answers .name").all_text_contents()

    def middle(self, place: Locator) -> tuple[float, float]:
        """Return the middle of what is shown at a place."""
        box = place.bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def colour(self, canvas: Locator) -> str:
        """Return the colour in the middle of a canvas, as CSS writes it."""
        red, green, blue, _ = canvas.evaluate(
            "each => [...each.getContext('2d')"
            ".getImageData(each.width / 2, each.height / 2, 1, 1).data]"
        )
        return f"rgb({red}, {green}, {blue})"

    def findings(self, *rules: str) -> list[str]:
        """Return what axe finds seriously wrong for people who cannot see well, or not point.

        It checks these of its rules, by default all.
        """
        options: dict[str, Any] = {"resultTypes": ["violations"]}
        if rules:
            options["runOnly"] = list(rules)
        found = Axe().run(self.page, options=options).response["violations"]
        return [
            f"{each['id']}: {node['html']}: {node['failureSummary']}"
            for each in found
            if each["impact"] in SERIOUS
            for node in each["nodes"]
        ]


@contextmanager
def visit(browser: Browser, base: str, **settings: Any) -> Iterator[Visitor]:
    """Lend a visitor with a browser window of its own; nothing may go wrong while it is lent.

    Nothing wrong is no message on the console, and no request to another host.
    """
    context = browser.new_context(**settings)
    visitor = Visitor(context.new_page(), base)
    yield visitor
    context.close()
    assert visitor.errors == []
    assert visitor.elsewhere == []


def check_picture(path: Path, picture: bytes) -> None:
    """Compare the size of a picture with a golden one; with PGSIM_GOLDEN=write, write it small.

    Its pixels differ from browser to browser.
    """
    image = Image.open(BytesIO(picture))
    if is_to_be_written():
        path.parent.mkdir(exist_ok=True)
        image.convert("RGB").quantize(64).save(path, optimize=True)
    with Image.open(path) as golden:
        assert golden.size == image.size
