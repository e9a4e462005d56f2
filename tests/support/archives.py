"""Archives in the shape of AcousticBrainz's dumps, of any size, for benchmarks and tests.

Like the genuine documents: the layout of the dumps, the names of all fields, the lengths of lists,
the digits of a number (12), the names of tags in MP3 and Vorbis files, the versions of the
extractor, roughly the length of a document (high level 9.4 KB, low level 52 KB) and how well it
compresses. Like the dumps: an MBID has about four submissions, unequally spread, which follow one
another over all archives. No values are genuine: numbers are random, and titles and names are made
of syllables.

    python -m tests.support.archives FOLDER --level highlevel --documents 100000 --archives 3
"""

import argparse
import io
import random
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import orjson
import zstandard

from pgsim.features.metrics import CLASSIFIERS

DATE = "20220623"
LEVELS = ("highlevel", "lowlevel")
NEW = 0.26  # the share of documents that are an MBID's first: 7.5 M of 29.5 M
JUNK = 0.002  # the share that cannot be loaded
REPEATED = 0.01  # the share of further submissions that say exactly what the last one did

_STATISTICS = ("max", "min", "var", "dvar", "mean", "dmean", "dvar2", "dmean2", "median")
# Of each part of a low-level document: lists of which the statistics are given, with their length;
# and single numbers of which they are.
_LISTS = {
    "tonal": {"hpcp": 36},
    "rhythm": {"beats_loudness_band_ratio": 6},
    "lowlevel": {
        "erbbands": 40,
        "melbands": 40,
        "barkbands": 27,
        "spectral_contrast_coeffs": 6,
        "spectral_contrast_valleys": 6,
    },
}
_NUMBERS = {
    "tonal": ("hpcp_entropy", "chords_strength"),
    "rhythm": (
        "beats_loudness",
        *(
            f"bpm_histogram_{peak}_peak_{what}"
            for peak in ("first", "second")
            for what in ("bpm", "spread", "weight")
        ),
    ),
    "lowlevel": (
        *(
            f"{bands}_{what}"
            for bands in ("barkbands", "erbbands", "melbands")
            for what in ("crest", "flatness_db", "kurtosis", "skewness", "spread")
        ),
        *(
            f"spectral_{what}"
            for what in (
                "centroid complexity decrease energy energyband_high energyband_low"
                " energyband_middle_high energyband_middle_low entropy flux kurtosis rms rolloff"
                " skewness spread strongpeak"
            ).split()
        ),
        *(f"silence_rate_{level}dB" for level in (20, 30, 60)),
        "dissonance",
        "hfc",
        "pitch_salience",
        "zerocrossingrate",
    ),
}
_EXTRACTOR = {
    "essentia": "2.1-beta1",
    "essentia_build_sha": "0123456789abcdef0123456789abcdef01234567",
    "essentia_git_sha": "v2.1_beta1-7-g0123456",
    "extractor": "music 1.0",
}
_CLASSIFIER = {
    **_EXTRACTOR,
    "gaia": "2.4-dev",
    "gaia_git_sha": "0123456",
    "models_essentia_git_sha": "v2.1_beta1",
}
_KEYS = ("A", "A#", "B", "C", "C#", "D", "D#", "E", "F", "F#", "G", "G#")
_GENRES = ("Rock", "Jazz", "Classical", "Electronic", "Hip Hop", "Unknown", "null", "Trombone")
_SYLLABLES = "ka lo mi ren tu sa vel dor qui nes ba phi ost ja wu ze ärt ø ni то".split()


