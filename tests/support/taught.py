"""A table whose artists can be told apart, but not by what varies most."""

from pathlib import Path

import numpy as np

PROFILE = """
name = "taught"
extractor = "none"
genre_scheme = "tag"
[columns]
id = "id"
artist = "artist"
album = "album"
title = "title"
genre = "genre"
[[set]]
name = "sound"
path = "sound*"
length = 8
transform = "zscore"
aggregate = "mean"
weight = 0.8
[[set]]
name = "noise"
path = "noise*"
length = 4
transform = "zscore"
aggregate = "mean"
weight = 0.2
"""
ARTISTS, EACH = 120, 6


def write_table(path: Path, artists: int = ARTISTS, each: int = EACH, start: int = 0) -> Path:
    """Recordings whose artist is told by the difference of two columns that vary together."""
    random = np.random.default_rng(1 + start)
    lines = [
        ",".join(
            ["id", "artist", "album", "title", "genre"]
            + [f"sound{n}" for n in range(8)]
            + [f"noise{n}" for n in range(4)]
        )
    ]
    for artist in range(start, start + artists):
        own = random.normal(size=4)
        for song in range(each):
            common = random.normal(size=4) * 3
            sound = np.concatenate([common, common + own + random.normal(size=4) * 0.2])
            noise = random.normal(size=4)
            values = ",".join(f"{value:.5f}" for value in [*sound, *noise])
            lines.append(
                f"{artist}-{song},Artist {artist},Album {artist}-{song // 2},Song {song},"
                f"genre {artist % 4},{values}"
            )
    path.write_text("\n".join(lines) + "\n")
    return path
