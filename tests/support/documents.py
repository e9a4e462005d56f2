"""Small documents in the shape of AcousticBrainz's own, made up for tests."""

import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from pgsim.features.metrics import GENRE_LABELS

MOODS = ("acoustic", "aggressive", "electronic", "happy", "party", "relaxed", "sad")
KEYS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


@dataclass(frozen=True, slots=True)
class Document:
    """One document and the identity that a dump gives it by its name."""

    mbid: UUID
    number: int
    body: dict[str, Any]

    @property
    def line(self) -> str:
        """The document as a line of NDJSON, its identity beside its own keys."""
        return json.dumps({"mbid": str(self.mbid), "number": self.number, **self.body})


def mbid(recording: int) -> UUID:
    """The MBID of the recording of that number; they sort as the numbers do."""
    return UUID(int=0xC0FFEE00_0000_4000_8000_000000000000 + recording)


def low_level(
    recording: int, number: int = 0, *, lacks: Iterable[str] = (), **tags: Any
) -> Document:
    """A low-level document; the same arguments always make the same one.

    `lacks` names parts left out: mfcc, gfcc, key_key, bpm, onset_rate. A tag is given as a text, or
    as the list that it is in a document.
    """
    values = random.Random(f"low {recording} {number}")
    parts = {
        "lowlevel": {
            "mfcc": {"mean": [values.gauss(-20 * i, 15) for i in range(13)]},
            "gfcc": {"mean": [values.gauss(-10 * i, 15) for i in range(13)]},
        },
        "rhythm": {"bpm": values.uniform(60, 180), "onset_rate": values.uniform(0.5, 6)},
        "tonal": {
            "key_key": values.choice(KEYS),
            "key_scale": values.choice(["major", "minor"]),
        },
    }
    body = {
        part: {key: value for key, value in keys.items() if key not in lacks}
        for part, keys in parts.items()
    }
    tagged = {"title": f"Title {recording}", "artist": f"Artist {recording % 5}", **tags}
    return Document(mbid(recording), number, body | {"metadata": _metadata(values, tagged)})


def high_level(recording: int, number: int = 0, **tags: Any) -> Document:
    """A high-level document; the same arguments always make the same one."""
    values = random.Random(f"high {recording} {number}")
    models = {f"mood_{mood}": (mood, f"not_{mood}") for mood in MOODS}
    models["voice_instrumental"] = ("instrumental", "voice")
    for path, labels in GENRE_LABELS.items():
        models[path.split(".")[1]] = labels
    tagged = {"title": f"Title {recording}", "artist": f"Artist {recording % 5}", **tags}
    return Document(
        mbid(recording),
        number,
        {
            "highlevel": {model: _result(values, labels) for model, labels in models.items()},
            "metadata": _metadata(values, tagged),
        },
    )


def collection(recordings: int) -> list[Document]:
    """Documents of so many recordings: up to three submissions each, some of one level only."""
    documents = []
    for recording in range(recordings):
        for number in range(1 + recording % 3):
            title = f"Title {recording}{' (live)' if number else ''}"
            tags = {"title": title, "date": str(1960 + recording % 60), "genre": f"tag {number}"}
            lacks = ["onset_rate"] if recording % 4 == 1 else []
            if recording % 7 != 3:
                documents.append(low_level(recording, number, lacks=lacks, **tags))
            if recording % 5 != 2 or recording % 7 == 3:
                documents.append(high_level(recording, number, **tags))
    return documents


def write_lines(path: Path, documents: Iterable[Document]) -> Path:
    """Write documents to an .ndjson file, in the order given; returns the file."""
    path.write_text("".join(f"{each.line}\n" for each in documents))
    return path


def write_folder(folder: Path, documents: Iterable[Document]) -> Path:
    """Write documents as a dump lays them out: <level>/<2 hex>/<1 hex>/<mbid>-<n>.json."""
    for each in documents:
        name = str(each.mbid)
        level = "highlevel" if "highlevel" in each.body else "lowlevel"
        path = folder / level / name[:2] / name[2] / f"{name}-{each.number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(each.body))
    return folder


def _result(values: random.Random, labels: tuple[str, ...]) -> dict[str, Any]:
    shares = [values.expovariate(1) for _ in labels]
    probabilities = {
        label: share / sum(shares) for label, share in zip(labels, shares, strict=True)
    }
    best = max(labels, key=lambda label: probabilities[label])
    return {"all": probabilities, "value": best, "probability": probabilities[best]}


def _metadata(values: random.Random, tags: dict[str, Any]) -> dict[str, Any]:
    return {
        "audio_properties": {"length": values.uniform(120, 400)},
        "tags": {name: [tag] if isinstance(tag, str) else tag for name, tag in tags.items()},
    }
