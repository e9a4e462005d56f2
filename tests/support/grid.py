"""A collection on a grid, so that distances tie: copies, and of every column rows without a value.

Distances are the same in Python to the last bit. Few enough recordings that every search is exact.
"""

import random
from typing import Any
from uuid import UUID

from pgsim.features.profile import FeatureSet, Profile
from pgsim.postgres.connection import Connection
from pgsim.store import schema
from tests.support.lists import fill_reaches

SETS = "abcd"
GRID = Profile(
    "grid",
    "none",
    "tag",
    tuple(
        FeatureSet(name, (name,), "numbers", 1, "isotropic", "mean", 0.25, place)
        for place, name in enumerate(SETS)
    ),
)
# In what state the matrix is: as it was refreshed, with changes that wait, or with too many to be
# merged into an answer.
STATES = ("listed", "pending", "too much pending")


def artist_of(number: int) -> UUID:
    return UUID(int=0xA0 + number)


def insert(conn: Connection, rng: random.Random, count: int) -> None:
    def some(value: Any) -> Any:
        return None if rng.random() < 0.1 else value

    for _ in range(count):
        number, song, genre = rng.randrange(14), rng.randrange(60), rng.choice(["x", "y", "y'z"])
        conn.execute(
            "INSERT INTO pgsim.recording (mbid, artist, title, album, year, length, genre, genres,"
            " artist_mbids, missing, vector) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                UUID(int=rng.getrandbits(128)),
                some(f"Artist {number}"),
                some(f"Song {song}" + rng.choice(["", " (Live)", " - 2011 Remaster"])),
                some(rng.choice(["Hits", "hits", "Études", "Opus"])),
                some(1980 + int(rng.gammavariate(2, 6))),
                some(float(rng.randrange(60, 600))),
                some(genre),
                [f"mood:{rng.choice(['sad', 'happy'])}"],
                [artist_of(number)] if number % 2 else None,
                [rng.choice(SETS)] if rng.random() < 0.1 else [],
                str([rng.randrange(4) for _ in SETS]),
            ),
        )


def fill_grid(conn: Connection) -> None:
    """Install pgsim with 360 recordings; of every third one the list is lost."""
    schema.install(conn, GRID)
    schema.add_to_search_path(conn)
    insert(conn, random.Random(1), 360)
    conn.execute("INSERT INTO pgsim.recording (mbid, genre) VALUES (gen_random_uuid(), 'x')")
    conn.execute("CALL pgsim.refresh_similarity()")
    conn.execute("DELETE FROM pgsim.similarity WHERE id % 3 = 0")
    fill_reaches(conn)
    conn.execute("VACUUM ANALYZE pgsim.recording")


def change_grid(conn: Connection, state: str) -> None:
    """Change the grid so that its matrix is in that one of STATES."""
    if state != "listed":
        conn.execute(
            "UPDATE pgsim.recording SET vector = '[1,1,2,2]' WHERE id % 31 = 1;"
            "DELETE FROM pgsim.recording WHERE id % 29 = 1;"
            "UPDATE pgsim.recording SET vector = NULL WHERE id % 57 = 1"
        )
        insert(conn, random.Random(2), 12)
    if state == "too much pending":
        conn.execute(
            "INSERT INTO pgsim.stale (id) SELECT r.id FROM pgsim.recording AS r,"
            " generate_series(1, 40) WHERE r.id % 31 = 1"
        )
