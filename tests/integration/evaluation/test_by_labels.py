"""pgsim evaluate --labels: right values on real databases, and errors that help."""

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pgsim
from pgsim import embedded
from pgsim.cli import run
from pgsim.errors import PgsimError, UsageError
from pgsim.evaluation.by_labels import LabelEvaluation, LabelRow, evaluate_labels
from pgsim.evaluation.protocol import RANKINGS
from pgsim.loading.load import load
from pgsim.postgres.connection import Connection, connect
from pgsim.store.index import build_index
from tests.support.clustered import copy_in, make_collection
from tests.support.databases import install_template
from tests.support.documents import low_level, mbid, write_lines

RECORDINGS = 240
ALL = 10_000  # queries: all there are


@pytest.fixture(scope="module")
def labelled_template(server: embedded.Server) -> str:
    """240 recordings in clusters, copies among them, with 60 artists of three albums each."""
    name = install_template(server, "labelled", "acousticbrainz")
    with closing(connect(server.conninfo(name), autocommit=True)) as conn:
        copy_in(conn, make_collection(RECORDINGS, 68, seed=5))
        conn.execute(
            "UPDATE pgsim.recording SET artist_mbids = NULL, artist = 'artist ' || id % 60,"
            " album = 'album ' || id / 60 % 3"
        )
        conn.execute("UPDATE pgsim.recording SET album = NULL WHERE id % 20 = 0")
        conn.execute("UPDATE pgsim.recording SET artist = ' ' WHERE id % 50 = 0")
        conn.execute("VACUUM FULL ANALYZE pgsim.recording")
        build_index(conn)
    return name


@pytest.fixture
def labelled(new_database: Callable[..., str], labelled_template: str) -> Iterator[Connection]:
    with closing(connect(new_database(labelled_template), autocommit=True)) as conn:
        yield conn


def row_of(
    evaluation: LabelEvaluation, vectors: str, ranking: str, found_by: str = "exact"
) -> LabelRow:
    [row] = [
        row
        for row in evaluation.rows
        if (row.vectors, row.ranking, row.found_by) == (vectors, ranking, found_by)
    ]
    return row


# What the protocol means by a right answer, in SQL: the ten nearest by a distance, of those that
# have a label and are neither the seed nor its copy nor of its group.
_PRECISION = """
    SELECT avg(q.hits) / 10, count(*)
    FROM pgsim.recording AS r, LATERAL (
        SELECT count(*) FILTER (WHERE n.label = {label}) AS hits
        FROM (
            SELECT {label_o} AS label FROM pgsim.recording AS o
            WHERE {label_o} IS NOT NULL AND {allowed}
            ORDER BY ({distance})::real, o.mbid LIMIT 10
        ) AS n
    ) AS q
    WHERE {label} IS NOT NULL AND EXISTS (
        SELECT FROM pgsim.recording AS o WHERE {label_o} = {label} AND {allowed}
    )
"""


def by_sql(conn: Connection, label: str, group: str, distance: str) -> tuple[float, int]:
    allowed = (
        "o.id <> r.id AND pgsim.l2(o.vector, r.vector) > 0"
        f" AND NOT coalesce(({group.replace('r.', 'o.')}) = ({group}), false)"
    )
    query = _PRECISION.format(
        label=label, label_o=label.replace("r.", "o."), allowed=allowed, distance=distance
    )
    row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return float(row[0]), row[1]


ARTIST = "nullif(btrim(r.artist), '')"
FUSED = "pgsim.l2(o.vector, r.vector)"


@pytest.mark.parametrize(
    ("labels", "label", "group"),
    [("genre", "r.genre", ARTIST), ("artist", ARTIST, f"{ARTIST} || r.album")],
)
def test_the_figures_are_those_of_sql(
    labelled: Connection, labels: str, label: str, group: str
) -> None:
    found = evaluate_labels(labelled, labels, queries=ALL)
    precision, queries = by_sql(labelled, label, group, FUSED)
    assert found.queries == queries
    row = row_of(found, "the profile", "distance")
    assert row.quality.precision.value == pytest.approx(precision)
    sets = labelled.execute(
        "SELECT name, position, length, weight FROM pgsim.feature_set ORDER BY position"
    ).fetchall()
    for name, position, length, _ in (sets[0], sets[2], sets[-1]):
        part = "public.subvector({}.vector, " + f"{position}, {length})"
        distance = f"pgsim.l2({part.format('o')}, {part.format('r')})"
        row = row_of(found, name, "distance")
        assert row.quality.precision.value == pytest.approx(
            by_sql(labelled, label, group, distance)[0]
        )
    equal = " + ".join(
        f"pgsim.l2(public.subvector(o.vector, {position}, {length}),"
        f" public.subvector(r.vector, {position}, {length}))^2 / {weight}"
        for _, position, length, weight in sets
    )
    row = row_of(found, "equal shares", "distance")
    assert row.quality.precision.value == pytest.approx(
        by_sql(labelled, label, group, equal)[0], abs=2e-4
    )
    assert found.notes == ["plain z-scores need the submissions of all recordings: left out"]


