"""Tables in a database: rows of one recording, lengths, and what a load says at its end."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from psycopg.errors import InvalidParameterValue

from pgsim.features.fusion import fuse
from pgsim.features.profile import read_profile
from pgsim.loading.chunks import Limits
from pgsim.loading.load import load
from pgsim.loading.recordings import refit
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


def test_a_genre_is_asked_for_in_whatever_place_it_stands(database: str, tmp_path: Path) -> None:
    with connect(database, autocommit=True) as conn:
        load(conn, [written(tmp_path / "songs.csv", GENRES)], workers=1)
        # By plain SQL a recording may have a genre alone.
        conn.execute(
            "INSERT INTO pgsim.recording (mbid, title, genre, vector)"
            " SELECT gen_random_uuid(), 'Plain', 'pop', vector FROM pgsim.recording LIMIT 1"
        )

        def titles(genre: str) -> set[str]:
            rows = conn.execute(
                "SELECT s.title FROM pgsim.recording AS r,"
                " LATERAL pgsim.similar_recordings(r.mbid, 20, genre => %s) AS s"
                " WHERE r.title = 'Tune 0'",
                (genre,),
            )
            return {title for (title,) in rows}

        tunes = {f"Tune {at}" for at in range(1, 8)}
        assert titles("acoustic") == titles("tag:acoustic") == titles("folk") == tunes
        assert titles("tag:pop") == tunes | {"Plain"}
        # Without a scheme it is the first label, where any recording has it as that.
        assert titles("pop") == {"Plain"}
        with pytest.raises(InvalidParameterValue, match="unknown genre 'jazz'"):
            titles("tag:jazz")


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


def test_a_popularity_comes_from_the_table_and_one_by_sql_outlives_a_refit(
    new_database: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "plays.toml").write_text(
        PROFILE.replace("[[set]]", 'popularity = "plays"\n[[set]]')
    )
    numbers = np.random.default_rng(1).random((4, 2))
    lines = ["track_id,title,plays,energy,tempo"]
    for at, (plays, (energy, tempo)) in enumerate(
        zip(("70", "1200000", "", "-1"), numbers, strict=True)
    ):
        lines.append(f"t{at},Tune {at},{plays},{energy},{tempo}")
    (tmp_path / "songs.csv").write_text("\n".join(lines) + "\n")
    query = "SELECT popularity FROM pgsim.recording ORDER BY source_id"
    with connect(new_database(), autocommit=True) as conn:
        schema.install(conn, read_profile(str(tmp_path / "plays.toml")))
        load(conn, [tmp_path / "songs.csv"], workers=1)
        assert conn.execute(query).fetchall() == [(70,), (1200000,), (None,), (None,)]
        conn.execute("UPDATE pgsim.recording SET popularity = 5 WHERE source_id = 't2'")
        refit(conn)
        assert conn.execute(query).fetchall() == [(70,), (1200000,), (5,), (None,)]


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


def test_a_set_of_ranks_is_fitted_stored_and_explained_by_its_values(
    new_database: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "ranks.toml").write_text(PROFILE.replace("zscore", "rank"))
    profile = read_profile(str(tmp_path / "ranks.toml"))
    numbers = np.random.default_rng(3).lognormal(0, 2, (300, 2))
    lines = ["track_id,title,genre,length,energy,tempo"]
    lines += [f"t{at},Tune {at},folk,200,{e},{t}" for at, (e, t) in enumerate(numbers)]
    (tmp_path / "songs.csv").write_text("\n".join(lines) + "\n")
    with connect(new_database(), autocommit=True) as conn:
        schema.install(conn, profile)
        load(conn, [tmp_path / "songs.csv"], workers=1)
        stored = read_collection(conn)
        assert stored.profile == profile
        assert stored.fit is not None
        rows = conn.execute("SELECT title, vector FROM pgsim.recording ORDER BY mbid").fetchall()
        values = np.array([numbers[int(title.split()[1])] for title, _ in rows])
        expected = fuse(values.astype(np.float32).astype(float), profile, stored.fit)
        np.testing.assert_allclose([vector.to_list() for _, vector in rows], expected, atol=1e-6)
        assert np.abs(expected).max() < 3
        # The words have the values of the table again.
        explained = conn.execute(
            "SELECT e.* FROM pgsim.recording AS a, pgsim.recording AS b,"
            " LATERAL pgsim.explain_similarity(a.mbid, b.mbid) AS e"
            " WHERE a.title = 'Tune 1' AND b.title = 'Tune 2'"
        ).fetchall()
        said = str(explained)
        for at, column in ((1, 0), (2, 0), (1, 1), (2, 1)):
            shown = re.findall(r"(?:energy|tempo) (-?[\d.]+) and (-?[\d.]+)", said)
            assert any(
                np.isclose(float(number), numbers[at, column], rtol=0.05, atol=0.02)
                for pair in shown
                for number in pair
            ), (said, numbers[1:3])
        # A refit of the same recordings changes nothing.
        again = refit(conn)
        assert (again.changed, again.unchanged) == (0, 300)
