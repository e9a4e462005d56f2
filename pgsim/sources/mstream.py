"""mStream's snapshots of its discovery data: SQLite, an embedding for each track.

A snapshot says which model made its embeddings, and under which licence they are. Two files of one
recording share its MBID: they are submissions of one recording, numbered in the snapshot's order.
"""

from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import orjson

from pgsim.errors import Rejected
from pgsim.features.profile import Profile
from pgsim.features.reading import extract
from pgsim.sources import sqlite
from pgsim.sources.metadata import genre_labels, length_of
from pgsim.sources.provenance import require_one_of
from pgsim.sources.streams.files import Member
from pgsim.sources.submission import Submission, own_mbid
from pgsim.sources.tables import mbid_in
from pgsim.sources.text import Repairs

if TYPE_CHECKING:
    from sqlite3 import Connection

name = "mstream"

PATH = "embedding"
_NEEDED = ("export_id", "recording_mbid", "acoustid_id", "model_id", "model_version", PATH)
_DTYPE = "float32le"
# What a recording keeps in `extra`, and where it comes from.
_EXTRA = {"bpm": "bpm", "key": "musical_key", "danceability": "danceability"}
_META = {"license": "embedding_model_license", "attribution": "embedding_model_attribution"}
_LABELS = {"genre": "genre_tags", "mood": "mood_tags"}
_KNOWN = (*_NEEDED, "title", "artist", "duration", *_EXTRA.values(), *_LABELS.values())


def accepts(path: Path) -> bool:
    """Return whether a file is a snapshot, judging by its first bytes and its tables."""
    tables = sqlite.tables_of(path)
    return {*_NEEDED} <= {*tables.get("tracks", ())} and "key" in tables.get("meta", ())


def members(path: Path) -> Iterator[Member]:
    """Yield the tracks of a snapshot."""
    return sqlite.members(path, _documents)


def submission(member: Member, profile: Profile) -> Submission:
    """Return the submission in one track; Rejected says why there is none.

    OriginError, which ends a load, if the profile is for none of the models in the snapshot.
    """
    if member.fault:
        raise Rejected(member.fault)
    track: dict[str, Any] = orjson.loads(member.data)
    embedding = track[PATH]
    if embedding is None:
        raise Rejected("not analysed: mStream has no embedding of it yet")
    require_one_of(track["extractors"], track["extractor"], profile, member.name)
    numbers = _numbers(embedding, track["meta"])
    lengths = [each.length for each in profile.sets if PATH in each.paths]
    if lengths and len(numbers) != lengths[0]:
        raise Rejected(f"{len(numbers)} dimensions; profile '{profile.name}' has {lengths[0]}")
    features = extract({PATH: numbers}, profile)
    if np.isnan(features).all():
        why = "it is 0 in every dimension" if lengths else f"that is at the path '{PATH}'"
        raise Rejected(f"no feature set of profile '{profile.name}' in the embedding: {why}")
    repairs = Repairs()
    mbid, source_id = _identity(track, repairs)
    labels = {scheme: _labels(track.get(column), repairs) for scheme, column in _LABELS.items()}
    extra = {key: track.get(column) for key, column in _EXTRA.items()}
    extra |= {key: track["meta"].get(column) for key, column in _META.items()}
    extra["model"] = track["extractor"]
    metadata: dict[str, Any] = {
        "source_id": source_id,
        **{key: repairs.text(str(track.get(key) or "")) for key in ("title", "artist")},
        "length": length_of(track.get("duration")),
        "labels": {scheme: found for scheme, found in labels.items() if found},
        "extra": repairs.value({key: value for key, value in extra.items() if value is not None}),
    }
    return Submission(
        mbid,
        name,
        track["number"],
        "track",
        features,
        {key: value for key, value in metadata.items() if value},
        repairs.count,
    )


def extractor_name(model: Any, version: Any) -> str | None:
    """Return the name of a model in its version, as profiles name it; None if there is none."""
    return " ".join(str(each) for each in (model, version) if each) or None


