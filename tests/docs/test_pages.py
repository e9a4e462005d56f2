"""Every block of the README and of the pages runs, and prints what the page shows.

After a change of an output that is wanted: PGSIM_GOLDEN=write make check, and read the difference
in git.
"""

import gzip
import json
import re
import tomllib
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from pgsim.features.profile import read_profile
from tests.support.pages import (
    DOCS,
    PAGES,
    WRITTEN,
    blocks_of,
    is_to_be_written,
    names_included,
    run_block,
    trimmed,
)
from tests.support.paths import CHECKOUT

TROUBLESHOOTING = DOCS / "howto" / "troubleshooting.md"


def named(page: Path) -> str:
    return str(page.relative_to(CHECKOUT))


@pytest.mark.parametrize("page", WRITTEN, ids=named)
def test_every_block_runs_and_prints_what_the_page_shows(
    page: Path, workplace: Path, psql: list[str]
) -> None:
    for block in blocks_of(page):
        if "pyspark" in block.text:  # tests/slow/test_export.py runs it
            continue
        printed = run_block(block, workplace, psql)
        if printed is None:
            continue
        if block.shown is None:
            assert not re.search("^(ERROR|pgsim:|Traceback)", printed, re.MULTILINE), printed
        elif is_to_be_written():
            written, between = page.read_text(encoding="utf-8"), f"{block.raw}```\n\n```text\n"
            written = written.replace(between + block.shown, f"{between}{trimmed(printed)}\n", 1)
            page.write_text(written, encoding="utf-8")
        else:
            assert trimmed(printed) == trimmed(block.shown), block.text


def test_the_first_question_is_asked_on_the_first_screen() -> None:
    for page in (CHECKOUT / "README.md", DOCS / "index.md"):
        first = next(block for block in blocks_of(page) if block.kind == "sql")
        assert "similar_recordings" in first.text
        assert first.shown


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", "UPGRADING.md", "docker/README.md"]
)
def test_pages_outside_docs_link_to_what_is_there(name: str) -> None:
    # mkdocs build --strict sees to the links of docs/.
    page = CHECKOUT / name
    text = page.read_text(encoding="utf-8")
    for link, heading in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", text):
        target = (page.parent / link) if link else page
        assert target.is_file(), link
        headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
        names = {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}
        assert not heading or heading in names, f"{page}: {link}#{heading}"


def test_the_profiles_of_the_pages_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    names = []
    for block in (block for page in PAGES for block in blocks_of(page)):
        # The part of a profile that a page adds to another has no name.
        if block.kind == "toml" and "[[set]]" in block.text and "name" in tomllib.loads(block.text):
            path.write_text(block.text)
            names.append(read_profile(str(path)).name)
            assert tomllib.loads(block.text)["name"] == names[-1]
    assert sorted(names) == ["mine", "songs"]


def test_the_pages_count_the_recordings_in_the_box() -> None:
    with as_file(files("pgsim.demo") / "recordings.ndjson.gz") as path:
        documents = [json.loads(line) for line in gzip.open(path)]
    games = {document["metadata"]["tags"]["album"][0] for document in documents}
    for page in (CHECKOUT / "README.md", DOCS / "index.md"):
        text = " ".join(page.read_text(encoding="utf-8").split())
        assert f"{len(documents)} recordings of {len(games)} games" in text


def test_every_example_is_shown_on_a_page() -> None:
    shown = {name for page in PAGES for name in names_included(page)}
    for path in (CHECKOUT / "examples").glob("*.py"):
        assert f"examples/{path.name}" in shown, path


def test_every_message_of_the_troubleshooting_page_is_in_the_code() -> None:
    """A heading quotes a message; … stands for what changes in it."""
    sources = [*CHECKOUT.glob("pgsim/**/*.py"), *CHECKOUT.glob("sql/**/*.sql")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    # A text that goes on in the next line is one text; what is put into it may be anything.
    code = re.sub(r'"\s*f?"', "", code).replace("''", "'")
    quoted = re.findall(r"^### `(.+)`$", TROUBLESHOOTING.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(quoted) > 20
    for message in quoted:
        for part in message.split("…"):
            assert part.strip(" '") in code, message