def documents(level: str, count: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """`count` documents of a level and their names in an archive, in the order of submission.

    The same arguments give the same documents, and those of both levels have the same names.
    """
    who = random.Random(seed)
    values = random.Random(f"{level} {seed}")
    make = {"highlevel": _high_level, "lowlevel": _low_level}[level]
    known: list[UUID] = []
    numbers: Counter[UUID] = Counter()
    last = b""
    for _ in range(count):
        # An earlier document's MBID is drawn, not an earlier MBID: the much submitted become more.
        is_new = not known or who.random() < NEW
        mbid = UUID(int=who.getrandbits(128), version=4) if is_new else who.choice(known)
        known.append(mbid)
        name = f"{mbid}-{numbers[mbid]}.json"
        numbers[mbid] += 1
        if last and values.random() < REPEATED:
            data = last
        else:
            data = last = orjson.dumps(make(values, mbid))
        if values.random() < JUNK:
            data = values.choice([b'{"highlevel": {}, "metadata": null}', b"", data[:999], b"[]"])
        yield f"{level}/{name[:2]}/{name[2]}/{name}", data


def write_archives(
    folder: Path, level: str, count: int, archives: int = 1, seed: int = 0
) -> list[Path]:
    """Write `count` documents to so many `.tar.zst` in `folder`, named as the dumps are."""
    stream = documents(level, count, seed)
    paths = []
    for index in range(archives):
        root = f"acousticbrainz-{level}-json-{DATE}"
        path = folder / f"{root}-{index}.tar.zst"
        size = count * (index + 1) // archives - count * index // archives
        with (
            path.open("wb") as file,
            zstandard.ZstdCompressor(level=10).stream_writer(file) as compressed,
            tarfile.open(fileobj=compressed, mode="w|") as archive,
        ):
            _add(archive, f"{root}/COPYING", b"Made up for tests and benchmarks.\n")
            for _, (name, data) in zip(range(size), stream, strict=False):
                _add(archive, f"{root}/{name}", data)
        paths.append(path)
    return paths


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    header = tarfile.TarInfo(name)
    header.size = len(data)
    header.mtime = 1655942400
    archive.addfile(header, io.BytesIO(data))


def _number(values: random.Random, scale: float = 1.0) -> float:
    return float(f"{values.gauss(0, 1) * scale:.12g}")


def _high_level(values: random.Random, mbid: UUID) -> dict[str, Any]:
    return {
        "highlevel": {model: _result(values, labels) for model, labels in CLASSIFIERS.items()},
        "metadata": _metadata(values, mbid, {"highlevel": _CLASSIFIER, "lowlevel": _EXTRACTOR}),
    }


def _result(values: random.Random, labels: tuple[str, ...]) -> dict[str, Any]:
    shares = [values.expovariate(1) ** 2 + 1e-6 for _ in labels]
    total = sum(shares)
    every = {name: round(share / total, 12) for name, share in zip(labels, shares, strict=True)}
    best = max(every, key=lambda label: every[label])
    return {"all": every, "probability": every[best], "value": best, "version": _CLASSIFIER}


def _low_level(values: random.Random, mbid: UUID) -> dict[str, Any]:
    numbers = np.random.default_rng(values.getrandbits(64))

    def some(*shape: int) -> Any:
        return numbers.lognormal(-3, 2, shape).round(12).tolist()

    parts: dict[str, dict[str, Any]] = {
        part: {
            **{name: {what: some(size) for what in _STATISTICS} for name, size in lists.items()},
            **{name: dict(zip(_STATISTICS, some(9), strict=True)) for name in _NUMBERS[part]},
        }
        for part, lists in _LISTS.items()
    }
    parts["lowlevel"] |= {
        "mfcc": {"mean": _cepstrum(values, -600), "cov": some(13, 13), "icov": some(13, 13)},
        "gfcc": {"mean": _cepstrum(values, 30), "cov": some(13, 13), "icov": some(13, 13)},
        "average_loudness": values.random(),
        "dynamic_complexity": values.uniform(1, 8),
    }
    beats = values.randrange(200, 500)
    parts["rhythm"] |= {
        "bpm": round(values.uniform(60, 180), 10),
        "onset_rate": round(values.uniform(0.5, 7), 11),
        "danceability": round(values.uniform(0.5, 2), 11),
        "beats_count": beats,
        "beats_position": np.cumsum(numbers.uniform(0.3, 0.8, beats)).round(11).tolist(),
    }
    parts["tonal"] |= {
        "thpcp": some(36),
        "chords_histogram": some(24),
        "key_key": values.choice(_KEYS),
        "key_scale": values.choice(["major", "minor"]),
        "key_strength": values.random(),
        "chords_key": values.choice(_KEYS),
        "chords_scale": values.choice(["major", "minor"]),
        "chords_changes_rate": values.random(),
        "chords_number_rate": values.random(),
        "tuning_frequency": round(values.gauss(440, 3), 9),
        "tuning_diatonic_strength": values.random(),
        "tuning_equal_tempered_deviation": values.random(),
        "tuning_nontempered_energy_ratio": values.random(),
    }
    return {**parts, "metadata": _metadata(values, mbid, _EXTRACTOR)}


def _cepstrum(values: random.Random, first: float) -> list[float]:
    return [_number(values, 60) + first, *(_number(values, 30 / (1 + i)) for i in range(12))]


def _metadata(values: random.Random, mbid: UUID, version: dict[str, Any]) -> dict[str, Any]:
    artist, album, title = (_words(values) for _ in range(3))
    is_mp3 = values.random() < 0.4

    def some_id() -> list[str]:
        return [str(UUID(int=values.getrandbits(128), version=4))]

    year = values.randrange(1955, 2022)
    date = values.choice([f"{year}", f"{year}-0{values.randrange(1, 10)}-15", f"{year}.01.02"])
    album_words = "musicbrainz album " if is_mp3 else "release"
    tags: dict[str, Any] = {
        "acoustid_id": some_id(),
        "album": [album],
        "albumartist": [artist],
        "albumartistsort": [artist],
        "artist": [artist],
        "artists": [artist],
        "artistsort": [artist],
        "barcode": [str(values.randrange(10**12))],
        "date": [date],
        "discnumber": ["1/1"],
        "file_name": f"{values.randrange(20):02} {title}.{'mp3' if is_mp3 else 'flac'}",
        "label": [_words(values)],
        "media": ["CD"],
        f"{album_words}status": ["official"],
        f"{album_words}type": ["album"],
        f"{album_words}country": [values.choice(["DE", "US", "GB", "JP", "XW"])],
        "musicbrainz_albumartistid": (artist_id := some_id()),
        "musicbrainz_albumid": some_id(),
        "musicbrainz_artistid": artist_id,
        "musicbrainz_recordingid": [str(mbid)],
        "musicbrainz_releasegroupid": some_id(),
        "musicbrainz release track id" if is_mp3 else "musicbrainz_releasetrackid": some_id(),
        "originaldate": [date],
        "replaygain_album_gain": [f"{values.gauss(-6, 3):.2f} dB"],
        "replaygain_album_peak": [f"{values.random():.6f}"],
        "replaygain_track_gain": [f"{values.gauss(-6, 3):.2f} dB"],
        "replaygain_track_peak": [f"{values.random():.6f}"],
        "script": ["Latn"],
        "title": [title],
        "totaldiscs": ["1"],
        "tracknumber": [f"{values.randrange(1, 20)}/20"],
    }
    if values.random() < 0.85:
        tags["genre"] = values.sample(_GENRES, values.choice([1, 1, 1, 2]))
    for rare in ("title", "artist", "date", "originaldate"):
        if values.random() < 0.02:
            del tags[rare]
    return {
        "audio_properties": {
            "analysis_sample_rate": 44100,
            "bit_rate": 320000 if is_mp3 else 0,
            "codec": "mp3" if is_mp3 else "flac",
            "downmix": "mix",
            "equal_loudness": 0,
            "length": round(values.gauss(240, 60), 9),
            "lossless": int(not is_mp3),
            "md5_encoded": f"{values.getrandbits(128):032x}",
            "replay_gain": _number(values, 5),
        },
        "tags": dict(sorted(tags.items())),
        "version": version,
    }


def _words(values: random.Random) -> str:
    words = (
        "".join(values.choices(_SYLLABLES, k=values.randrange(1, 4)))
        for _ in range(values.randrange(1, 4))
    )
    return " ".join(words).title()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--level", choices=LEVELS, default="highlevel")
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--archives", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    words = parser.parse_args()
    words.folder.mkdir(parents=True, exist_ok=True)
    for path in write_archives(
        words.folder, words.level, words.documents, words.archives, words.seed
    ):
        print(path)


if __name__ == "__main__":
    main()