def models_in(path: Path) -> list[tuple[str | None, int, int]]:
    """Return the extractor and the bytes of the embeddings, and how many are so, most first.

    The model that the snapshot itself names comes before others.
    """
    with sqlite.opened(path) as connection:
        meta = _meta(connection)
        own = extractor_name(meta.get("embedding_model_id"), meta.get("embedding_model_version"))
        found = [
            (extractor_name(model, version) or own, size, count)
            for model, version, size, count in connection.execute(
                f"SELECT model_id, model_version, length({PATH}), count(*) FROM tracks"
                f" WHERE typeof({PATH}) = 'blob' GROUP BY 1, 2, 3"
            )
        ]
    return sorted(found, key=lambda each: (each[0] != own, -each[2], str(each[0]), each[1]))


def _documents(connection: "Connection") -> Iterator[tuple[str, sqlite.Row]]:
    meta = _meta(connection)
    own = extractor_name(meta.get("embedding_model_id"), meta.get("embedding_model_version"))
    models = connection.execute(
        f"SELECT DISTINCT model_id, model_version FROM tracks WHERE {PATH} IS NOT NULL"
    ).fetchall()
    extractors = sorted({extractor_name(*each) or own or "" for each in models})
    kept = {key: meta.get(key) for key in (*_META.values(), "embedding_dtype")}
    seen: Counter[Any] = Counter()
    there = sqlite.tables_in(connection)["tracks"]
    columns = ", ".join(each for each in _KNOWN if each in there)
    query = f"SELECT rowid AS at, {columns} FROM tracks ORDER BY rowid"
    for track in sqlite.rows_of(connection, query):
        same = track["recording_mbid"] or track["acoustid_id"] or track["export_id"]
        blob = track[PATH]
        yield (
            str(track.pop("at")),
            {
                **track,
                PATH: {"blob": b64encode(blob).decode()} if isinstance(blob, bytes) else blob,
                "number": seen[same],
                "extractor": extractor_name(track["model_id"], track["model_version"]) or own,
                "extractors": extractors,
                "meta": kept,
            },
        )
        seen[same] += blob is not None


def _meta(connection: "Connection") -> dict[str, Any]:
    return dict(connection.execute("SELECT key, value FROM meta").fetchall())


def _numbers(embedding: Any, meta: dict[str, Any]) -> list[float]:
    """Return the numbers of a blob."""
    if not isinstance(embedding, dict):
        raise Rejected(f"embedding {embedding!r:.60} is no blob")
    if (dtype := meta["embedding_dtype"]) not in (None, _DTYPE):
        raise Rejected(f"embedding_dtype {dtype!r:.60} is unknown; the known one is {_DTYPE}")
    data = b64decode(embedding["blob"])
    if not data or len(data) % 4:
        raise Rejected(f"an embedding of {len(data)} bytes; a float32 has 4")
    numbers: list[float] = np.frombuffer(data, "<f4").tolist()
    return numbers


def _identity(track: dict[str, Any], repairs: Repairs) -> tuple[UUID, str | None]:
    """Return the MBID, the track's own or one made of another id, and that id."""
    if text := track["recording_mbid"]:
        if mbid := mbid_in(str(text)):
            return mbid, None
        raise Rejected(f"recording_mbid {text!r:.60} is not a UUID")
    own = repairs.text(str(track["acoustid_id"] or track["export_id"] or ""))
    if not own:
        raise Rejected("no id: nothing in recording_mbid, acoustid_id and export_id")
    return own_mbid(name, own), own


def _labels(cell: Any, repairs: Repairs) -> list[str]:
    """Return the labels in a JSON array of texts."""
    if cell is None or cell == "":
        return []
    try:
        texts = orjson.loads(cell)
    except (orjson.JSONDecodeError, TypeError):
        texts = None
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise Rejected(f"{cell!r:.60} is not a JSON array of labels")
    found = (label for text in texts for label in genre_labels(repairs.text(text)))
    return [*dict.fromkeys(found)]
