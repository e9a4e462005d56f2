"""Another profile for a collection that exists, against a collection that had it from the start."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pgsim
from pgsim.cli import run
from pgsim.errors import PgsimError
from pgsim.features.profile import Profile
from pgsim.loading import load as loading
from pgsim.loading.load import load
from pgsim.loading.profile_change import change_profile
from pgsim.matrix.rebuild import rebuild
from pgsim.matrix.refresh import refresh
from pgsim.postgres.connection import Connection, connect
from pgsim.store import schema
from pgsim.store.collection import read_collection
from pgsim.store.index import build_metric_index, vector_dimensions
from tests.support.documents import collection, write_lines
from tests.support.profiles import grown, profile_of, text_of
from tests.support.rows import contents, one

DOCUMENTS = 30


@pytest.fixture
def filled(new_database: Callable[..., str], filled_template: str) -> str:
    """The connection string of a database with 30 recordings and their lists."""
    return new_database(filled_template)


def made_so(new_database: Callable[..., str], profile: Profile, path: Path) -> dict[str, Any]:
    """What a database holds that had the profile from the start."""
    with connect(new_database(), autocommit=True) as conn:
        schema.install(conn, profile)
        load(conn, [write_lines(path / "fresh.ndjson", collection(DOCUMENTS))])
        return contents(conn)


CHANGES = {
    "a set left out in the middle": text_of(without=("bpm",)),
    "the first and the last set left out": text_of(without=("mfccs", "tzanetakis")),
    "other weights": text_of(weights={"mfccs": 2, "onsetrate": 0.02}),
    "another transform": text_of().replace('transform = "zscore"', 'transform = "rank"', 1),
    "a set that nothing has yet": grown(),
}


@pytest.mark.parametrize("text", CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_collection_is_that_which_had_the_profile_from_the_start(
    new_database: Callable[..., str], filled: str, tmp_path: Path, text: str
) -> None:
    wanted = profile_of(text)
    fresh = made_so(new_database, wanted, tmp_path)
    with connect(filled, autocommit=True) as conn:
        report = change_profile(conn, wanted)
        assert report.is_done
        assert report.dimensions == wanted.dimensions == vector_dimensions(conn)
        assert read_collection(conn).profile == wanted
        found = contents(conn)
        for table in ("submission", "recording", "feature_set", "collection"):
            assert found[table] == fresh[table], table
        # The index is there, and questions answer; a refresh and a rebuild make the same lists.
        assert one(conn, "SELECT to_regclass('pgsim.recording_vector')") is not None
        asked = (
            "SELECT mbid, rank, similar_mbid, distance FROM pgsim.similarity_matrix ORDER BY 1, 2"
        )
        seed = one(conn, "SELECT mbid FROM pgsim.recording WHERE vector IS NOT NULL LIMIT 1")
        live = conn.execute(
            "SELECT mbid FROM pgsim.similar_recordings(%s, 5, ranking => 'distance')", (seed,)
        ).fetchall()
        refresh(conn)
        refreshed = conn.execute(asked.encode()).fetchall()
        assert [row[2] for row in refreshed if row[0] == seed][:5] == [mbid for (mbid,) in live]
        rebuild(conn, engine="exact")
        assert conn.execute(asked.encode()).fetchall() == refreshed
        assert one(conn, "SELECT count(*) FROM pgsim.stale") == 0


def test_a_set_comes_back_by_loading_the_documents_again(filled: str, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "all.ndjson", collection(DOCUMENTS))
    hour_ago = time.time() - 3600
    os.utime(path, (hour_ago, hour_ago))
    with pgsim.connect(filled) as db:
        db.load(path)  # from here on the file is known
        conn = db.connection
        before = contents(conn)
        smaller, whole = tmp_path / "smaller.toml", tmp_path / "whole.toml"
        smaller.write_text(text_of(without=("bpm", "moods")))
        whole.write_text(text_of())
        removed = db.change_profile(smaller)
        assert (removed.added, removed.removed) == ([], ["bpm", "moods"])
        assert "pgsim rebuild" in removed.next[-1]
        added = db.change_profile(whole)
        assert (added.added, added.removed) == (["bpm", "moods"], [])
        assert [word in line for word, line in zip(("load", "refit"), added.next, strict=False)]
        lacks = "SELECT count(*) FROM pgsim.recording WHERE NOT missing @> '{bpm,moods}'"
        assert one(conn, lacks) == 0
        report = db.load(path)
        assert report.updated > 0
        assert report.unfitted == ("bpm", "moods")
        db.refit()
        assert contents(conn) == before


def test_the_same_profile_changes_nothing_and_says_so(
    filled: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with connect(filled, autocommit=True) as conn:
        before = contents(conn)
        for option in ([], ["--dry-run"]):
            assert run(["--database", filled, "profile", "acousticbrainz", *option]) == 0
            assert capsys.readouterr().out == (
                "profile 'acousticbrainz', 68 dimensions: nothing to change\n"
            )
        assert contents(conn) == before
        assert one(conn, "SELECT count(*) FROM pgsim.stale") == 0


def test_a_dry_run_says_what_would_be_done_and_does_nothing(
    filled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "grown.toml"
    path.write_text(
        grown().replace('name = "bpm"', 'name = "tempo"\npath = "rhythm.bpm"\nlength = 1')
    )
    with connect(filled, autocommit=True) as conn:
        build_metric_index(conn, "mfccs")
        before = contents(conn)
        assert run(["--database", filled, "profile", str(path), "--dry-run"]) == 0
        out, err = capsys.readouterr()
        assert "added: tempo\nadded: embedding\nremoved: bpm\n" in out
        assert "its index is built anew: mfccs\n" in out
        assert "75 dimensions instead of 68: nothing was done\n" in out
        assert "pgsim load" in err
        assert "pgsim rebuild" in err
        assert contents(conn) == before


def test_an_index_of_a_set_that_stays_is_built_anew_and_that_of_one_that_goes_goes(
    filled: str,
) -> None:
    with connect(filled, autocommit=True) as conn:
        for metric in ("bpm", "moods"):
            build_metric_index(conn, metric)
        report = change_profile(conn, profile_of(text_of(without=("bpm",))))
        assert report.indexes == ["moods"]
        indexes = "SELECT to_regclass('pgsim.recording_vector_' || %s) IS NOT NULL"
        assert (one(conn, indexes, "bpm"), one(conn, indexes, "moods")) == (False, True)
        seed = one(
            conn, "SELECT mbid FROM pgsim.recording WHERE NOT 'moods' = ANY(missing) LIMIT 1"
        )
        query = "SELECT mbid FROM pgsim.similar_recordings(%s, 5, metric => 'moods')"
        assert len(conn.execute(query.encode(), (seed,)).fetchall()) == 5


def test_a_recording_that_has_none_of_the_sets_left_loses_its_list(filled: str) -> None:
    with connect(filled, autocommit=True) as conn:
        low = ("mfccs", "gfccs", "key", "bpm", "onsetrate", "logonsetrate")
        change_profile(conn, profile_of(text_of(without=low)))
        without = one(conn, "SELECT count(*) FROM pgsim.recording WHERE vector IS NULL")
        assert without > 0
        refresh(conn)
        listed = (
            "SELECT count(*) FROM pgsim.recording AS r JOIN pgsim.similarity AS s USING (id)"
            " WHERE r.vector IS NULL"
        )
        assert one(conn, listed) == 0
        assert one(conn, "SELECT count(*) FROM pgsim.similarity") == DOCUMENTS - without


def test_init_with_another_profile_points_to_the_command(filled: str) -> None:
    words = "change its sets by pgsim profile, or name another"
    with connect(filled, autocommit=True) as conn, pytest.raises(PgsimError, match=words):
        schema.install(conn, profile_of(text_of(without=("bpm",))))


def refused(conn: Connection, text: str, words: str) -> None:
    before = contents(conn)
    for dry_run in (True, False):
        with pytest.raises(PgsimError, match=words):
            change_profile(conn, profile_of(text), dry_run=dry_run)
    assert contents(conn) == before


def test_what_stands_in_the_way_is_named(filled: str) -> None:
    smaller = text_of(without=("bpm",))
    with connect(filled, autocommit=True) as conn:
        scheme = smaller.replace('genre_scheme = "rosamerica"', 'genre_scheme = "dortmund"')
        refused(conn, scheme, "genre_scheme 'dortmund', and this collection for 'rosamerica'")
        extractor = smaller.replace('extractor = "', 'extractor = "other ')
        refused(conn, extractor, "is for extractor 'other ")
        negative = smaller.replace('transform = "zscore"', 'transform = "hellinger"', 1)
        refused(conn, negative, r"submissions have numbers < 0; the transform 'hellinger' needs")

        conn.execute(
            "INSERT INTO pgsim.recording (mbid, vector) SELECT gen_random_uuid(), vector"
            " FROM pgsim.recording WHERE vector IS NOT NULL LIMIT 1"
        )
        refused(conn, smaller, "1 recordings have a vector but no submission")
        conn.execute("DELETE FROM pgsim.recording WHERE submissions = 0")

        conn.execute("CREATE VIEW public.mine AS SELECT mbid, vector FROM pgsim.recording")
        with pytest.raises(PgsimError, match="depends on what the profile changes.*view.* mine"):
            change_profile(conn, profile_of(smaller))
        conn.execute("DROP VIEW public.mine")

        conn.execute(
            "INSERT INTO pgsim.rebuild (target, list_length, engine, recall_wanted, recordings,"
            " snapshot) VALUES ('similarity_b', 100, 'exact', 1, 30, pg_current_snapshot())"
        )
        refused(conn, smaller, "a rebuild is not finished")
        conn.execute("DELETE FROM pgsim.rebuild WHERE finished_at IS NULL")
        assert change_profile(conn, profile_of(smaller)).is_done


def test_rows_of_tables_keep_the_name_that_they_are_known_by(filled: str) -> None:
    with connect(filled, autocommit=True) as conn:
        renamed = text_of(name="mine", without=("bpm",))
        conn.execute(
            "INSERT INTO pgsim.submission SELECT mbid, 'table:acousticbrainz', number, features,"
            " documents FROM pgsim.submission LIMIT 1"
        )
        refused(conn, renamed, 'write name = "acousticbrainz"')
        conn.execute("DELETE FROM pgsim.submission WHERE source LIKE 'table:%'")
        change_profile(conn, profile_of(renamed))
        assert one(conn, "SELECT profile FROM pgsim.collection") == "mine"


def test_a_load_that_began_under_the_old_profile_is_stopped(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_lines(tmp_path / "more.ndjson", collection(DOCUMENTS + 20)[-20:])
    with connect(filled, autocommit=True) as conn, connect(filled, autocommit=True) as other:
        changed: list[Any] = []

        original = read_collection(conn).profile

        parse = loading.parse_files

        def parse_then_change(*arguments: Any) -> Any:
            yield from ()
            changed.append(change_profile(other, profile_of(text_of(without=("bpm",)))))
            yield from parse(*arguments)

        with monkeypatch.context() as patched:
            patched.setattr(loading, "parse_files", parse_then_change)
            with pytest.raises(PgsimError, match="profile was changed during this load"):
                load(conn, [path])
        assert changed[0].is_done
        assert read_collection(conn).profile != original
        lengths = conn.execute("SELECT DISTINCT cardinality(features) FROM pgsim.submission")
        assert lengths.fetchall() == [(66,)]
        load(conn, [path])


@pytest.mark.parametrize(
    "after",
    [0.1, 0.4, *(pytest.param(each, marks=pytest.mark.slow) for each in (0.0, 0.2, 0.8))],
)
def test_killed_at_any_moment_the_collection_is_old_or_new(
    filled: str, tmp_path: Path, after: float
) -> None:
    path = tmp_path / "grown.toml"
    path.write_text(grown())
    program = [sys.executable, "-m", "pgsim", "--database", filled, "profile", str(path)]
    with connect(filled, autocommit=True) as conn:
        old = contents(conn)
        process = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert process.stderr is not None
        process.stderr.readline()  # it has said its first step
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        while (
            one(
                conn,
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND backend_type = 'client backend'",
            )
            > 1
        ):
            time.sleep(0.02)
        is_new = vector_dimensions(conn) == 76
        assert is_new or contents(conn) == old
        assert len(read_collection(conn).profile.sets) == (12 if is_new else 11)
        change_profile(conn, profile_of(grown()))
        assert vector_dimensions(conn) == 76
        seed = one(conn, "SELECT mbid FROM pgsim.recording WHERE vector IS NOT NULL LIMIT 1")
        query = "SELECT mbid FROM pgsim.similar_recordings(%s, 5)"
        assert len(conn.execute(query.encode(), (seed,)).fetchall()) == 5
