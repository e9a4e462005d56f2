"""AudioMuse-AI's tracks: the pages of its `/api/sync` in JSON or NDJSON, and rows of its database.

A page is {"tracks": [...]}; a line of NDJSON is a page or a track. An embedding is a list of
numbers, or float32 in base64: MusiCNN's at the path `embedding`, and CLAP's at `clap_embedding`.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from pgsim.errors import Rejected
from pgsim.features.profile import Profile
from pgsim.features.reading import extract
from pgsim.sources.metadata import genre_labels, length_of, year_of
from pgsim.sources.provenance import require_origin
from pgsim.sources.streams import files
from pgsim.sources.streams.files import Member
from pgsim.sources.submission import Submission, own_mbid
from pgsim.sources.text import Repairs

name = "audiomuse"

EMBEDDINGS = ("embedding", "clap_embedding")
_KINDS = ("json", "ndjson")
_BEGINNING = 4096  # bytes: where JSON runs over lines, these hold the first keys
# The first keys of a page, and of a track; Flask sorts them. AcousticBrainz's documents, which have
# an MBID as their name, are not even looked into.
_PAGE = re.compile(rb'\s*\{\s*"(?:has_more|next_page|provider_type|total_tracks|tracks)"\s*:')
_TRACK = re.compile(rb'\s*\{\s*"(?:album|album_artist|artist|author|item_id|id|title)"\s*:')
_OWN = re.compile(rb'"(?:clap_embedding|embedding|fp|mood_vector|other_features)"\s*:')
_MBID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def accepts(path: Path) -> bool:
    """Return whether a file has tracks of AudioMuse-AI, judging by how it begins."""
    if files.kind_of(path) not in _KINDS or _MBID.match(path.name):
        return False
    start = files.beginning(path, _BEGINNING)
    return bool(_PAGE.match(start) or (_TRACK.match(start) and _OWN.search(start)))


def members(path: Path) -> Iterator[Member]:
    """Yield the tracks of a file, one by one."""
    if files.kind_of(path) == "ndjson" and _runs_over_lines(path):
        fault = (
            "JSON that runs over lines, and NDJSON has a document on each line: name it .json if it"
            " is one page, or write each on a line: jq -c ."
        )
        yield Member(files.storable(path.name), b"", fault)
        return
    for member in files.members(path):
        tracks = _tracks(member)
        if tracks is None:
            yield member
            continue
        for number, track in enumerate(tracks, 1):
            yield Member(f"{member.name}:{number}", orjson.dumps(track), at=member.at)


def submission(member: Member, profile: Profile) -> Submission:
    """Return the submission in one track; Rejected says why there is none.

    OriginError, which ends a load, if the profile is for a different extractor.
    """
    if member.fault:
        raise Rejected(member.fault)
    try:
        track = orjson.loads(member.data)
    except orjson.JSONDecodeError as error:
        raise Rejected(f"not JSON: {error}") from None
    if not isinstance(track, dict):
        raise Rejected("not a track: it is no object")
    repairs = Repairs()
    source_id = _text(track, ("item_id", "id"), repairs)
    if not source_id:
        raise Rejected("not a track: it has neither item_id nor id")
    require_origin({"extractor": name}, profile, member.name)
    vectors = {key: _vector(track[key], key) for key in EMBEDDINGS if track.get(key) is not None}
    features = extract({**track, **vectors}, profile)
    metadata = _metadata(track, repairs)
    if not metadata and np.isnan(features).all():
        raise Rejected(
            f"nothing in it for profile '{profile.name}', neither an embedding nor a title: ask for"
            " the pages without fields=index"
        )
    metadata["source_id"] = source_id
    mbid = own_mbid(name, source_id)
    return Submission(mbid, name, 0, "track", features, metadata, repairs.count)


def _runs_over_lines(path: Path) -> bool:
    """Return whether the first line of a file is no JSON, since its document goes on below."""
    return files.beginning(path, _BEGINNING).partition(b"\n")[0].strip() in (b"{", b"[", b"")


def _tracks(member: Member) -> list[Any] | None:
    """Return the tracks of a page; None if the member is no page."""
    if b'"tracks"' not in member.data:
        return None
    try:
        page = orjson.loads(member.data)
    except orjson.JSONDecodeError:
        return None
    tracks = page.get("tracks") if isinstance(page, dict) else None
    return tracks if isinstance(tracks, list) else None


def _vector(value: Any, key: str) -> Any:
    """Return an embedding as a list of numbers; anything but base64 is returned as it is."""
    if not isinstance(value, str):
        return value
    try:
        data = b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Rejected(f"{key} is not base64 of float32 numbers") from None
    if len(data) % 4:
        raise Rejected(f"{key} has {len(data)} bytes; float32 numbers have 4 each")
    return np.frombuffer(data, "<f4").tolist()


def _metadata(track: dict[str, Any], repairs: Repairs) -> dict[str, Any]:
    """Return a track's metadata; a key is left out if there is nothing for it."""
    moods = _scored(track.get("other_features"))
    labels = {
        "tag": [
            each for label in _scored(track.get("mood_vector")) for each in genre_labels(label)
        ],
        # Similarities to words, all of them near to 0.5: only which one is the largest says much.
        "mood": moods[:1],
    }
    found = {
        "title": _text(track, ("title",), repairs),
        "artist": _text(track, ("author", "artist"), repairs),
        "album": _text(track, ("album",), repairs),
        "year": year_of(_text(track, ("year",), repairs)),
        "length": length_of(track.get("duration")),
        "labels": {scheme: [*map(repairs.text, each)] for scheme, each in labels.items() if each},
    }
    return {key: value for key, value in found.items() if value}


def _text(track: dict[str, Any], keys: tuple[str, ...], repairs: Repairs) -> str:
    """Return the first of these keys' values as a text; empty if there is none."""
    values = (track.get(key) for key in keys)
    return next((repairs.text(str(each)) for each in values if type(each) in (str, int)), "")


def _scored(text: Any) -> list[str]:
    """Return the labels of a text such as `rock:0.61,pop:0.33`, the highest score first.

    A score of 0 is that of a label that has not been measured.
    """
    found: dict[str, float] = {}
    for part in text.split(",") if isinstance(text, str) else ():
        label, _, score = part.rpartition(":")
        try:
            if label.strip() and float(score) > 0:
                found[label.strip()] = float(score)
        except ValueError:
            continue
    return sorted(found, key=found.__getitem__, reverse=True)
