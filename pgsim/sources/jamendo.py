"""MTG-Jamendo's tables of tracks: `autotagging.tsv`, its splits, `raw_30s.tsv` and `raw.meta.tsv`.

A line has any number of tags behind its other cells, such as `mood/theme---happy`: they are labels
of the schemes genre, instrument and mood. The features of a track come from a file of its number,
as MTG-Jamendo names them: `14/214.npy` belongs to `track_0000214`.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pgsim.errors import Rejected, UsageError
from pgsim.features.profile import Profile
from pgsim.sources import tables
from pgsim.sources.cells import seconds_of
from pgsim.sources.metadata import length_of, year_of
from pgsim.sources.streams import files
from pgsim.sources.streams.files import Member, csv_lines
from pgsim.sources.submission import Submission, own_mbid
from pgsim.sources.text import Repairs

name = "jamendo"

_KEYS = ("TRACK_ID", "ARTIST_ID", "ALBUM_ID")
_TAGS = "TAGS"  # the last column
_TEXTS = {"title": "TRACK_NAME", "artist": "ARTIST_NAME", "album": "ALBUM_NAME", "url": "URL"}
_TRACK = re.compile(r"track_0*([0-9]+)")
_READERS = {"tsv": csv_lines, "csv": csv_lines}


def accepts(path: Path) -> bool:
    """Return whether a file is such a table, judging by its first line."""
    if not files.is_known(path, _READERS):
        return False
    header = files.first_line(path).decode(errors="replace")
    return tuple(_cells(header.rstrip("\r\n"))[:3]) == _KEYS


def members(path: Path) -> Iterator[Member]:
    """Yield each track's line, behind the header."""
    return files.members(path, _READERS)


def submission(member: Member, profile: Profile) -> Submission:
    """Return the submission in one line, which has no features; Rejected says why there is none.

    UsageError if the profile names no own id, since features could not meet the line then.
    """
    own = dict(profile.columns).get("id")
    if own is None:
        raise UsageError(
            f"profile '{profile.name}' has no [columns] with an 'id', by which a line of"
            f" {member.name.partition(':')[0]} could meet features; the profile of a folder of"
            " embeddings has: pgsim init --profile FOLDER"
        )
    if member.fault:
        raise Rejected(member.fault)
    try:
        header, cells = map(_cells, member.data.decode().splitlines()[:2])
    except UnicodeDecodeError:
        raise Rejected("not UTF-8") from None
    needed = [column for column in header if column != _TAGS]
    if len(cells) < len(needed):
        raise Rejected(f"{len(cells)} cells; the header has {len(header)}")
    row = dict(zip(needed, cells, strict=False))
    track = _TRACK.fullmatch(row["TRACK_ID"])
    if track is None:
        raise Rejected(f"TRACK_ID {row['TRACK_ID']!r:.60} is not such as track_0000214")
    source_id = track[0] if own == "TRACK_ID" else track[1]
    repairs = Repairs()
    tags = cells[len(needed) :] if _TAGS in header else []
    metadata: dict[str, Any] = {
        "source_id": source_id,
        **{key: repairs.text(row.get(column, "")) for key, column in _TEXTS.items()},
        "year": year_of(row.get("RELEASEDATE", "")),
        "length": length_of(seconds_of(row.get("DURATION"))),
        "labels": _labels(tags, repairs),
    }
    source = f"{tables.name}:{profile.name}"
    return Submission(
        own_mbid(source, source_id),
        source,
        0,
        member.name.rpartition(":")[0],
        np.full(profile.dimensions, np.nan, np.float32),
        {key: value for key, value in metadata.items() if value},
        repairs.count,
    )


def _labels(tags: list[str], repairs: Repairs) -> dict[str, list[str]]:
    """Return the labels of each scheme; Rejected for a tag that names none."""
    found: dict[str, dict[str, None]] = {}
    for tag in filter(None, map(repairs.text, tags)):
        category, is_tag, labels = tag.partition("---")
        if not is_tag:
            raise Rejected(f"{tag!r:.60} is not a tag such as genre---rock")
        scheme = category.partition("/")[0]
        found.setdefault(scheme, {}).update(dict.fromkeys(filter(None, labels.split(","))))
    return {scheme: [*labels] for scheme, labels in found.items()}


def _cells(line: str) -> list[str]:
    """Return the cells of a line; a quote that does not close belongs to its cell."""
    text = line.removeprefix("\ufeff")
    plain = text.split("\t")
    try:
        quoted = next(csv.reader([text], delimiter="\t"), plain) if '"' in text else plain
    except csv.Error:
        return plain
    return quoted if len(quoted) == len(plain) else plain
