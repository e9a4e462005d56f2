"""A hook of MkDocs: pages of the checkout's root, shown in the site, link to pages of docs/."""

from typing import Any

ROOT = {
    "contributing.md": "CONTRIBUTING.md",
    "upgrading.md": "UPGRADING.md",
    "changelog.md": "CHANGELOG.md",
    "howto/docker.md": "docker/README.md",
}


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """The page's text; where it is one of the root's, that page with its links set right."""
    if page.file.src_uri not in ROOT:
        return markdown
    with open(ROOT[page.file.src_uri], encoding="utf-8") as file:  # noqa: PTH123
        text = file.read()
    return text.replace("](../docs/", "](../").replace("](docs/", "](")
