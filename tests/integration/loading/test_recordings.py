"""Fitting again and fusing, in a database: what `pgsim fuse --refit` changes, and what it keeps."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pgsim.loading import recordings as fusing
from pgsim.loading.load import load
from pgsim.loading.recordings import FuseReport, refit
from pgsim.postgres.connection import Connection
from pgsim.store.collection import read_collection
from pgsim.store.index import has_index
from tests.support.documents import Document, collection, high_level, low_level, mbid, write_lines
from tests.support.rows import contents, one


def loaded(conn: Connection, folder: Path, documents: list[Document]) -> None:
    load(conn, [write_lines(folder / f"{len(list(folder.iterdir()))}.ndjson", documents)])


def vectors(conn: Connection) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(recordings, dimensions), in the order of MBIDs."""
    rows = conn.execute("SELECT vector FROM pgsim.recording ORDER BY mbid").fetchall()
    return np.array([vector.to_numpy() for (vector,) in rows], np.float64)


def test_fitting_again_after_more_data_gives_what_loading_all_at_once_gives(
    conn: Connection, tmp_path: Path
) -> None:
    documents = collection(30)
    loaded(conn, tmp_path, documents[:20])
    before = read_collection(conn).fit
    loaded(conn, tmp_path, documents[20:])
    old = vectors(conn)
    report = refit(conn)
    assert (report.inserted, report.changed, report.unchanged) == (0, 30, 0)
    fit = read_collection(conn).fit
    assert before is not None
    assert fit is not None
    assert (before.recordings < 30, fit.recordings) == (True, 30)
    assert not np.allclose(old, vectors(conn))

    fitted = contents(conn, without=("id",))
    conn.execute("TRUNCATE pgsim.recording, pgsim.submission")
    conn.execute("UPDATE pgsim.collection SET fitted_at = NULL, fitted_on = NULL")
    loaded(conn, tmp_path, documents)
    assert contents(conn, without=("id",)) == fitted


def test_fitting_again_without_new_data_changes_nothing(conn: Connection, tmp_path: Path) -> None:
    loaded(conn, tmp_path, collection(12))
    conn.execute("CALL pgsim.refresh_similarity()")
    before = contents(conn)
    assert refit(conn) == FuseReport(inserted=0, changed=0, unchanged=12)
    assert contents(conn) == before
    assert one(conn, "SELECT count(*) FROM pgsim.stale") == 0


