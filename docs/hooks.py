"""A hook of MkDocs: pages that lie elsewhere in the checkout are pages of the site, too."""

from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[1]
ELSEWHERE = {
    "contributing.md": "CONTRIBUTING.md",
    "upgrading.md": "UPGRADING.md",
    "changelog.md": "CHANGELOG.md",
    "howto/docker.md": "docker/README.md",
}


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """The page's text, or that of the page elsewhere, whose links to docs/ are set right."""
    if page.file.src_uri not in ELSEWHERE:
        return markdown
    text = (CHECKOUT / ELSEWHERE[page.file.src_uri]).read_text(encoding="utf-8")
    return text.replace("](../docs/", "](../").replace("](docs/", "](")
