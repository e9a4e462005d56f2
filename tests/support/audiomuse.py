"""AudioMuse-AI as it keeps and sends its tracks: its tables, and the pages of /api/sync."""

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgsim.postgres.connection import connect

# database.py of AudioMuse-AI (August 2026), whose tables grow by ALTER TABLE.
_TABLES = """
    CREATE TABLE IF NOT EXISTS score (item_id TEXT PRIMARY KEY, title TEXT, author TEXT,
        album TEXT, album_artist TEXT, tempo REAL, key TEXT, scale TEXT, mood_vector TEXT);
    CREATE TABLE IF NOT EXISTS embedding (item_id TEXT PRIMARY KEY,
        FOREIGN KEY (item_id) REFERENCES score (item_id) ON DELETE CASCADE);
    ALTER TABLE embedding ADD COLUMN embedding BYTEA;
"""
_NEWER = """
    ALTER TABLE score ADD COLUMN created_at TIMESTAMP NOT NULL DEFAULT now();
    ALTER TABLE score ADD COLUMN energy REAL;
    ALTER TABLE score ADD COLUMN other_features TEXT;
    ALTER TABLE score ADD COLUMN year INTEGER;
    ALTER TABLE score ADD COLUMN rating INTEGER;
    ALTER TABLE score ADD COLUMN file_path TEXT;
    ALTER TABLE score ADD COLUMN duration DOUBLE PRECISION;
    ALTER TABLE score ADD COLUMN search_u TEXT;
    ALTER TABLE embedding ADD COLUMN poincare_embedding BYTEA;
    ALTER TABLE embedding ADD COLUMN hyperbolic_radius DOUBLE PRECISION;
    CREATE TABLE IF NOT EXISTS clap_embedding (item_id TEXT PRIMARY KEY,
        FOREIGN KEY (item_id) REFERENCES score (item_id) ON DELETE CASCADE);
    ALTER TABLE clap_embedding ADD COLUMN embedding BYTEA;
"""


@dataclass(frozen=True)
class Track:
    """A track; without CLAP's embedding where CLAP is not enabled."""

    item_id: str
    title: str
    musicnn: NDArray[np.float32] | None
    clap: NDArray[np.float32] | None = None
    moods: str = "rock:0.561,Hip-Hop:0.552,indie:0.600,pop:0.100,jazz:0.000"
    features: str = "danceable:0.51,aggressive:0.49,happy:0.53,party:0.5,relaxed:0.5,sad:0.4"


def tracks(count: int) -> list[Track]:
    """Tracks with both embeddings, always the same."""
    numbers = np.random.default_rng(11)
    return [
        Track(
            f"track{place:05}",
            f"Title {place}",
            *(numbers.normal(size=size).astype(np.float32) for size in (200, 512)),
        )
        for place in range(count)
    ]


def fill(url: str, given: Sequence[Track], *, is_old: bool = False) -> None:
    """Make AudioMuse-AI's tables in a database, and put tracks there; old ones lack much."""
    with connect(url) as conn:
        conn.execute("SET search_path = public")
        conn.execute(_TABLES if is_old else _TABLES + _NEWER)
        for each in given:
            columns = "item_id, title, author, album, album_artist, tempo, key, scale, mood_vector"
            values: list[Any] = [each.item_id, each.title, "Artist", "Album", "Various", 120.5]
            values += ["F#", "minor", each.moods]
            if not is_old:
                columns += ", energy, other_features, year, duration"
                values += [0.07, each.features, 1998, 215.5]
            places = ", ".join(["%s"] * len(values))
            conn.execute(f"INSERT INTO score ({columns}) VALUES ({places})".encode(), values)
            for table, vector in (("embedding", each.musicnn), ("clap_embedding", each.clap)):
                if vector is not None and not (is_old and table != "embedding"):
                    conn.execute(
                        f"INSERT INTO {table} (item_id, embedding) VALUES (%s, %s)".encode(),
                        (each.item_id, vector.tobytes()),
                    )


def sync_track(each: Track) -> dict[str, Any]:
    """A track as /api/sync sends it."""
    vectors = {
        key: b64encode(vector.tobytes()).decode() if vector is not None else None
        for key, vector in (("embedding", each.musicnn), ("clap_embedding", each.clap))
    }
    return {
        "id": each.item_id,
        "title": each.title,
        "artist": "Artist",
        "album_artist": "Various",
        "album": "Album",
        "year": 1998,
        "tempo": 120.5,
        "key": "F#",
        "scale": "minor",
        "mood_vector": each.moods,
        "energy": 0.07,
        "other_features": each.features,
        "rating": None,
        "umap_x": None,
        "umap_y": None,
        "fp": "abc123def4560000",
        **vectors,
    }


def sync_page(given: Sequence[Track], number: int, size: int) -> str:
    """A page of /api/sync on one line, with its keys sorted, as Flask writes it."""
    start = (number - 1) * size
    has_more = start + size < len(given)
    page = {
        "tracks": [sync_track(each) for each in given[start : start + size]],
        "total_tracks": len(given),
        "provider_type": "navidrome",
        "has_more": has_more,
        "next_page": number + 1 if has_more else None,
    }
    return json.dumps(page, sort_keys=True, separators=(",", ":")) + "\n"
