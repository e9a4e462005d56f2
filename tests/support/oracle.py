"""What an answer has to be, in plain Python, from nothing but rows that a connection may see."""

import math
import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from psycopg.types.json import Jsonb

from pgsim.postgres.connection import Connection
from pgsim.store.lists import REACH
from tests.support.grid import SETS, artist_of
from tests.support.rows import one


@dataclass(frozen=True, slots=True)
class Recording:
    """A row of pgsim.recording that has a vector."""

    id: int
    mbid: UUID
    artist: str | None
    title: str | None
    album: str | None
    year: int | None
    length: float | None
    genre: str | None
    labels: list[str]
    artists: list[UUID]
    missing: list[str]
    vector: tuple[float, ...]


class Oracle:
    """What answers have to be, from nothing but the rows of recording and the stored reaches."""

    def __init__(self, conn: Connection) -> None:
        self.rows = [
            Recording(*row[:-1], vector=tuple(row[-1].to_list()))
            for row in conn.execute(
                "SELECT id, mbid, artist, title, album, year::int, length, genre, genres,"
                " coalesce(artist_mbids, '{}'), missing, vector"
                " FROM pgsim.recording WHERE vector IS NOT NULL ORDER BY mbid"
            )
        ]
        self.song_keys = dict(
            conn.execute(
                "SELECT id, pgsim.song_key(title, artist_mbids, artist) FROM pgsim.recording"
            ).fetchall()
        )
        self.samples: dict[str, list[float]] = {}
        self.conn = conn
        stored = dict(
            conn.execute(
                "SELECT id, reach::float8 FROM pgsim.similarity AS s"
                " WHERE NOT EXISTS (SELECT FROM pgsim.stale AS t WHERE t.id = s.id)"
            ).fetchall()
        )
        self.reach = {r.id: stored.get(r.id) or self.live_reach(r.vector, r.id) for r in self.rows}

    def live_reach(self, vector: tuple[float, ...], own: int | None) -> float:
        nearest = sorted(self.distance(vector, r.vector, {}) for r in self.rows if r.id != own)
        return float(np.float32(np.mean(nearest[:REACH], dtype=np.float64)))

    @staticmethod
    def shares(words: dict[str, Any]) -> dict[str, float] | None:
        """Each set's share of the question; None for the fused distance."""
        named = words.get("metric")
        weights = words.get("weights") or {}
        if not named and not weights:
            return None
        plain = dict.fromkeys(named.split("+"), 1.0) if named else dict.fromkeys(SETS, 0.25)
        plain |= weights
        total = sum(plain.values())
        return {name: weight / total for name, weight in plain.items()}

    def distance(self, a: tuple[float, ...], b: tuple[float, ...], words: dict[str, Any]) -> float:
        shares = self.shares(words)
        squares = {name: (x - y) ** 2 for name, x, y in zip(SETS, a, b, strict=True)}
        if shares is None:
            return float(np.float32(math.sqrt(sum(squares.values()))))
        least = min(share for share in shares.values() if share)
        whole = sum(round(share / least) * squares[name] for name, share in shares.items())
        return float(np.float32(math.sqrt(whole) * math.sqrt(least / 0.25)))

    def exponent(self, distance: float, reach: float, other: float) -> float:
        if distance == 0:
            return 0
        return distance**2 / (reach * other) if reach * other else math.inf

    def similarity(self, apart: float, reach: float, r: Recording, words: dict[str, Any]) -> float:
        if self.shares(words) is None:
            exponent = self.exponent(apart, reach, self.reach[r.id])
            return float(np.float32(math.exp(-exponent) if exponent < 80 else 0))
        return self.share_farther(apart, words)

    def share_farther(self, apart: float, words: dict[str, Any]) -> float:
        key = repr((words.get("metric"), words.get("weights")))
        if key not in self.samples:
            self.samples[key] = one(
                self.conn,
                "SELECT (pgsim.resolve_measure(%s, %s)).sample",
                words.get("metric"),
                Jsonb(words["weights"]) if words.get("weights") else None,
            )
        sample = self.samples[key]
        place = bisect_right(sample, apart)
        if apart == 0:
            return 1
        if place == len(sample):
            return 0
        low = sample[place - 1] if place else 0
        return float(np.float32(1 - (place + (apart - low) / (sample[place] - low)) / len(sample)))

    def matches(self, r: Recording, words: dict[str, Any]) -> bool:
        genre, decade = words.get("genre"), words.get("decade")
        years = [y for y in (words.get("year_from"), decade) if y is not None]
        lasts = [y for y in (words.get("year_to"), decade + 9 if decade else None) if y is not None]
        named = (words.get("metric") or "").split("+")
        return (
            (genre is None or r.genre == genre.removeprefix("tag:") or genre in r.labels)
            and all(r.year is not None and r.year >= year for year in years)
            and all(r.year is not None and r.year <= year for year in lasts)
            and (
                words.get("length_from") is None
                or (r.length is not None and r.length >= words["length_from"])
            )
            and (
                words.get("length_to") is None
                or (r.length is not None and r.length <= words["length_to"])
            )
            and r.mbid not in (words.get("exclude") or [])
            and not set(r.artists) & set(words.get("exclude_artists") or [])
            and not set(r.missing) & set(named)
        )

    def answer(
        self,
        vector: tuple[float, ...],
        reach: float,
        own: int | None,
        k: int,
        words: dict[str, Any],
    ) -> list[tuple[UUID, float, float]]:
        """MBID, distance and similarity of each row."""
        apart = {r.id: self.distance(vector, r.vector, words) for r in self.rows}
        found = [r for r in self.rows if r.id != own and self.matches(r, words)]
        found.sort(key=lambda r: (apart[r.id], r.mbid))
        like = {r.id: self.similarity(apart[r.id], reach, r, words) for r in found}
        found = [r for r in found if like[r.id] >= np.float32(words.get("min_similarity") or 0)]
        found = self.ruled(found, own, words)
        if words.get("ranking") != "distance" and self.shares(words) is None:
            plain = {"ranking", "approximate"}
            asked = any(
                any(value) if isinstance(value, list) else value
                for word, value in words.items()
                if word not in plain
            )
            found = found[: max(4 * k, 40 if asked else 100)]
            found.sort(
                key=lambda r: (
                    self.exponent(apart[r.id], reach, self.reach[r.id]),
                    apart[r.id],
                    r.mbid,
                )
            )
        return [(r.mbid, apart[r.id], like[r.id]) for r in found[:k]]

    def ruled(
        self, found: list[Recording], own: int | None, words: dict[str, Any]
    ) -> list[Recording]:
        artists: Counter[Any] = Counter()
        albums: Counter[Any] = Counter()
        songs = {self.song_keys[own]} if own is not None else set()
        kept = []
        for r in found:
            artist = r.artists[0] if r.artists else r.artist and r.artist.lower()
            song = self.song_keys[r.id]
            if artist and artists[artist] == words.get("max_per_artist"):
                continue
            album = r.album and (r.album.lower(), artist)
            if album and albums[album] == words.get("max_per_album"):
                continue
            if words.get("distinct_titles") and song and song in songs:
                continue
            artists[artist] += 1
            albums[album] += 1
            songs.add(song)
            kept.append(r)
        return kept


