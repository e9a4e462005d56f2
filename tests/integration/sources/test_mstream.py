"""Snapshots of mStream: one model a database, and every track is loaded or rejected."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray

from pgsim.cli import run
from pgsim.errors import PgsimError
from pgsim.features.profile import parse_profile
from pgsim.sources.description.proposal import profile_for, propose_profile
from pgsim.sources.submission import own_mbid
from tests.support.commands import report, rows
from tests.support.libraries import execute, snapshot, snapshot_row, unit_blob

MBID = UUID("6f0e6d2c-3d4c-4c0b-8f0a-4a5e6b7c8d9e")


def vector(number: int, dimensions: int = 8) -> NDArray[np.float32]:
    """An embedding of length 1."""
    return np.frombuffer(blob(number, dimensions), "<f4")


def blob(number: int, dimensions: int = 8) -> bytes:
    return unit_blob(np.random.default_rng(number).normal(size=dimensions))


def loaded(
    new_database: Callable[..., str], capsys: pytest.CaptureFixture[str], path: Path
) -> tuple[str, Any]:
    """A new database with the snapshot loaded, and the report of that."""
    url = new_database()
    report(capsys, "--database", url, "init", "--profile", path)
    return url, report(capsys, "--database", url, "load", path)


def test_a_recording_has_the_mbid_or_an_id_of_acoustid_or_of_the_export(
    tmp_path: Path, new_database: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = snapshot(
        tmp_path / "snapshot.db",
        snapshot_row(
            f"mbid:{MBID}",
            blob(1),
            recording_mbid=str(MBID).upper(),
            acoustid_id="x",
            title="A",
            artist="B",
            duration=201.25,
            bpm=120,
            musical_key="A minor",
            danceability=0.5,
            genre_tags='["Electronic---House", "Rock"]',
            mood_tags='["happy"]',
        ),
        snapshot_row("anon:1", blob(2), acoustid_id="9ff43b6a-4f16-427c-93c2-92307ca505e0"),
        snapshot_row("anon:2", blob(3), acoustid_id="", genre_tags=""),
    )
    url, counts = loaded(new_database, capsys, path)
    assert (counts["read"], counts["new"], counts["rejected"]) == (3, 3, 0)
    acoustid = "9ff43b6a-4f16-427c-93c2-92307ca505e0"
    found = rows(
        url,
        "SELECT mbid, source_id, features FROM pgsim.submission JOIN pgsim.recording"
        " USING (mbid) ORDER BY source_id",
    )
    assert {(mbid, own) for mbid, own, _ in found} == {
        (MBID, None),
        (own_mbid("mstream", acoustid), acoustid),
        (own_mbid("mstream", "anon:2"), "anon:2"),
    }
    stored = {own: np.array(values, np.float32) for _, own, values in found}
    for own, number in ((None, 1), (acoustid, 2), ("anon:2", 3)):
        np.testing.assert_array_equal(stored[own], vector(number))
    kept = {
        "license": "CC-BY-NC-SA-4.0",
        "attribution": "Discogs-EffNet by Music Technology Group",
        "model": "effnet-discogs 1",
    }
    assert rows(
        url,
        "SELECT title, artist, length::text, genres, extra FROM pgsim.recording ORDER BY title",
    ) == [
        (
            *("A", "B", "201.25", ["genre:electronic---house", "genre:rock", "mood:happy"]),
            {**kept, "bpm": 120, "key": "A minor", "danceability": 0.5},
        ),
        *[(None, None, None, [], kept)] * 2,
    ]


def test_two_files_of_one_recording_are_two_submissions(
    tmp_path: Path, new_database: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = snapshot(
        tmp_path / "snapshot.db",
        *(
            snapshot_row(f"mbid:{MBID}", each, recording_mbid=str(MBID))
            for each in (blob(1), None, blob(2))
        ),
        snapshot_row("anon:1", blob(3)),
    )
    url, counts = loaded(new_database, capsys, path)
    assert (counts["recordings"], counts["new"], counts["rejected"]) == (2, 3, 1)
    assert rows(
        url, f"SELECT number FROM pgsim.submission WHERE mbid = '{MBID}' ORDER BY number"
    ) == [(0,), (1,)]
    again = report(capsys, "--database", url, "load", path, "--again")
    assert (again["unchanged"], again["rejected"]) == (3, 1)


def test_what_is_no_embedding_of_the_profile_is_rejected(
    tmp_path: Path, new_database: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    nan = np.full(8, np.nan, "<f4").tobytes()
    path = snapshot(
        tmp_path / "snapshot.db",
        *(
            snapshot_row(f"anon:{at}", each)
            for at, each in enumerate((blob(1), blob(2), blob(3)[:30], blob(4, 6)))
        ),
        snapshot_row("anon:4", b""),
        snapshot_row("anon:5", None),
        snapshot_row("anon:6", "[0.1, 0.2]"),
        snapshot_row("anon:7", nan),
        snapshot_row("anon:8", bytes(32)),
        snapshot_row("anon:9", blob(5), recording_mbid="none"),
        snapshot_row("", blob(6)),
        snapshot_row("anon:11", blob(7), genre_tags="rock"),
        snapshot_row("anon:12", blob(8), model_id="test-fake"),
        snapshot_row("anon:13", blob(9), duration=float("inf")),
    )
    url, counts = loaded(new_database, capsys, path)
    assert [counts[key] for key in ("read", "new", "rejected")] == [14, 2, 12]
    found = dict(rows(url, "SELECT member, reason FROM pgsim.reject"))
    found = {int(member.removeprefix("snapshot.db:")): why for member, why in found.items()}
    assert found.pop(13).startswith(
        "made by extractor 'test-fake 1'; profile 'snapshot' is for 'effnet-discogs 1'"
    )
    assert found == {
        3: "an embedding of 30 bytes; a float32 has 4",
        4: "6 dimensions; profile 'snapshot' has 8",
        5: "an embedding of 0 bytes; a float32 has 4",
        6: "not analysed: mStream has no embedding of it yet",
        7: "embedding '[0.1, 0.2]' is no blob",
        8: "embedding: nan is not a finite number",
        9: "no feature set of profile 'snapshot' in the embedding: it is 0 in every dimension",
        10: "recording_mbid 'none' is not a UUID",
        11: "no id: nothing in recording_mbid, acoustid_id and export_id",
        12: "'rock' is not a JSON array of labels",
        14: "duration: infinity is not a number",
    }


def test_the_proposal_is_for_the_model_that_the_snapshot_names(tmp_path: Path) -> None:
    path = snapshot(
        tmp_path / "My 1st snapshot.db",
        *(snapshot_row(f"anon:{at}", blob(at, 6), model_id="older") for at in range(3)),
        *(snapshot_row(f"anon:{at}", blob(at)) for at in range(3, 5)),
        snapshot_row("anon:5", None),
    )
    text = propose_profile(path)
    assert text.startswith("# Proposed from 2 of 5 embeddings in My 1st snapshot.db.\n")
    assert (
        "# Look at this: 3 embeddings are of older 1 with 6 dimensions, and are rejected." in text
    )
    profile = profile_for(str(path))
    assert profile == parse_profile(text, path)
    assert (profile.name, profile.extractor) == ("my_1st_snapshot", "effnet-discogs 1")
    assert [(each.length, each.transform, each.paths) for each in profile.sets] == [
        (8, "unit", ("embedding",))
    ]


@pytest.mark.parametrize(
    ("embedding", "reason"),
    [
        (None, "has an embedding: let mStream analyse the music, and export again"),
        (bytes(4 * 4001), "have 4001 dimensions; an indexed vector has at most 4000"),
    ],
)
def test_a_snapshot_without_a_vector_has_no_profile(
    tmp_path: Path, embedding: bytes | None, reason: str
) -> None:
    path = snapshot(tmp_path / "snapshot.db", snapshot_row("anon:1", embedding))
    with pytest.raises(PgsimError, match=reason):
        propose_profile(path)


def test_a_snapshot_of_another_model_is_refused(
    tmp_path: Path, new_database: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    first = snapshot(tmp_path / "first.db", snapshot_row("anon:1", blob(1)))
    url, _ = loaded(new_database, capsys, first)
    for name, model, version in (("newer", "effnet-discogs", "2"), ("fake", "test-fake", "1")):
        other = snapshot(
            tmp_path / f"{name}.db",
            snapshot_row("anon:2", blob(2), model_id=model, model_version=version),
            embedding_model_id=model,
            embedding_model_version=version,
        )
        assert run(["--database", url, "load", str(other)]) == 1
        assert (
            f"{name}.db:1 was made by extractor '{model} {version}', and profile 'first' is for"
            " 'effnet-discogs 1': their numbers are not comparable; load it into a database of its"
            " own, made by: pgsim --database NAME init --profile FILE"
        ) in capsys.readouterr().err
    assert rows(url, "SELECT count(*) FROM pgsim.recording") == [(1,)]


def test_an_unknown_type_of_numbers_is_rejected(
    tmp_path: Path, new_database: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = snapshot(
        tmp_path / "snapshot.db", snapshot_row("anon:1", blob(1)), embedding_dtype="float16le"
    )
    url = new_database()
    report(capsys, "--database", url, "init", "--profile", path)
    assert report(capsys, "--database", url, "load", path, code=1)["rejected"] == 1
    assert rows(url, "SELECT reason FROM pgsim.reject") == [
        ("embedding_dtype 'float16le' is unknown; the known one is float32le",)
    ]


def test_columns_of_a_later_snapshot_do_no_harm(
    tmp_path: Path, new_database: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = snapshot(tmp_path / "snapshot.db", snapshot_row("anon:1", blob(1)))
    execute(
        path,
        "ALTER TABLE tracks ADD COLUMN cover BLOB; UPDATE tracks SET cover = x'ff00';"
        " ALTER TABLE tracks DROP COLUMN mood_tags",
    )
    _, counts = loaded(new_database, capsys, path)
    assert (counts["new"], counts["rejected"]) == (1, 0)
