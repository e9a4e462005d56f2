"""Documents as Essentia's programs write them: named anyhow, some without an MBID."""

import copy
import json
import tarfile
from pathlib import Path
from typing import Any

from pgsim.loading.load import load
from pgsim.postgres.connection import Connection
from tests.support.documents import high_level, low_level
from tests.support.loading import counts
from tests.support.rows import one

MBID = "5a1d0000-0000-4000-8000-000000000001"
MD5 = "41de5a3b21e83a7b6c1bc8cd25eba7f9"


def write(path: Path, body: dict[str, Any], md5: str | None = None, **tags: str) -> Path:
    """One document, with these tags alone."""
    body = copy.deepcopy(body)
    body["metadata"]["tags"] = {
        name: tag if name == "file_name" else [tag] for name, tag in tags.items()
    }
    if md5:
        body["metadata"]["audio_properties"]["md5_encoded"] = md5
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(body))
    return path


def submissions(conn: Connection) -> list[tuple[Any, ...]]:
    return conn.execute(
        "SELECT mbid::text, number, features::text FROM pgsim.submission ORDER BY mbid, number"
    ).fetchall()


def test_two_files_of_one_recording_are_two_submissions_in_any_order(
    conn: Connection, tmp_path: Path
) -> None:
    tags = {"musicbrainz_recordingid": MBID, "artist": "A Band"}
    first = write(tmp_path / "01 album.json", low_level(1).body, title="Tune", **tags)
    second = write(tmp_path / "07 best of.json", low_level(2).body, title="Tune (single)", **tags)
    assert counts(load(conn, [second, first])) == (2, 2, 0, 0, 0)
    found = submissions(conn)
    assert len(found) == one(conn, "SELECT submissions FROM pgsim.recording") == 2
    assert counts(load(conn, [tmp_path], again=True)) == (2, 0, 0, 2, 0)
    assert submissions(conn) == found
    # A copy elsewhere is no third one; in an archive neither.
    with tarfile.open(tmp_path / "all.tar", "w") as archive:
        archive.add(first, "another/name.json")
    assert counts(load(conn, [tmp_path / "all.tar"])) == (1, 0, 0, 1, 0)


def test_lines_of_one_mbid_without_a_number_are_several_submissions(
    conn: Connection, tmp_path: Path
) -> None:
    lines = [{"mbid": MBID, **low_level(number).body} for number in range(3)]
    file = tmp_path / "all.ndjson"
    file.write_text("".join(f"{json.dumps(line)}\n" for line in [*lines, lines[0]]))
    assert counts(load(conn, [file])) == (4, 3, 0, 1, 0)
    assert one(conn, "SELECT submissions FROM pgsim.recording") == 3


def test_the_levels_of_one_audio_meet_whatever_their_files_are_called(
    conn: Connection, tmp_path: Path
) -> None:
    tags = {"musicbrainz_recordingid": MBID, "title": "Tune"}
    write(tmp_path / "a" / "low.json", low_level(1).body, MD5, **tags)
    write(tmp_path / "b" / "high.json", high_level(1).body, MD5, **tags)
    assert counts(load(conn, [tmp_path])) == (2, 1, 1, 0, 0)
    assert one(conn, "SELECT (submissions, missing)::text FROM pgsim.recording") == "(1,{})"


def test_levels_without_the_audios_md5_meet_in_the_recording(
    conn: Connection, tmp_path: Path
) -> None:
    tags = {"musicbrainz_recordingid": MBID, "title": "Tune"}
    write(tmp_path / "low.json", low_level(1).body, **tags)
    write(tmp_path / "high.json", high_level(1).body, **tags)
    assert counts(load(conn, [tmp_path])) == (2, 2, 0, 0, 0)
    assert one(conn, "SELECT (submissions, missing)::text FROM pgsim.recording") == "(2,{})"


def test_documents_named_by_their_submissions_stay_what_they_are(
    conn: Connection, tmp_path: Path
) -> None:
    for number in (0, 3):
        write(tmp_path / "low" / f"{MBID}-{number}.json", low_level(1, number).body, MD5)
        write(tmp_path / "high" / f"{MBID}-{number}.json", high_level(1, number).body, MD5)
    assert counts(load(conn, [tmp_path])) == (4, 2, 2, 0, 0)
    assert [number for _, number, _ in submissions(conn)] == [0, 3]


def test_a_file_tagged_anew_replaces_its_document(conn: Connection, tmp_path: Path) -> None:
    tags = {"musicbrainz_recordingid": MBID}
    path = write(tmp_path / "01.json", low_level(1).body, MD5, title="Tuen", **tags)
    load(conn, [path])
    write(path, low_level(1).body, MD5, title="Tune", **tags)
    assert counts(load(conn, [path])) == (1, 0, 1, 0, 0)
    assert one(conn, "SELECT title FROM pgsim.recording") == "Tune"


def test_documents_without_an_mbid_are_recordings_by_their_audio(
    conn: Connection, tmp_path: Path
) -> None:
    for number in range(4):
        write(
            tmp_path / f"{number}.json",
            low_level(number).body,
            MD5.replace("4", str(number)),
            file_name=f"{number} Tune.flac",
        )
    write(tmp_path / "high" / "0.json", high_level(0).body, MD5.replace("4", "0"))
    write(tmp_path / "named.json", low_level(7).body, artist="Somebody", title="Named")
    write(tmp_path / f"{MBID} low.json", low_level(8).body)
    assert counts(load(conn, [tmp_path])) == (7, 5, 1, 0, 1)
    assert one(conn, "SELECT reason FROM pgsim.reject").startswith("no MBID: one is in the name")
    rows = conn.execute(
        "SELECT title, source_id FROM pgsim.recording WHERE artist IS NULL ORDER BY title"
    )
    assert rows.fetchall() == [(f"{n} Tune", f"{n} Tune.flac") for n in range(4)]
    # Their own ids are asked with, as those of `pgsim extract`.
    nearest = conn.execute(
        "SELECT mbid FROM similar_recordings(mbid_of('2 Tune.flac'), 5)"
    ).fetchall()
    assert len(nearest) == 4
    assert counts(load(conn, [tmp_path], again=True)) == (7, 0, 0, 6, 1)


def test_a_document_with_a_year_alone_has_a_year(conn: Connection, tmp_path: Path) -> None:
    path = write(tmp_path / "15.json", low_level(1).body, title="Tune", year="1987")
    load(conn, [path])
    assert one(conn, "SELECT (year, decade)::text FROM pgsim.recording") == "(1987,1980)"
