"""The whole report at a small size: measured once, continued, and in ann-benchmarks' layout."""

import base64
import json
import re
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.bench.report.__main__ import gather, parse
from tests.bench.report.collection import FUSED, QUERIES, make
from tests.bench.report.page import write_report
from tests.bench.report.rows import RowFile

N = 300
PEERS = ("Faiss flat", "Faiss HNSW")


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Arguments for a report of N recordings by PEERS, whose rows are measured."""
    folder = tmp_path_factory.mktemp("report")
    words = ["--recordings", str(N), "--peers", *PEERS, "--spaces", "l2", "--metrics"]
    words += ["--files", str(folder), "--folder", str(folder), "--data", str(folder / "none")]
    gather(parse(words))
    return words


@pytest.fixture
def folder(words: list[str]) -> Path:
    return Path(words[words.index("--folder") + 1])


def _rows(folder: Path) -> list[dict[str, object]]:
    lines = (folder / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_the_exact_scan_finds_all_and_the_graph_at_most_that(folder: Path) -> None:
    rows = _rows(folder)
    found = {(row["library"], row["k"]): row["recall"] for row in rows if "k" in row}
    assert set(found) == {(peer, k) for peer in PEERS for k in (10, 100)}
    assert all(found["Faiss flat", k] == 1 for k in (10, 100))
    assert all(0.9 < found["Faiss HNSW", k] <= 1 for k in (10, 100))
    assert [row["library"] for row in rows if "build cpu s" in row] == list(PEERS)


def test_a_run_that_was_broken_off_measures_what_is_missing_and_nothing_twice(
    words: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "rows.jsonl"
    whole = file.read_bytes()
    gather(parse(words))
    assert file.read_bytes() == whole
    assert [line for line in capsys.readouterr().err.splitlines() if "Faiss" in line] == []
    *kept, last = whole.splitlines(keepends=True)
    file.write_bytes(b"".join(kept) + last[: len(last) // 2])
    gather(parse(words))
    assert f"Faiss HNSW, {FUSED}, {N}, l2" in capsys.readouterr().err
    assert file.read_bytes().splitlines(keepends=True)[:-1] == kept
    assert _rows(folder)[-1].keys() == json.loads(last).keys()


def test_a_collection_is_a_file_in_the_layout_of_ann_benchmarks(folder: Path) -> None:
    with h5py.File(folder / f"{FUSED}-{N}-l2.hdf5") as file:
        assert file.attrs["distance"] == "euclidean"
        train, test, neighbors, distances = (
            file[name][:] for name in ("train", "test", "neighbors", "distances")
        )
    assert np.array_equal(
        np.unique(np.concatenate([train, test]), axis=0), np.unique(make(FUSED, N), axis=0)
    )
    assert train.shape == (N, 67)
    assert test.shape == (QUERIES, 67)
    apart = np.linalg.norm(test[:, None].astype(float) - train, axis=2)
    assert np.allclose(distances, np.sort(apart, axis=1), atol=1e-6)
    assert np.allclose(distances, np.take_along_axis(apart, neighbors, axis=1), atol=1e-6)


def test_a_file_from_elsewhere_is_measured_by_its_own_distance(
    words: list[str], folder: Path, tmp_path: Path
) -> None:
    vectors = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    train, test = vectors[:50], vectors[50:]
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    apart = 1 - units[50:] @ units[:50].T
    with h5py.File(tmp_path / "elsewhere-8-angular.hdf5", "w") as file:
        file.attrs["distance"] = "angular"
        file["train"], file["test"] = train, test
        file["neighbors"] = np.argsort(apart, axis=1)[:, :10].astype(np.int32)
        file["distances"] = np.sort(apart, axis=1)[:, :10]
        path = file.filename
    gather(parse([*words, "--recordings", "--peers", "Faiss flat", "--hdf5", path]))
    (row,) = [row for row in _rows(folder) if row["collection"] == Path(path).stem and "k" in row]
    assert (row["space"], row["n"], row["k"], row["recall"]) == ("cosine", 50, 10, 1)


def test_the_page_holds_its_plots_and_needs_no_other_file(folder: Path) -> None:
    write_report(RowFile(folder / "rows.jsonl"), folder)
    page = (folder / "report.html").read_text(encoding="utf-8")
    sources = re.findall(r'src="([^"]*)"', page)
    assert len(sources) >= 2
    for source in sources:
        kind, data = source.split(",")
        assert kind == "data:image/png;base64"
        assert base64.b64decode(data).startswith(b"\x89PNG")
    assert "1.000" in page
