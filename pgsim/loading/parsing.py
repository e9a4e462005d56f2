"""Documents to rows of `submission`, by worker processes: the loading process only reads bytes."""

import gc
import os
import struct
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, chain, cycle, islice, pairwise
from mmap import mmap
from queue import Queue
from tempfile import TemporaryFile
from threading import Event
from typing import IO, cast

import numpy as np
import orjson
from numpy.typing import NDArray

from pgsim.errors import Rejected
from pgsim.features.profile import Profile
from pgsim.loading.chunks import (
    Chunk,
    Chunker,
    Documents,
    HeldDocuments,
    Limits,
    Mark,
    Origin,
    SharedDocuments,
    TableDocuments,
)
from pgsim.postgres.wire import ARRAY_HEADER, REAL, items
from pgsim.processes import Worker
from pgsim.sources import table_columns
from pgsim.sources.streams.walk import Input
from pgsim.sources.submission import Submission, Submissions

_LENGTH = struct.Struct(">i")
_ITEMS = items(">f4")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a chunk's documents, without the rows themselves.

    `keys` has the key of each row, and `bounds` where each begins and the last one ends.
    `failures` has the other documents: each one's place in the chunk, and the reason. `present`,
    (dimensions,), says which features any of the documents has.
    """

    bounds: list[int]
    keys: list[bytes]
    failures: list[tuple[int, str]]
    repairs: int
    present: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a chunk's documents, packed for COPY one after the other, and the outcome."""

    data: bytes
    outcome: Outcome

    def each(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield the key and the data of each row."""
        bounds = pairwise(self.outcome.bounds)
        for key, (start, end) in zip(self.outcome.keys, bounds, strict=True):
            yield key, self.data[start:end]


def parse(documents: Documents, slot: memoryview, profile: Profile) -> Rows:
    """Return the rows of the documents of a chunk, and why the others have none."""
    if isinstance(documents, TableDocuments):
        found = table_columns.submissions(documents.rows(slot), profile)
    else:
        found = _submissions(documents, slot, profile)
    present = np.asarray(~np.isnan(found.features).all(axis=0))
    keys = [*map(_key, found.mbids, found.sources, found.numbers)]
    between = _between(found.features, found.texts)
    rows = [*map(b"".join, zip(keys, between, found.texts, strict=True))]
    bounds = [*accumulate(map(len, rows), initial=0)]
    outcome = Outcome(bounds, keys, found.failures, found.repairs, present)
    return Rows(b"".join(rows), outcome)


def _submissions(
    documents: SharedDocuments | HeldDocuments, slot: memoryview, profile: Profile
) -> Submissions:
    """Return the submissions of the documents, read one by one."""
    found = Submissions([], [], [], np.empty(0, np.float32), [], [])
    features: list[NDArray[np.float32]] = []
    for place, member in enumerate(documents.members(slot)):
        try:
            if member.fault or documents.read is None:
                raise Rejected(member.fault)
            submission = documents.read(member, profile)
            text = _text(submission)
        except Rejected as error:
            found.failures.append((place, str(error)))
        else:
            found.mbids.append(submission.mbid.bytes)
            found.sources.append(submission.source)
            found.numbers.append(submission.number)
            features.append(submission.features)
            found.texts.append(text)
            found.repairs += submission.repairs
    joined = np.concatenate([np.empty(0), *features], dtype=np.float32)
    found.features = joined.reshape(len(features), profile.dimensions)
    return found


def parse_files(
    files: Iterable[Input],
    known: Mapping[str, Mark],
    profile: Profile,
    workers: int,
    limits: Limits,
) -> Generator[tuple[Origin, Rows], None, None]:
    """Yield the rows of each chunk of the files' documents, in order, made by worker processes.

    `known` has the marks of earlier loads. A thread reads a few chunks ahead. Documents go to a
    worker process, and rows come back, through memory that both share, which takes a fifth of the
    time that a pipe takes; only what has no room there goes through a pipe. A load of one chunk, or
    by one worker, starts no process. WorkerDied if a process dies.
    """
    # Enough to do while a batch is stored; more than a few workers wait for their reader anyway.
    ahead = min(workers, 14) + 7
    # When a slot's turn comes round its last chunk must be done. So many chunks wait, one is waited
    # for, one is about to wait, and the next slot already has what was read ahead.
    count = ahead + 3
    with _file_in_memory() as file:
        file.truncate(count * limits.slot)
        number = file.fileno()
        slots = _slots(number, limits.slot)
        chunks = Chunker(known, slots, limits).chunks(files)
        first = list(islice(chunks, 2))
        if len(first) < 2 or workers == 1:
            for chunk in chain(first, chunks):
                yield chunk.origin, parse(chunk.documents, slots[chunk.slot], profile)
            return
        crew: list[Worker[_Task, _Answer]] = [
            Worker(
                *(_parser, profile, number, limits.slot),
                files=[number],
                environment=_ONE_BLAS_THREAD,
            )
            for _ in range(workers)
        ]
        yield from _answers(chain(first, chunks), crew, slots, ahead)


def _answers(
    chunks: Iterable[Chunk],
    crew: Sequence[Worker["_Task", "_Answer"]],
    slots: Sequence[memoryview],
    ahead: int,
) -> Iterator[tuple[Origin, Rows]]:
    """Yield each chunk's rows as the workers finish them; the workers end with the last one."""
    waiting: Queue[tuple[Origin, int, Worker[_Task, _Answer]] | None] = Queue(maxsize=ahead)
    is_over = Event()

    def read() -> None:
        try:
            for chunk, worker in zip(chunks, cycle(crew), strict=False):
                if is_over.is_set():
                    return
                worker.send((chunk.documents, chunk.slot))
                waiting.put((chunk.origin, chunk.slot, worker))
        finally:
            waiting.put(None)

    with ThreadPoolExecutor(1) as thread:
        reading = thread.submit(read)
        is_read = False
        try:
            while sent := waiting.get():
                origin, slot, worker = sent
                outcome, data = worker.answer()
                if data is None:
                    data = bytes(slots[slot][: outcome.bounds[-1]])
                yield origin, Rows(data, outcome)
            is_read = True
            reading.result()
        finally:
            is_over.set()
            for worker in crew:
                worker.kill()
            while not is_read:  # or else the thread would wait for ever for room in the queue
                is_read = waiting.get() is None
            for worker in crew:
                worker.end()


def _file_in_memory() -> IO[bytes]:
    """Return a file without a name for processes to share; on a disk if the system has no other.

    In a container, /dev/shm would be too small.
    """
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("pgsim"), "r+b")
    return cast(IO[bytes], TemporaryFile())


