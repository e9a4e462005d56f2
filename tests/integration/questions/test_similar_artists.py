"""Similar artists and albums, against their definition computed from the vectors of a grid."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import psycopg
import pytest

from pgsim.database.database import Database
from pgsim.postgres.connection import Connection
from tests.support.grid import artist_of
from tests.support.oracle import Oracle, Recording
from tests.support.plane import insert, mbid
from tests.support.rows import one

CASES = 3
COMPARED = 25  # recordings of an artist, the first by MBID
Keys = Callable[[Recording], set[str]]
Row = dict[str, Any]


@pytest.fixture
def credited(grid: Connection) -> Connection:
    """The grid, where every fifth recording has a second artist."""
    grid.execute(
        "UPDATE pgsim.recording SET artist_mbids = artist_mbids || %s"
        " WHERE id %% 5 = 0 AND artist_mbids IS NOT NULL",
        ([artist_of(3)],),
    )
    return grid


def artists(r: Recording) -> set[str]:
    name = (r.artist or "").lower().replace(" ", "")
    return {str(each) for each in r.artists} if r.artists else {name} - {""}


def albums_of(conn: Connection) -> Keys:
    keys = dict(
        conn.execute("SELECT id, pgsim.album_key(album, artist_mbids, artist) FROM pgsim.recording")
    )
    return lambda r: {keys[r.id]} - {None}


class Distances:
    """The distance and the exponent of every two recordings of an oracle, in the order of MBIDs."""

    def __init__(self, oracle: Oracle) -> None:
        self.rows = oracle.rows
        self.vectors = np.array([r.vector for r in self.rows], np.float32)
        self.reach = np.array([oracle.reach[r.id] for r in self.rows])
        apart = self.vectors[:, None] - self.vectors[None]
        self.apart = np.sqrt((apart.astype(float) ** 2).sum(axis=2)).astype(np.float32)
        with np.errstate(divide="ignore", invalid="ignore"):
            exponent = self.apart.astype(float) ** 2 / (self.reach[:, None] * self.reach[None])
        self.similarity = np.exp(-np.where(self.apart == 0, 0, exponent))

    def nearest(self, place: int, depth: int) -> list[int]:
        order = np.argsort(self.apart[place], kind="stable")
        found: list[int] = order[order != place][:depth].tolist()
        return found


class Comparison:
    """The artists, or albums, beside some recordings that are asked about, by their places."""

    def __init__(self, all_: Distances, own: list[int], counted: dict[int, set[str]]) -> None:
        self.all, self.own, self.counted = all_, own, counted
        self.groups: dict[str, list[int]] = defaultdict(list)
        for place, keys in counted.items():
            for key in keys:
                self.groups[key].append(place)

    def shares(self) -> dict[str, float]:
        """Each one's part of the recordings near to the own ones, weighted by similarity."""
        weights: Counter[str] = Counter()
        total = 0.0
        depth = max(10, min(50, 2000 // len(self.own)))
        for own in self.own:
            for place in self.all.nearest(own, depth):
                if place in self.counted:
                    weight = self.all.similarity[own, place]
                    total += weight
                    for key in self.counted[place]:
                        weights[key] += weight
        return {key: weight / total for key, weight in weights.items()}

    def row(self, key: str) -> Row:
        """The similarity of one, and its nearest recording."""
        own_ones, theirs = self.own[:COMPARED], self.groups[key][:COMPARED]
        best = self.all.similarity[np.ix_(own_ones, theirs)].max(axis=1).mean()
        middles = [self.all.vectors[each].mean(axis=0) for each in (own_ones, theirs)]
        reaches = [self.all.reach[each].mean() for each in (own_ones, theirs)]
        apart = np.linalg.norm(middles[0] - middles[1])
        middle = np.exp(-(apart**2) / (reaches[0] * reaches[1]))
        distance, own, other = min((self.all.apart[a, b], a, b) for a in own_ones for b in theirs)
        return {
            "similarity": np.sqrt(best * middle),
            "recordings": len(self.groups[key]),
            "own_mbid": self.all.rows[own].mbid,
            "similar_mbid": self.all.rows[other].mbid,
            "distance": distance,
        }

    def answer(self, k: int, least: int, except_keys: set[str]) -> dict[str, Row]:
        """The rows by key, the most similar first."""
        shares = self.shares()
        known = {key for key, theirs in self.groups.items() if len(theirs) >= least} - except_keys
        pointed = sorted(shares.keys() - except_keys, key=lambda key: (-shares[key], key))
        wanted = max(4 * k, 40)
        while len(known.intersection(pointed[:wanted])) < k and wanted < len(pointed):
            wanted *= 4
        chosen = known.intersection(pointed[:wanted])
        rows = {key: self.row(key) for key in (chosen if len(chosen) >= k else known)}
        for key, row in rows.items():
            row["share"] = shares.get(key, 0)
        best = sorted(rows, key=lambda key: (-rows[key]["similarity"], rows[key]["distance"], key))
        return {key: rows[key] for key in best}


def compare(got: list[Row], wanted: dict[str, Row], k: int, key_of: Callable[[Row], str]) -> None:
    assert len(got) == min(k, len(wanted))
    assert [row["rank"] for row in got] == list(range(1, len(got) + 1))
    best = [row["similarity"] for row in wanted.values()][:k]
    np.testing.assert_allclose([row["similarity"] for row in got], best, rtol=1e-4)
    for row in got:
        own = wanted[key_of(row)]
        for name in ("similarity", "share", "distance"):
            np.testing.assert_allclose(row[name], own[name], rtol=1e-4, err_msg=name)
        for name in ("recordings", "own_mbid", "similar_mbid"):
            assert row[name] == own[name]


def ask(conn: Connection, question: str, **words: Any) -> list[Row]:
    named = ", ".join(f"{name} => %({name})s" for name in words)
    cursor = conn.execute(f"SELECT * FROM pgsim.{question}({named}) ORDER BY rank".encode(), words)
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def drawn(rng: random.Random) -> tuple[int, int, Row]:
    words: Row = {"genre": "x", "year_to": 1995} if rng.random() < 0.5 else {}
    return rng.choice([1, 3, 10, 80]), rng.choice([1, 1, 4]), words


def test_similar_artists_are_those_of_the_definition(credited: Connection) -> None:
    oracle = Oracle(credited)
    all_ = Distances(oracle)
    rng = random.Random(5)
    for number in rng.sample(range(14), CASES):
        k, least, words = drawn(rng)
        key = str(artist_of(number)) if number % 2 else f"artist{number}"
        own = [place for place, r in enumerate(oracle.rows) if key in artists(r)]
        counted = {
            place: artists(r)
            for place, r in enumerate(oracle.rows)
            if place not in own and oracle.matches(r, words)
        }
        wanted = Comparison(all_, own, counted).answer(k, least, {key})
        asked = key if number % 2 else f"ARTIST, {number}"
        got = ask(credited, "similar_artists", artist=asked, k=k, min_recordings=least, **words)
        compare(
            got,
            wanted,
            k,
            lambda row: str(row["artist_mbid"] or row["artist"].lower().replace(" ", "")),
        )


def test_similar_albums_are_those_of_the_definition(credited: Connection) -> None:
    oracle = Oracle(credited)
    all_ = Distances(oracle)
    rng = random.Random(6)
    keys = albums_of(credited)
    place_of = {r.mbid: place for place, r in enumerate(oracle.rows)}
    named = [r for r in oracle.rows if r.album and r.artist and not r.artists]
    for asked in rng.sample(named, CASES):
        k, least, words = drawn(rng)
        others = rng.random() < 0.5
        own = [place for place, r in enumerate(oracle.rows) if keys(r) == keys(asked)]
        counted = {
            place: keys(r)
            for place, r in enumerate(oracle.rows)
            if place not in own
            and oracle.matches(r, words)
            and not (others and artists(r) & artists(asked))
        }
        wanted = Comparison(all_, own, counted).answer(k, least, keys(asked))
        words |= {"min_recordings": least, "other_artists": others}
        by = {"album": asked.album, "artist": asked.artist}
        got = ask(credited, "similar_albums", **by, k=k, **words)
        compare(
            got,
            wanted,
            k,
            lambda row: next(iter(keys(oracle.rows[place_of[row["similar_mbid"]]]))),
        )


@pytest.fixture
def few(plane: Connection) -> Connection:
    """Three artists on a line, and one of two names; no lists."""
    plane.execute("SET search_path = public, pgsim")
    credits_ = ["Ada", "ADA feat. Bo", "Bo", "Cy", "Cy", "Cy", "Eve", "Eve", "Ada & Bo", None]
    for number, credit in enumerate(credits_, 1):
        insert(plane, number, number)
        plane.execute(
            "UPDATE recording SET artist = %s, album = 'Hits' WHERE mbid = %s",
            (credit, mbid(number)),
        )
    for number, own in ((7, 70), (8, 80)):
        plane.execute(
            "UPDATE recording SET artist_mbids = %s WHERE mbid = %s", ([mbid(own)], mbid(number))
        )
    return plane


def names(conn: Connection, question: str) -> list[str]:
    return [name for (name,) in conn.execute(f"SELECT artist FROM {question}".encode())]


def test_pending_recordings_count_and_guests_are_of_no_account(few: Connection) -> None:
    assert one(few, "SELECT count(*) FROM stale") > 0
    assert names(few, "similar_artists('ada', 2)") == ["Bo", "Cy"]
    assert names(few, "similar_artists('ada', 2, min_recordings => NULL)") == ["Bo", "Cy"]
    assert one(few, "SELECT recordings FROM similar_artists('bo') WHERE artist = 'Ada'") == 2
    assert len(names(few, "similar_artists('Ada')")) == 5  # Bo, Cy, both of Eve, Ada & Bo
    few.execute("DELETE FROM recording WHERE artist = 'Bo'")
    assert names(few, "similar_artists('ada', 1)") == ["Cy"]


def test_each_mbid_of_a_credit_is_an_artist(few: Connection) -> None:
    few.execute(
        "UPDATE recording SET artist_mbids = %s, artist = 'Eve & Flo' WHERE mbid = %s",
        ([mbid(70), mbid(90)], mbid(4)),
    )
    found = few.execute("SELECT artist_mbid, recordings FROM similar_artists('Ada')").fetchall()
    assert {(mbid(70), 2), (mbid(80), 1), (mbid(90), 1)} <= set(found)
    assert one(few, f"SELECT count(*) FROM similar_artists('{mbid(90)}', 3)") == 3


@pytest.mark.parametrize(
    ("question", "said", "hint"),
    [
        ("similar_artists('Zoe')", "unknown artist 'Zoe'", "no recording is credited to it"),
        ("similar_artists(NULL)", "unknown artist NULL", ""),
        (f"similar_artists('{mbid(5)}')", f"unknown artist '{mbid(5)}'", ""),
        (
            "similar_artists('Eve')",
            "'Eve' is the name of several artists",
            f"{mbid(70)}, {mbid(80)}",
        ),
        ("similar_artists('Ada', 0)", "k is 0, but must be from 1 to 1000", ""),
        ("similar_artists('Ada', min_recordings => 0)", "min_recordings is 0", ""),
        ("similar_artists('Ada', genre => 'nothing')", "unknown genre 'nothing'", ""),
        ("similar_albums('None')", "unknown album 'None'", "no recording has it"),
        ("similar_albums('Hits')", "several artists have an album 'Hits'", "ADA feat. Bo"),
        ("similar_albums('Hits', 'Zoe')", "unknown album 'Hits' of 'Zoe'", ""),
    ],
)
def test_what_cannot_be_answered_is_named(
    few: Connection, question: str, said: str, hint: str
) -> None:
    with pytest.raises(psycopg.Error) as caught:
        few.execute(f"SELECT * FROM {question}".encode())
    assert said in (caught.value.diag.message_primary or "")
    assert hint in (caught.value.diag.message_hint or "")


def test_an_artist_without_a_vector_is_no_seed(few: Connection) -> None:
    few.execute("UPDATE recording SET vector = NULL WHERE artist = 'Cy'")
    with pytest.raises(psycopg.Error, match="no recording of the artist 'Cy' has a vector"):
        few.execute("SELECT * FROM similar_artists('Cy')")


def test_python_asks_by_name_and_by_mbid(few: Connection) -> None:
    with Database(few.info.dsn) as db:
        assert [row.artist for row in db.similar_artists("Ada", 2)] == ["Bo", "Cy"]
        assert db.similar_artists(mbid(70), 1)[0].artist_mbid in (None, mbid(80))
        answer = db.similar_albums("hits", artist="Ada", other_artists=True, min_recordings=3)
        assert [(row.album, row.artist) for row in answer] == [("Hits", "Cy")]
