"""make bench-artists: how alike two artists are, by six definitions, on the Million Song Dataset.

The recordings of each artist are split at random into two halves, as if these were two artists.
Each definition ranks all artists for one half of each: the other half should come first. The table
of docs/explanation/similarity.md is made so; its last row is what similar_artists() computes.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgsim.store.lists import REACH
from pgsim.store.vectors import read_vectors
from tests.bench.common import show
from tests.bench.report.quality import Labelled, loaded
from tests.support.paths import GENUINE

SONGS = Labelled("songs", "msd", ["msd_subset/msd_subset_4680x90.csv"], [])
SPLITS = 2  # random ones, whose questions are taken together
CANDIDATES = 40  # artists with the greatest share that the last definition compares
TOP = 10
MANY = 6  # recordings of the artists of a column of their own

Floats = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Songs:
    """Recordings: their vectors (n, d), artists (n,) and genres (n,)."""

    vectors: Floats
    artists: NDArray[np.str_]
    genres: NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one definition answers about one half: the place of the other, and the genres."""

    place: int
    genre: float
    recordings: int


def answers(songs: Songs, least: int = 2, most: int = 10**9) -> dict[str, list[Answer]]:
    """Return the answers by each definition; artists of `least` to `most` recordings are split."""
    apart = distances(songs.vectors)
    others = apart.copy()
    np.fill_diagonal(others, np.inf)
    near = np.sort(np.partition(others, REACH, axis=1)[:, : REACH + 1], axis=1)
    reach = near[:, :REACH].mean(axis=1)
    alike = np.exp(-(apart**2) / np.outer(reach, reach))
    listed = np.where(others <= near[:, [REACH - 1]], alike, 0)
    found: dict[str, list[Answer]] = {}
    for seed in range(SPLITS):
        halves, other_of = split(songs.artists, least, most, seed)
        order = np.argsort(halves, kind="stable")
        sizes = np.bincount(halves)
        starts = np.cumsum(sizes) - sizes
        means = np.add.reduceat(songs.vectors[order], starts) / sizes[:, None]
        reaches = np.add.reduceat(reach[order], starts) / sizes
        between = distances(means)
        genres = [
            Counter(songs.genres[own].tolist()).most_common(1)[0][0]
            for own in np.split(order, starts[1:])
        ]
        alone = between.copy()
        np.fill_diagonal(alone, np.inf)
        middle = np.sort(np.partition(alone, REACH, axis=1)[:, :REACH], axis=1).mean(axis=1)
        for half, other in other_of.items():
            own = order[starts[half] : starts[half] + sizes[half]]
            best = np.maximum.reduceat(alike[own][:, order], starts, axis=1).mean(axis=0)
            share = np.add.reduceat(listed[own].sum(axis=0)[order], starts)
            of_means = np.exp(-(between[half] ** 2) / (middle[half] * middle))
            both = best * np.exp(-(between[half] ** 2) / (reaches[half] * reaches))
            chosen = np.argsort(-share, kind="stable")[:CANDIDATES]
            for name, score in {
                "distance of the mean vectors": -between[half],
                "similarity of the mean vectors": of_means,
                "share of the lists of 50": share,
                "average of the best similarities, *b*": best,
                "*b* times the similarity of the means": both,
                "the same, of the 40 artists with the greatest share": np.where(
                    np.isin(np.arange(len(both)), chosen[share[chosen] > 0]), both, -1
                ),
            }.items():
                score = score - between[half] * 1e-9  # equal ones by the distance of the means
                score[half] = -np.inf
                place = 1 + int((score > score[other]).sum())
                top = [at for at in np.argsort(-score)[: TOP + 1] if at != other][:TOP]
                genre = float(np.mean([genres[at] == genres[half] for at in top]))
                size = int(sizes[half] + sizes[other])
                found.setdefault(name, []).append(Answer(place, genre, size))
    return found


def split(
    artists: NDArray[np.str_], least: int, most: int, seed: int
) -> tuple[NDArray[np.intp], dict[int, int]]:
    """Return the half (n,) of each recording, and the other half of each that has one."""
    random = np.random.default_rng(seed)
    names, halves = np.unique(artists, return_inverse=True)
    halves = halves.copy()
    other_of = {}
    for name in range(len(names)):
        own = random.permutation(np.flatnonzero(halves == name))
        if least <= len(own) <= most:
            other_of[len(names) + len(other_of)] = name
            halves[own[: len(own) // 2]] = len(names) + len(other_of) - 1
    return halves, other_of


def distances(vectors: Floats) -> Floats:
    """Return the distances (n, n) of (n, d) vectors."""
    squares = (vectors**2).sum(axis=1)
    result: Floats = np.sqrt(np.maximum(squares[:, None] + squares - 2 * vectors @ vectors.T, 0))
    return result


def rows(found: dict[str, list[Answer]]) -> Iterator[dict[str, Any]]:
    """Yield the rows of the table."""
    for name, each in found.items():
        places = np.array([answer.place for answer in each], float)
        many = np.array([answer.recordings >= MANY for answer in each])
        yield {
            "similarity of two artists": name,
            "questions": len(each),
            "MRR": float((1 / places).mean()),
            "among ten": float((places <= TOP).mean()),
            f"MRR, {MANY} recordings": float((1 / places[many]).mean()),
            "genre": float(np.mean([answer.genre for answer in each])),
        }


def read_songs(data: Path) -> Songs:
    """Load the songs into a server of their own, and read them as pgsim fuses them."""
    with loaded(SONGS, [data / path for path in SONGS.paths]) as db:
        named = db.connection.execute(
            "SELECT pgsim.artist_key(artist_mbids, artist), coalesce(genre, '')"
            " FROM pgsim.recording WHERE vector IS NOT NULL ORDER BY id"
        ).fetchall()
        vectors = read_vectors(db.connection).vectors
    artists, genres = np.array(named).T
    return Songs(vectors.astype(np.float64), artists, genres)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=GENUINE, help="the folder of genuine data")
    songs = read_songs(parser.parse_args().data)
    _print("artists", list(rows(answers(songs))))
    alone = np.char.add("of its own ", np.arange(len(songs.genres)).astype(str))
    genres = replace(songs, artists=np.where(songs.genres == "", alone, songs.genres))
    whole = list(rows(answers(genres, 10, 300)))
    # The genre of a genre's half is its own.
    _print("genres as artists", [{name: row[name] for name in list(row)[:4]} for row in whole])


def _print(what: str, figures: list[dict[str, Any]]) -> None:
    print(what)
    show(figures)


if __name__ == "__main__":
    main()