def _slots(file: int, size: int) -> list[memoryview]:
    """Return the memory that a file is, cut into slots of `size` bytes."""
    memory = memoryview(mmap(file, 0))
    return [memory[start : start + size] for start in range(0, len(memory), size)]


_Task = tuple[Documents, int]  # and the number of their slot
_Answer = tuple[Outcome, bytes | None]  # and the rows, unless these lie in the slot


# More threads would wait, busily, for work that never comes.
_ONE_BLAS_THREAD = {"OPENBLAS_NUM_THREADS": "1"}


def _parser(profile: Profile, file: int, size: int) -> Callable[[_Task], _Answer]:
    """Return what parses documents in a worker process; `file` is the shared memory."""
    slots = _slots(file, size)
    os.nice(5)  # the loading process, and the server that stores the rows, come first
    gc.set_threshold(100_000)  # documents are trees: there is next to nothing to collect

    def parse_in_slot(task: _Task) -> _Answer:
        """Parse documents; their rows take the documents' place in the slot if there is room."""
        documents, number = task
        slot = slots[number]
        rows = parse(documents, slot, profile)
        if len(rows.data) > len(slot):
            return rows.outcome, rows.data
        slot[: len(rows.data)] = rows.data
        return rows.outcome, None

    return parse_in_slot


def _between(features: NDArray[np.float32], texts: Sequence[bytes]) -> list[bytes]:
    """Return the part of each row between its key and its text.

    It holds the features, (n, dimensions), and the length of the text. A text is jsonb, whose
    binary form is a 1 and the text.
    """
    dimensions = features.shape[1]
    header = ARRAY_HEADER.pack(1, 0, REAL, dimensions, 1)
    header = _LENGTH.pack(len(header) + dimensions * _ITEMS.itemsize) + header
    kind = np.dtype(
        [
            ("header", f"V{len(header)}"),
            ("items", _ITEMS, (dimensions,)),
            ("length", ">i4"),
            ("version", "i1"),
        ]
    )
    packed = np.empty(len(features), kind)
    packed["header"], packed["items"]["size"], packed["items"]["value"] = header, 4, features
    packed["length"], packed["version"] = [len(text) + 1 for text in texts], 1
    found: list[bytes] = packed.view(f"V{kind.itemsize}").tolist()
    return found


def _key(mbid: bytes, source: str, number: int) -> bytes:
    """Return the beginning of a row, up to its number: no two submissions have the same.

    In PostgreSQL's binary COPY a row is its number of fields, then each field behind its length.
    """
    name, pack = _source(source)
    return pack(5, 16, mbid, len(name), name, 4, number)


@lru_cache(maxsize=16)
def _source(name: str) -> tuple[bytes, Callable[..., bytes]]:
    """Return a source's name, and what packs the beginning of a row with it."""
    encoded = name.encode()
    return encoded, struct.Struct(f">hi16si{len(encoded)}sii").pack


def _text(submission: Submission) -> bytes:
    """Return the end of a row: the metadata."""
    try:
        return orjson.dumps({submission.document: submission.metadata})
    except orjson.JSONEncodeError as error:
        raise Rejected(f"metadata that cannot be stored: {error}") from None
