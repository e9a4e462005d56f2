"""When a load fits the feature sets, and which sets it names as not fitted."""

from pathlib import Path

from pgsim.loading.load import load
from pgsim.loading.recordings import refit
from pgsim.postgres.connection import Connection
from pgsim.store.collection import read_collection
from tests.support.documents import (
    high_level,
    low_level,
    write_lines,
)
from tests.support.loading import Databases, counts, opened
from tests.support.rows import contents, one


def test_a_set_that_no_recording_has_is_zero_in_every_vector_and_named_by_status(
    conn: Connection, tmp_path: Path
) -> None:
    documents = [low_level(i, lacks=["onset_rate"]) for i in range(6)]
    for each in documents:
        each.body["rhythm"]["bpm"] = 120
    report = load(conn, [write_lines(tmp_path / "a.ndjson", documents)])
    unfitted = "bpm, onsetrate, logonsetrate, moods, instruments, rosamerica, dortmund, tzanetakis"
    status = dict(conn.execute("SELECT item, value FROM pgsim.status()").fetchall())
    assert status["sets not fitted"] == unfitted
    # Of these only the tempo, the same everywhere, was brought.
    assert report.unfitted == ("bpm",)
    for name in unfitted.split(", "):
        each = read_collection(conn).profile.set(name)
        part = "public.subvector(vector, %s, %s)"
        zeros = "array_fill(0, ARRAY[%s])::public.vector"
        zero = f"SELECT bool_and({part} OPERATOR(public.=) {zeros}) FROM pgsim.recording"
        assert one(conn, zero, each.position + 1, each.length, each.length)
    assert one(conn, "SELECT bool_or(public.vector_norm(vector) > 0.5) FROM pgsim.recording")


def test_a_load_that_brings_a_set_not_fitted_says_so(conn: Connection, tmp_path: Path) -> None:
    load(conn, [write_lines(tmp_path / "a.ndjson", [low_level(i) for i in range(5)])])
    high = write_lines(tmp_path / "b.ndjson", [high_level(i) for i in range(5)])
    classifiers = ("moods", "instruments", "rosamerica", "dortmund", "tzanetakis")
    assert load(conn, [high]).unfitted == classifiers
    assert load(conn, [high]).unfitted == ()
    refit(conn)
    more = write_lines(tmp_path / "c.ndjson", [high_level(9)])
    assert load(conn, [more]).unfitted == ()


def test_a_load_of_one_recording_leaves_the_fitting_to_the_next(
    conn: Connection, new_database: Databases, acousticbrainz_template: str, tmp_path: Path
) -> None:
    one_, rest = [low_level(0)], [low_level(i) for i in range(1, 9)]
    report = load(conn, [write_lines(tmp_path / "one.ndjson", one_)])
    assert (report.recordings, report.without_vector) == (1, 1)
    report = load(conn, [write_lines(tmp_path / "rest.ndjson", rest)])
    assert (report.recordings, report.without_vector, report.unfitted) == (9, 0, ())
    with opened(new_database(acousticbrainz_template)) as at_once:
        load(at_once, [write_lines(tmp_path / "all.ndjson", one_ + rest)])
        assert contents(conn) == contents(at_once)


def test_a_load_in_which_all_is_rejected_leaves_the_collection_unfitted(
    conn: Connection, tmp_path: Path
) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text("{}\n")
    assert counts(load(conn, [path])) == (1, 0, 0, 0, 1)
    assert read_collection(conn).fit is None
