"""Where an export goes: what is in the way, what fails, and who takes it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pgsim.cli import run
from pgsim.errors import PgsimError, UsageError
from pgsim.postgres.connection import Connection
from pgsim.transfer.dump import dump
from pgsim.transfer.export import export
from tests.support.paths import CHECKOUT

pytestmark = pytest.mark.usefixtures("small_blocks")


def test_a_file_appears_whole_or_not_at_all(listed: Connection, tmp_path: Path) -> None:
    seen = []

    def stop(_: int) -> None:
        seen.append([path.name for path in tmp_path.iterdir()])
        raise KeyboardInterrupt

    for name in ("m.csv", "m.parquet", "m.h5"):
        with pytest.raises((KeyboardInterrupt, UsageError)):
            export(listed, tmp_path / name, advance=stop)
    assert not any(name in names for names in seen for name in ("m.csv", "m.parquet", "m.h5"))
    assert list(tmp_path.iterdir()) == []


def test_what_is_in_the_way_is_replaced_only_on_demand(listed: Connection, tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("of value")
    with pytest.raises(UsageError, match="exists: `force=True` replaces it"):
        export(listed, path)
    assert path.read_text() == "of value"
    assert export(listed, path, force=True).bytes == path.stat().st_size
    pytest.importorskip("pyarrow", reason="needs pgsim[parquet]")
    folder = tmp_path / "m.parquet"
    export(listed, folder)
    (folder / "similarity" / "part-00009.parquet").write_text("of an older export")
    export(listed, folder, force=True)
    assert not (folder / "similarity" / "part-00009.parquet").exists()
    (folder / "mine.txt").write_text("of value")
    with pytest.raises(UsageError, match="is a folder of something else"):
        export(listed, folder, force=True)
    assert (folder / "mine.txt").read_text() == "of value"


def test_a_file_beside_an_index_is_not_replaced_unasked(plane: Connection, tmp_path: Path) -> None:
    (tmp_path / "m.faiss.mbids").write_text("of value")
    with pytest.raises(UsageError, match=r"m.faiss.mbids exists: `force=True` replaces it"):
        export(plane, tmp_path / "m.faiss")
    assert (tmp_path / "m.faiss.mbids").read_text() == "of value"


def test_a_device_is_never_replaced(plane: Connection, tmp_path: Path) -> None:
    device = tmp_path / "device.csv"
    os.mkfifo(device)
    for force in (False, True):
        with pytest.raises(UsageError, match=r"device.csv is no file that could be replaced"):
            export(plane, device, force=force)
        with pytest.raises(UsageError, match=r"device.csv is no file that could be replaced"):
            dump(plane.info.dsn, device, force=force)
    assert device.is_fifo()


@pytest.mark.parametrize(
    "name",
    [
        *("m.csv", "m.parquet"),
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("m.h5", "m.faiss")),
    ],
)
def test_a_full_disk_is_one_line_and_leaves_nothing(
    listed: Connection, tmp_path: Path, name: str
) -> None:
    """A limit of the size of files fails as a full disk does.

    -B: Python would keep modules compiled in part, and fail at them from then on.
    """
    script = (
        "import resource, signal, sys\n"
        "from pgsim.cli import main\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (12_000, 12_000))\n"
        "main()\n"
    )
    done = subprocess.run(
        [
            *(sys.executable, "-B", "-c", script),
            *("--database", listed.info.dsn, "export", tmp_path / name),
        ],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "is not installed" in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == 1
    *_, said = done.stderr.splitlines()
    assert said.startswith("pgsim: cannot write ")
    assert "File too large" in said
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["--version"], ["export", "-", "--format", "csv"]])
def test_output_that_nobody_takes_is_one_line(listed: Connection, words: list[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "pgsim", "--database", listed.info.dsn, *words],
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "pgsim: cannot write the output: No space left on device"
    assert "Traceback" not in done.stderr


def test_a_name_that_the_system_refuses_is_one_line(
    listed: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = str(tmp_path / f"{300 * 'x'}.csv")
    for command in ("export", "import", "dump", "restore"):
        assert run(["--database", listed.info.dsn, command, name]) == 1
        assert capsys.readouterr().err.rstrip().endswith(": File name too long")


@pytest.mark.parametrize(
    ("name", "form", "message"),
    [
        ("m.txt", None, r"'.*m.txt' does not say in which format: end it in one of .csv, .parquet"),
        ("m.csv", "xml", "unknown format 'xml'; known: csv, parquet, hdf5, mirex, resp, faiss"),
        ("-", "hdf5", r"hdf5 cannot go to stdout \(csv, mirex, resp can\): name a file"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    plane: Connection, tmp_path: Path, name: str, form: str | None, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        export(plane, Path(name) if name == "-" else tmp_path / name, form)


def test_a_folder_that_is_not_there_is_named(plane: Connection, tmp_path: Path) -> None:
    with pytest.raises(PgsimError, match=r"cannot write .*/no/m.csv: No such file or directory"):
        export(plane, tmp_path / "no" / "m.csv")


def test_a_missing_extra_is_one_line(
    plane: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name, extra in (
        ("pyarrow", "m.parquet", "parquet"),
        ("h5py", "m.h5", "hdf5"),
        ("faiss", "m.faiss", "bulk"),
    ):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(UsageError, match=rf"is not installed; pip install 'pgsim\[{extra}\]'$"):
            export(plane, tmp_path / name)


def test_the_command_writes_to_stdout_and_reports_on_a_file(
    listed: Connection, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    file = str(tmp_path / "m.csv")
    database = ["--database", listed.info.dsn]
    assert run([*database, "export", file, "--json"]) == 0
    report = json.loads(capfdbinary.readouterr().out)
    assert report["bytes"] == Path(file).stat().st_size
    assert run([*database, "export", "-", "--format", "csv"]) == 0
    out, err = capfdbinary.readouterr()
    assert out == Path(file).read_bytes()
    assert b"1 recordings have changed since the lists were made: pgsim refresh" in err
    assert run([*database, "export", "-"]) == 2
    assert run([*database, "export", "-", "--format", "csv", "--json"]) == 2
