"""The profile `acousticbrainz_harmony`: two more sets where documents hold them."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from pgsim import embedded
from pgsim.loading.load import load
from pgsim.postgres.connection import Connection
from tests.support.databases import install_template
from tests.support.documents import Document, high_level, low_level, mbid, write_lines
from tests.support.loading import opened
from tests.support.rows import one

ANSWERS = """
    SELECT r.mbid, n.rank, n.mbid, n.similarity FROM pgsim.recording AS r,
    similar_recordings(r.mbid, 5) AS n ORDER BY r.mbid, n.rank
"""


@pytest.fixture
def harmony(server: embedded.Server, new_database: Callable[..., str]) -> str:
    return new_database(install_template(server, "harmony_template", "acousticbrainz_harmony"))


def with_harmony(document: Document, seed: int) -> Document:
    """The document with a pitch class profile and a histogram of chords, made from the seed."""
    values = Random(f"harmony {seed}")
    document.body["tonal"] |= {
        "hpcp": {"mean": [values.random() for _ in range(36)]},
        "chords_histogram": [100 * values.random() for _ in range(24)],
    }
    return document


def test_documents_that_lack_harmony_have_the_answers_of_the_plain_profile(
    conn: Connection, harmony: str, tmp_path: Path
) -> None:
    documents = [make(i) for i in range(40) for make in (low_level, high_level)]
    file = write_lines(tmp_path / "all.ndjson", documents)
    load(conn, [file])
    with opened(harmony) as other:
        assert load(other, [file]).unfitted == ()
        status = dict(other.execute("SELECT item, value FROM pgsim.status()").fetchall())
        assert status["sets not fitted"] == "hpcp, chords"
        plain, answers = (each.execute(ANSWERS).fetchall() for each in (conn, other))
        assert [row[:3] for row in answers] == [row[:3] for row in plain]
        # The least weight is the same in both, and so a little more of what is there.
        similarities = pytest.approx([row[3] for row in plain], abs=1e-3)
        assert [row[3] for row in answers] == similarities
        explained = f"SELECT sum(share) FROM explain_similarity('{mbid(1)}', '{mbid(2)}')"
        assert one(other, explained) == pytest.approx(1, abs=1e-5)


def test_recordings_that_differ_in_harmony_alone_are_told_apart(
    harmony: str, tmp_path: Path
) -> None:
    documents = [with_harmony(low_level(i), i) for i in range(40)]
    for number, seed in ((50, 1), (51, 2), (52, 2)):  # all sound like recording 3 otherwise
        same = with_harmony(low_level(3), seed)
        documents.append(Document(mbid(number), 0, same.body))
    with opened(harmony) as conn:
        load(conn, [write_lines(tmp_path / "all.ndjson", documents)])
        nearest = f"SELECT mbid FROM similar_recordings('{mbid(51)}', 1)"
        assert one(conn, nearest) == mbid(52)
        shares = conn.execute(
            "SELECT feature_set FROM explain_similarity(%s, %s) WHERE share > 0.001 ORDER BY 1",
            (mbid(50), mbid(51)),
        )
        assert [row[0] for row in shares] == ["chords", "hpcp"]
