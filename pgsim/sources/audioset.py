"""AudioSet and YouTube-8M: TFRecord files with an embedding for every second, or with their mean.

Labels are numbers in these files. A CSV that comes with the data set names them; it has to lie
beside the files or in a folder above them.
"""

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgsim.errors import Rejected
from pgsim.features.profile import Profile
from pgsim.features.reading import extract
from pgsim.regular_file import open_regular, text_lines
from pgsim.sources.provenance import require_origin
from pgsim.sources.streams import files
from pgsim.sources.streams.files import Member, SourceError
from pgsim.sources.submission import LARGEST_NUMBER, Submission, own_mbid
from pgsim.sources.tfrecord import (
    RECORD_READERS,
    Feature,
    SequenceExample,
    WireError,
    parse_sequence_example,
)

name = "audioset"

EXTRACTOR = "vggish"
# The scheme of the labels that are genres of music. The data set's own scheme has all labels.
GENRE_SCHEME = "music_genre"


@dataclass(frozen=True, slots=True)
class _DataSet:
    """The keys of a data set's records, and the file and columns of its list of labels.

    An embedding stands in each step of a SequenceExample, or its `mean` in an Example.
    """

    name: str
    ids: tuple[str, ...]
    embedding: str
    mean: str
    labels_file: str
    index: str
    machine_id: str
    label: str


# research.google.com/audioset/download.html, research.google.com/youtube8m/download.html. In 2017,
# YouTube-8M called its ids video_id.
_DATA_SETS = (
    _DataSet(
        *("audioset", ("video_id",), "audio_embedding", ""),
        *("class_labels_indices.csv", "index", "mid", "display_name"),
    ),
    _DataSet(
        *("youtube8m", ("id", "video_id"), "audio", "mean_audio"),
        *("vocabulary.csv", "Index", "KnowledgeGraphId", "Name"),
    ),
)

# Machine ids of the labels below "Music genre" (/m/0kpv1t) in AudioSet's ontology that have clips.
_MUSIC_GENRES = frozenset(
    """
    /m/064t9 /m/0glt670 /m/02cz_7 /m/06by7 /m/03lty /m/05r6t /m/0dls3 /m/0dl5d /m/07sbbz2 /m/05w3f
    /m/06j6l /m/0gywn /m/06cqb /m/01lyv /m/015y_n /m/0gg8l /m/02x8m /m/02w4v /m/06j64v /m/03_d0
    /m/026z9 /m/0ggq0m /m/05lls /m/02lkt /m/03mb9 /m/07gxw /m/07s72n /m/0283d /m/0m0jc /m/08cyft
    /m/0fd3y /m/07lnk /m/0g293 /m/0ln16 /m/0326g /m/0155w /m/05fw6t /m/02v2lh /m/0y4f8 /m/0z9c
    /m/0164x2 /m/0145m /m/02mscn /m/016cjb /m/028sqc /m/015vgc /m/0dq0md /m/06rqw /m/02p0sh1
    /m/05rwpb
    """.split()
)


def accepts(path: Path) -> bool:
    """Return whether a file is a TFRecord file, judging by its name."""
    return files.is_known(path, RECORD_READERS)


def members(path: Path) -> Iterator[Member]:
    """Yield the records of a file, each behind the name of the file's folder and a NUL."""
    folder = os.fsencode(path.parent.absolute())
    for member in files.members(path, RECORD_READERS):
        if not member.fault:
            member.view = folder + b"\0" + member.data
        yield member


def submission(member: Member, profile: Profile) -> Submission:
    """Return the submission in one record, a segment of a video; Rejected says why there is none.

    The number is the second at which the segment starts: the segments of one video are submissions
    of one recording. A whole video starts at 0. SourceError if the list of labels is not found,
    OriginError if the profile is for a different extractor; both end a load.
    """
    if member.fault:
        raise Rejected(member.fault)
    folder, _, data = member.data.partition(b"\0")
    try:
        example = parse_sequence_example(data)
    except WireError as error:
        raise Rejected(f"neither an Example nor a SequenceExample: {error}") from None
    data_set, embedding = _embedding(example)
    source_id = _id(example, data_set)
    start, end = (_seconds(example, key) for key in ("start_time_seconds", "end_time_seconds"))
    document: dict[str, Any] = {"extractor": EXTRACTOR, "embedding": embedding}
    require_origin(document, profile, member.name)
    features = extract(document, profile)
    if np.isnan(features).all():
        raise Rejected(f"no feature set of profile '{profile.name}' in it, only an embedding")
    metadata: dict[str, Any] = {"source_id": source_id}
    if data_set.name == "audioset":
        metadata["url"] = f"https://www.youtube.com/watch?v={source_id}&t={start:.0f}s"
    if end > start:
        metadata["length"] = end - start
    if labels := _labels(example, data_set, os.fsdecode(folder)):
        metadata["labels"] = labels
    mbid = own_mbid(data_set.name, source_id)
    return Submission(mbid, data_set.name, int(start), "record", features, metadata)


