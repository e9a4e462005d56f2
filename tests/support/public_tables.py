"""Small tables with the columns and forms of public data sets, and other values."""

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.libraries import bliss_mixer, blissify, mstream

ROWS = 40
_GENRES = ("Hip-Hop", "Rock", "Folk", "Jazz")

# Features of FMA (librosa's), each with its number of dimensions.
_FMA = {
    "chroma_cens": 12,
    "chroma_cqt": 12,
    "chroma_stft": 12,
    "mfcc": 20,
    "rmse": 1,
    "spectral_bandwidth": 1,
    "spectral_centroid": 1,
    "spectral_contrast": 7,
    "spectral_rolloff": 1,
    "tonnetz": 6,
    "zcr": 1,
}
_STATISTICS = ("kurtosis", "max", "mean", "median", "min", "skew", "std")
_FMA_TRACKS = [
    *(
        ("album", name)
        for name in """comments date_created date_released engineer favorites id
        information listens producer tags title tracks type""".split()
    ),
    *(
        ("artist", name)
        for name in """active_year_begin active_year_end associated_labels bio
        comments date_created favorites id latitude location longitude members name
        related_projects tags website wikipedia_page""".split()
    ),
    *(("set", name) for name in ("split", "subset")),
    *(
        ("track", name)
        for name in """bit_rate comments composer date_created date_recorded duration
        favorites genre_top genres genres_all information interest language_code license listens
        lyricist number publisher tags title""".split()
    ),
]

_SOUND = """danceability energy key loudness mode speechiness acousticness instrumentalness liveness
    valence tempo""".split()


def _numbers(seed: int, columns: int) -> list[list[str]]:
    values = np.random.default_rng(seed).random((ROWS, columns))
    return [[f"{value:.6f}" for value in row] for row in values]


