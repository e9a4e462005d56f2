"""Tables in a database: rows of one recording, lengths, and what a load says at its end."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pgsim.features.profile import read_profile
from pgsim.loading.chunks import Limits
from pgsim.loading.load import load
from pgsim.postgres.connection import connect
from pgsim.store import schema
from pgsim.store.collection import read_collection

PROFILE = """
name = "many"
extractor = "unknown"
genre_scheme = "tag"
[columns]
id = "track_id"
title = "title"
genre = "genre"
length = "length"
[[set]]
name = "sound"
path = ["energy", "tempo"]
length = 2
transform = "zscore"
aggregate = "median"
weight = 1.0
"""
GENRES = ("acoustic", "folk", "pop")


@pytest.fixture
def database(new_database: Callable[..., str], tmp_path: Path) -> str:
    """A database with the profile above."""
    url = new_database()
    (tmp_path / "many.toml").write_text(PROFILE)
    with connect(url, autocommit=True) as conn:
        schema.install(conn, read_profile(str(tmp_path / "many.toml")))
    return url


def written(path: Path, genres: tuple[str, ...], length: Any = 200) -> Path:
    """A table that has a row of each of 8 recordings for each genre, sorted by genre."""
    numbers = np.random.default_rng(1).random((8, 2))
    lines = ["track_id,title,genre,length,energy,tempo"]
    lines += [
        f"t{at},Tune {at},{genre},{length},{numbers[at, 0]},{numbers[at, 1]}"
        for genre in genres
        for at in range(8)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def genres(url: str) -> list[list[str]]:
    with connect(url) as conn:
        return [row[0] for row in conn.execute("SELECT genres FROM pgsim.recording ORDER BY title")]


@pytest.mark.parametrize("batch", [1000, 5])
def test_rows_of_one_recording_give_it_all_their_genres(
    database: str, tmp_path: Path, batch: int
) -> None:
    path = written(tmp_path / "songs.csv", GENRES)
    with connect(database, autocommit=True) as conn:
        report = load(conn, [path], workers=1, limits=Limits(documents=batch, batch=batch))
        assert (report.read, report.new, report.updated, report.recordings) == (24, 8, 16, 8)
        assert genres(database) == [[f"tag:{genre}" for genre in GENRES]] * 8
        # The same rows again change nothing in the end; another table adds its own.
        load(conn, [path], workers=1, again=True)
        assert genres(database) == [[f"tag:{genre}" for genre in GENRES]] * 8
        load(conn, [written(tmp_path / "more.csv", ("jazz",))], workers=1)
        assert genres(database) == [["tag:jazz", *(f"tag:{genre}" for genre in GENRES)]] * 8


def test_a_corrected_genre_replaces_the_wrong_one(database: str, tmp_path: Path) -> None:
    with connect(database, autocommit=True) as conn:
        load(conn, [written(tmp_path / "songs.csv", ("folk", "pop"))], workers=1)
        load(conn, [written(tmp_path / "songs.csv", ("folk", "rock", "blues"))], workers=1)
        assert genres(database) == [["tag:folk", "tag:rock", "tag:blues"]] * 8


def test_lengths_that_are_none_or_cannot_be_meant_are_counted(
    database: str, tmp_path: Path
) -> None:
    with connect(database, autocommit=True) as conn:
        report = load(conn, [written(tmp_path / "a.csv", ("folk",), 200_000)], workers=1)
        assert (report.longer_than_6_hours, report.without_length) == (8, 0)
        report = load(conn, [written(tmp_path / "a.csv", ("folk",), "3:20")], workers=1)
        assert (report.longer_than_6_hours, report.without_length) == (0, 0)
        assert conn.execute("SELECT DISTINCT length FROM pgsim.recording").fetchall() == [(200.0,)]
        report = load(conn, [written(tmp_path / "a.csv", ("folk",), "?")], workers=1)
        assert (report.longer_than_6_hours, report.without_length) == (0, 8)


def test_columns_and_how_cells_are_read_come_back_from_the_database(
    new_database: Callable[..., str], tmp_path: Path
) -> None:
    cells = 'length_unit = "44100 Hz"\ngenre_separators = ",|"\nnothing = ["unk", "-9"]\n[[set]]'
    text = PROFILE.replace('id = "track_id"', 'id = ["title", "genre"]').replace("[[set]]", cells)
    (tmp_path / "many.toml").write_text(text)
    profile = read_profile(str(tmp_path / "many.toml"))
    with connect(new_database(), autocommit=True) as conn:
        schema.install(conn, profile)
        assert read_collection(conn).profile == profile
