"""Databases as bliss-mixer, blissify and mStream make them: their own statements, other values."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROWS = 40

# bliss-analyser 0.5.2, src/db.rs; Tracks is that of 0.3.
_ANALYSER = """
CREATE TABLE IF NOT EXISTS {table} (
    File text primary key,
    Title text,
    Artist text,
    Album text,
    AlbumArtist text,
    Genre text,
    Duration integer,
    Ignore integer,
    Tempo real,
    Zcr real,
    MeanSpectralCentroid real,
    StdDevSpectralCentroid real,
    MeanSpectralRolloff real,
    StdDevSpectralRolloff real,
    MeanSpectralFlatness real,
    StdDevSpectralFlatness real,
    MeanLoudness real,
    StdDevLoudness real,
    {chroma}
);
CREATE UNIQUE INDEX IF NOT EXISTS {table}_idx ON {table}(File);
"""
_FAILURES = """
CREATE TABLE IF NOT EXISTS Failures (
    File text primary key,
    Timestamp integer,
    Reason text
);
CREATE UNIQUE INDEX IF NOT EXISTS Failures_idx ON Failures(File);
"""

# bliss-audio 0.13, src/library.rs.
_LIBRARY = """
create table song (
    id integer primary key,
    path text not null unique,
    duration float,
    album_artist text,
    artist text,
    title text,
    album text,
    track_number integer,
    disc_number integer,
    genre text,
    cue_path text,
    audio_file_path text,
    stamp timestamp default current_timestamp,
    version integer not null,
    analyzed boolean default false,
    extra_info json,
    error text
);
pragma foreign_keys = on;
create table feature (
    id integer primary key,
    song_id integer not null,
    feature real not null,
    feature_index integer not null,
    unique(song_id, feature_index),
    foreign key(song_id) references song(id) on delete cascade
);
pragma user_version = 5;
"""

# mStream 6.22, src/db/discovery-export.js.
_SNAPSHOT = """
PRAGMA user_version = 1;
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
CREATE TABLE tracks (
    export_id TEXT NOT NULL,
    recording_mbid TEXT,
    acoustid_id TEXT,
    artist TEXT,
    title TEXT,
    duration REAL,
    model_id TEXT,
    model_version TEXT,
    embedding BLOB,
    bpm INTEGER,
    musical_key TEXT,
    danceability REAL,
    genre_tags TEXT,
    mood_tags TEXT
);
CREATE INDEX idx_tracks_export_id ON tracks(export_id);
"""
SNAPSHOT_META = {
    "embedding_dim": "1280",
    "embedding_dtype": "float32le",
    "embedding_model_attribution": "Discogs-EffNet by Music Technology Group",
    "embedding_model_id": "effnet-discogs",
    "embedding_model_license": "CC-BY-NC-SA-4.0",
    "embedding_model_version": "1",
    "embedding_normalization": "l2",
    "format": "mstream-discovery-snapshot",
    "format_version": "1",
    "generator": "mStream",
    "source_schema_version": "2",
}


def execute(path: Path, script: str, rows: Sequence[tuple[str, Sequence[Any]]] = ()) -> Path:
    """Run a script and statements with their values in a database, which is made if need be."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(script)
        for statement, values in rows:
            connection.execute(statement, values)
    return path


def analyser_row(
    table: str, file: str | None, features: Sequence[Any], **cells: Any
) -> tuple[str, Any]:
    """The statement that adds a track to bliss-analyser's table, and its values."""
    row = [file, *(cells.get(key) for key in ("title", "artist", "album", "album_artist", "genre"))]
    row += [cells.get("duration", 0), cells.get("ignore", 0), *features]
    return f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row


def analyser(path: Path, table: str = "TracksV2", *rows: tuple[str, Any]) -> Path:
    """A database of bliss-analyser with these rows."""
    count = 13 if table == "TracksV2" else 10
    chroma = ", ".join(f"Chroma{number} real" for number in range(1, count + 1))
    script = _ANALYSER.format(table=table, chroma=chroma)
    return execute(path, script + (_FAILURES if count == 13 else ""), rows)


