"""The demo's recordings as a site shows them in tests: with audio, a map, and hostile texts."""

import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psycopg

from pgsim import Database, embedded
from pgsim.web.settings import Settings
from tests.support.serving import serving

NAME = "demo_site"
SEED = "sixtyfour"
HOSTILE = "<script>document.title = 'taken'</script>\"'&"


@dataclass(frozen=True)
class DemoSite:
    """A site: its address, and the database behind it."""

    base: str
    db: Database

    @property
    def seed(self) -> str:
        """The MBID of SEED."""
        return self.mbid(SEED)

    def mbid(self, title: str) -> str:
        """Return the MBID of the recording with a title."""
        query = "SELECT mbid FROM pgsim.recording WHERE title = %s"
        return str(self.db.connection.execute(query, (title,)).fetchall()[0][0])

    def paths(self) -> list[str]:
        """Return the path of a page of each kind."""
        seed, other = self.seed, self.mbid("Stairs")
        return [
            "/",
            "/search?q=music",
            f"/recording/{seed}",
            f"/recording/{seed}/why/{other}",
            f"/radio?seed={seed}&dislike={other}",
            f"/recording/{seed}?end=farthest&k=0",
            "/recording/nobody",
            f"/map?around={seed}&colour=decade",
            f"/path?from={seed}&to={other}",
            "/artist/Wansti",
        ]

    def in_view(self, x: float, y: float, half: float) -> list[str]:
        """Return the titles of the recordings in a square of the map."""
        query = (
            "SELECT title FROM pgsim.recording INNER JOIN pgsim.map_position USING (id)"
            " WHERE abs(x - %s) <= %s AND abs(y - %s) <= %s"
        )
        found = self.db.connection.execute(query, (x, half, y, half)).fetchall()
        return [title for (title,) in found]


@contextmanager
def demo_site(
    server: embedded.Server, admin: psycopg.Connection, template: str, audio: Path
) -> Iterator[DemoSite]:
    """Serve a copy of the demo's database; the folder gets the audio of some recordings."""
    admin.execute(f"CREATE DATABASE {NAME} TEMPLATE {template} STRATEGY file_copy".encode())
    url = server.conninfo(NAME)
    with Database(url) as db:
        _add_hostile(db)
        _add_audio(db, audio)
        _add_map(db)
        with serving(Settings(url, as_owner=True, audio=audio)) as base:
            yield DemoSite(base, db)
    admin.execute(f"DROP DATABASE {NAME} WITH (FORCE)".encode())


def _add_hostile(db: Database) -> None:
    """Add a recording beside SEED whose texts are HTML, and whose url is a script."""
    db.connection.execute(
        "INSERT INTO pgsim.recording (mbid, title, artist, album, genre, url, vector)"
        " SELECT '00000000-0000-4000-8000-000000000002', %(text)s, %(text)s, %(text)s, %(text)s,"
        " 'javascript:document.title=1', vector FROM pgsim.recording WHERE title = %(seed)s",
        {"text": HOSTILE, "seed": SEED},
    )


def _add_map(db: Database) -> None:
    """Lay the recordings out by their two main directions."""
    mbids, vectors = db.vectors()
    _, _, directions = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
    places = (vectors - vectors.mean(axis=0)) @ directions[:2].T
    places /= abs(places).max() * 1.05
    ids = dict(db.connection.execute("SELECT mbid, id FROM pgsim.recording").fetchall())
    with (
        db.connection.cursor() as cursor,
        cursor.copy("COPY pgsim.map_position (id, x, y) FROM STDIN") as copy,
    ):
        for mbid, (x, y) in zip(mbids, places, strict=True):
            copy.write_row((ids[mbid], float(x), float(y)))


def _add_audio(db: Database, folder: Path) -> None:
    """Write half a minute of tone where SEED and its nearest are found in the folder."""
    [seed] = db.find(title=SEED, k=1)
    nearest = db.similar(seed.mbid, 3)
    for row in db.recordings([seed.mbid, *(each.mbid for each in nearest)]):
        if row.source_id:
            path = folder / row.source_id
            path.parent.mkdir(parents=True, exist_ok=True)
            samples = np.sin(np.arange(240_000) * 0.3) * 3000
            with wave.open(str(path), "wb") as file:
                file.setparams((1, 2, 8000, 0, "NONE", ""))
                file.writeframes(samples.astype("<i2").tobytes())
