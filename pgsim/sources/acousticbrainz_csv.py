"""AcousticBrainz's feature CSVs: three files with a few numbers of each submission."""

import csv
import re
from functools import lru_cache
from typing import Any, NamedTuple

from pgsim.errors import Rejected, UsageError
from pgsim.features.profile import Profile

# Each column's place in a low-level document.
_PLACES = {
    "lowlevel": {
        "average_loudness": "lowlevel.average_loudness",
        "dynamic_complexity": "lowlevel.dynamic_complexity",
        "mfcc_zero_mean": "lowlevel.mfcc_zero_mean",
    },
    "rhythm": {
        "bpm": "rhythm.bpm",
        "bpm_histogram_first_peak_bpm_mean": "rhythm.bpm_histogram_first_peak_bpm.mean",
        "bpm_histogram_first_peak_bpm_median": "rhythm.bpm_histogram_first_peak_bpm.median",
        "bpm_histogram_second_peak_bpm_mean": "rhythm.bpm_histogram_second_peak_bpm.mean",
        "bpm_histogram_second_peak_bpm_median": "rhythm.bpm_histogram_second_peak_bpm.median",
        "danceability": "rhythm.danceability",
        "onset_rate": "rhythm.onset_rate",
    },
    "tonal": {
        "key_key": "tonal.key_key",
        "key_scale": "tonal.key_scale",
        "tuning_frequency": "tonal.tuning_frequency",
        "tuning_equal_tempered_deviation": "tonal.tuning_equal_tempered_deviation",
    },
}
_TEXTS = {"key_key", "key_scale"}
_KEYS = ["mbid", "submission_offset"]
_START = ",".join(_KEYS).encode()
_ROW = re.compile(r"\.csv(?:\.gz|\.bz2|\.xz|\.zst)?:[0-9]+$", re.IGNORECASE)


class Columns(NamedTuple):
    """The columns of a file: which of the three it is, and each column's name and place."""

    part: str
    names: tuple[str, ...]
    places: tuple[tuple[str, ...], ...]


def is_header(line: bytes) -> bool:
    """Return whether a file whose first line is `line` is one of the three."""
    return line.removeprefix(b"\xef\xbb\xbf").startswith(_START)


def is_row(name: str) -> bool:
    """Return whether a member of that name is a row of a CSV."""
    return not name.endswith(".json") and bool(_ROW.search(name))  # asked of every document


def read_row(data: bytes, name: str, profile: Profile) -> tuple[str, dict[str, Any]]:
    """Return a row as (kind of document, document with `mbid` and `number`).

    `data` is the header and the row. Rejected if the row is faulty; UsageError if the profile uses
    none of the columns, since a load should not reject ten million rows one by one.
    """
    header, _, line = data.partition(b"\n")
    columns = _columns(header, profile, name.rpartition(":")[0])
    try:
        (row,) = csv.reader([line.decode()], strict=True)
    except UnicodeDecodeError as error:
        raise Rejected(f"not UTF-8: {error.reason} at byte {error.start}") from None
    except (csv.Error, ValueError) as error:
        raise Rejected(f"not CSV: {error}") from None
    if len(row) != len(columns.names):
        raise Rejected(f"{len(row)} fields; the header has {len(columns.names)}")
    mbid, number, *values = row
    if not number.isascii() or not number.isdigit():
        raise Rejected(f"submission_offset {number!r:.60} is not a number")
    document: dict[str, Any] = {"mbid": mbid, "number": int(number[:20])}
    for column, place, value in zip(columns.names[2:], columns.places, values, strict=True):
        if value and place:
            *outer, last = place
            table = document
            for key in outer:
                table = table.setdefault(key, {})
            table[last] = value if column in _TEXTS else _number(column, value)
    return f"{columns.part}.csv", document


@lru_cache(maxsize=16)
def _columns(header: bytes, profile: Profile, file: str) -> Columns:
    names = header.decode("utf-8-sig", "replace").strip().split(",")
    if names[:2] != _KEYS:
        raise Rejected(f"not a feature CSV: its header does not begin with {','.join(_KEYS)}")
    places = {column: place for part in _PLACES.values() for column, place in part.items()}
    known = [places.get(column, "") for column in names[2:]]
    wanted = {path for each in profile.sets for path in each.paths}
    if not wanted & set(known):
        raise UsageError(
            f"{file}: none of its columns {', '.join(names[2:])} is in a"
            f" feature set of profile '{profile.name}'; load it into a database that takes them,"
            " made by: pgsim --database NAME init --profile acousticbrainz_csv"
        )
    part = next(part for part, columns in _PLACES.items() if set(columns) & set(names[2:]))
    return Columns(part, tuple(names), tuple(tuple(p.split(".")) if p else () for p in known))


def _number(column: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise Rejected(f"{column} {value!r:.60} is not a number") from None
