"""Schemathesis asks whatever the description of the API lets it ask, and much that it does not."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.databases import environment

# The others judge what only the collection knows: whether a genre or a recording exists.
CHECKS = "not_a_server_error,status_code_conformance,response_schema_conformance"


def asked(address: str, folder: Path, *options: str) -> int:
    """Return the number of requests; none of their answers may be wrong."""
    ran = subprocess.run(
        [
            *(Path(sys.executable).with_name("st"), "run", f"{address}/openapi.json", "--no-color"),
            *("--checks", CHECKS, "--seed", "1", "--warnings", "off", *options),
        ],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    found = re.search(r"(\d+) generated", ran.stdout)
    assert found is not None, ran.stdout
    return int(found[1])


def test_no_question_is_a_fault(address: str, tmp_path: Path) -> None:
    options = ("--phases", "fuzzing", "--max-examples", "3")
    paths = "/(similar|radio|recordings)$"
    assert asked(address, tmp_path, *options, "--include-path-regex", paths) >= 15


@pytest.mark.slow
def test_none_of_ten_thousand_questions_is_a_fault(address: str, tmp_path: Path) -> None:
    options = ("--phases", "coverage,fuzzing", "--max-examples", "300", "--workers", "2")
    assert asked(address, tmp_path, *options, "--exclude-path-regex", "upload") >= 10_000
