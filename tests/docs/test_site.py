"""The site is built without a warning, and a reader's browser fetches nothing from elsewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import pgsim
from tests.support.pages import DOCS
from tests.support.paths import CHECKOUT

pytestmark = pytest.mark.xdist_group("site")  # built once


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, as `mkdocs build --strict` makes it."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_site_fetches_nothing_from_the_network(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 25
    for page in pages:
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r"<(?:script|img|iframe)[^>]*\bsrc=\"([^\"]*)\"", text)
        loaded += re.findall(r"<link[^>]*\bhref=\"([^\"]*)\"", text)
        assert not [url for url in loaded if "//" in url and not url.startswith("data:")], page
    for style in site.rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        assert not re.search(r"(url\(|@import\s+)[\"']?(https?:)?//", text), style


def test_every_page_has_its_content(site: Path) -> None:
    for page in DOCS.rglob("*.md"):
        built = (site / page.relative_to(DOCS)).with_suffix(".html").read_text(encoding="utf-8")
        assert built.count("<h1") == 1, page
        assert "--8&lt;-- " not in built, page  # an include that was not found
        assert "<p>::: " not in built, page


def test_the_python_page_has_every_name_of_the_front_door(site: Path) -> None:
    page = (site / "reference" / "python.html").read_text(encoding="utf-8")
    for name in pgsim.__all__:
        assert name == "__version__" or re.search(rf'id="pgsim\.[\w.]+\.{name}"', page), name
