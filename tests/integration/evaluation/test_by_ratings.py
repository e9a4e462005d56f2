"""pgsim evaluate --ratings: the shares of an oracle that looks at each pair of verdicts."""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import closing

import numpy as np
import pytest

from pgsim.cli import run
from pgsim.errors import PgsimError
from pgsim.evaluation.by_ratings import evaluate_ratings
from pgsim.postgres.connection import Connection, connect
from tests.support.documents import mbid

Verdicts = dict[tuple[str, int, int], int]


@pytest.fixture
def filled(new_database: Callable[..., str], filled_template: str) -> Iterator[Connection]:
    """30 recordings."""
    with closing(connect(new_database(filled_template), autocommit=True)) as conn:
        yield conn


def give(conn: Connection, verdicts: Verdicts) -> None:
    for (person, seed, answer), verdict in verdicts.items():
        conn.execute(
            "SELECT pgsim.rate(%s, %s, %s, %s)", (mbid(seed), mbid(answer), verdict, person)
        )


def shares(conn: Connection, verdicts: Verdicts, columns: slice) -> tuple[float, float]:
    """How many pairs are in their order by distance, and by similarity."""
    vectors = {
        row[0]: row[1].to_numpy()[columns].astype(float)
        for row in conn.execute("SELECT mbid, vector FROM pgsim.recording")
    }

    def distance(a: object, b: object) -> float:
        return float(np.linalg.norm(vectors[a] - vectors[b]))

    reach = {a: np.mean([distance(a, b) for b in vectors if b != a]) for a in vectors}
    right = [0.0, 0.0]
    pairs = 0
    for (person, seed, liked), verdict in verdicts.items():
        for (other, start, disliked), contrary in verdicts.items():
            if (person, seed, verdict, contrary) == (other, start, 1, -1):
                pairs += 1
                a, b, c = mbid(seed), mbid(liked), mbid(disliked)
                near, far = distance(a, b), distance(a, c)
                right[0] += (near < far) + (near == far) / 2
                near, far = near**2 / reach[b], far**2 / reach[c]
                right[1] += (near < far) + (near == far) / 2
    return right[0] / pairs, right[1] / pairs


def test_the_shares_are_those_of_each_pair_of_a_liked_and_a_disliked_answer(
    filled: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(3)
    verdicts: Verdicts = {
        (person, seed, answer): rng.choice([-1, 0, 1])
        for person in ("anna", "ben")
        for seed in rng.sample(range(30), 8)
        for answer in rng.sample(range(30), 8)
        if seed != answer
    }
    give(filled, verdicts)
    assert run(["--database", filled.info.dsn, "evaluate", "--ratings", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    found = {(r["vectors"], r["ranking"]): r["agreement"] for r in report["rows"]}
    position, length = filled.execute(
        "SELECT position - 1, length FROM pgsim.feature_set WHERE name = 'mfccs'"
    ).fetchone() or (0, 0)
    for name, columns in (
        ("the profile", slice(None)),
        ("mfccs", slice(position, position + length)),
    ):
        by_distance, by_similarity = shares(filled, verdicts, columns)
        assert found[name, "distance"]["value"] == pytest.approx(by_distance)
        assert found[name, "similarity"]["value"] == pytest.approx(by_similarity)
        estimate = found[name, "distance"]
        assert estimate["low"] <= estimate["value"] <= estimate["high"]
    assert {"plain z-scores", "equal shares"} <= {name for name, _ in found}
    assert report["verdicts"] == sum(map(abs, verdicts.values()))
    assert (report["people"], report["unusable"]) == (2, 0)
    assert run(["--database", filled.info.dsn, "evaluate", "--ratings"]) == 0
    assert f"triplets: {report['triplets']}, of which half" in capsys.readouterr().out


def test_verdicts_on_recordings_that_are_gone_are_counted(filled: Connection) -> None:
    give(filled, {("anna", 1, 2): 1, ("anna", 1, 3): -1, ("anna", 4, 5): 1, ("ben", 1, 6): -1})
    assert evaluate_ratings(filled).triplets == 1
    filled.execute("DELETE FROM pgsim.recording WHERE mbid = %s", (mbid(5),))
    found = evaluate_ratings(filled)
    assert (found.triplets, found.verdicts, found.people, found.unusable) == (1, 3, 2, 1)
    filled.execute("DELETE FROM pgsim.recording WHERE mbid = %s", (mbid(3),))
    with pytest.raises(PgsimError, match="of 2 verdicts .* none like one answer"):
        evaluate_ratings(filled)


@pytest.mark.parametrize(
    "other", [["--labels", "genre"], ["--plot", "x.png"], ["--input"], ["--sample", "9"]]
)
def test_what_does_not_go_with_ratings_is_refused(
    filled: Connection, other: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--database", filled.info.dsn, "evaluate", "--ratings", *other]) == 2
    assert "goes with" in capsys.readouterr().err
