"""bliss: the SQLite databases of bliss-mixer and of blissify, or any program with its library.

bliss-analyser writes the table `TracksV2`, with a column for each of 23 features, and earlier wrote
`Tracks`, with 20. The library bliss-audio writes the tables `song` and `feature`, a row for each
feature. Its version 2 measures 23 features, version 1 measured 20 in another way.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from pgsim.errors import Rejected
from pgsim.features.profile import Profile
from pgsim.features.reading import extract
from pgsim.sources import sqlite
from pgsim.sources.metadata import genre_labels, length_of
from pgsim.sources.provenance import require_one_of
from pgsim.sources.streams.files import Member
from pgsim.sources.submission import Submission, own_mbid
from pgsim.sources.text import Repairs

if TYPE_CHECKING:
    from sqlite3 import Connection

name = "bliss"

# In the order of bliss-audio's AnalysisIndex, which is `feature_index`. Version 1 has the first 20.
FEATURES = (
    "Tempo",
    "Zcr",
    "MeanSpectralCentroid",
    "StdDevSpectralCentroid",
    "MeanSpectralRolloff",
    "StdDevSpectralRolloff",
    "MeanSpectralFlatness",
    "StdDevSpectralFlatness",
    "MeanLoudness",
    "StdDevLoudness",
    *(f"Chroma{number}" for number in range(1, 14)),
)
# The number of features by the extractor, which has the name of its profile.
LENGTHS = {"bliss": 23, "bliss20": 20}

_VERSIONS = {1: "bliss20", 2: "bliss"}
_TABLES = {"tracksv2": "bliss", "tracks": "bliss20"}
_TEXTS = {"title": "Title", "artist": "Artist", "album": "Album"}


def accepts(path: Path) -> bool:
    """Return whether a file is such a database, judging by its first bytes and its tables."""
    return bool(_known(sqlite.tables_of(path)))


def members(path: Path) -> Iterator[Member]:
    """Yield the tracks of a database, and those whose analysis failed."""
    return sqlite.members(path, _documents)


def submission(member: Member, profile: Profile) -> Submission:
    """Return the submission in one track; Rejected says why there is none.

    OriginError, which ends a load, if the profile is for none of the versions in the database.
    """
    if member.fault:
        raise Rejected(member.fault)
    track: dict[str, Any] = orjson.loads(member.data)
    if track["error"] is not None:
        raise Rejected(track["error"])
    features = dict(zip(FEATURES, track["features"], strict=False))
    features = {key: value for key, value in features.items() if value is not None}
    if not features:
        raise Rejected("not analysed: it has no features")
    made_by = track["extractor"]
    if made_by not in LENGTHS:
        raise Rejected(f"features of bliss's version {made_by}; the known ones are 1 and 2")
    if len(track["features"]) != LENGTHS[made_by] or len(features) != LENGTHS[made_by]:
        raise Rejected(f"{len(features)} features; '{made_by}' has {LENGTHS[made_by]}")
    require_one_of(track["extractors"], made_by, profile, member.name)
    if not isinstance(track["File"], str) or not track["File"]:
        raise Rejected(f"no id: File is {track['File']!r:.60}")
    vector = extract(features, profile)
    if np.isnan(vector).all():
        raise Rejected(f"no feature set of profile '{profile.name}' in it; it has those of bliss")
    repairs = Repairs()
    texts = {key: _text(track[column], repairs) for key, column in _TEXTS.items()}
    album_artist = _text(track["AlbumArtist"], repairs)
    file = repairs.text(track["File"])
    genres = genre_labels(_text(track["Genre"], repairs))
    extra = {"album_artist": album_artist, "ignore": track["Ignore"] == 1}
    metadata: dict[str, Any] = {
        "source_id": file,
        **texts,
        "artist": texts["artist"] or album_artist,
        "length": length_of(track["Duration"]),
        "labels": {profile.genre_scheme: [*genres]} if genres else {},
        "extra": {key: value for key, value in extra.items() if value},
    }
    return Submission(
        own_mbid(name, file),
        name,
        0,
        "track",
        vector,
        {key: value for key, value in metadata.items() if value},
        repairs.count,
    )


def extractors_of(path: Path) -> dict[str, int]:
    """Return how many tracks of a database each extractor made, as far as they were analysed."""
    with sqlite.opened(path) as connection:
        return _extractors(connection)


def _known(tables: sqlite.Tables) -> list[str]:
    """Return the tables of bliss that are there."""
    found = [each for each in _TABLES if {"file", "tempo", "chroma1"} <= {*tables.get(each, ())}]
    is_library = {"path", "version", "analyzed"} <= {*tables.get("song", ())}
    if is_library and {"song_id", "feature", "feature_index"} <= {*tables.get("feature", ())}:
        found.append("song")
    return found


def _extractors(connection: "Connection") -> dict[str, int]:
    counts: dict[str, int] = {}
    for table in _known(sqlite.tables_in(connection)):
        query = (
            "SELECT coalesce(version, 1), count(*) FROM song WHERE analyzed GROUP BY 1"
            if table == "song"
            else f"SELECT '{_TABLES[table]}', count(*) FROM {table} GROUP BY 1"
        )
        for version, count in connection.execute(query):
            made_by = _VERSIONS.get(version, str(version))
            counts[made_by] = counts.get(made_by, 0) + count
    return counts


def _documents(connection: "Connection") -> Iterator[tuple[str, sqlite.Row]]:
    extractors = sorted(_extractors(connection))
    tables = sqlite.tables_in(connection)
    for table in _known(tables):
        for track in _songs(connection) if table == "song" else _tracks(connection, table):
            yield str(track["File"]), {**track, "extractors": extractors}
    if "failures" in tables:  # bliss-analyser 0.5
        for failure in sqlite.rows_of(connection, "SELECT File, Reason FROM Failures ORDER BY 1"):
            yield str(failure["File"]), {"error": _failure(failure["Reason"])}


def _tracks(connection: "Connection", table: str) -> Iterator[sqlite.Row]:
    """Yield the rows of bliss-analyser's table."""
    made_by = _TABLES[table]
    features = FEATURES[: LENGTHS[made_by]]
    query = (
        f"SELECT File, Title, Artist, AlbumArtist, Album, Genre, Duration, Ignore,"
        f" {', '.join(features)} FROM {table} ORDER BY rowid"
    )
    for row in sqlite.rows_of(connection, query):
        values = [row.pop(feature) for feature in features]
        yield {**row, "features": values, "extractor": made_by, "error": None}