def song_rows(
    key: int, path: str, features: Sequence[Any], version: int = 2, **cells: Any
) -> list[tuple[str, Sequence[Any]]]:
    """The statements that add a song to bliss-audio's library."""
    columns = {"id": key, "path": path, "version": version, "analyzed": 1, **cells}
    rows: list[tuple[str, Sequence[Any]]] = [
        (
            f"insert into song ({', '.join(columns)}) values ({', '.join('?' * len(columns))})",
            [*columns.values()],
        )
    ]
    for index, feature in enumerate(features):
        rows.append(
            (
                "insert into feature (song_id, feature, feature_index) values (?, ?, ?)",
                [key, feature, index],
            )
        )
    return rows


def library(path: Path, *rows: tuple[str, Sequence[Any]]) -> Path:
    """A database of blissify with these rows."""
    return execute(path, _LIBRARY, rows)


def snapshot_row(export_id: str, embedding: Any, **cells: Any) -> tuple[str, Any]:
    """The statement that adds a track to a snapshot, and its values."""
    known: dict[str, Any] = {"export_id": export_id, "embedding": embedding}
    known |= {"model_id": "effnet-discogs", "model_version": "1", **cells}
    marks = ", ".join("?" * len(known))
    return f"INSERT INTO tracks ({', '.join(known)}) VALUES ({marks})", [*known.values()]


def snapshot(path: Path, *rows: tuple[str, Any], **meta: str) -> Path:
    """A snapshot of mStream with these rows."""
    own = [
        ("INSERT INTO meta (key, value) VALUES (?, ?)", each)
        for each in (SNAPSHOT_META | meta).items()
    ]
    return execute(path, _SNAPSHOT, [*own, *rows])


def unit_blob(vector: NDArray[Any]) -> bytes:
    """An embedding as mStream keeps it: float32, little-endian, of length 1."""
    return (vector / np.linalg.norm(vector)).astype("<f4").tobytes()


def _tags(at: int) -> dict[str, Any]:
    return {
        "title": f"Tune {at}",
        "artist": f"Artist {at // 8}",
        "album": f"Album {at // 4}",
        "album_artist": f"Artist {at // 8}",
        "genre": "Folk;Singer/Songwriter" if at % 2 else "",
        "duration": 200 + at,
    }


def bliss_mixer(folder: Path) -> list[Path]:
    """bliss-analyser's bliss.db."""
    values = np.random.default_rng(7).uniform(-1, 1, (ROWS, 23)).tolist()
    rows = [
        analyser_row("TracksV2", f"Artist/Album/{at:02}.flac", values[at], **_tags(at))
        for at in range(ROWS)
    ]
    return [analyser(folder / "bliss.db", "TracksV2", *rows)]


def blissify(folder: Path) -> list[Path]:
    """blissify's songs.db."""
    values = np.random.default_rng(8).uniform(-1, 1, (ROWS, 23)).tolist()
    rows = [
        row
        for at in range(ROWS)
        for row in song_rows(at + 1, f"/music/{at:02}.flac", values[at], **_tags(at))
    ]
    return [library(folder / "songs.db", *rows)]


def mstream(folder: Path) -> list[Path]:
    """mStream's discovery-export.db."""
    values = np.random.default_rng(9).normal(size=(ROWS, 1280))
    rows = [
        snapshot_row(
            f"anon:{at:032x}",
            unit_blob(values[at]),
            title=f"Tune {at}",
            artist=f"Artist {at // 8}",
            duration=200.5 + at,
            bpm=90 + at,
            musical_key="A minor",
            genre_tags=json.dumps(["Folk, World, & Country---Folk"]),
        )
        for at in range(ROWS)
    ]
    return [snapshot(folder / "discovery-export.db", *rows)]
