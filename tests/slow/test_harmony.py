"""What harmony adds to AcousticBrainz's features, on genuine low-level documents."""

import csv
import io
import tarfile

import numpy as np
import orjson
import pytest
import zstandard
from numpy.typing import NDArray

from pgsim.evaluation.labels import precision
from pgsim.features.fusion import Moments, aggregate, fuse
from pgsim.features.profile import read_profile
from pgsim.features.reading import extract
from tests.support.paths import GENUINE

pytestmark = pytest.mark.slow

MUSIC = GENUINE / "debian-music"


def test_with_harmony_more_neighbours_are_of_the_same_game() -> None:
    if not MUSIC.is_dir():
        pytest.skip(f"the genuine documents are not in {MUSIC}")
    with (MUSIC / "debian-music.csv").open(encoding="utf-8", newline="") as file:
        games = {row["document"]: row["package"] for row in csv.DictReader(file)}
    documents = {}
    with zstandard.open(MUSIC / "lowlevel-documents.tar.zst") as stream:
        packed = io.BytesIO(stream.read())
    with tarfile.open(fileobj=packed) as archive:
        for member in archive:
            name = member.name.rpartition("/")[2]
            if name in games and (data := archive.extractfile(member)):
                document = orjson.loads(data.read())
                key = document["tonal"]["key_edma"]  # what was key_key and key_scale
                document["tonal"] |= {"key_key": key["key"], "key_scale": key["scale"]}
                documents[name] = document
    assert len(documents) == 533
    labels = np.array([games[name] for name in documents])
    found = {
        name: precision(vectors(list(documents.values()), name), labels, 10)
        for name in ("acousticbrainz", "acousticbrainz_harmony")
    }
    assert found["acousticbrainz_harmony"] > 1.08 * found["acousticbrainz"], found


def vectors(documents: list[dict[str, object]], name: str) -> NDArray[np.float32]:
    profile = read_profile(name)
    features = np.array([extract(each, profile) for each in documents])
    values = aggregate(features, np.arange(len(features)), profile)
    moments = Moments(profile)
    moments.add(values)
    return fuse(values, profile, moments.fit())
