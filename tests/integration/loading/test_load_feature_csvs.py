"""AcousticBrainz's feature CSVs: they merge with one another and with documents."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pgsim import embedded
from pgsim.errors import UsageError
from pgsim.loading.load import load
from pgsim.postgres.connection import Connection
from tests.support.databases import install_template
from tests.support.documents import (
    high_level,
    mbid,
    write_lines,
)
from tests.support.loading import Databases, counts, opened
from tests.support.rows import contents, one

CSV = {
    "lowlevel": "average_loudness,dynamic_complexity,mfcc_zero_mean",
    "rhythm": "bpm,bpm_histogram_first_peak_bpm_mean,danceability,onset_rate",
    "tonal": "key_key,key_scale,tuning_frequency",
}


def write_csv(folder: Path, part: str, rows: Sequence[str]) -> Path:
    """A feature CSV as a dump holds it."""
    path = folder / f"acousticbrainz-lowlevel-features-20220623-{part}.csv"
    header = f"mbid,submission_offset,{CSV[part]}"
    path.write_bytes("".join(f"{line}\r\n" for line in (header, *rows)).encode())
    return path


def write_csvs(folder: Path) -> list[Path]:
    values = random.Random(3)
    rows: dict[str, list[str]] = {part: [] for part in CSV}
    for i in range(12):
        who = f"{mbid(i // 2)},{i % 2}"
        rows["lowlevel"].append(f"{who},{values.random()},{values.uniform(1, 9)},-{600 + i}.5")
        bpm = values.uniform(60, 180) if i else ""
        rows["rhythm"].append(f"{who},{bpm},120,{values.random()},{values.uniform(1, 5)}")
        rows["tonal"].append(f"{who},{values.choice('ACD')},minor,440.0")
    return [write_csv(folder, part, each) for part, each in rows.items()]


@pytest.fixture
def csv_database(server: embedded.Server, new_database: Databases) -> Callable[[], str]:
    name = install_template(server, "csv_template", "acousticbrainz_csv")
    return lambda: new_database(name)


def test_feature_csvs_in_any_order_make_the_same_rows(
    csv_database: Callable[[], str], tmp_path: Path
) -> None:
    paths = write_csvs(tmp_path)
    made = []
    for order in ([0, 1, 2], [2, 0, 1]):
        with opened(csv_database()) as conn:
            report = load(conn, [paths[i] for i in order])
            assert counts(report) == (36, 12, 24, 0, 0)
            assert (report.recordings, report.without_vector) == (6, 0)
            made.append(contents(conn))
    assert made[0] == made[1]
    assert len(made[0]["submission"]) == 12


def test_one_feature_csv_gives_what_it_has(csv_database: Callable[[], str], tmp_path: Path) -> None:
    with opened(csv_database()) as conn:
        assert load(conn, write_csvs(tmp_path)[1:2]).unfitted == ()
        missing = one(conn, "SELECT missing FROM pgsim.recording WHERE mbid = %s", mbid(0))
        assert missing == ["timbre", "key"]


def test_feature_csvs_meet_documents_and_keep_their_titles(
    conn: Connection, tmp_path: Path
) -> None:
    load(conn, [write_lines(tmp_path / "a.ndjson", [high_level(i) for i in range(6)])])
    _, rhythm, tonal = write_csvs(tmp_path)
    report = load(conn, [rhythm, tonal])
    assert counts(report) == (24, 6, 18, 0, 0)
    assert (report.recordings, report.without_title) == (6, 0)


def test_a_feature_csv_of_which_the_profile_has_nothing_is_refused(
    conn: Connection, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="none of its columns average_loudness, .*acousticbrainz_"):
        load(conn, write_csvs(tmp_path)[:1])


def test_rows_of_a_csv_that_cannot_be_loaded_are_rejected_one_by_one(
    conn: Connection, tmp_path: Path
) -> None:
    good = f"{mbid(1)},0,100,1,1,1"
    bad = {
        f"{mbid(2)},0,100,1": "4 fields; the header has 6",
        f"{mbid(2)},0,100,1,1,1,1": "7 fields",
        "no-uuid,0,100,1,1,1": "mbid 'no-uuid' is not a UUID",
        f"{mbid(2)},x,100,1,1,1": "submission_offset 'x' is not a number",
        f"{mbid(2)},0,fast,1,1,1": "bpm 'fast' is not a number",
        f"{mbid(2)},0,nan,1,1,1": "nan is not a finite number",
        f"{mbid(2)},0,inf,1,1,1": "inf is not a finite number",
        f"{mbid(2)},0,-3,1,1,1": "-3.0 is negative",
        f"{mbid(2)},0,,1,1,": "no feature set of profile",
        f'{mbid(2)},0,"1,1,1,1': "not CSV",
    }
    path = write_csv(tmp_path, "rhythm", [good, *bad])
    assert counts(load(conn, [path])) == (1 + len(bad), 1, 0, 0, len(bad))
    reasons = dict(conn.execute("SELECT member, reason FROM pgsim.reject").fetchall())
    for line, reason in enumerate(bad.values(), start=3):
        assert reason in reasons[f"{path.name}:{line}"]