def _write(path: Path, lines: Iterable[Sequence[Any]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)
    return path


def fma(folder: Path) -> list[Path]:
    """FMA's features.csv, with three rows of header and 518 columns, and its tracks.csv."""
    columns = [
        (feature, statistic, f"{number:02}")
        for feature, count in _FMA.items()
        for statistic in _STATISTICS
        for number in range(1, count + 1)
    ]
    heads = [
        [name, *(column[at] for column in columns)]
        for at, name in enumerate(("feature", "statistics", "number"))
    ]
    rows = [[str(at + 2), *row] for at, row in enumerate(_numbers(1, len(columns)))]
    features = [*heads, ["track_id", *[""] * len(columns)], *rows]
    tracks = [
        ["", *(group for group, _ in _FMA_TRACKS)],
        ["", *(name for _, name in _FMA_TRACKS)],
        ["track_id", *[""] * len(_FMA_TRACKS)],
    ]
    for at in range(ROWS):
        known = {
            ("album", "date_released"): f"{1990 + at % 20}-01-05 00:00:00",
            ("album", "id"): str(at // 4),
            ("album", "information"): "<p>two\nlines, with a comma</p>",
            ("album", "title"): f"Album {at // 4}",
            ("artist", "name"): f"Artist {at // 8}",
            ("track", "duration"): str(160 + at),
            ("track", "genre_top"): _GENRES[at % 4] if at % 5 else "",
            ("track", "genres"): "[21]",
            ("track", "listens"): str(1000 - at),
            ("track", "title"): f"Tune {at}",
        }
        tracks.append([str(at + 2), *(known.get(column, "") for column in _FMA_TRACKS)])
    return [_write(folder / "features.csv", features), _write(folder / "tracks.csv", tracks)]


def spotify_114k(folder: Path) -> list[Path]:
    """Kaggle's table of 114,000 rows, 1,000 a genre: a track stands under each of its genres."""
    head = ["", "track_id", "artists", "album_name", "track_name", "popularity", "duration_ms"]
    lines = [[*head, "explicit", *_SOUND, "time_signature", "track_genre"]]
    sound = _numbers(2, len(_SOUND))
    for genre in ("acoustic", "singer-songwriter"):
        for at in range(ROWS):
            lines.append(
                [
                    *(str(len(lines) - 1), f"{at:021}x", f"Artist {at};Guest", f"Album {at // 4}"),
                    *(f"Tune {at}", str(at), str(200_000 + at), "False", *sound[at], "4", genre),
                ]
            )
    return [_write(folder / "dataset.csv", lines)]


def spotify_160k(folder: Path) -> list[Path]:
    """Kaggle's table of 160,000 rows, 1921-2020, with artists as lists of Python."""
    lines = [
        """valence year acousticness artists danceability duration_ms energy explicit id
        instrumentalness key liveness loudness mode name popularity release_date speechiness
        tempo""".split()
    ]
    for at, row in enumerate(_numbers(3, 9)):
        lines.append(
            [
                *(row[0], str(1921 + at), row[1], f"['Artist {at}', \"L'Autre\"]", row[2]),
                *(str(168_333 + at), row[3], str(at % 2), f"{at:021}x", row[4], str(at % 12)),
                *(row[5], f"-{row[6]}", "1", f"Tune {at}", str(at), f"{1921 + at}", row[7], row[8]),
            ]
        )
    return [_write(folder / "data.csv", lines)]


def spotify_1m(folder: Path) -> list[Path]:
    """Kaggle's table of a million rows, 2000-2023."""
    head = ["", "artist_name", "track_name", "track_id", "popularity", "year", "genre"]
    lines = [[*head, *_SOUND, "duration_ms", "time_signature"]]
    for at, row in enumerate(_numbers(4, len(_SOUND))):
        lines.append(
            [
                *(str(at), f"Artist {at}", f"Tune {at}", f"{at:021}x", str(at % 100)),
                *(str(2000 + at % 24), "acoustic", *row, str(240_166 + at), "4"),
            ]
        )
    return [_write(folder / "spotify_data.csv", lines)]


def gtzan(folder: Path) -> list[Path]:
    """GTZAN's features_30_sec.csv, in which a length is a number of samples."""
    single = """chroma_stft rms spectral_centroid spectral_bandwidth rolloff zero_crossing_rate
        harmony perceptr""".split()
    names = [f"{name}_{kind}" for name in single for kind in ("mean", "var")]
    names += ["tempo", *(f"mfcc{at}_{kind}" for at in range(1, 21) for kind in ("mean", "var"))]
    genres = ("blues", "classical", "country", "disco")
    lines = [["filename", "length", *names, "label"]]
    for at, row in enumerate(_numbers(5, len(names))):
        genre = genres[at % 4]
        lines.append([f"{genre}.{at:05}.wav", "661794", *row, genre])
    return [_write(folder / "features_30_sec.csv", lines)]


def magnatagatune(folder: Path) -> list[Path]:
    """MagnaTagATune's clips: Rhythm Patterns and descriptors in an archive, titles in a CSV."""
    values = np.random.default_rng(6)
    archive = folder / "features.npz"
    np.savez(
        archive,
        clip_id=np.arange(2, ROWS + 2),
        rp=values.random((ROWS, 1440)),
        ssd=values.random((ROWS, 168)),
    )
    lines = [["", "clip_id", "title", "artist", "album", "url"]]
    for at in range(ROWS):
        lines.append([str(at), str(at + 2), f"Tune {at}", f"Artist {at // 4}", "Album", ""])
    return [archive, _write(folder / "metadata.csv", lines)]


def mtg_jamendo(folder: Path) -> list[Path]:
    """MTG-Jamendo: frames of embeddings in a file for each track, and tables of tags and titles."""
    values = np.random.default_rng(7)
    tags = [["TRACK_ID", "ARTIST_ID", "ALBUM_ID", "PATH", "DURATION", "TAGS"]]
    named = [
        "TRACK_ID ARTIST_ID ALBUM_ID TRACK_NAME ARTIST_NAME ALBUM_NAME RELEASEDATE URL".split()
    ]
    for at in range(ROWS):
        track = at + 214
        path = folder / "discogs-effnet" / f"{track % 100:02}" / f"{track}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, values.normal(size=(at % 5 + 1, 1280)).astype(np.float32))
        ids = [f"track_{track:07}", f"artist_{at // 4:06}", f"album_{at // 4:06}"]
        length = f"{120 + at}.6"
        more = ["instrument---guitar", "mood/theme---happy"][: at % 3]
        tags.append([*ids, f"{track % 100:02}/{track}.mp3", length, "genre---rock", *more])
        url = f"http://www.jamendo.com/track/{track}"
        named.append([*ids, f"Tune {at}", f"Artist {at // 4}", "Album", "2004-12-28", url])
    files = [folder / "autotagging.tsv", folder / "raw.meta.tsv"]
    for path, lines in zip(files, (tags, named), strict=True):
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter="\t").writerows(lines)  # lines end in CR LF, as theirs do
    return [folder / "discogs-effnet", *files]


MAKERS: dict[str, Callable[[Path], list[Path]]] = {
    each.__name__: each
    for each in (
        *(fma, spotify_114k, spotify_160k, spotify_1m, gtzan, magnatagatune),
        *(mtg_jamendo, bliss_mixer, blissify, mstream),
    )
}
