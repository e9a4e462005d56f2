"""The notebook runs, gives the outputs that are stored in it, and is a page."""

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.support.pages import DOCS, compare_or_write, is_to_be_written
from tests.support.paths import CHECKOUT

NOTEBOOK = CHECKOUT / "examples" / "explore.ipynb"
NOTE = "<!-- Written from examples/explore.ipynb by tests/docs/test_notebook.py. -->"


def test_the_notebook_gives_its_outputs_and_is_a_page(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Kernels keep their files in the home folder; none of the tests' stay there.
    for name in ("JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "JUPYTER_CONFIG_DIR"):
        monkeypatch.setenv(name, str(workplace / name))
    stored = nbformat.read(NOTEBOOK, as_version=4)
    ran = nbformat.from_dict(stored)
    NotebookClient(ran, timeout=120, resources={"metadata": {"path": workplace}}).execute()
    for cell in ran.cells:  # the times of its steps are no output
        cell.metadata.pop("execution", None)
    if is_to_be_written():
        nbformat.write(ran, NOTEBOOK)
        stored = ran
    assert [outputs_of(cell) for cell in stored.cells] == [outputs_of(cell) for cell in ran.cells]
    compare_or_write(DOCS / "howto" / "notebook.md", page_of(ran))


def outputs_of(cell: Any) -> list[str]:
    """The outputs of a cell as Markdown: a table where there is one, else text."""
    shown = []
    for output in cell.get("outputs", []):
        assert output.output_type in ("execute_result", "display_data", "stream"), output
        if output.output_type == "stream":
            shown.append(f"```text\n{output.text.rstrip()}\n```")
        elif "text/html" in output.data:
            html = re.sub(r"<style.*?</style>|</?div>", "", output.data["text/html"], flags=re.S)
            shown.append("\n".join(line for line in html.splitlines() if line.strip()))
        else:
            shown.append(f"```text\n{output.data['text/plain'].rstrip()}\n```")
    return shown


def page_of(notebook: Any) -> str:
    """The notebook as a page."""
    parts = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
        else:
            parts += [f"```python\n{cell.source}\n```", *outputs_of(cell)]
    title, _, rest = "\n\n".join(parts).partition("\n")
    return f"{title}\n\n{NOTE}\n{rest}\n"
