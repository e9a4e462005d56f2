"""pgsim tune on a collection whose artists are told by what varies least."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from pgsim.errors import PgsimError, UsageError
from pgsim.postgres.connection import Connection
from pgsim.tuning.tune import tune
from tests.support.rows import one

SETS = "SELECT * FROM pgsim.feature_set ORDER BY position"


def test_a_map_is_learned_kept_and_written_where_it_gains(taught: Connection) -> None:
    report = tune(taught)
    assert report.written
    assert report.classes == 120
    assert report.after["by_similarity"] > 2 * report.before["by_similarity"]
    assert report.low > 0
    assert one(taught, "SELECT map IS NOT NULL FROM pgsim.feature_set WHERE name = 'sound'")
    assert one(taught, "SELECT sum(weight) FROM pgsim.feature_set") == pytest.approx(1)
    spread = one(
        taught,
        "SELECT avg(pgsim.l2(pgsim.slice_of(a.vector, 1, 8), pgsim.slice_of(b.vector, 1, 8)) ^ 2)"
        " / min((SELECT weight FROM pgsim.feature_set WHERE name = 'sound'))"
        " FROM pgsim.recording AS a, pgsim.recording AS b",
    )
    assert spread == pytest.approx(1, rel=1e-3)


def test_a_second_run_finds_the_same_and_changes_nothing(taught: Connection) -> None:
    tune(taught)
    first = taught.execute(SETS).fetchall()
    report = tune(taught)
    assert not report.written
    assert taught.execute(SETS).fetchall() == first


def test_a_dry_run_writes_nothing(taught: Connection) -> None:
    before = taught.execute(SETS).fetchall()
    report = tune(taught, dry_run=True)
    assert report.changed
    assert not report.written
    assert taught.execute(SETS).fetchall() == before


@pytest.mark.parametrize("labels", ["artist", "mbid"])
def test_with_nothing_to_learn_from_the_collection_stays_as_it_was(
    taught: Connection, labels: str
) -> None:
    taught.execute("UPDATE pgsim.recording SET artist = title || mbid")
    before = taught.execute(SETS).fetchall()
    report = tune(taught, labels=labels)
    assert not report.changed
    assert report.reason is not None
    assert "at least 20 are needed" in report.reason
    assert taught.execute(SETS).fetchall() == before


def test_labels_that_mean_nothing_gain_nothing(taught: Connection) -> None:
    taught.execute(
        "UPDATE pgsim.recording SET artist = 'Artist ' || hashtext(mbid::text) % 90, album = NULL"
    )
    before = taught.execute(SETS).fetchall()
    report = tune(taught)
    assert not report.changed, report.steps
    assert taught.execute(SETS).fetchall() == before


def test_explanations_return_the_values_of_a_tuned_set(taught: Connection) -> None:
    pair = "SELECT mbid FROM pgsim.recording ORDER BY mbid LIMIT 2"
    (a,), (b,) = taught.execute(pair).fetchall()
    tune(taught)
    words = dict(
        taught.execute(
            "SELECT feature_set, explanation FROM pgsim.explain_similarity(%s, %s)", (a, b)
        ).fetchall()
    )
    features = [
        one(taught, "SELECT features FROM pgsim.submission WHERE mbid = %s", each)
        for each in (a, b)
    ]
    named = re.findall(r"sound (\d+) (\S+) and ([^ ,]+)", words["sound"])
    assert len(named) == 2
    for number, value, other in named:
        assert float(value) == pytest.approx(features[0][int(number) - 1], rel=0.02, abs=0.02)
        assert float(other) == pytest.approx(features[1][int(number) - 1], rel=0.02, abs=0.02)
    shares = one(taught, "SELECT sum(share) FROM pgsim.explain_similarity(%s, %s)", a, b)
    assert shares == pytest.approx(1, abs=1e-4)


def test_triplets_teach_what_labels_do(taught: Connection, tmp_path: Path) -> None:
    lines = ["a,b,c"]
    for artist in range(120):
        for song in range(6):
            lines.append(f"{artist}-{song},{artist}-{(song + 1) % 6},{(artist + 7) % 120}-{song}")
    (tmp_path / "t.csv").write_text("\n".join(lines))
    report = tune(taught, triplets=tmp_path / "t.csv")
    assert report.written
    assert report.after["by_distance"] > report.before["by_distance"] + 0.1
    (tmp_path / "t.csv").write_text("a,b,c\n1-1,1-2,x\n")
    with pytest.raises(PgsimError, match="line 2 of .* names 'x'"):
        tune(taught, triplets=tmp_path / "t.csv")
    (tmp_path / "t.csv").write_text("a,b\n")
    with pytest.raises(UsageError, match="no columns a, b and c"):
        tune(taught, triplets=tmp_path / "t.csv")
    with pytest.raises(UsageError, match=r"none\.csv: No such file or directory$"):
        tune(taught, triplets=tmp_path / "none.csv")


def test_ratings_teach_what_their_triplets_do(taught: Connection, tmp_path: Path) -> None:
    lines = ["a,b,c"]
    for artist in range(30):
        a, b, c = f"{artist}-0", f"{artist}-1", f"{artist + 40}-0"
        lines.append(f"{a},{b},{c}")
        for answer, verdict in ((b, 1), (c, -1)):
            taught.execute(
                "SELECT pgsim.rate(pgsim.mbid_of(%s), pgsim.mbid_of(%s), %s, 'me')",
                (a, answer, verdict),
            )
    # Neither a verdict of another person nor one that was taken back makes a triplet.
    for verdict, person in ((-1, "you"), (-1, "me"), (0, "me")):
        taught.execute(
            "SELECT pgsim.rate(pgsim.mbid_of('0-0'), pgsim.mbid_of('0-2'), %s, %s)",
            (verdict, person),
        )
    (tmp_path / "t.csv").write_text("\n".join(lines))
    report = tune(taught, ratings=True, dry_run=True)
    assert (report.classes, report.groups) == (30, 30)
    wanted = tune(taught, triplets=tmp_path / "t.csv", dry_run=True)
    assert report == replace(wanted, labels="ratings")
    with pytest.raises(UsageError, match="`triplets` or `ratings`, not both"):
        tune(taught, triplets=tmp_path / "t.csv", ratings=True)


def test_unknown_labels_are_named(taught: Connection) -> None:
    with pytest.raises(UsageError, match="unknown labels 'x'; known: artist, genre, mbid"):
        tune(taught, labels="x")
