"""AcousticBrainz documents and an embedding of two thirds of the recordings in one database."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np

import pgsim
from pgsim.transfer.dump import dump, restore
from tests.support.documents import high_level, low_level, mbid, write_lines
from tests.support.profiles import grown
from tests.support.rows import one

RECORDINGS = 45


def embeddings(path: Path) -> Path:
    """A table by MBID of the embeddings e1 to e8 of two recordings in three."""
    random = np.random.default_rng(5)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["mbid", *(f"e{at}" for at in range(1, 9))])
        for recording in range(RECORDINGS):
            if recording % 3:
                rows.writerow([mbid(recording), *random.normal(size=8)])
    return path


def test_a_collection_grows_by_an_embedding_and_goes_on(
    new_database: Callable[..., str], acousticbrainz_template: str, tmp_path: Path
) -> None:
    documents = [each(i) for i in range(RECORDINGS) for each in (low_level, high_level)]
    profile = tmp_path / "grown.toml"
    profile.write_text(grown())
    url = new_database(acousticbrainz_template)
    with pgsim.connect(url) as db:
        db.load(write_lines(tmp_path / "all.ndjson", documents))
        db.rebuild(engine="exact")
        assert db.change_profile(profile).added == ["embedding"]
        report = db.load(embeddings(tmp_path / "embeddings.csv"))
        assert (report.new, report.recordings) == (RECORDINGS * 2 // 3, RECORDINGS)
        assert report.unfitted == ("embedding",)
        db.refit()
        assert db.index("embedding")
        assert db.index("mfccs")
        db.rebuild(engine="exact")
        has, lacks = mbid(1), mbid(3)
        for metric in ("embedding", "mfccs"):
            found = db.similar(has, 40, metric=metric)
            assert len(found) == (29 if metric == "embedding" else 40)
        assert not {each.mbid for each in db.similar(has, 29, metric="embedding")} & {
            mbid(i) for i in range(0, RECORDINGS, 3)
        }
        assert len(db.similar(lacks, 10)) == 10
        (share,) = (each for each in db.explain(has, lacks) if each.feature_set == "embedding")
        assert share.missing
        assert share.explanation == "the second lacks it"
        assert (
            one(db.connection, "SELECT count(*) FROM pgsim.recording WHERE missing <> '{}'") == 15
        )

        # The set that a recording lacks is that of another, so that it is not in the middle.
        start = 69
        query = "SELECT (vector::real[])[%s:] FROM pgsim.recording WHERE missing {} ORDER BY mbid"
        own, filled = (
            {tuple(vector) for (vector,) in db.connection.execute(query.format(which), (start,))}
            for which in ("= '{}'", "<> '{}'")
        )
        assert filled <= own
        answers = [[each.mbid for each in db.similar(mbid(i), 10)] for i in range(RECORDINGS)]
        sets = [(each.name, each.fitted) for each in db.feature_sets()]

        # A newcomer without it, and the embedding of one that had lacked it.
        db.load(write_lines(tmp_path / "new.ndjson", [low_level(99), high_level(99)]))
        assert db.refresh().changed == 1
        assert len(db.similar(mbid(99), 10)) == 10
        (tmp_path / "late.csv").write_text(
            (tmp_path / "embeddings.csv").read_text().splitlines()[0]
            + f"\n{lacks},1,2,3,4,5,6,7,8\n"
        )
        assert db.load(tmp_path / "late.csv").unfitted == ()
        db.refresh()
        assert len(db.similar(lacks, 30, metric="embedding")) == 30
        answers = [[each.mbid for each in db.similar(mbid(i), 10)] for i in range(RECORDINGS)]

    dump(url, tmp_path / "grown.dump")
    copy = new_database()
    restore(copy, tmp_path / "grown.dump")
    with pgsim.connect(copy) as db:
        assert [
            [each.mbid for each in db.similar(mbid(i), 10)] for i in range(RECORDINGS)
        ] == answers
        assert [(each.name, each.fitted) for each in db.feature_sets()] == sets
        assert len(db.similar(lacks, 30, metric="embedding")) == 30
        db.load(write_lines(tmp_path / "later.ndjson", [low_level(100), high_level(100)]))
        db.refresh()
        assert len(db.similar(mbid(100), 10)) == 10