def test_recordings_without_a_group_are_counted_and_artists_are_one_by_their_mbid(
    labelled: Connection,
) -> None:
    found = evaluate_labels(labelled, "artist", queries=ALL)
    assert (found.left_out, found.recordings) == ("own album", RECORDINGS - RECORDINGS // 50)
    albumless = labelled.execute(
        "SELECT count(*) FROM pgsim.recording WHERE album IS NULL AND btrim(artist) <> ''"
    ).fetchone()
    assert (found.alone,) == albumless
    assert found.classes == 60

    genre = evaluate_labels(labelled, "genre", queries=ALL)
    assert (genre.left_out, genre.alone) == ("own artist", RECORDINGS // 50)
    # All are of one artist, however each credit is written.
    labelled.execute(
        "UPDATE pgsim.recording SET artist_mbids = ARRAY['0e43fe9d-c472-4b62-be9e-55f971a023e1']"
        "::uuid[]"
    )
    with pytest.raises(PgsimError, match="of 240 recordings with a label, none shares it"):
        evaluate_labels(labelled, "genre")


def test_the_ways_of_the_database_find_what_is_exact(labelled: Connection) -> None:
    found = evaluate_labels(labelled, "genre", queries=100)
    for ranking in RANKINGS:
        exact = row_of(found, "the profile", ranking).quality
        for way in ("index", "live"):
            quality = row_of(found, "the profile", ranking, way).quality
            assert quality.precision.value == pytest.approx(exact.precision.value, abs=0.005)
            assert quality.average_precision.value > 0.97 * exact.average_precision.value
            assert quality.skewness is None
    labelled.execute("DROP INDEX pgsim.recording_vector")
    without = evaluate_labels(labelled, "genre", queries=100)
    assert {row.found_by for row in without.rows} == {None, "exact", "live"}
    live = row_of(without, "the profile", "similarity", "live").quality
    exact = row_of(without, "the profile", "similarity").quality
    assert (live.precision, live.recall) == (exact.precision, exact.recall)
    assert live.average_precision == exact.average_precision


def test_a_file_gives_several_labels_and_its_recordings_alone_take_part(
    labelled: Connection, tmp_path: Path
) -> None:
    rows = labelled.execute("SELECT mbid, genre FROM pgsim.recording ORDER BY id").fetchall()
    file = tmp_path / "labels.csv"
    with file.open("w", newline="", encoding="utf-8-sig") as out:
        writer = csv.writer(out)
        writer.writerow(["label", "mbid"])
        for own, genre in rows:
            writer.writerow([genre, str(own).upper()])
            writer.writerow([genre, own])
    as_file, as_kind = (
        evaluate_labels(labelled, labels, queries=ALL) for labels in (file, "genre")
    )
    assert as_file.rows == as_kind.rows
    assert (as_file.left_out, as_file.classes) == ("own artist", as_kind.classes)

    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(["mbid", "label"])
        writer.writerows((own, "rare, one") for own, _ in rows[:6])
        writer.writerows((own, "second") for own, _ in rows[3:9])
        writer.writerow((mbid(1), "rare, one"))
    few = evaluate_labels(labelled, file, queries=ALL)
    assert (few.recordings, few.classes, few.unknown) == (9, 2, 1)
    assert not {"index", "live"} & {row.found_by for row in few.rows}
    assert any("answers by index would need" in note for note in few.notes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mbid;label\n", "begins with 'mbid;label', but the columns of labels are mbid,label"),
        ("", "begins with 'nothing'"),
        ("mbid,label,weight\n", "begins with 'mbid, label, weight'"),
        ("mbid,label\n", "holds no labels"),
        ("mbid,label\nx,rock\n", "line 2: 'x' is no MBID such as"),
        (f"mbid,label\n{mbid(1)},\n", "line 2 has no label"),
        (f"mbid,label\n\n{mbid(1)},a,b\n", "line 3 has 3 cells, but there are 2 columns"),
        (f'mbid,label\n{mbid(1)},"a\n', "line 2: not CSV"),
        (f"mbid,label\n{mbid(7)},rock\n", "none of the 1 MBIDs of .* is a recording"),
    ],
)
def test_a_file_of_another_kind_is_refused_by_its_line(
    labelled: Connection, tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "labels.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PgsimError, match=message):
        evaluate_labels(labelled, file)


def test_labels_that_are_none_are_refused_with_what_there_is(
    labelled: Connection, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"'mood', but must be artist, genre, mbid, or a file"):
        evaluate_labels(labelled, "mood")
    with pytest.raises(PgsimError, match=r"cannot read .*gone\.csv: No such file"):
        evaluate_labels(labelled, tmp_path / "gone.csv")
    (tmp_path / "latin.csv").write_bytes(b"mbid,label\n\xe9,x\n")
    with pytest.raises(UsageError, match="it is not UTF-8"):
        evaluate_labels(labelled, tmp_path / "latin.csv")
    with pytest.raises(UsageError, match="sample is 0"):
        evaluate_labels(labelled, "genre", queries=0)
    with pytest.raises(PgsimError, match="there are no submissions"):
        evaluate_labels(labelled, "mbid")
    labelled.execute("UPDATE pgsim.recording SET genre = NULL")
    with pytest.raises(PgsimError, match="no recording with a vector has a label 'genre'"):
        evaluate_labels(labelled, "genre")


def test_the_submissions_of_an_mbid_are_right_for_each_other(
    conn: Connection, tmp_path: Path
) -> None:
    def line(recording: int, number: int, twin: int) -> dict[str, Any]:
        body = json.loads(low_level(recording, twin).line) | {"number": number}
        return body | {"metadata": low_level(recording, number).body["metadata"]}

    # Two that differ a little and their exact repeat, of each of ten; thirty others stand alone.
    lines = [line(recording, 0, 0) for recording in range(40)]
    for recording in range(10):
        near = line(recording, 1, 0)
        near["lowlevel"]["mfcc"]["mean"][0] += 0.01
        lines += [near, line(recording, 2, 0)]
    path = tmp_path / "all.ndjson"
    path.write_text("".join(json.dumps(each) + "\n" for each in lines), encoding="utf-8")
    report = load(conn, [path])
    assert (report.read, report.rejected) == (60, 0)

    found = evaluate_labels(conn, "mbid", queries=ALL)
    assert (found.recordings, found.classes, found.queries) == (60, 40, 30)
    assert (found.drawn, found.excluded, found.left_out) == (60, 30, "exact copies alone")
    quality = row_of(found, "the profile", "similarity").quality
    # 20 queries have one right, which is the nearest; 10 have two.
    assert quality.precision.value == pytest.approx((20 * 1 + 10 * 2) / 30 / 10)
    assert quality.recall.value == quality.average_precision.value == 1
    assert row_of(found, "plain z-scores", "distance").quality.recall.value == 1
    chance = found.rows[0].quality
    assert chance.recall.value == pytest.approx((20 * 10 / 58 + 10 * 10 / 59) / 30)

    conn.execute("DELETE FROM pgsim.submission WHERE number > 0")
    with pytest.raises(PgsimError, match="each of 40 MBIDs has one submission"):
        evaluate_labels(conn, "mbid")


def test_plain_z_scores_are_values_as_read_each_dimension_standardised(
    conn: Connection, tmp_path: Path
) -> None:
    documents = [low_level(n, lacks=["gfcc"] if n % 7 == 0 else []) for n in range(60)]
    load(conn, [write_lines(tmp_path / "all.ndjson", documents)])
    found = evaluate_labels(conn, "artist", queries=ALL)
    rows = conn.execute(
        "SELECT r.artist, s.features FROM pgsim.recording AS r"
        " JOIN pgsim.submission AS s USING (mbid) ORDER BY r.mbid"
    ).fetchall()
    values = np.array([features for _, features in rows], float)
    values = values[:, ~np.isnan(values).all(axis=0)]
    artists = np.array([artist for artist, _ in rows])
    scores = np.nan_to_num((values - np.nanmean(values, axis=0)) / np.nanstd(values, axis=0))
    assert np.isnan(values).any()
    apart = ((scores[:, None] - scores) ** 2).sum(axis=2)
    np.fill_diagonal(apart, np.inf)
    nearest = np.argsort(apart, axis=1)[:, :10]
    expected = (artists[nearest] == artists[:, None]).mean()
    row = row_of(found, "plain z-scores", "distance")
    assert row.quality.precision.value == pytest.approx(expected)
    # Sets that no document has are no rows.
    assert "moods" not in {each.vectors for each in found.rows}


def test_the_command_prints_in_80_columns_speaks_json_and_draws(
    labelled: Connection, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    url = labelled.info.dsn
    words = ["--database", url, "evaluate", "--labels", "artist", "--sample", "60"]
    assert run(words) == 0
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 80
    for text in ("by distance", "by similarity", "P@10", "MAP@100", "chance", "mfccs",
                 "equal shares", "the profile", "HNSW index", "live answer",
                 "have no album: of them, copies alone are left out"):  # fmt: skip
        assert text in said
    assert said.startswith("236 recordings with 60 labels (artist); left out: own album")

    pytest.importorskip("matplotlib", reason="needs pgsim[plot]")
    file = tmp_path / "labels.png"
    assert run([*words, "--json", "--plot", str(file)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["labels"], report["queries"], report["k"], report["depth"]) == (
        "artist", 60, 10, 100,
    )  # fmt: skip
    assert report["rows"][0]["vectors"] == "chance"
    assert set(report["rows"][1]["quality"]["precision"]) == {"value", "low", "high"}
    assert file.read_bytes().startswith(b"\x89PNG")
    with pgsim.connect(url) as db:
        assert db.evaluate(labels="artist", sample=60).rows[-1].found_by == "live"
    assert run(["--database", url, "evaluate", "--labels", "mood"]) == 2
    assert "labels is 'mood', but must be artist" in capsys.readouterr().err
