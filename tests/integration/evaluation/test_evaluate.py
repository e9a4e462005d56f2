"""pgsim evaluate: what it measures, prints and draws."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from pgsim import embedded
from pgsim.cli import run
from pgsim.errors import PgsimError
from pgsim.evaluation.evaluate import Evaluation, evaluate
from pgsim.evaluation.labels import precision
from pgsim.matrix.rebuild import rebuild
from pgsim.postgres.connection import Connection, connect
from pgsim.store.index import build_index
from pgsim.store.vectors import read_vectors
from tests.support.clustered import copy_in, make_collection
from tests.support.databases import install_template
from tests.support.plane import insert

RECORDINGS = 400


@pytest.fixture(scope="module")
def measured_template(server: embedded.Server) -> str:
    """400 recordings in clusters, copies among them, their index, and their exact lists."""
    name = install_template(server, "measured", "acousticbrainz")
    with closing(connect(server.conninfo(name), autocommit=True)) as conn:
        copy_in(conn, make_collection(RECORDINGS, 68, seed=3))
        build_index(conn)
        rebuild(conn, engine="exact")
    return name


@pytest.fixture
def measured(new_database: Callable[..., str], measured_template: str) -> Iterator[Connection]:
    with closing(connect(new_database(measured_template), autocommit=True)) as conn:
        yield conn


def recalls(evaluation: Evaluation) -> dict[tuple[str, int], float]:
    return {(each.found_by, each.k): each.recall for each in evaluation.recall}


def test_an_exact_matrix_finds_all_and_what_is_lost_from_it_is_missed(
    measured: Connection,
) -> None:
    report = evaluate(measured, sample=RECORDINGS)
    found = recalls(report)
    assert found["matrix", 10] == found["matrix", 100] == 1
    assert found["live", 10] > 0.99
    assert found["index", 10] > 0.9
    perfect = next(each for each in report.recall if each.found_by == "matrix")
    assert (perfect.low, perfect.high, perfect.distance_ratio) == (1, 1, 1)

    # Each list without its nearest, and one short at the end; copies are as near as another.
    measured.execute(
        "UPDATE pgsim.similarity SET neighbours = neighbours[2:], distances = distances[2:]"
        " WHERE distances[1] < distances[2] AND distances[10] < distances[11]"
    )
    spoilt = measured.execute(
        "SELECT count(*) FROM pgsim.similarity WHERE cardinality(neighbours) = 99"
    ).fetchone()
    assert spoilt is not None
    report = evaluate(measured, sample=RECORDINGS)
    found = recalls(report)
    assert found["matrix", 10] == pytest.approx(1 - spoilt[0] / RECORDINGS / 10)
    assert found["matrix", 100] == pytest.approx(1 - spoilt[0] / RECORDINGS / 100)
    shifted = next(each for each in report.recall if each.found_by == "matrix")
    assert shifted.distance_ratio > 1


def test_a_sample_estimates_the_whole_and_its_seed_is_its_own(measured: Connection) -> None:
    measured.execute(
        "UPDATE pgsim.similarity SET neighbours = neighbours[5:], distances = distances[5:]"
        " WHERE id % 3 = 0"
    )
    whole = next(e for e in evaluate(measured, sample=RECORDINGS).recall if e.found_by == "matrix")
    part = next(e for e in evaluate(measured, sample=200).recall if e.found_by == "matrix")
    assert part.low < whole.recall < part.high
    assert part.high - part.low > 0.01
    other = next(e for e in evaluate(measured, sample=200, seed=1).recall if e.found_by == "matrix")
    assert other.recall != part.recall


def test_lists_of_what_is_gone_or_changed_are_measured_by_what_is_there(
    measured: Connection,
) -> None:
    measured.execute("DELETE FROM pgsim.recording WHERE id % 10 = 0")
    report = evaluate(measured, sample=RECORDINGS)
    assert report.pending == RECORDINGS // 10
    assert recalls(report)["matrix", 100] < 0.95
    assert recalls(report)["live", 10] > 0.99


def test_hubs_are_counted_in_the_order_in_which_questions_are_answered(
    measured: Connection,
) -> None:
    report = evaluate(measured, sample=10)
    for hubs in report.hubness:
        rows = measured.execute(
            "SELECT count(a.mbid) FROM pgsim.recording AS r LEFT JOIN ("
            " SELECT s.mbid FROM pgsim.recording AS o,"
            " similar_recordings(o.mbid, 10, ranking => %s) AS s) AS a ON a.mbid = r.mbid"
            " GROUP BY r.id",
            (hubs.ranking,),
        ).fetchall()
        occurrences = np.array([count for (count,) in rows], float)
        assert hubs.counts == np.bincount(occurrences.astype(int)).tolist()
        assert hubs.most == occurrences.max()
        assert hubs.in_none == pytest.approx((occurrences == 0).mean())
        z = (occurrences - occurrences.mean()) / occurrences.std()
        assert hubs.skewness == pytest.approx((z**3).mean())


def test_labels_are_compared_with_those_of_the_nearest_and_with_drawing_by_lot(
    measured: Connection,
) -> None:
    genre, artist = evaluate(measured, sample=10).labels
    own = measured.execute("SELECT genre FROM pgsim.recording ORDER BY id").fetchall()
    labels = np.array([label for (label,) in own])
    # Among copies at one distance, which are the ten is chance.
    assert genre.distance == pytest.approx(
        precision(read_vectors(measured).vectors, labels, 10), abs=0.01
    )
    assert genre.distance > 2 * genre.chance
    assert (genre.label, genre.recordings) == ("genre", RECORDINGS)
    assert artist.label == "artist"

    measured.execute("UPDATE pgsim.recording SET genre = NULL, artist = NULL WHERE id % 2 = 0")
    assert evaluate(measured, sample=10).labels[0].recordings == RECORDINGS // 2
    measured.execute("UPDATE pgsim.recording SET genre = NULL, artist = NULL")
    assert evaluate(measured, sample=10).labels == []


def test_without_lists_and_index_the_live_answer_is_measured(plane: Connection) -> None:
    with pytest.raises(PgsimError, match="nothing to evaluate: 0 recordings"):
        evaluate(plane)
    for number in range(1, 8):
        insert(plane, number, number % 3)
    report = evaluate(plane)
    assert [(each.found_by, each.k, each.recall) for each in report.recall] == [("live", 6, 1)]
    assert (report.lists, report.hubness, report.labels) == (0, [], [])
    assert report.recall[0].distance_ratio == 1


def test_the_command_prints_in_80_columns_speaks_json_and_draws(
    measured: Connection, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    url = measured.info.dsn
    assert run(["--database", url, "evaluate", "--sample", "50"]) == 0
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 80
    for word in ("HNSW index, ef 40", "stored matrix", "similarity", "genre, of 10"):
        assert word in said
    assert "have no list" not in said
    measured.execute("DELETE FROM pgsim.similarity WHERE id % 2 = 0")
    assert run(["--database", url, "evaluate", "--sample", "50"]) == 0
    assert "200 recordings have no list: pgsim refresh" in capsys.readouterr().out

    pytest.importorskip("matplotlib", reason="needs pgsim[plot]")
    file = tmp_path / "evaluation.png"
    assert (
        run(["--database", url, "evaluate", "--json", "--sample", "50", "--plot", str(file)]) == 0
    )
    report = json.loads(capsys.readouterr().out)
    assert (report["recordings"], report["sample"]) == (RECORDINGS, 50)
    assert len(report["recall"]) == 6
    assert file.read_bytes().startswith(b"\x89PNG")


def test_a_plot_that_cannot_be_written_costs_no_figures(
    plane: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib", reason="needs pgsim[plot]")
    for number in range(1, 4):
        insert(plane, number, number)
    (tmp_path / "x.png").symlink_to(tmp_path / "gone" / "x.png")
    name = str(tmp_path / "x.png")
    assert run(["--database", plane.info.dsn, "evaluate", "--json", "--plot", name]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["recordings"] == 3
    assert said.err.endswith(f"pgsim: cannot use {name}: No such file or directory\n")


@pytest.mark.parametrize(
    ("file", "code", "line"),
    [("x.bmp", 2, "has to end in .png"), ("missing/x.png", 1, "there is no folder missing")],
)
def test_a_plot_that_cannot_be_made_is_refused_before_the_work(
    file: str, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--database", "postgresql:///nowhere", "evaluate", "--plot", file]) == code
    assert line in capsys.readouterr().err