@pytest.mark.parametrize("chunk", [1, 5, 12])
def test_a_fit_is_the_same_in_chunks_of_any_size(
    conn: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    loaded(conn, tmp_path, collection(12))
    before, fit = vectors(conn), read_collection(conn).fit
    monkeypatch.setattr(fusing, "AT_ONCE", chunk)
    done: list[int] = []
    refit(conn, done.append)
    assert sum(done) == 12
    assert len(done) == -(-12 // chunk)
    again = read_collection(conn).fit
    assert fit is not None
    assert again is not None
    assert np.allclose(fit.center, again.center, rtol=1e-12)
    assert np.allclose(fit.scale, again.scale, rtol=1e-12)
    assert np.allclose(before, vectors(conn), atol=1e-6)


def test_fitting_again_builds_a_new_index(conn: Connection, tmp_path: Path) -> None:
    loaded(conn, tmp_path, collection(5))
    assert has_index(conn)
    index = "SELECT 'pgsim.recording_vector'::regclass::oid"
    before = one(conn, index)
    refit(conn)
    assert one(conn, index) != before


def test_all_that_changed_is_new_to_the_matrix(conn: Connection, tmp_path: Path) -> None:
    loaded(conn, tmp_path, collection(6))
    loaded(conn, tmp_path, [low_level(50), high_level(50)])
    conn.execute("CALL pgsim.refresh_similarity()")
    refit(conn)
    assert one(conn, "SELECT count(*) FROM pgsim.stale WHERE old_vector IS NOT NULL") == 7


def test_vectors_have_the_expected_distance_and_each_set_its_share_of_it(
    conn: Connection, tmp_path: Path
) -> None:
    documents = [level(i) for i in range(40) for level in (low_level, high_level)]
    loaded(conn, tmp_path, documents)
    points = vectors(conn)
    for each in read_collection(conn).profile.sets:
        # Twice the variance is the expected squared distance of two draws.
        share = 2 * points[:, each.slice].var(axis=0).sum()
        assert share == pytest.approx(each.weight, rel=1e-4)


def test_what_feature_set_holds_is_all_that_is_needed_to_make_the_vector_again(
    conn: Connection, tmp_path: Path
) -> None:
    loaded(conn, tmp_path, [low_level(i) for i in range(10)])
    # One submission each, and no transform before the z-score: the documented formula, in SQL.
    wrong = """
        SELECT count(*)
        FROM pgsim.feature_set AS f
        CROSS JOIN pgsim.recording AS r
        INNER JOIN pgsim.submission AS s ON s.mbid = r.mbid
        CROSS JOIN generate_series(1, f.length) AS i
        WHERE
            f.name = 'mfccs'
            AND abs(
                (s.features[f.position + i - 1] - f.center[i]) / f.scale[i] * sqrt(f.weight)
                - (r.vector::real[])[f.position + i - 1]
            ) > 1e-6
    """
    assert one(conn, wrong) == 0
    assert one(conn, wrong.replace("> 1e-6", "<= 1e-6")) == 130


def test_missing_sets_are_named_and_those_of_the_nearest_complete_recording(
    conn: Connection, tmp_path: Path
) -> None:
    documents = [level(i) for i in range(6) for level in (low_level, high_level)]
    loaded(conn, tmp_path, [*documents, high_level(9), low_level(10, lacks=["key_key"])])
    rows = dict(conn.execute("SELECT mbid, missing FROM pgsim.recording").fetchall())
    assert rows[mbid(1)] == []
    assert rows[mbid(9)] == ["mfccs", "gfccs", "key", "bpm", "onsetrate", "logonsetrate"]
    assert rows[mbid(10)] == [
        *("key", "moods", "instruments", "rosamerica", "dortmund", "tzanetakis")
    ]
    profile = read_collection(conn).profile
    points = vectors(conn)
    low = slice(0, profile.set("moods").position)
    high = slice(low.stop, None)
    complete = points[:6]
    nearest = np.linalg.norm(complete[:, high] - points[6, high], axis=1).argmin()
    assert (points[6, low] == complete[nearest, low]).all()
    assert not (points[6, high] == complete[nearest, high]).all()
    has = np.r_[low]
    has = np.delete(has, profile.set("key").slice)
    nearest = np.linalg.norm(complete[:, has] - points[7, has], axis=1).argmin()
    for missing in (profile.set("key").slice, high):
        assert (points[7, missing] == complete[nearest, missing]).all()


def test_a_later_load_fills_from_the_recordings_of_the_last_fit(
    conn: Connection, tmp_path: Path
) -> None:
    documents = [level(i) for i in range(6) for level in (low_level, high_level)]
    loaded(conn, tmp_path, documents)
    donors = vectors(conn)
    loaded(conn, tmp_path, [low_level(9)])
    low = slice(0, read_collection(conn).profile.set("moods").position)
    newcomer = vectors(conn)[-1]
    nearest = np.linalg.norm(donors[:, low] - newcomer[low], axis=1).argmin()
    assert (newcomer[low.stop :] == donors[nearest, low.stop :]).all()

    # The recording that it was filled from changes, and others come that are complete.
    loaded(conn, tmp_path, [high_level(int(nearest), number=1), low_level(10), high_level(10)])
    assert (vectors(conn)[6] == newcomer).all()
    loaded(conn, tmp_path, [low_level(11)])
    newest = vectors(conn)[-1]
    nearest = np.linalg.norm(donors[:, low] - newest[low], axis=1).argmin()
    assert (newest[low.stop :] == donors[nearest, low.stop :]).all()

    loaded(conn, tmp_path, [high_level(9)])  # what was missing comes
    own = vectors(conn)[6]
    assert not (own[low.stop :] == newcomer[low.stop :]).any()
    assert one(conn, "SELECT missing FROM pgsim.recording WHERE mbid = %s", mbid(9)) == []


def test_a_recording_with_none_of_the_fitted_sets_has_no_vector(
    conn: Connection, tmp_path: Path
) -> None:
    loaded(conn, tmp_path, [high_level(i) for i in range(5)])
    loaded(conn, tmp_path, [low_level(9), low_level(10)])
    assert one(conn, "SELECT vector FROM pgsim.recording WHERE mbid = %s", mbid(9)) is None
    assert one(conn, "SELECT title FROM pgsim.recording WHERE mbid = %s", mbid(9)) == "Title 9"
    assert one(conn, "SELECT count(*) FROM pgsim.stale WHERE id > 5") == 0
    refit(conn)
    assert one(conn, "SELECT count(vector) FROM pgsim.recording") == 7


def test_exact_repeats_of_a_low_level_submission_count_once(
    conn: Connection, tmp_path: Path
) -> None:
    loaded(conn, tmp_path, [low_level(i) for i in range(5)] + [low_level(1, 1)])
    once = vectors(conn)
    repeats = [Document(mbid(1), number, low_level(1).body) for number in (2, 3, 4)]
    loaded(conn, tmp_path, repeats)
    assert one(conn, "SELECT submissions FROM pgsim.recording WHERE mbid = %s", mbid(1)) == 5
    assert vectors(conn).tolist() == once.tolist()


def test_recordings_written_with_plain_sql_are_kept(conn: Connection, tmp_path: Path) -> None:
    loaded(conn, tmp_path, collection(4))
    zeros = np.zeros(68, np.float32)
    conn.execute(
        "INSERT INTO pgsim.recording (mbid, title, vector) VALUES (%s, 'Mine', %s)",
        (mbid(99), zeros),
    )
    refit(conn)
    assert one(conn, "SELECT title FROM pgsim.recording WHERE mbid = %s", mbid(99)) == "Mine"
    assert one(conn, "SELECT fitted_on FROM pgsim.collection") == 4


def test_an_empty_collection_can_be_fitted_and_filled_later(
    conn: Connection, tmp_path: Path
) -> None:
    assert refit(conn) == FuseReport(0, 0, 0)
    loaded(conn, tmp_path, collection(5))
    assert one(conn, "SELECT count(vector) FROM pgsim.recording") == 5