def draw(rng: random.Random, mbids: list[UUID]) -> dict[str, Any]:
    """Words of a question, mostly few; what asks for nothing among them."""
    year, length = rng.randrange(1978, 2012), rng.randrange(60, 600)
    choices: dict[str, Callable[[], Any]] = {
        "genre": lambda: rng.choice([None, "x", "y'z", "tag:y", "mood:sad"]),
        "decade": lambda: rng.choice([None, 1980, 1990, 2000]),
        "year_from": lambda: rng.choice([None, min(year, 1989)]),
        "year_to": lambda: rng.choice([None, max(year, 2009)]),
        "length_from": lambda: rng.choice([None, float(length)]),
        "length_to": lambda: rng.choice([None, length + rng.choice([0.0, 10.0, 300.0])]),
        "exclude": lambda: rng.choice(
            [
                None,
                [],
                [None],
                [*rng.sample(mbids, min(len(mbids), rng.choice([1, 100, 300]))), None],
            ]
        ),
        "exclude_artists": lambda: rng.choice(
            [None, [], [None], [artist_of(rng.randrange(14)) for _ in range(3)]]
        ),
        "max_per_artist": lambda: rng.choice([None, 1, 2, 5]),
        "max_per_album": lambda: rng.choice([None, 1, 2]),
        "distinct_titles": lambda: rng.choice([None, False, True]),
        "min_similarity": lambda: rng.choice([None, 0.0, 0.25, 0.5, 0.9, 1.0]),
        "metric": lambda: rng.choice([None, "a", "b+c", "a+b+c+d"]),
        "weights": lambda: rng.choice([None, {}, {"a": 4}, {"a": 0.25}]),
        "approximate": lambda: rng.choice([None, False, True]),
        "ranking": lambda: rng.choice(["similarity", "distance"]),
    }
    words = {word: value() for word, value in choices.items() if rng.random() < 0.25}
    if "b" in (words.get("metric") or "a"):
        words.pop("weights", None)
    return words


def ask(conn: Connection, function: str, first: Any, k: int, words: dict[str, Any]) -> list[Any]:
    named = "".join(
        f", {word} => %({word})s" + ("::uuid[]" if word.startswith(("exclude", "minus")) else "")
        for word in words
    )
    values = {word: Jsonb(v) if isinstance(v, dict) else v for word, v in words.items()}
    return conn.execute(
        "SELECT mbid, distance::float8, similarity::float8"
        f" FROM {function}(%(first)s, %(k)s{named})"
        " ORDER BY rank",
        {**values, "first": first, "k": k},
    ).fetchall()


def compare(got: list[Any], wanted: list[tuple[UUID, float, float]], asked: str) -> None:
    assert [row[:2] for row in got] == [row[:2] for row in wanted], asked
    np.testing.assert_allclose(
        [row[2] for row in got], [row[2] for row in wanted], rtol=1e-5, atol=1e-6, err_msg=asked
    )