def _songs(connection: "Connection") -> Iterator[sqlite.Row]:
    """Yield bliss-audio's songs, each with its features in their order."""
    query = """
        SELECT id, path AS File, title AS Title, artist AS Artist, album_artist AS AlbumArtist,
            album AS Album, genre AS Genre, duration AS Duration, NULL AS Ignore,
            coalesce(version, 1) AS version, analyzed, error
        FROM song ORDER BY id
    """
    own = "SELECT feature_index, feature FROM feature WHERE song_id = ? ORDER BY feature_index"
    for row in sqlite.rows_of(connection, query):
        pairs = connection.execute(own, (row.pop("id"),)).fetchall()
        indices = [index for index, _ in pairs]
        is_analysed, version = row.pop("analyzed"), row.pop("version")
        error = None
        if row["error"] is not None or not is_analysed:
            error = _failure(row["error"])
        elif pairs and indices not in _numberings(len(pairs)):
            error = f"its features are numbered {', '.join(map(str, indices))}"
        yield {
            **row,
            "error": error,
            "features": [feature for _, feature in pairs],
            "extractor": _VERSIONS.get(version, str(version)),
        }


def _failure(reason: Any) -> str:
    return f"not analysed: {reason or 'no reason is given'}"


def _numberings(length: int) -> tuple[list[int], list[int]]:
    """Return the numbers that features can have: from 0, or from 1."""
    return [*range(length)], [*range(1, length + 1)]


def _text(value: Any, repairs: Repairs) -> str:
    return repairs.text(str(value)) if value is not None else ""
