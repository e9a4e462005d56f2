"""A table that is loaded in blocks of rows: what is stored, rejected and marked, row by row."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pgsim.errors import Rejected
from pgsim.features.profile import parse_profile
from pgsim.loading.chunks import Limits
from pgsim.loading.load import load
from pgsim.postgres.adapters import register_arrays
from pgsim.postgres.connection import connect
from pgsim.sources import tables
from pgsim.store import schema

PROFILE = parse_profile(
    """
    name = "blocks"
    extractor = "unknown"
    genre_scheme = "tag"
    [columns]
    id = "song"
    title = "title"
    year = "year"
    genre = "genre"
    length = "length"
    [[set]]
    name = "sound"
    path = ["energy", "tempo"]
    length = 2
    transform = "zscore"
    aggregate = "median"
    weight = 1.0
    """,
    Path("blocks.toml"),
)
ROWS = 90
ODD = {
    7: 's7,"two\nlines",1999,Rock,3:45,0.5,120',
    11: 's11,"broken,1999,Rock,200,0.5,120',
    12: "song,title,year,genre,length,energy,tempo",
    20: "s20,T,1999,Rock,200,0.5",
    21: "",
    33: "s33,nul\0 in it,1999,Rock,200,0.5,120",
    34: "s34,no tempo,1999,Rock,200,0.5,",
    35: "s35,infinite,1999,Rock,200,0.5,inf",
    50: ",no id,1999,Rock,200,0.5,120",
    61: "s59,again,1999,Pop;Folk,200,3.5,149",
    88: "s88,words,1999,Rock,200,loud,120",
}


class StoppedError(Exception):
    """What ends a load in its middle."""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of plain rows and odd ones, old enough for a mark."""
    rows = [
        ODD.get(at, f"s{at},Tune {at},{1960 + at % 50},g{at % 3},{180 + at},{at % 7}.5,{90 + at}")
        for at in range(ROWS)
    ]
    path = tmp_path / "songs.csv"
    path.write_text("\n".join(["song,title,year,genre,length,energy,tempo", *rows, ""]))
    os.utime(path, (1e9, 1e9))
    return path


def stored(url: str) -> list[Any]:
    """Everything that a load has stored of files."""
    with connect(url) as conn:
        register_arrays(conn)
        return [
            conn.execute(query).fetchall()
            for query in (
                "SELECT mbid, number, features::text, documents FROM pgsim.submission ORDER BY 1",
                "SELECT member, reason FROM pgsim.reject ORDER BY 1",
                "SELECT documents, rejected, is_finished FROM pgsim.archive",
                "SELECT mbid, title, year, length, genres, submissions, missing, vector::text"
                " FROM pgsim.recording ORDER BY 1",
            )
        ]


def installed(url: str) -> str:
    with connect(url, autocommit=True) as conn:
        schema.install(conn, PROFILE)
    return url


def test_a_load_stores_what_every_row_says_by_itself(
    new_database: Callable[..., str], table: Path
) -> None:
    url = installed(new_database())
    with connect(url, autocommit=True) as conn:
        report = load(conn, [table], workers=2, limits=Limits(documents=8, batch=24))
    wanted: dict[Any, Any] = {}
    reasons = []
    for member in tables.members(table):
        try:
            found = tables.submission(member, PROFILE)
        except Rejected as error:
            reasons.append((member.name, str(error)))
        else:
            _, before = wanted.get(found.mbid, (None, {"labels": {"tag": []}}))
            labels = before["labels"]["tag"] + found.metadata["labels"]["tag"]
            metadata = {**found.metadata, "labels": {"tag": labels}}  # of all its rows
            wanted[found.mbid] = found.features, metadata
    submissions, rejects, marks, recordings = stored(url)
    assert {mbid: documents["songs.csv"] for mbid, _, _, documents in submissions} == {
        mbid: metadata for mbid, (_, metadata) in wanted.items()
    }
    assert {mbid: text for mbid, _, text, _ in submissions} == {
        mbid: "{" + ",".join(f"{each:g}".replace("nan", "NaN") for each in features) + "}"
        for mbid, (features, _) in wanted.items()
    }
    assert sorted(rejects) == sorted(reasons)
    assert {name.rpartition(":")[2] for name, _ in reasons} == {"14", "15", "23", "38", "53", "91"}
    assert (report.read, report.rejected, report.repaired) == (ROWS - 1, len(reasons), 1)
    assert marks == [(ROWS - 1, len(reasons), True)]
    assert len(recordings) == report.recordings == report.new == len(wanted)
    assert np.all([row[5] == 1 for row in recordings])


@pytest.mark.parametrize(
    "stop", [1, 3, *(pytest.param(each, marks=pytest.mark.slow) for each in (2, 5))]
)
def test_a_load_that_was_stopped_in_a_table_goes_on_to_the_same_end(
    new_database: Callable[..., str], table: Path, stop: int
) -> None:
    whole, resumed = installed(new_database()), installed(new_database())
    with connect(whole, autocommit=True) as conn:
        expected = load(conn, [table], workers=1)
    calls = 0

    def advance(_count: int, _share: float = 0) -> None:
        nonlocal calls
        calls += 1
        if calls == stop:
            raise StoppedError

    with connect(resumed, autocommit=True) as conn:
        with pytest.raises(StoppedError):
            load(conn, [table], advance, workers=1, limits=Limits(documents=7, batch=14))
        report = load(conn, [table], workers=2, limits=Limits(documents=5, batch=10))
        assert stored(resumed) == stored(whole)
        assert (report.read, report.rejected) == (expected.read, expected.rejected)
        assert report.new + report.updated < expected.new
        again = load(conn, [table], workers=1, again=True)
        assert (again.read, again.new, again.rejected) == (report.read, 0, report.rejected)
        assert stored(resumed) == stored(whole)
