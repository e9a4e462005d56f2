"""Documents in chunks: the same ones whether a source reads into the buffer or not."""

import tarfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from pgsim.loading.chunks import LIMITS, Chunker, HeldDocuments, Limits, Mark, SharedDocuments
from pgsim.sources import BufferedSource, MemberRun, ReadBuffer, acousticbrainz, tables
from pgsim.sources.streams import buffer as buffer_module
from pgsim.sources.streams.files import Member
from pgsim.sources.streams.tar import BLOCK
from pgsim.sources.streams.walk import Input
from tests.support.tars import written

# Usual names, and others: hidden, after a blank, in two lines, too long, not in ASCII.
NAMES = [*("a" * 40), "b/c", ".d", "e/.f", " g", "h\ni", "j" * 120, "é"]


class Unbuffered:
    """AcousticBrainz, document by document."""

    name, accepts, submission = "unbuffered", acousticbrainz.accepts, acousticbrainz.submission
    members = acousticbrainz.members


class Lines:
    """A source of one's own: each line of a file is a document, and all of them are a run."""

    name, accepts, submission = "lines", acousticbrainz.accepts, acousticbrainz.submission

    def members(self, path: Path) -> Iterator[Member]:
        raise AssertionError("there is a buffer to read into")

    def members_in(self, buffer: ReadBuffer, path: Path) -> Iterator[Member | MemberRun]:
        with path.open("rb") as stream:
            buffer.open(stream)
            size = path.stat().st_size
            assert buffer.need(size)
            start, bounds = buffer.at, [buffer.at]
            for place, byte in enumerate(buffer.memory[start : start + size]):
                if byte == ord("\n"):
                    bounds += [start + place, start + place + 1]
            buffer.at += size
            names = [f"{path.name}:{number}" for number in range(len(bounds) // 2)]
            yield MemberRun(names, bounds[:-1], size)


def slots(size: int, count: int = 2) -> list[memoryview]:
    return [memoryview(bytearray(size)) for _ in range(count)]


def documents(
    files: list[Path], source: Any, known: dict[str, Mark], limits: Limits
) -> tuple[list[tuple[str, bytes, str]], list[tuple[str, int, bool]]]:
    """The names, bytes and faults of all documents, and the spans that they are of."""
    found: list[tuple[str, bytes, str]] = []
    spans: dict[str, int] = {}
    inputs = [Input(file, file, source) for file in files]
    ends = []
    memory = slots(limits.slot)
    for chunk in Chunker(known, memory, limits).chunks(inputs):
        origin = chunk.origin
        assert len(origin.names) <= limits.documents
        assert sum(span.documents for span in origin.spans) == len(origin.names)
        assert origin.names == chunk.documents.names
        members = chunk.documents.members(memory[chunk.slot])
        found += ((each.name, each.data, each.fault) for each in members)
        for span in origin.spans:
            spans[span.name] = spans.get(span.name, 0) + span.documents
            ends += [span.name] if span.is_last else []
    return found, [(name, count, name in ends) for name, count in spans.items()]


@pytest.mark.parametrize("seed", range(100))
def test_a_tar_read_into_the_buffer_has_the_same_documents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = Random(seed)
    memory = chance.choice([0, 20_000, 60_000])
    monkeypatch.setattr(buffer_module, "_AHEAD", 4000)
    files, known = [], {}
    for number in range(3):
        names = chance.choices(NAMES, k=chance.randrange(60))
        members = [
            (f"{name}{place}.json", str(place).encode() * chance.randrange(150))
            for place, name in enumerate(names)
        ]
        form = chance.choice([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
        data = written(form, members, with_others=chance.random() < 0.2)
        if chance.random() < 0.3:
            data = data[: chance.randrange(len(data))]
        file = tmp_path / f"{number}.tar"
        file.write_bytes(data)
        status = file.stat()
        past = chance.randrange(-20, 40)
        if past > 0:
            known[str(file)] = Mark(status.st_size, status.st_mtime_ns, documents=past)
        lone = tmp_path / f"{number}.json"
        lone.write_bytes(b"{}" * number)
        files += [file, lone]
    limits = Limits(chance.randrange(1, 40), memory - 8000, memory)
    there = documents(files, acousticbrainz, known, limits)
    assert there == documents(files, Unbuffered, known, limits)


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
    found = list(Chunker({}, slots(LIMITS.slot)).chunks(inputs))
    assert len(found) == 2
    assert all(isinstance(each.documents, SharedDocuments) for each in found)


def test_documents_without_room_in_a_slot_are_held_with_their_bytes(tmp_path: Path) -> None:
    small, large = tmp_path / "0.json", tmp_path / "1.json"
    small.write_bytes(b"{}")
    large.write_bytes(b"[]" * 500)
    files = [small, small, large, small, small]
    inputs = [Input(file, file, acousticbrainz) for file in files]
    memory = slots(100, 3)
    found = list(Chunker({}, memory, Limits(documents=2, slot=100)).chunks(inputs))
    kinds = [SharedDocuments, HeldDocuments, SharedDocuments]
    assert [type(each.documents) for each in found] == kinds
    read = [[member.data for member in each.documents.members(memory[each.slot])] for each in found]
    assert read == [[b"{}"] * 2, [b"[]" * 500, b"{}"], [b"{}"]]


def test_a_source_that_can_read_into_the_buffer_does_so(tmp_path: Path) -> None:
    path = tmp_path / "a.lines"
    path.write_bytes(b"one\ntwo\nthree\n")
    status = path.stat()
    mark = Mark(status.st_size, status.st_mtime_ns, documents=1)
    found, _ = documents([path], Lines(), {str(path): mark}, LIMITS)
    assert found == [("a.lines:1", b"two", ""), ("a.lines:2", b"three", "")]


@pytest.mark.parametrize(
    ("source", "is_buffered"),
    [(acousticbrainz, True), (Lines(), True), (tables, False), (Unbuffered(), False)],
)
def test_a_source_is_buffered_if_it_has_members_in(source: object, is_buffered: bool) -> None:
    assert isinstance(source, BufferedSource) == is_buffered