def dequantised(quantised: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return embeddings from their bytes: 256 steps from -2 to 2, each represented by its middle.

    YouTube-8M's own reader does the same (google/youtube-8m, utils.py, Dequantize).
    """
    return (quantised * (4 / 255) + (4 / 512 - 2)).astype(np.float32)


def _embedding(example: SequenceExample) -> tuple[_DataSet, dict[str, Any]]:
    """Return the data set of a record, and what is known of its embeddings.

    That is their mean and, where there is one for each second, their deviation, both as lists of
    numbers.
    """
    for data_set in _DATA_SETS:
        if steps := example.steps.get(data_set.embedding):
            frames = _frames(steps, data_set)
            return data_set, {
                "mean": frames.mean(axis=0, dtype=np.float64).tolist(),
                "deviation": frames.std(axis=0, dtype=np.float64).tolist(),
            }
        if mean := example.context.get(data_set.mean):
            return data_set, {"mean": mean}
    known = [key for each in _DATA_SETS for key in (each.embedding, each.mean) if key]
    raise Rejected(f"no embedding: the record has none of {', '.join(known)}")


def _frames(steps: list[Feature], data_set: _DataSet) -> NDArray[np.float32]:
    """Return the embedding of each second, (seconds, dimensions) float32."""
    values = [value for step in steps for value in step if isinstance(value, bytes)]
    if not values:
        raise Rejected(f"no '{data_set.embedding}' in it")
    if len({len(value) for value in values}) > 1:
        raise Rejected(f"'{data_set.embedding}' differs in length from second to second")
    return dequantised(np.frombuffer(b"".join(values), np.uint8).reshape(len(values), -1))


def _id(example: SequenceExample, data_set: _DataSet) -> str:
    key = next((each for each in data_set.ids if example.context.get(each)), None)
    if key is None:
        raise Rejected(f"no id: the record has no {' and no '.join(data_set.ids)}")
    value = example.context[key][0]
    try:
        text = value.decode() if isinstance(value, bytes) else ""
    except UnicodeDecodeError:
        text = ""
    if not text or not text.isprintable():
        raise Rejected(f"{key} {value!r:.60} is not a text")
    return text


def _seconds(example: SequenceExample, key: str) -> float:
    value = next(iter(example.context.get(key, [])), 0.0)
    if isinstance(value, bytes) or not 0 <= value <= LARGEST_NUMBER:
        raise Rejected(f"{key} {value!r:.60} is not a number of seconds")
    return value


def _labels(example: SequenceExample, data_set: _DataSet, folder: str) -> dict[str, list[str]]:
    numbers = example.context.get("labels", [])
    if not numbers:
        return {}
    names = _label_names(folder, data_set)
    unknown = [number for number in numbers if number not in names]
    if unknown:
        raise Rejected(f"label {unknown[0]!r:.60} is not in {data_set.labels_file}")
    found = [names[number] for number in numbers]
    genres = [label for machine_id, label in found if machine_id in _MUSIC_GENRES]
    labels = {data_set.name: [label for _, label in found]}
    return labels | ({GENRE_SCHEME: genres} if genres else {})


@lru_cache(maxsize=64)
def _label_names(folder: str, data_set: _DataSet) -> dict[Any, tuple[str, str]]:
    """Return the machine id and the name of each label, by its number."""
    for place in (Path(folder), *Path(folder).parents):
        path = place / data_set.labels_file
        if path.is_file():
            break
    else:
        raise SourceError(
            f"no {data_set.labels_file} in {folder}, nor in a folder above it: put the list of"
            " labels there that comes with the data set"
        )
    try:
        with open_regular(path) as file:
            return {
                int(row[data_set.index]): (row[data_set.machine_id], row[data_set.label])
                for row in csv.DictReader(text_lines(file))
            }
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}") from None
    except (KeyError, ValueError, TypeError) as error:
        raise SourceError(f"{path} is not a list of labels: {error!r}") from None
