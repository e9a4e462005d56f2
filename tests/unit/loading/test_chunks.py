"""Documents in chunks: the same ones whether a source reads into the room or beside it."""

import tarfile
from itertools import repeat
from pathlib import Path
from random import Random
from typing import Any

import pytest

from pgsim.loading import chunks as module
from pgsim.loading.chunks import PLACE, Mark, chunks
from pgsim.sources import acousticbrainz
from pgsim.sources.streams import buffer as room_module
from pgsim.sources.streams.tar import BLOCK
from pgsim.sources.streams.walk import Input
from tests.support.tars import written

# Usual names, and others: hidden, after a blank, in two lines, too long, not in ASCII.
NAMES = [*("a" * 40), "b/c", ".d", "e/.f", " g", "h\ni", "j" * 120, "é"]


class Beside:
    """AcousticBrainz, document by document."""

    name, accepts, submission = "beside", acousticbrainz.accepts, acousticbrainz.submission
    members = acousticbrainz.members


def documents(
    files: list[Path], source: Any, known: dict[str, Mark], most: int, size: int
) -> tuple[list[tuple[str, bytes, str]], list[tuple[str, int, bool]]]:
    """Names, bytes and faults of all documents, and the spans that they are of."""
    found: list[tuple[str, bytes, str]] = []
    spans: dict[str, int] = {}
    inputs = [Input(file, file, source) for file in files]
    ends = []
    for chunk in chunks(inputs, known, most, (memoryview(bytearray(size)) for _ in repeat(0))):
        assert len(chunk.names) <= most
        assert sum(span.documents for span in chunk.spans) == len(chunk.names)
        assert chunk.names == chunk.documents.names
        found += ((each.name, each.data, each.fault) for each in chunk.documents.members())
        for span in chunk.spans:
            spans[span.name] = spans.get(span.name, 0) + span.documents
            ends += [span.name] if span.is_last else []
    return found, [(name, count, name in ends) for name, count in spans.items()]


@pytest.mark.parametrize("seed", range(100))
def test_a_tar_read_into_the_room_has_the_same_documents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    lot = Random(seed)
    memory = lot.choice([0, 20_000, 60_000])
    monkeypatch.setattr(room_module, "_AHEAD", 4000)
    monkeypatch.setattr(module, "BYTES", memory - 8000)
    files, known = [], {}
    for number in range(3):
        names = lot.choices(NAMES, k=lot.randrange(60))
        members = [
            (f"{name}{place}.json", str(place).encode() * lot.randrange(150))
            for place, name in enumerate(names)
        ]
        form = lot.choice([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
        data = written(form, members, with_others=lot.random() < 0.2)
        if lot.random() < 0.3:
            data = data[: lot.randrange(len(data))]
        file = tmp_path / f"{number}.tar"
        file.write_bytes(data)
        status = file.stat()
        past = lot.randrange(-20, 40)
        if past > 0:
            known[str(file)] = Mark(status.st_size, status.st_mtime_ns, documents=past)
        lone = tmp_path / f"{number}.json"
        lone.write_bytes(b"{}" * number)
        files += [file, lone]
    most = lot.randrange(1, 40)
    there = documents(files, acousticbrainz, known, most, memory)
    assert there == documents(files, Beside, known, most, memory)


def test_what_was_read_ahead_of_a_broken_tar_is_forgotten(tmp_path: Path) -> None:
    members = [(f"{number}.json", b"x" * 9000) for number in range(400)]
    data = written(tarfile.GNU_FORMAT, members, with_others=False)
    middle = len(data) // 2 // BLOCK * BLOCK
    broken = tmp_path / "broken.tar"
    broken.write_bytes(data[:middle] + b"?" * 20 * BLOCK + data[middle:])
    lone = [tmp_path / f"{number}.json" for number in range(300)]
    for file in lone:
        file.write_bytes(b"x" * 9000)
    inputs = [Input(file, file, acousticbrainz) for file in (broken, *lone)]
    found = list(chunks(inputs, {}, 500, (memoryview(bytearray(PLACE)) for _ in repeat(0))))
    assert all(isinstance(each.documents.data, memoryview) for each in found)  # in its own place
