"""The wheel, installed outside the checkout: sql/ and alembic/ travel in it."""

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import pgsim
from tests.support.documents import collection, mbid, write_lines
from tests.support.paths import CHECKOUT

PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")


def run(*command: str | Path, folder: Path, path: Path | None = None) -> str:
    """Run a command in a folder, with a search path of that alone; what it prints."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PG", "PYTHONPATH"))
    }
    done = subprocess.run(
        command,
        cwd=folder,
        env=kept | ({"PYTHONPATH": str(path)} if path else {}),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    pytest.importorskip("hatchling", reason="hatchling, which builds the wheel, is not installed")
    pytest.importorskip("pip", reason="pip is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    # With the hatchling that is here: an environment of its own would be fetched and made anew.
    run(*PIP, "wheel", "--no-deps", "--no-build-isolation", CHECKOUT, folder=folder)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel in it, to be put on the search path; what it needs is there."""
    folder = tmp_path_factory.mktemp("installed")
    # What is imported is compiled then; not what is not.
    options = ("--no-deps", "--no-index", "--no-compile", "--target", folder)
    run(*PIP, "install", *options, wheel, folder=folder)
    return folder


def test_the_wheel_holds_every_file_of_the_package_and_sql_and_alembic_inside_it(
    wheel: Path,
) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = {
        f"{inside}{path.relative_to(CHECKOUT)}"
        for folder, inside in (("pgsim", ""), ("sql", "pgsim/"), ("alembic", "pgsim/"))
        for path in (CHECKOUT / folder).rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }
    assert names == expected


def test_pgsim_works_from_the_wheel_outside_the_checkout(
    installed: Path, new_database: Callable[..., str], tmp_path: Path
) -> None:
    where = run(
        *(sys.executable, "-c", "import pgsim, alembic; print(pgsim.__file__, alembic.__file__)"),
        folder=tmp_path,
        path=installed,
    )
    package, alembic = where.split()
    assert Path(package) == installed / "pgsim" / "__init__.py"
    assert not Path(alembic).is_relative_to(installed)

    url = new_database()
    write_lines(tmp_path / "all.ndjson", collection(10))

    def answer(*arguments: str) -> str:
        return run(
            *(installed / "bin" / "pgsim", "--database", url, *arguments),
            folder=tmp_path,
            path=installed,
        )

    assert answer("--version") == f"pgsim {pgsim.__version__}\n"
    assert json.loads(answer("init", "--json"))["installed"] is True
    assert json.loads(answer("load", "all.ndjson", "--json"))["recordings"] == 10
    upgraded = json.loads(answer("init", "--upgrade", "--json"))
    assert upgraded["from"] == upgraded["to"] is not None
    rows = json.loads(answer("similar", str(mbid(0)), "-k", "4", "--json"))
    assert [row["rank"] for row in rows] == [1, 2, 3, 4]


# pgsim calls these, and its types name nothing of theirs: reading them takes half of the time.
MYPY = """
[mypy]
[mypy-matplotlib.*,rich.*]
follow_imports = skip
"""


def check_types(site: Path, script: Path) -> str:
    """What mypy --strict says of a script, with the packages of a virtual environment."""
    (script.parent / "mypy.ini").write_text(MYPY)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--no-error-summary"),
            *("--cache-dir", "cache", "--config-file", "mypy.ini"),
            *("--python-executable", site / "bin" / "python", script),
        ],
        cwd=script.parent,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode < 2, done.stderr
    return done.stdout


@pytest.mark.slow
def test_types_of_a_users_script_are_checked_against_the_installed_wheel(
    installed: Path, tmp_path: Path
) -> None:
    pytest.importorskip("mypy", reason="mypy is not installed")
    site = tmp_path / "site"
    run(sys.executable, "-m", "venv", "--without-pip", site, folder=tmp_path)
    # What pgsim needs is installed here; this checkout of it is not seen from there.
    [packages] = site.glob("lib/python*/site-packages")
    (packages / "pgsim.pth").write_text(f"{installed}\n{sysconfig.get_path('purelib')}\n")

    script = tmp_path / "script.py"
    script.write_text((CHECKOUT / "tests" / "support" / "user_script.py").read_text())
    assert check_types(site, script) == ""

    script.write_text(
        "import pgsim\n"
        'db = pgsim.conect("demo")\n'
        'db = pgsim.connect("demo")\n'
        'db.similar("x", genr="rock")\n'
        'db.similar("x", decade="1990")\n'
        'db.dissimilar("x", same_genre=True)\n'
        'name: int = db.similar("x")[0].title\n'
    )
    wrong = [line.split(":")[1] for line in check_types(site, script).splitlines()]
    assert sorted({*wrong}) == ["2", "4", "5", "6", "7"]
